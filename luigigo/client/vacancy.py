"""What a client says, and when, while no node can run its build. No network, and no clock of its own."""

from __future__ import annotations

import math

import msgspec

from luigigo.client import hints

PATIENCE_SECONDS = 2.0
"""How long there may be no worker before the user is told."""
SAY_AGAIN_SECONDS = 60.0


class Fallback(msgspec.Struct, frozen=True):
    """What a client does where no worker comes."""

    builds_here: bool
    """Else it waits."""
    seconds: float
    """When it begins to build."""


class Vacancy:
    """Since when no node can run a client's actions, and what of it the user was told."""

    def __init__(self, place: object, fallback: Fallback, now: float) -> None:
        """`place`: where luigid is, as it is said."""
        self._place = place
        self._fallback = fallback
        self._count: int | None = None
        self._since = now
        self._told_at = -math.inf
        """When the user was told last; never, or not since a worker could."""
        self._why: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether there is a worker, or luigid has not said yet."""
        return self._count != 0

    def restart(self, now: float) -> None:
        """Count the time from now."""
        self._since = now

    def note(self, count: int, why: tuple[str, ...], now: float) -> str:
        """Take how many workers can run the actions, and why the others can't. Returns what to say, or ""."""
        self._why = why
        if count == 0 and self._count != 0:
            self._since = now
        self._count = count
        if not count or self._told_at == -math.inf:
            return ""
        self._told_at = -math.inf
        return f"{count} workers are here: going on" if count > 1 else "a worker is here: going on"

    def due(self, now: float) -> str:
        """What to say now, or "": that nobody can run the build, and of each node why; every minute."""
        gone_seconds = now - self._since
        if self.is_over or gone_seconds <= PATIENCE_SECONDS or now - self._told_at <= SAY_AGAIN_SECONDS:
            return ""
        self._told_at = now
        if self._fallback.builds_here:
            then = f"building here in {max(0.0, self._fallback.seconds - gone_seconds):.0f} s"
        else:
            here = hints.without_workers(hints.in_use())
            then = f"waiting for one (start a luigigo worker, or luigigo cluster up; or {here})"
        first = f"no worker at {self._place} can run this build: {then}"
        return "\n  ".join([first, *(self._why or ["no node is connected"])])

    def is_time_to_build_here(self, now: float) -> bool:
        """Whether it was waited long enough for a worker, where that ends."""
        is_due = now - self._since > self._fallback.seconds
        return self._fallback.builds_here and is_due and not self.is_over
