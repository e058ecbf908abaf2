"""What a command does from when to when: one phase at a time, without a gap. Pure but for the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec


class Phase(msgspec.Struct, frozen=True):
    """One stretch of a command's time, in seconds of `time.monotonic`."""

    name: str
    start: float
    end: float


class Phases:
    """The phases of one run. Used by the thread that builds."""

    def __init__(self, started: float, clock: Callable[[], float] = time.monotonic) -> None:
        """The run began at `started`, with the phase `start`."""
        self.started = started
        self._clock = clock
        self._over: list[Phase] = []
        self._name, self._since = "start", started

    def enter(self, name: str) -> None:
        """What is done from now on; the phase before it is over."""
        if name != self._name:
            now = self._clock()
            self._over.append(Phase(self._name, self._since, now))
            self._name, self._since = name, now

    @contextmanager
    def during(self, name: str) -> Iterator[None]:
        """Something of its own; then what was done before goes on."""
        before = self._name
        self.enter(name)
        try:
            yield
        finally:
            self.enter(before)

    def take(self) -> list[Phase]:
        """The phases that were over since this was asked last."""
        over, self._over = self._over, []
        return over

    def end(self) -> list[Phase]:
        """The same, with the one under way, which ends now."""
        now = self._clock()
        self._over.append(Phase(self._name, self._since, now))
        self._since = now
        return self.take()
