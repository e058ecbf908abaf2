"""Runs of one program on several numbers of nodes and slots, beside one another. Pure.

Three figures, as the distributed compilers that went before drew them: how long a build takes, how long it
waits for what nodes exchange, and how long for being told what to do.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from luigigo.errors import UsageError
from luigigo.reports import occupancy
from luigigo.reports.headline import headline
from luigigo.reports.history import History


class Measured(msgspec.Struct, frozen=True):
    """What one run came to; times in seconds."""

    run: str
    nodes: int
    slots: int
    """Of each node."""
    compile_seconds: float
    """The makespan: until the binary is in place."""
    exchange_seconds: float
    """How long all slots stood idle for the share, divided by their number: it is exposed."""
    hidden_seconds: float
    """The same for what was staged and published while slots were busy."""
    distribution_seconds: float
    """From being ready to being given, while a slot was free, over all actions."""
    bound_seconds: float
    least_seconds: float


class Point(msgspec.Struct, frozen=True):
    """All runs on as many nodes with as many slots."""

    nodes: int
    slots: int
    runs: int
    median: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]


FIGURES = {
    "compile_seconds": "Compile time",
    "exchange_seconds": "Dependency exchange time",
    "distribution_seconds": "Command distribution time",
}
COLUMNS = (*FIGURES, "hidden_seconds", "bound_seconds", "least_seconds")


def measured(history: History) -> Measured:
    """What a run came to. Raises `UsageError` for one that failed, or whose nodes differ in slots."""
    row = headline(history)
    if row.outcome != "ok":
        raise UsageError(f"run {history.run} cannot be compared: its outcome is {row.outcome!r}")
    slots = {node.slots for node in history.nodes.values()}
    if len(slots) != 1:
        raise UsageError(f"run {history.run} cannot be compared: its nodes have {sorted(slots)} slots")
    idle = occupancy.totals(history)
    exposed = idle.get(occupancy.STAGING, 0.0) + idle.get(occupancy.PUBLISHING, 0.0)
    remote = [step for step in history.steps if step.is_remote]
    moved = sum(step.staging_seconds + step.publishing_seconds for step in remote)
    return Measured(
        run=history.run,
        nodes=row.nodes,
        slots=slots.pop(),
        compile_seconds=row.makespan_seconds,
        exchange_seconds=exposed / max(1, row.slots),
        hidden_seconds=max(0.0, moved - exposed) / max(1, row.slots),
        distribution_seconds=sum(step.waits.luigid for step in history.steps),
        bound_seconds=row.bound_seconds,
        least_seconds=row.least_seconds,
    )


def require_alike(histories: Sequence[History]) -> None:
    """Raise `UsageError` with the names of runs of different programs, or of different toolchains."""
    for what, name in (("different programs", _program), ("different toolchains", _toolchain)):
        found: defaultdict[str, list[str]] = defaultdict(list)
        for history in histories:
            found[name(history)].append(history.run)
        if len(found) > 1:
            told = "; ".join(f"{value}: {', '.join(runs)}" for value, runs in found.items())
            raise UsageError(f"these are runs of {what}: {told}")


def _program(history: History) -> str:
    return "; ".join(" ".join((plan.project, *plan.packages)) for plan in history.record.plans)


def _toolchain(history: History) -> str:
    return ", ".join(dict.fromkeys(plan.toolchain for plan in history.record.plans))


def points(runs: Iterable[Measured]) -> list[Point]:
    """One point for each number of nodes and slots, with the median and range of its runs."""
    groups: defaultdict[tuple[int, int], list[Measured]] = defaultdict(list)
    for run in runs:
        groups[run.nodes, run.slots].append(run)
    return [
        Point(
            nodes,
            slots,
            len(group),
            {name: statistics.median(getattr(run, name) for run in group) for name in COLUMNS},
            {name: min(getattr(run, name) for run in group) for name in COLUMNS},
            {name: max(getattr(run, name) for run in group) for name in COLUMNS},
        )
        for (nodes, slots), group in sorted(groups.items())
    ]
