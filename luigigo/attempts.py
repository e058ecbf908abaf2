"""How one attempt at an action went, point by point. Every layer shares these words; pure."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from luigigo.model import Output


def span(start: float | None, end: float | None) -> float:
    """Seconds from one moment to another; 0 where either is not known or the order is uncertain."""
    return 0.0 if start is None or end is None else max(0.0, end - start)


class Moments(msgspec.Struct, frozen=True, array_like=True):
    """When an attempt passed which point, in seconds on one monotonic clock; None for what it did not pass.

    In this order, which a clock that is not quite right may contradict across machines.
    """

    ready: float | None = None
    """All that it waits for was done."""
    given: float | None = None
    """A node was chosen for it; on a single machine, a slot was free."""
    received: float | None = None
    """Its node heard of it; only where another process gives out the tasks."""
    staged: float | None = None
    """All that it reads was on its node; likewise."""
    started: float | None = None
    """It had its slot, and its memory."""
    tools_started: float | None = None
    """The first of its tools ran; none does where an earlier output serves."""
    tools_ended: float | None = None
    """The last of them had ended, or what serves was found: from here on it publishes."""
    ended: float | None = None
    """It was over."""

    def moved(self, move: Callable[[float], float]) -> Moments:
        """The same on another clock."""
        return Moments(*(None if each is None else move(each) for each in msgspec.structs.astuple(self)))


class Waits(msgspec.Struct, frozen=True, array_like=True):
    """Of the time before an attempt ended, in seconds, how much it waited for what."""

    memory: float = 0.0
    """There was a slot, but not the memory."""
    luigid: float = 0.0
    """There were a slot and the memory, and it was not given out yet."""
    builds: float = 0.0
    """Another build on this machine was making the same."""


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attempt at an action."""

    moments: Moments = Moments()
    slot: int = -1
    """Which of its node's slots it had; of those that take part of a core, which place beside the others."""
    waits: Waits = Waits()
    cpu_seconds: float = 0.0
    """Of its tools."""
    peak_bytes: int = 0
    """The largest resident set of any one of its processes; 0 where no tool ran."""
    read_bytes: int = 0
    """What it read of its dependencies' outputs and of bundled sources, where its tools ran."""
    written_bytes: int = 0
    """What it published."""
    made: dict[str, Output] = {}
    """What the store holds of it now, by role."""
    made_by: str = ""
    """The run whose outputs serve, where no tool ran and it is known."""
    content_key: str = ""
    """Where its tools ran, the key of what they read."""
    uncertainty_seconds: float = 0.0
    """By how much its moments may be off, beside those of other machines."""

    @property
    def queued_seconds(self) -> float:
        """From the moment when it was ready until a slot took it up."""
        return span(self.moments.ready, self.moments.started)

    @property
    def staging_seconds(self) -> float:
        """Until the share had shown and handed over all that it reads; 0 on a single machine."""
        return span(self.moments.received, self.moments.staged)

    @property
    def publishing_seconds(self) -> float:
        """From its tools' end until the store had what they made; a slot's time only on a single machine."""
        return span(self.moments.tools_ended, self.moments.ended)


class SlotTurn(msgspec.Struct, frozen=True):
    """How an action came to be run here, and for whom."""

    run: str = ""
    """The run that wants it, which its record names as its maker."""

    ready_at: float | None = None
    given_at: float | None = None
    memory_wait_seconds: float = 0.0
    free_wait_seconds: float = 0.0
    """How long it was ready and not given though a slot was free."""
    slot: int = -1


AT_ONCE = SlotTurn()
"""Of what did not wait for its turn, and is recorded for no run."""


class NodeInfo(msgspec.Struct, frozen=True):
    """A machine on which actions run."""

    name: str
    slots: int
    memory_bytes: int = 0
    """What all actions there may take together; 0 is no limit."""
    processor: str = ""


class SlotNumbers:
    """Gives each that runs at a time a number of its own, the smallest that is free. Not safe for threads."""

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def take(self) -> int:
        """A number, until it is given back."""
        number = next(each for each in range(len(self._taken) + 1) if each not in self._taken)
        self._taken.add(number)
        return number

    def give_back(self, number: int) -> None:
        """It is free again. A number that was not taken is ignored."""
        self._taken.discard(number)
