"""Puts spans that overlap into lanes in which none do. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterable


def lanes(spans: Iterable[tuple[float | None, float | None]]) -> list[int]:
    """For each span the lowest lane in which no other is at that time; -1 for one without start or end."""
    given = list(spans)
    found = [-1] * len(given)
    busy: list[tuple[float, int]] = []
    free: list[int] = []
    count = 0
    known = [
        (start, end, at) for at, (start, end) in enumerate(given) if start is not None and end is not None
    ]
    for start, end, at in sorted(known):
        while busy and busy[0][0] <= start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if free:
            lane = heapq.heappop(free)
        else:
            lane, count = count, count + 1
        heapq.heappush(busy, (max(start, end), lane))
        found[at] = lane
    return found
