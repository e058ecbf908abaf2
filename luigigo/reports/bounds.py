"""What no schedule can go below, from how long each action of a graph takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy

from luigigo.reports.simulation import Graph, WorkTime

MOST_WINDOWS = 2_000_000
"""Windows × actions that are looked at: of larger graphs fewer windows, each of which gives a bound."""
MOST_EDGES = 160


def least_seconds(graph: Graph, works: Mapping[int, WorkTime], slots: int) -> float:
    """A makespan that no schedule in so many slots can go below (Fernández and Bussell, 1973).

    In a window of time, actions that can neither all be done before it nor put off until after it need its
    slots; what they need beyond what is there makes every schedule longer than T∞ by at least as much.
    """
    if not works:
        return 0.0
    remaining = graph.remaining(works)
    chain, work = max(remaining.values(), default=0.0), sum(each.slot_seconds for each in works.values())
    early = _earliest(graph, works)
    # When each must have its slot for all to be over after T∞.
    late = {number: chain - remaining[number] + works[number].before_seconds for number in graph.order}
    numbers = [number for number in graph.order if works[number].slot_seconds > 0]
    begins = numpy.array([early[number] for number in numbers])
    latest = numpy.array([late[number] for number in numbers])
    took = numpy.array([works[number].slot_seconds for number in numbers])
    excess = 0.0
    edges = _edges({*early.values(), *late.values()}, chain, len(numbers))
    for at, begin in enumerate(edges):
        for end in edges[at + 1 :]:
            inside = numpy.minimum(took, end - begin)
            inside = numpy.minimum(inside, numpy.minimum(begins + took - begin, end - latest))
            needed = float(inside[inside > 0].sum())
            excess = max(excess, (needed - slots * (end - begin)) / slots)
    return max(chain + excess, work / slots)


def _edges(moments: set[float], chain: float, actions: int) -> list[float]:
    most = max(8, min(MOST_EDGES, int((2 * MOST_WINDOWS / max(1, actions)) ** 0.5)))
    ordered = sorted(moments)
    return [*ordered[:: max(1, len(ordered) // most)], chain]


def _earliest(graph: Graph, works: Mapping[int, WorkTime]) -> dict[int, float]:
    """When each can have its slot at best, with any number of slots."""
    found: dict[int, float] = {}
    for number in graph.order:
        ends = (
            found[each] + works[each].slot_seconds + works[each].after_seconds
            for each in graph.dependencies[number]
        )
        found[number] = max(ends, default=0.0) + works[number].before_seconds
    return found
