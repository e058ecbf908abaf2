"""The Slurm of the tests runs jobs on the hosts."""

from __future__ import annotations

from pathlib import Path

from hosts import Network
from slurm import Slurm
from tools import wait_for


def test_srun_runs_on_all_nodes(slurm: Slurm) -> None:
    """`srun -N3` runs a program on each node."""
    assert sorted(slurm.srun(["hostname"], "-N3").stdout.split()) == ["n1", "n2", "n3"]


def test_jobs_run_until_they_are_cancelled(slurm: Slurm, network: Network, shared: Path) -> None:
    """A job of `sbatch` is in the queue and has its program on a node, until `scancel` ends both."""
    script = shared / "job.sh"
    network.head.view(script).write_text("#!/bin/sh\nexec sleep 1008\n")
    job = slurm.sbatch("--nodelist=n2", script)
    slurm.wait_for_state(job, "RUNNING")
    assert slurm.squeue() == {job: "RUNNING"}
    wait_for(lambda: network["n2"].pids("^sleep 1008$"), "the program")
    slurm.scancel(job)
    slurm.wait_for_state(job, "CANCELLED")
    wait_for(lambda: network["n2"].pids("^sleep 1008$") == [], "the end")
    assert slurm.squeue() == {}
