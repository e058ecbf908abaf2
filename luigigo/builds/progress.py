"""How far a build is, from what its observers hear: what share is done, and about how long the rest takes.

Pure; the clock is an argument. May be read while another thread notes events. An action is counted once, by
its key, however many builds of the process need it and however often it runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import msgspec

from luigigo.currentfolder import short_path
from luigigo.execution.events import (
    ActionEnded,
    ActionRequeued,
    ActionStarted,
    BuildPlanned,
    Delivered,
    Event,
    Expected,
    Outcome,
)
from luigigo.model import ActionKey
from luigigo.units import counted, time_text

KNOWN_SHARE = 0.7
"""How much of the time that is left must rest on earlier runs for it to be told."""

_LASTS = (Outcome.FAILED, Outcome.HIT, Outcome.CUTOFF, Outcome.RAN)
"""Of the outcomes of one action, the one that stands furthest back counts."""


class StartedAction(msgspec.Struct, frozen=True):
    """An action under way."""

    label: str
    started: float


class Remaining(msgspec.Struct, frozen=True):
    """An action that is not done, and how long it has run."""

    expected: Expected
    ran_seconds: float = 0.0


def seconds_left(remaining: Iterable[Remaining], slots: int) -> float | None:
    """About how long the remaining actions take in so many slots; None where too little of it is known.

    It is the longest chain of them, or all their work shared by the slots, whichever is more.
    """
    chain = work = known = 0.0
    for each in remaining:
        left = max(0.0, each.expected.seconds - each.ran_seconds)
        chain = max(chain, each.expected.path_seconds - each.expected.seconds + left)
        work += left
        known += left if each.expected.is_known else 0.0
    if known < KNOWN_SHARE * work or work == 0.0:
        return None
    return max(chain, work / max(1, slots))


class Tally:
    """The state of a process' builds as its observers see it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.started = clock()
        self.running: dict[ActionKey, StartedAction] = {}
        self.paths: dict[str, None] = {}
        """The binaries that are in place, in that order."""
        self._needed: dict[ActionKey, Expected] = {}
        self._ended: dict[ActionKey, Outcome] = {}
        self._saved_seconds: dict[ActionKey, float] = {}
        self._most_at_once = 0

    def note(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, BuildPlanned):
            for key, seconds in event.done.items():
                self._end(key, Outcome.HIT, seconds)
            for key, expected in event.needed.items():
                self._needed.setdefault(key, expected)
        elif isinstance(event, ActionStarted):
            self.running[event.key] = StartedAction(event.label, self._clock())
            self._most_at_once = max(self._most_at_once, len(self.running))
        elif isinstance(event, ActionRequeued):
            self.running.pop(event.key, None)
        elif isinstance(event, ActionEnded):
            self.running.pop(event.key, None)
            self._needed.setdefault(event.key, Expected(event.seconds, event.seconds, True))
            self._end(event.key, event.outcome, event.saved_seconds)
        elif isinstance(event, Delivered):
            self.paths.update(dict.fromkeys(event.paths))

    def _end(self, key: ActionKey, outcome: Outcome, saved_seconds: float) -> None:
        before = self._ended.get(key)
        if before is None or _LASTS.index(outcome) >= _LASTS.index(before):
            self._ended[key] = outcome
            self._saved_seconds[key] = saved_seconds

    @property
    def elapsed_seconds(self) -> float:
        """Since the tally began."""
        return self._clock() - self.started

    @property
    def saved_seconds(self) -> float:
        """What the cached actions took when they ran."""
        return sum(tuple(self._saved_seconds.values()))

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many actions ended how; those that were done before count as hits."""
        counts = dict.fromkeys(Outcome, 0)
        for outcome in tuple(self._ended.values()):
            counts[outcome] += 1
        return counts

    @property
    def is_busy(self) -> bool:
        """Whether there was anything to do or to look up."""
        return bool(self._ended)

    @property
    def total(self) -> int:
        """The actions that have to be done in this run."""
        return len(self._needed)

    @property
    def done(self) -> int:
        """How many of these are."""
        return sum(key in self._ended for key in tuple(self._needed))

    @property
    def share(self) -> float:
        """What share of the work of these is done, by the time that it takes; from 0 to 1."""
        needed = tuple(self._needed.items())
        work = sum(expected.seconds for _, expected in needed)
        if not work:
            return self.done / max(1, self.total)
        return sum(expected.seconds for key, expected in needed if key in self._ended) / work

    @property
    def seconds_left(self) -> float | None:
        """About how long the rest takes, once that can be known."""
        now, running = self._clock(), dict(self.running)
        waiting = [
            Remaining(expected, now - running[key].started if key in running else 0.0)
            for key, expected in tuple(self._needed.items())
            if key not in self._ended
        ]
        return seconds_left(waiting, self._most_at_once) if self._most_at_once else None

    def line(self) -> str:
        """The state in one line."""
        elapsed = f"{self.elapsed_seconds:.0f} s"
        if not self.total:
            return f"planning, {elapsed}"
        parts = [f"{self.done}/{self.total} done, {int(100 * self.share)} %", elapsed]
        left = self.seconds_left
        if left is not None and left >= 0.5:
            parts.append(f"about {time_text(left)} left")
        return ", ".join(parts)

    def closing_line(self) -> str:
        """What a build that did something says at its end."""
        counts = self.counts
        what = ", ".join(short_path(path) for path in self.paths) or "checked"
        ran = counts[Outcome.RAN]
        parts = [f"{counted(ran, 'action')} ran"]
        if counts[Outcome.CUTOFF]:
            parts.append(f"{counts[Outcome.CUTOFF]} cut off")
        parts.append(f"{counts[Outcome.HIT]} cached")
        saved = f" ({time_text(self.saved_seconds)} saved)" if self.saved_seconds >= 0.5 else ""
        return f"luigigo: {what}: {', '.join(parts)}, {self.elapsed_seconds:.1f} s{saved}"
