"""What a worker takes of an allocation."""

from __future__ import annotations

import pytest

from luigigo.worker.allocation import Allocation, slurm_allocation

JOB = {"SLURM_JOB_ID": "7"}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, Allocation()),
        ({"SLURM_CPUS_ON_NODE": "4"}, Allocation()),
        (JOB, Allocation()),
        (JOB | {"SLURM_CPUS_ON_NODE": "4"}, Allocation(4)),
        (JOB | {"SLURM_JOB_CPUS_PER_NODE": "16(x3)"}, Allocation(16)),
        (JOB | {"SLURM_CPUS_ON_NODE": "8", "SLURM_TASKS_PER_NODE": "2(x3)"}, Allocation(4)),
        (JOB | {"SLURM_CPUS_ON_NODE": "8", "SLURM_CPUS_PER_TASK": "3"}, Allocation(3)),
        (JOB | {"SLURM_CPUS_ON_NODE": "2", "SLURM_MEM_PER_NODE": "4096"}, Allocation(2, 4096 << 20)),
        (JOB | {"SLURM_CPUS_ON_NODE": "2", "SLURM_MEM_PER_CPU": "100"}, Allocation(2, 200 << 20)),
        (
            JOB | {"SLURM_CPUS_ON_NODE": "4", "SLURM_STEP_TASKS_PER_NODE": "2", "SLURM_MEM_PER_NODE": "1000"},
            Allocation(2, 500 << 20),
        ),
        (JOB | {"SLURM_CPUS_ON_NODE": "nonsense"}, Allocation()),
    ],
)
def test_shares(variables: dict[str, str], expected: Allocation) -> None:
    """A worker takes what Slurm gave to one task on its node, and elsewhere whatever the machine has."""
    assert slurm_allocation(variables) == expected
