"""What a batch system gave to this process, where one started it. Pure: reads a mapping of variables.

Slurm binds an allocation's processes to their share by affinity and control groups only where its site has
set that up; the variables say it everywhere (`srun(1)`, OUTPUT ENVIRONMENT VARIABLES).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

_FIRST_COUNT = re.compile(r"\d+")
_MEGABYTE = 1 << 20


class Allocation(msgspec.Struct, frozen=True):
    """A share of one node; 0 where nothing limits it."""

    cpus: int = 0
    memory_bytes: int = 0


def slurm_allocation(variables: Mapping[str, str]) -> Allocation:
    """One task's share of a node under Slurm; nothing is limited elsewhere.

    With several tasks on a node each gets an equal share, so that several workers there fit together.
    """
    if "SLURM_JOB_ID" not in variables:
        return Allocation()
    on_node = _count(variables, "SLURM_CPUS_ON_NODE") or _count(variables, "SLURM_JOB_CPUS_PER_NODE")
    tasks = _count(variables, "SLURM_STEP_TASKS_PER_NODE") or _count(variables, "SLURM_TASKS_PER_NODE") or 1
    cpus = _count(variables, "SLURM_CPUS_PER_TASK") or (max(1, on_node // tasks) if on_node else 0)
    per_node = _count(variables, "SLURM_MEM_PER_NODE") // tasks
    per_cpu = _count(variables, "SLURM_MEM_PER_CPU") * (cpus or 1)
    return Allocation(cpus, (per_node or per_cpu) * _MEGABYTE)


def _count(variables: Mapping[str, str], name: str) -> int:
    """The number that a variable begins with: `2(x3)` is two on each of three nodes."""
    found = _FIRST_COUNT.match(variables.get(name, ""))
    return int(found[0]) if found else 0
