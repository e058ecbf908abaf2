"""How far runs are that go on, from their records. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from luigigo.reports.history import History
from luigigo.reports.simulation import Graph, WorkTime, makespan

KNOWN_SHARE = 0.7
"""How many of the remaining actions must have a known time for the rest to be told."""
VERSION = 1


class RunningAction(msgspec.Struct, frozen=True):
    """An action under way."""

    action: str
    node: str
    seconds: float
    """For how long it has run."""
    expected_seconds: float | None = None
    """How long it took the last time."""


class LiveRun(msgspec.Struct, frozen=True):
    """A run that goes on."""

    run: str
    what: str
    """The project and its packages."""
    host: str
    seconds: float
    """Since the command began."""
    phase: str
    """What the client did last that is known, such as `list` or `run`."""
    done: int
    """Of `total`, the actions that have to be done in this run."""
    total: int
    failed: int
    ready: int
    """Wait for a slot or memory."""
    waiting: int
    """Wait for other actions."""
    running: tuple[RunningAction, ...]
    nodes: int
    slots: int
    left_seconds: float | None = None
    """About how long the rest takes; None where too little of it is known."""


def live_run(history: History, others: Sequence[History], now: float) -> LiveRun:
    """How far a run is; `others` tell how long actions took before. `now`: seconds since 1970."""
    record = history.record
    wanted = [n for n in range(len(history.actions)) if history.actions[n].id and n not in history.hits]
    over = {number for number in wanted if number in history.last}
    known = _known_seconds(others)
    elapsed = now - record.head.started if record.head is not None else history.seconds
    since = {
        each.action: each
        for each in (record.now.running if record.now is not None else ())
        if each.action not in over
    }
    ready = [
        number
        for number in wanted
        if number not in over
        and number not in since
        and all(each in history.done or each in history.hits for each in history.actions[number].dependencies)
    ]
    running = tuple(
        RunningAction(
            history.actions[each.action].id,
            each.node,
            max(0.0, elapsed - each.since),
            known.get(history.actions[each.action].id),
        )
        for each in since.values()
    )
    return LiveRun(
        run=history.run,
        what=history.what,
        host=record.head.owner.host if record.head is not None else "",
        seconds=elapsed,
        phase=_phase(history),
        done=len(over),
        total=len(wanted),
        failed=sum(step.line.outcome == "failed" for step in history.last.values()),
        ready=len(ready),
        waiting=len(wanted) - len(over) - len(ready) - len(running),
        running=running,
        nodes=len(history.nodes),
        slots=history.slots,
        left_seconds=_left(history, wanted, running, known),
    )


def _phase(history: History) -> str:
    """The last phase that is known of; the one under way before actions run tells of itself when it ends."""
    names = [phase.name for phase in history.record.phases]
    return "run" if history.steps or history.record.nodes else (names[-1] if names else "start")


def _known_seconds(others: Sequence[History]) -> dict[str, float]:
    known: dict[str, float] = {}
    for other in others:
        for number, (hit, _) in other.hits.items():
            known.setdefault(other.actions[number].id, hit.seconds)
        for number, step in other.done.items():
            if step.line.outcome == "ran":
                known[other.actions[number].id] = step.seconds
    return known


def _left(
    history: History, wanted: list[int], running: Sequence[RunningAction], known: dict[str, float]
) -> float | None:
    ran = {each.action: each.seconds for each in running}
    left = [number for number in wanted if number not in history.last]
    names = {number: history.actions[number].id for number in left}
    told = [number for number in left if names[number] in known]
    if not left or len(told) < KNOWN_SHARE * len(left) or not history.slots:
        return None
    works = {
        number: WorkTime(max(0.0, known.get(name, 0.0) - ran.get(name, 0.0)))
        for number, name in names.items()
    }
    return makespan(
        Graph({number: history.actions[number].dependencies for number in left}), works, history.slots
    )
