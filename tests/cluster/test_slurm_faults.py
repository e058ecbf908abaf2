"""An allocation of a real Slurm that ends in the middle of a build is a lost node, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from clusters import MODULE, Cluster
from slurm import Slurm

SCRIPT = Path(__file__).parents[2] / "workflows" / "slurm.sbatch"


@pytest.mark.parametrize(("options", "state"), [((), "CANCELLED"), (("--time=1",), "TIMEOUT")])
def test_an_allocation_ends_in_the_middle_of_a_build(
    idle_cluster: Cluster, seed: Path, many: Path, slurm: Slurm, options: tuple[str, ...], state: str
) -> None:
    """By `scancel` or by its time limit: what ran there runs in another allocation, and nothing failed."""
    cluster = idle_cluster
    cluster.seed()
    cluster.start_scheduler()
    common = ("--nodes=1", f"--chdir={cluster.shared}", f"--output={cluster.shared}/%j.log")
    first = slurm.sbatch(*common, "--nodelist=n1", *options, SCRIPT, cluster.file)
    build = cluster.build(cluster.project(many))
    assert cluster.wait_running(f"{MODULE}/slow1") == "n1"
    cluster.pause_compile("n1", f"{MODULE}/slow1")
    second = slurm.sbatch(*common, "--nodelist=n2", SCRIPT, cluster.file)
    slurm.wait_for_state(second, "RUNNING")
    if not options:
        slurm.scancel(first)
    slurm.wait_for_state(first, state)
    cluster.end_identical(build, many)
    assert build.nodes_of(f"{MODULE}/slow1") == ["n2"]
    slurm.scancel(second)
    slurm.wait_for_state(second, "CANCELLED")
