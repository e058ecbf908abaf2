"""How long one action takes, without what it waits for others that make the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

LeaveSlot: TypeAlias = Callable[[], Callable[[], None]]
"""Gives up slot and memory of this thread's task while it waits; what it returns takes them again."""


def stay() -> Callable[[], None]:
    """Keep them, where there is nothing to give up."""
    return lambda: None


class Stopwatch:
    """One action's time: when its tools ended, and without what it waited for others that made the same."""

    def __init__(self, tools_ended: Callable[[], None], leave_slot: LeaveSlot) -> None:
        self._tools_ended, self._leave_slot = tools_ended, leave_slot
        self._started = time.monotonic()
        self._ended_at = 0.0
        self._left_at = 0.0

    def tools_ended(self) -> None:
        """All that is left is to publish."""
        self._stop_waiting()
        self._ended_at = time.monotonic()
        self._tools_ended()

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
            self._started += time.monotonic() - self._left_at
            self._left_at = 0.0

    @property
    def seconds(self) -> float:
        """Since the action began, without waiting."""
        self._stop_waiting()
        return time.monotonic() - self._started

    @property
    def published_seconds(self) -> float:
        """Since its tools ended."""
        return time.monotonic() - self._ended_at
