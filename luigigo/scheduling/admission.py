"""Which of the claimed tasks may start now, so that their predicted memory fits.

Decides only; measures nothing and starts nothing. Knows task ids and bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TypeAlias

import msgspec

Budget: TypeAlias = "int | Callable[[], int | None] | None"
"""Bytes, or how to learn them."""


class MemoryClaim(msgspec.Struct, frozen=True):
    """What one task asks for."""

    task_id: str
    predicted_bytes: int
    """Its predicted peak, no more than the budget: who needs more than there is gets all of it."""
    exclusive: bool
    """Runs with no other task beside it."""


class Admission:
    """Keeps the sum of the running tasks' predicted peaks within a budget.

    A task predicted to need more than the whole budget counts as needing the whole: it may run, beside
    none but tasks that claim nothing. The task held longest has a reservation: whoever passes it must
    leave room for it beside all that started since it came to the front, so it starts at the latest when
    those that ran then have ended. The next one held then comes to the front; hence none starves.
    """

    def __init__(self, budget_bytes: Budget = None) -> None:
        """`budget_bytes` of None is no limit; exclusive claims still run alone.

        A function is asked at the first claim, for a run without any need not know.
        """
        self._budget = budget_bytes
        self._running: dict[str, MemoryClaim] = {}
        self._running_bytes = 0
        self._held: list[MemoryClaim] = []
        self._passed_bytes = 0
        """Claimed by running tasks that started after the first of `_held` came to the front."""
        self._passed_ids: set[str] = set()

    @cached_property
    def _budget_bytes(self) -> int | None:
        return self._budget() if callable(self._budget) else self._budget

    @property
    def held(self) -> tuple[str, ...]:
        """Claimed tasks that wait, longest held first."""
        return tuple(claim.task_id for claim in self._held)

    def claim(self, task_id: str, predicted_bytes: int = 0, exclusive: bool = False) -> bool:
        """Whether the task may start now; if not it is held, until `release` returns it.

        Raises `ValueError` for a task that runs or is held already.
        """
        if task_id in self._running or task_id in self.held:
            raise ValueError(f"{task_id} has claimed already")
        if self._budget_bytes is not None:
            predicted_bytes = min(predicted_bytes, self._budget_bytes)
        claim = MemoryClaim(task_id, max(0, predicted_bytes), exclusive)
        if self._may_start(claim):
            self._start(claim)
            return True
        self._held.append(claim)
        return False

    def release(self, task_id: str) -> list[str]:
        """Take back a task's claim, running or held; return the held tasks that start now, in order.

        An unknown task is ignored.
        """
        front = self._held[0] if self._held else None
        self._held = [claim for claim in self._held if claim.task_id != task_id]
        self._note_front(front)
        ended = self._running.pop(task_id, None)
        if ended is not None:
            self._running_bytes -= ended.predicted_bytes
            if task_id in self._passed_ids:
                self._passed_ids.discard(task_id)
                self._passed_bytes -= ended.predicted_bytes
        return self._start_held()

    def _start_held(self) -> list[str]:
        started = []
        for claim in list(self._held):
            front = self._held[0]
            if not self._may_start(claim):
                continue
            self._held.remove(claim)
            self._start(claim)
            self._note_front(front)
            started.append(claim.task_id)
        return started

    def _may_start(self, claim: MemoryClaim) -> bool:
        if any(running.exclusive for running in self._running.values()):
            return False
        if claim.exclusive and self._running:
            return False
        if not self._fits(self._running_bytes + claim.predicted_bytes):
            return False
        front = self._held[0] if self._held else None
        if front is None or front is claim:
            return True
        if front.exclusive:
            return False
        return self._fits(self._passed_bytes + claim.predicted_bytes + front.predicted_bytes)

    def _fits(self, total_bytes: int) -> bool:
        return self._budget_bytes is None or total_bytes <= self._budget_bytes

    def _start(self, claim: MemoryClaim) -> None:
        self._running[claim.task_id] = claim
        self._running_bytes += claim.predicted_bytes
        if self._held:
            self._passed_ids.add(claim.task_id)
            self._passed_bytes += claim.predicted_bytes

    def _note_front(self, before: MemoryClaim | None) -> None:
        """A new front is owed nothing by what runs already: forget who passed the one before."""
        if not self._held or self._held[0] is not before:
            self._passed_ids.clear()
            self._passed_bytes = 0
