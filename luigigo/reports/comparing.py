"""Two runs beside each other: what became slower or faster, and what differs. Pure."""

from __future__ import annotations

import msgspec

from luigigo.attempts import span
from luigigo.reports.history import History, Step

_MUCH_SECONDS = 0.05
"""A wait that differs by less is none that anybody feels."""


class Comparison(msgspec.Struct, frozen=True):
    """One action in two runs; what is not known of one is None, or ""."""

    action: str
    package: str
    outcome: str = ""
    other_outcome: str = ""
    seconds: float | None = None
    other_seconds: float | None = None
    change_seconds: float | None = None
    change_wait_seconds: float | None = None
    node: str = ""
    other_node: str = ""
    why: str = ""


def compare_histories(history: History, other: History) -> list[Comparison]:
    """Every action of either run, what became slower most first."""
    mine, theirs = _by_id(history), _by_id(other)
    rows = [
        _compare(each, (history, mine.get(each)), (other, theirs.get(each))) for each in {**mine, **theirs}
    ]
    return sorted(rows, key=lambda row: (-(row.change_seconds or 0.0), row.action))


def _by_id(history: History) -> dict[str, int]:
    return {action.id: number for number, action in enumerate(history.actions) if action.id}


def _compare(name: str, mine: tuple[History, int | None], theirs: tuple[History, int | None]) -> Comparison:
    step, other = _step(*mine), _step(*theirs)
    ran, other_ran = _ran(step), _ran(other)
    seconds = ran.seconds if ran is not None else None
    other_seconds = other_ran.seconds if other_ran is not None else None
    both = seconds is not None and other_seconds is not None
    wait = (_waited(ran) - _waited(other_ran)) if ran is not None and other_ran is not None else None
    node, other_node = (step.node if step else ""), (other.node if other else "")
    why = [
        *(["input"] if _key(*mine) != _key(*theirs) else []),
        *(["node"] if node and other_node and node != other_node else []),
        *(["wait"] if wait is not None and abs(wait) > _MUCH_SECONDS else []),
    ]
    return Comparison(
        action=name,
        package=name.partition(" ")[2],
        outcome=_outcome(*mine),
        other_outcome=_outcome(*theirs),
        seconds=seconds,
        other_seconds=other_seconds,
        change_seconds=seconds - other_seconds if both else None,  # type: ignore[operator]
        change_wait_seconds=wait,
        node=node,
        other_node=other_node,
        why=" ".join(why),
    )


def _step(history: History, number: int | None) -> Step | None:
    return None if number is None else history.last.get(number)


def _ran(step: Step | None) -> Step | None:
    return step if step is not None and step.line.outcome == "ran" else None


def _waited(step: Step) -> float:
    return span(step.moments.ready, step.moments.started)


def _key(history: History, number: int | None) -> str:
    return "" if number is None else history.actions[number].key


def _outcome(history: History, number: int | None) -> str:
    return "" if number is None else history.outcome(number)
