"""When a build begins, and when one is out of date. Pure; the clock is an argument.

One round after the other: something stirs; when it has been quiet for a moment, or at the latest a second
later, somebody looks whether any content changed, and a build begins; it is cancelled as soon as what it saw
is no longer so.
"""

from __future__ import annotations

from enum import Enum

import msgspec

QUIET_SECONDS = 0.1
LATEST_SECONDS = 1.0


class WatchPhase(Enum):
    """What a watch does."""

    RESTING = "resting"
    STIRRED = "stirred"
    """Something may have changed; more may follow."""
    BUILDING = "building"
    CANCELLING = "cancelling"
    """A build that is out of date has been told to end, and has not yet."""


class Happening(Enum):
    """What happens to it."""

    STIR = "stir"
    """Something may have changed."""
    DIFFERS = "differs"
    """Looked at: a content has changed."""
    SAME = "same"
    """Looked at: nothing has."""
    DUE = "due"
    """The time of `due_at` has come."""
    ENDED = "ended"
    """The build's process is gone."""
    ASKED = "asked"
    """The user wants a build now."""


class Act(Enum):
    """What is to be done."""

    NOTHING = "nothing"
    LOOK = "look"
    BUILD = "build"
    CANCEL = "cancel"


class Round(msgspec.Struct, frozen=True):
    """The state of a watch."""

    phase: WatchPhase = WatchPhase.RESTING
    first: float = 0.0
    """When the first of what stirred came, in seconds of the clock."""
    last: float = 0.0
    owes_build: bool = False
    """Whether a build follows whatever a look says: one was cancelled, or asked for."""

    @property
    def due_at(self) -> float | None:
        """When it is time to look; None where nothing is awaited."""
        if self.phase is not WatchPhase.STIRRED:
            return None
        return min(self.last + QUIET_SECONDS, self.first + LATEST_SECONDS)


def after(state: Round, happening: Happening, now: float) -> tuple[Round, Act]:
    """The state that follows, and what is to be done."""
    if state.phase is WatchPhase.BUILDING:
        return _while_building(state, happening, now)
    if state.phase is WatchPhase.CANCELLING:
        if happening is Happening.ENDED:
            return Round(WatchPhase.STIRRED, state.first, state.last, owes_build=True), Act.NOTHING
        return _later(state, now) if happening is Happening.STIR else state, Act.NOTHING
    if happening is Happening.ASKED:
        return Round(WatchPhase.BUILDING), Act.BUILD
    if happening is Happening.STIR:
        if state.phase is WatchPhase.RESTING:
            return Round(WatchPhase.STIRRED, now, now), Act.NOTHING
        return _later(state, now), Act.NOTHING
    if state.phase is WatchPhase.RESTING:
        return state, Act.NOTHING
    if happening is Happening.DUE:
        return (Round(WatchPhase.BUILDING), Act.BUILD) if state.owes_build else (state, Act.LOOK)
    if happening is Happening.DIFFERS:
        return Round(WatchPhase.BUILDING), Act.BUILD
    return (Round(), Act.NOTHING) if happening is Happening.SAME else (state, Act.NOTHING)


def _while_building(state: Round, happening: Happening, now: float) -> tuple[Round, Act]:
    if happening is Happening.STIR:
        return state, Act.LOOK
    if happening in (Happening.DIFFERS, Happening.ASKED):
        return Round(WatchPhase.CANCELLING, now, now), Act.CANCEL
    if happening is Happening.ENDED:
        return Round(), Act.NOTHING
    return state, Act.NOTHING


def _later(state: Round, now: float) -> Round:
    return msgspec.structs.replace(state, last=now)
