"""`workflows/slurm.sbatch` in a real Slurm: workers in an allocation, and what its end means."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from commanding import NODES, Cluster
from hosts import Network
from slurm import Slurm
from support import IDENTICAL
from tools import wait_for

from luigigo.golang.toolchain import find_go

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "workflows" / "slurm.sbatch"
PROGRAM = ROOT / "tests" / "programs" / "generics"


@pytest.fixture
def cluster(network: Network, shared: Path, local: Path) -> Cluster:
    """luigid on the head, and a file on the share that lists no nodes."""
    cluster = Cluster(network, shared, local)
    cluster.file = shared / "cluster.yaml"
    cluster.network.head.view(cluster.file).write_text(
        f"shared: {shared}\nscheduler: {{host: head}}\ncache: {local}\n"
    )
    cluster.up()
    return cluster


def connected(cluster: Cluster) -> list[str]:
    """The nodes whose workers luigid knows."""
    return sorted(cluster.states())


def submit(cluster: Cluster, slurm: Slurm, *arguments: str | Path) -> int:
    """Submit the script."""
    log = f"--output={cluster.shared}/job.log"
    return slurm.sbatch("--nodes=3", f"--chdir={cluster.shared}", log, *arguments)


def test_an_allocation_is_workers_of_the_cluster(cluster: Cluster, slurm: Slurm) -> None:
    """One on each node with all its processors; scancel ends them, and luigid forgets them."""
    job = submit(cluster, slurm, SCRIPT, cluster.file)
    wait_for(lambda: connected(cluster) == list(NODES), "the workers")
    slots = re.findall(r"^n\d +ready +0 +0 +(\d+)", cluster("cluster", "status").stdout, re.M)
    assert slots == [str(slurm.cpus)] * 3
    slurm.scancel(job)
    slurm.wait_for_state(job, "CANCELLED")
    wait_for(lambda: connected(cluster) == [], "luigid to miss them")
    wait_for(lambda: cluster.workers() == {name: [] for name in NODES}, "the workers' end")


def test_a_build_in_an_allocation_of_its_own(cluster: Cluster, slurm: Slurm) -> None:
    """The job ends with the build, with the binary of go build in its place."""
    binary = cluster.shared / "program"
    job = submit(cluster, slurm, SCRIPT, cluster.file, PROGRAM, f"--output={binary}")
    wait_for(lambda: slurm.state(job) in ("COMPLETED", "FAILED"), "the job")
    log = cluster.network.head.run(["cat", cluster.shared / "job.log"]).stdout
    assert slurm.state(job) == "COMPLETED", log
    reference = cluster.local / "reference"
    go = find_go("", os.environ)
    go_build = [go.path, "build", *IDENTICAL, "-o", reference, "."]
    cluster.network.head.run(go_build, go.plain_environment({"GOCACHE": f"{cluster.local}/gocache"}), PROGRAM)
    cluster.network.head.run(["cmp", reference, binary])
    assert cluster.workers() == {name: [] for name in NODES}
