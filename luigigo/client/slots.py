"""Which task has which slot of this process, since when it could have had one, and what it waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from luigigo.attempts import SlotNumbers, SlotTurn


class SlotLog:
    """The slots of one worker. Used by its thread."""

    def __init__(self, count: int, queue: Any, clock: Callable[[], float] = time.monotonic) -> None:
        """`queue` knows when tasks became ready (`scheduling.ready`); None where another process does."""
        self._count = count
        self._queue = queue
        self._clock = clock
        self._numbers = SlotNumbers()
        self._taken: dict[str, int] = {}
        self._given: dict[str, SlotTurn] = {}
        self._free_since = clock()

    def note_given(self, task_id: str) -> None:
        """The task was chosen for a free slot, and is begun when there is memory."""
        now = self._clock()
        ready_at = self._queue.ready_at(task_id) if self._queue is not None else 0.0
        free_seconds = max(0.0, now - max(ready_at, self._free_since)) if ready_at else 0.0
        self._given[task_id] = SlotTurn(
            ready_at=ready_at or None, given_at=now, free_wait_seconds=free_seconds
        )

    def take(self, task_id: str) -> SlotTurn:
        """The task begins, or goes on: how it came to its slot."""
        slot = self._taken[task_id] = self._numbers.take()
        given = self._given.pop(task_id, None)
        if given is None or given.given_at is None:
            return SlotTurn(slot=slot)
        return SlotTurn(
            ready_at=given.ready_at,
            given_at=given.given_at,
            memory_wait_seconds=self._clock() - given.given_at,
            free_wait_seconds=given.free_wait_seconds,
            slot=slot,
        )

    def give_back(self, task_id: str) -> None:
        """The task has ended or waits for others."""
        if len(self._taken) >= self._count:
            self._free_since = self._clock()
        self._given.pop(task_id, None)
        slot = self._taken.pop(task_id, None)
        if slot is not None:
            self._numbers.give_back(slot)
