"""luigid's clock as a peer knows it. Pure.

luigid says now and then what its monotonic clock showed, and the peer knows between which two moments of its
own that was: from when it asked to when it heard. The shortest such stretch of late tells best.
"""

from __future__ import annotations

import math
from collections import deque

import msgspec

MOST_SAMPLES = 60
"""Clocks drift apart by some 50 ppm: a minute's worth is 3 ms."""


class _Sample(msgspec.Struct, frozen=True):
    offset_seconds: float
    """What is added to the peer's clock."""
    uncertainty_seconds: float


class LuigidClock:
    """Moves moments of this process' `time.monotonic` to luigid's, and back."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=MOST_SAMPLES)
        self._best = _Sample(0.0, math.inf)

    def note(self, luigid_time: float, earliest: float, latest: float) -> None:
        """luigid's clock showed `luigid_time` at some moment from `earliest` to `latest` here, in seconds."""
        middle = (earliest + latest) / 2
        self._samples.append(_Sample(luigid_time - middle, max(0.0, latest - earliest) / 2))
        self._best = min(self._samples, key=lambda sample: sample.uncertainty_seconds)

    def forget(self) -> None:
        """It is another luigid's from now on."""
        self._samples.clear()

    @property
    def uncertainty_seconds(self) -> float:
        """By how much a moment that is moved may be off; infinite while nothing is known."""
        return self._best.uncertainty_seconds

    def to_luigid(self, moment: float) -> float:
        """When that was by luigid's clock."""
        return moment + self._best.offset_seconds

    def from_luigid(self, moment: float) -> float:
        """When that was by this process' clock."""
        return moment - self._best.offset_seconds
