"""The two critical paths of a run, which are never mixed. Pure.

The *longest chain* is the chain of actions, each waiting for the one before, with the most work: no number
of nodes makes the run shorter. The *chain that happened* is walked back from the end: what was waited for at
each moment, be it a dependency, a slot, memory, the share or luigid.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from functools import lru_cache

import msgspec

from luigigo.reports.history import History, Step

WAIT_SECONDS = 0.0005
"""A shorter wait than this is told by no clock."""


class ChainLink(msgspec.Struct, frozen=True):
    """One link of the chain that happened, later ones last."""

    step: Step
    cause: str
    """What it waited for before it began: `start`, `dependency`, `slot` or `memory`."""
    waits: dict[str, float]
    """Of the time between the link before and its own beginning, the seconds by cause, beside that."""


@lru_cache(maxsize=4)
def longest_chain(history: History) -> list[int]:
    """The numbers of the actions on the chain with the most work, first to last; empty where nothing ran."""
    total: dict[int, float] = {}
    before: dict[int, int | None] = {}
    for number in _in_order(history):
        step = history.done.get(number)
        if step is None:
            # It was done before, or never: nobody waited for what it needs because of it.
            continue
        best = max(history.actions[number].dependencies, key=lambda each: total.get(each, 0.0), default=None)
        total[number] = step.seconds + (total.get(best, 0.0) if best is not None else 0.0)
        before[number] = best if best is not None and total.get(best, 0.0) > 0 else None
    if not total:
        return []
    at: int | None = max(total, key=lambda each: total[each])
    if at is None or not total[at]:
        return []
    chain = []
    while at is not None:
        chain.append(at)
        at = before[at]
    return chain[::-1]


def chain_seconds(history: History, chain: list[int]) -> float:
    """How much work a chain is."""
    return sum(history.done[number].seconds for number in chain)


def _in_order(history: History) -> list[int]:
    """All actions, dependencies first. A plan lists them so; a damaged record may not."""
    order: list[int] = []
    state: dict[int, bool] = {}
    for root in range(len(history.actions)):
        waiting = [root]
        while waiting:
            number = waiting[-1]
            if number in state:
                waiting.pop()
                if not state[number]:
                    state[number] = True
                    order.append(number)
                continue
            state[number] = False
            waiting += [
                each
                for each in history.actions[number].dependencies
                if each not in state and 0 <= each < len(history.actions)
            ]
    return order


def chain_that_happened(history: History) -> list[ChainLink]:
    """Why the run ended when it did, from its beginning to the last action's end."""
    ended = [step for step in history.last.values() if step.moments.ended is not None]
    if not ended:
        return []
    occupants = _Occupants(history)
    step: Step | None = max(ended, key=lambda each: each.moments.ended or 0.0)
    links: list[ChainLink] = []
    seen: set[int] = set()
    while step is not None and step.number not in seen:
        seen.add(step.number)
        before, cause = _before(history, occupants, step)
        links.append(ChainLink(step, cause, _waits(step, cause)))
        step = before
    return links[::-1]


def _before(history: History, occupants: _Occupants, step: Step) -> tuple[Step | None, str]:
    """What a step waited for last, and how."""
    if step.slot_wait_seconds > WAIT_SECONDS or step.waits.memory > WAIT_SECONDS:
        other = occupants.last_before(step)
        if other is not None and (other.slot_end or 0.0) > (step.moments.ready or 0.0):
            return other, "slot" if step.slot_wait_seconds >= step.waits.memory else "memory"
    ended = [history.last[each] for each in history.actions[step.number].dependencies if each in history.last]
    last = max(ended, key=lambda each: each.moments.ended or 0.0, default=None)
    return last, "start" if last is None else "dependency"


def _waits(step: Step, cause: str) -> dict[str, float]:
    found = {
        "share": step.staging_seconds,
        "luigid": step.waits.luigid,
        "memory": 0.0 if cause == "memory" else step.waits.memory,
        "slot": 0.0 if cause == "slot" else step.slot_wait_seconds,
    }
    return {name: seconds for name, seconds in found.items() if seconds > WAIT_SECONDS}


class _Occupants:
    """Who left a slot of which node when."""

    def __init__(self, history: History) -> None:
        self._left: dict[str, list[tuple[float, int]]] = defaultdict(list)
        self._steps = history.steps
        for at, step in enumerate(history.steps):
            if step.slot_end is not None and step.slot_start is not None:
                self._left[step.node].append((step.slot_end, at))
        for each in self._left.values():
            each.sort()

    def last_before(self, step: Step) -> Step | None:
        """Who left a slot of the step's node last before it began there."""
        left = self._left[step.node]
        start = step.moments.started
        at = bisect_right(left, ((start if start is not None else 0.0) + 1e-4, len(self._steps)))
        for _, index in reversed(left[:at]):
            if self._steps[index].number != step.number:
                return self._steps[index]
        return None
