"""What a command does from when to when: one phase at a time, without a gap. Pure but for the clock."""

from __future__ import annotations

import threading
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
    """The phases of one run. Safe for threads."""

    def __init__(self, started: float, clock: Callable[[], float] = time.monotonic) -> None:
        """The run began at `started`, with the phase `start`."""
        self.started = started
        self._clock = clock
        self._over: list[Phase] = []
        self._name, self._since = "start", started
        self._around = ""
        """What is gone on with when the last of `during` is over."""
        self._within = 0
        self._lock = threading.Lock()

    def enter(self, name: str) -> None:
        """What is done from now on; the phase before it is over."""
        with self._lock:
            self._enter(name)

    def _enter(self, name: str) -> None:
        if name != self._name:
            now = self._clock()
            self._over.append(Phase(self._name, self._since, now))
            self._name, self._since = name, now

    @contextmanager
    def during(self, name: str) -> Iterator[None]:
        """Something of its own, in any number of threads; then what was done before goes on."""
        with self._lock:
            if not self._within:
                self._around = self._name
            self._within += 1
            self._enter(name)
        try:
            yield
        finally:
            with self._lock:
                self._within -= 1
                if not self._within:
                    self._enter(self._around)

    def take(self) -> list[Phase]:
        """The phases that were over since this was asked last."""
        with self._lock:
            over, self._over = self._over, []
            return over

    def end(self) -> list[Phase]:
        """The same, with the one under way, which ends now."""
        with self._lock:
            now = self._clock()
            self._over.append(Phase(self._name, self._since, now))
            self._since = now
        return self.take()
