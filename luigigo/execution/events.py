"""What a build tells its observers. Observers never decide anything."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias

import msgspec

from luigigo.model import Told


class Outcome(str, Enum):
    """How an action ended."""

    RAN = "ran"
    """Its tools ran."""
    CUTOFF = "cutoff"
    """What it reads did not change, though its dependencies did: an earlier output serves."""
    HIT = "hit"
    """Another build had done it by the time it was its turn, or before this build began."""
    FAILED = "failed"


class ActionStarted(msgspec.Struct, frozen=True):
    """A slot took an action up."""

    label: str


class Resources(msgspec.Struct, frozen=True):
    """What an action took beside its slot's time."""

    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    """The largest resident set of any one of its processes; 0 where no tool ran."""
    published_seconds: float = 0.0
    """From its tools' end until the store had what they made; a slot's time only on a single machine."""
    waited_seconds: float = 0.0
    """Until the share had shown and handed over all that it reads; a slot's time only on a single machine."""
    queued_seconds: float = 0.0
    """From the moment when it was ready until a slot took it up."""


class ActionEnded(msgspec.Struct, frozen=True):
    """An action is over."""

    kind: str
    package: str
    label: str
    outcome: Outcome
    seconds: float
    node: str
    told: tuple[Told, ...] = ()
    """What its tools printed."""
    resources: Resources = Resources()


class MessageReplayed(msgspec.Struct, frozen=True):
    """An action was done before this build, and its tools had something to say, as `go build` shows it."""

    told: tuple[Told, ...]


class CommandStarted(msgspec.Struct, frozen=True):
    """A tool is about to run (`-x`)."""

    cwd: str
    argv: tuple[str, ...]


class BuildPlanned(msgspec.Struct, frozen=True):
    """The graph is known."""

    total: int
    done: int
    """Actions whose record was there already."""


Event: TypeAlias = ActionStarted | ActionEnded | MessageReplayed | CommandStarted | BuildPlanned
Observer: TypeAlias = Callable[[Event], None]
