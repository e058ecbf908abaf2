"""How long a graph of actions takes on given slots, when nothing but work takes time. Pure.

List scheduling by the longest remaining chain, as luigigo schedules: whenever a slot is free it takes the
ready action with the longest chain of work behind it. No schedule is known to be always shorter; the bound
max(T∞, T1/N) is one that none is below (Graham 1969).
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

import msgspec

_LEFT, _DONE, _STAGED = range(3)
"""What can happen to an action, in the order in which it counts at one moment."""


class WorkTime(msgspec.Struct, frozen=True):
    """What one action takes."""

    slot_seconds: float
    before_seconds: float = 0.0
    """From being ready until it can have a slot, while what it reads is on its way."""
    after_seconds: float = 0.0
    """From leaving its slot until others may read what it made."""


class Graph:
    """Actions by number, with what each waits for."""

    def __init__(self, dependencies: Mapping[int, Sequence[int]]) -> None:
        """Dependencies that are no keys are taken to be done."""
        self.dependencies = {
            number: [each for each in needed if each in dependencies]
            for number, needed in dependencies.items()
        }
        self.dependents: dict[int, list[int]] = {number: [] for number in dependencies}
        for number, needed in self.dependencies.items():
            for each in needed:
                self.dependents[each].append(number)
        self.order = self._order()

    def _order(self) -> list[int]:
        waiting = {number: len(needed) for number, needed in self.dependencies.items()}
        ready = [number for number, count in waiting.items() if not count]
        order = []
        while ready:
            number = ready.pop()
            order.append(number)
            for each in self.dependents[number]:
                waiting[each] -= 1
                if not waiting[each]:
                    ready.append(each)
        return order

    def remaining(self, works: Mapping[int, WorkTime]) -> dict[int, float]:
        """For each action, the longest chain of work that starts with it."""
        found: dict[int, float] = {}
        for number in reversed(self.order):
            work = works[number]
            after = max((found[each] for each in self.dependents[number]), default=0.0)
            found[number] = work.before_seconds + work.slot_seconds + work.after_seconds + after
        return found


def chain_of(graph: Graph, works: Mapping[int, WorkTime]) -> list[int]:
    """The actions of the longest chain of work, first to last."""
    remaining = graph.remaining(works)
    chain: list[int] = []
    # Only what waits for nothing begins one.
    following = [number for number, needed in graph.dependencies.items() if not needed]
    while following:
        chain.append(max(following, key=lambda number: remaining[number]))
        following = graph.dependents[chain[-1]]
    return chain


def makespan(graph: Graph, works: Mapping[int, WorkTime], slots: int) -> float:
    """How long all of it takes in so many slots."""
    remaining = graph.remaining(works)
    waiting = {number: len(graph.dependencies[number]) for number in graph.order}
    events = [
        (works[number].before_seconds, _STAGED, number) for number in graph.order if not waiting[number]
    ]
    heapq.heapify(events)
    ready: list[tuple[float, int]] = []
    free, end = slots, 0.0
    while events:
        now, kind, number = heapq.heappop(events)
        if kind == _STAGED:
            heapq.heappush(ready, (-remaining[number], number))
        elif kind == _LEFT:
            free += 1
            heapq.heappush(events, (now + works[number].after_seconds, _DONE, number))
        else:
            end = max(end, now)
            for each in graph.dependents[number]:
                waiting[each] -= 1
                if not waiting[each]:
                    heapq.heappush(events, (now + works[each].before_seconds, _STAGED, each))
        # All that happens at one moment counts before a slot is taken.
        while free and ready and not (events and events[0][0] <= now):
            free -= 1
            _, begun = heapq.heappop(ready)
            heapq.heappush(events, (now + works[begun].slot_seconds, _LEFT, begun))
    return end
