"""The documents' commands for clusters do what they say, one after the other, on hosts with a share."""

from __future__ import annotations

import shlex
from pathlib import Path

from commanding import Cluster
from consoles import ROOT, commands_of, needs_hosts
from hosts import Network

FILE = "workflows/cluster.yaml"
NEEDS_PACKAGES = "luigigo cluster bootstrap"
"""Hosts of the tests have no way to packages; bootstrap has its own tests, with an index in a folder."""


def test_the_commands_work(network: Network, shared: Path, local: Path) -> None:
    """In each document's order, from the first check to `down`; each way to build makes the program."""
    for document in ("README.md", "docs/cluster.md"):
        commands = [command for command in commands_of(ROOT / document) if needs_hosts(command)]
        assert any("build" in command for command in commands) and commands[-1] == "luigigo cluster down"
        for command in commands:
            if not command.startswith(NEEDS_PACKAGES):
                run(Cluster(network, shared, local), command)


def run(cluster: Cluster, command: str) -> None:
    """Run one command on the head, and what it builds."""
    head, local = cluster.network.head, cluster.local
    env = {"XDG_CONFIG_HOME": str(local / "config"), "LUIGIGO_CACHE": str(local / "client")}
    words = [str(cluster.file) if word == FILE else word for word in shlex.split(command)]
    words = [f"{local}/{word}" if word.startswith("bin/") else word for word in words]
    done = head.run(words, env, cwd=ROOT, timeout=300.0, check=False)
    assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"
    if "workflows/hello" in words:
        assert "go1." in head.run([local / "bin" / "hello", "-version"]).stdout
        head.run(["rm", local / "bin" / "hello"])
