"""How long one action takes, point by point, and without what it waits for others that make the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

from luigigo.attempts import Attempt, Moments, SlotTurn, Waits

LeaveSlot: TypeAlias = Callable[[], Callable[[], None]]
"""Gives up slot and memory of this thread's task while it waits; what it returns takes them again."""


def stay() -> Callable[[], None]:
    """Keep them, where there is nothing to give up."""
    return lambda: None


class Stopwatch:
    """One action's time: when its tools ran, and without what it waited for others that made the same."""

    def __init__(self, tools_ended: Callable[[], None] = lambda: None, leave_slot: LeaveSlot = stay) -> None:
        self._tools_ended, self._leave_slot = tools_ended, leave_slot
        self._began = self._started = time.monotonic()
        self._tools_at: float | None = None
        self._ended_at: float | None = None
        self._left_at = 0.0
        self.left_seconds = 0.0
        """How long it waited for others that made the same."""
        self.read_bytes = 0
        """What its tools were given to read."""

    def tools_begin(self) -> None:
        """All that the tools read is there."""
        self._tools_at = self._tools_at or time.monotonic()

    def tools_ended(self) -> None:
        """All that is left is to publish."""
        self._stop_waiting()
        self._ended_at = time.monotonic()
        self._tools_ended()

    def tools_failed(self) -> None:
        """They are over, and nothing is to be published: the action ends with them, in its slot."""
        self._ended_at = self._ended_at or time.monotonic()

    def leave_slot(self) -> Callable[[], None]:
        """Wait from now on, until what is returned is called."""
        self._left_at = time.monotonic()
        take_slot = self._leave_slot()

        def come_back() -> None:
            take_slot()
            self._stop_waiting()

        return come_back

    def _stop_waiting(self) -> None:
        if self._left_at:
            seconds = time.monotonic() - self._left_at
            self._started += seconds
            self.left_seconds += seconds
            self._left_at = 0.0

    @property
    def seconds(self) -> float:
        """Since the action began, without waiting."""
        self._stop_waiting()
        return time.monotonic() - self._started

    def attempt(self, turn: SlotTurn) -> Attempt:
        """How it went, now that it is over, by `time.monotonic`; what was made is left out."""
        self._stop_waiting()
        moments = Moments(
            ready=turn.ready_at,
            given=turn.given_at,
            started=self._began,
            tools_started=self._tools_at,
            tools_ended=self._ended_at,
            ended=time.monotonic(),
        )
        waits = Waits(turn.memory_wait_seconds, turn.free_wait_seconds, self.left_seconds)
        return Attempt(moments, turn.slot, waits, read_bytes=self.read_bytes)
