"""The README's commands for clusters do what it says, one after the other, on hosts with a share."""

from __future__ import annotations

import shlex
from pathlib import Path

from commanding import Cluster
from hosts import Network

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
SECTION = README[README.index("## On a cluster") : README.index("## In a workflow of your own")]
FILE = "workflows/cluster.yaml"
NEEDS_PACKAGES = "luigigo cluster bootstrap"
"""Hosts of the tests have no way to packages; bootstrap has its own tests, with an index in a folder."""


def cluster_commands() -> list[str]:
    """The commands of the section's console blocks."""
    return [line[2:] for line in SECTION.splitlines() if line.startswith("$ ")]


def test_the_commands_work(network: Network, shared: Path, local: Path) -> None:
    """From `doctor` to `down`, in the README's order; both ways to build make the program."""
    cluster = Cluster(network, shared, local)
    env = {"XDG_CONFIG_HOME": str(local / "config"), "LUIGIGO_CACHE": str(local / "client")}
    commands = [command for command in cluster_commands() if not command.startswith(NEEDS_PACKAGES)]
    assert [words.split()[1] for words in commands].count("build") == 1 and "down" in commands[-1]
    for command in commands:
        words = [str(cluster.file) if word == FILE else word for word in shlex.split(command)]
        words = [f"{local}/{word}" if word.startswith("bin/") else word for word in words]
        done = network.head.run(words, env, cwd=ROOT, timeout=300.0, check=False)
        assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
        if "workflows/hello" in words:
            version = network.head.run([local / "bin" / "hello", "-version"])
            assert "go1." in version.stdout
            network.head.run(["rm", local / "bin" / "hello"])


def test_every_command_is_documented() -> None:
    """The README names each command for clusters."""
    from luigigo.cluster.commands import cluster

    for name in cluster.commands:
        assert f"luigigo cluster {name}" in README
    for name in ("luigigo doctor", "luigigo worker", "luigigo scheduler"):
        assert name in README
