"""`luigigo cluster bootstrap`: one environment on the share that nodes with nothing but Python run from."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from commanding import NODES, Cluster, left_out, switch_off
from hosts import Network, Result

from luigigo.cluster.bootstrap import source_tree, versions_here

INSTALLED = Path(sys.prefix)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an installation needs, for hosts have no way to a package index."""
    folder = tmp_path_factory.mktemp("wheels")
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(versions_here()))
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", folder, "-c", constraints]
    subprocess.run([*wheel, f"{source_tree()}[go]", "setuptools>=77", "wheel"], check=True)
    for built in folder.glob("luigigo-*"):
        built.unlink()
    return folder


def bootstrap(cluster: Cluster, wheels: Path, *options: str) -> Result:
    """Run the command on the head, with a package index in a folder."""
    env = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CACHE_DIR": str(cluster.local / "pip")}
    command = ["luigigo", "cluster", "bootstrap", cluster.file, *options]
    return cluster.network.head.run(command, env, cluster.local, timeout=300.0, check=False)


def test_nodes_need_nothing_but_python(network: Network, shared: Path, local: Path, wheels: Path) -> None:
    """They run from the share; once more upgrades it, and what runs goes on; a node without it is named."""
    cluster = Cluster(network, shared, local)
    for name in NODES:
        network[name].hide(INSTALLED)
    try:
        before = left_out(cluster.up(check=False))
        assert all("its Python cannot be started" in before[name] for name in NODES), before
        made = bootstrap(cluster, wheels)
        assert (made.returncode, "runs on 3 of 3 nodes" in made.stdout) == (0, True), made
        assert left_out(cluster.up()) == {}
        assert cluster.states() == dict.fromkeys(NODES, "ready")
        running = cluster.workers()
        network["n1"].hide(Path(sys.executable).resolve())
        again = bootstrap(cluster, wheels)
        assert again.returncode == 1
        assert "its Python cannot be started" in left_out(again)["n1"]
        assert "runs on 2 of 3 nodes" in again.stdout
        environments = network.head.run(["ls", shared / "envs"]).stdout.split()
        link = network.head.run(["readlink", shared / "env"]).stdout.strip()
        assert len(environments) == 2 and link == f"envs/{max(environments)}"
        assert cluster.workers() == running
        assert cluster.states() == dict.fromkeys(NODES, "ready")
    finally:
        for name in NODES:
            switch_off(network[name])


def test_what_pip_says_is_shown(network: Network, shared: Path, local: Path, tmp_path: Path) -> None:
    """Without a way to the packages the environment is not turned to, and nothing is left."""
    cluster = Cluster(network, shared, local)
    failed = bootstrap(cluster, tmp_path)
    assert failed.returncode == 1
    assert "cannot install luigigo into it" in failed.stderr
    assert re.search("No matching distribution|Could not find", failed.stderr)
    assert network.head.run(["ls", shared / "envs"]).stdout == ""
    assert "Traceback" not in failed.stderr


def test_a_python_of_the_users_own_is_not_replaced(
    network: Network, shared: Path, local: Path, wheels: Path
) -> None:
    """Where the file names a Python, bootstrap would be of no effect."""
    cluster = Cluster(network, shared, local)
    cluster.describe(more=f"python: {sys.executable}\n")
    refused = bootstrap(cluster, wheels)
    assert refused.returncode == 2
    assert "remove that line to use bootstrap" in refused.stderr
