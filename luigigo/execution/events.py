"""What a build tells its observers. Observers never decide anything."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias

import msgspec

from luigigo.attempts import Attempt, NodeInfo
from luigigo.model import ActionKey, Told


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

    key: ActionKey
    label: str
    node: str = ""
    """Where, if not in this process."""


class ActionRequeued(msgspec.Struct, frozen=True):
    """An action did not come to its end: the node that ran it was lost, or the build was interrupted."""

    key: ActionKey
    node: str = ""
    """Where it was tried; "" for nowhere."""
    cause: str = ""
    """Why it was not done there, in a few words."""
    attempt: Attempt = Attempt()


class ActionEnded(msgspec.Struct, frozen=True):
    """An action is over."""

    key: ActionKey
    kind: str
    package: str
    label: str
    outcome: Outcome
    seconds: float
    node: str
    told: tuple[Told, ...] = ()
    """What its tools printed."""
    saved_seconds: float = 0.0
    """What the run took whose outputs serve; 0 where the tools ran."""
    exit_code: int = 0
    """Of the build, if it ends by this failure."""
    attempt: Attempt = Attempt()


class MessageReplayed(msgspec.Struct, frozen=True):
    """An action was done before this build, and its tools had something to say, as `go build` shows it."""

    told: tuple[Told, ...]


class CommandStarted(msgspec.Struct, frozen=True):
    """A tool is about to run (`-x`)."""

    cwd: str
    argv: tuple[str, ...]


class Expected(msgspec.Struct, frozen=True):
    """How long an action is going to take, in seconds."""

    seconds: float
    path_seconds: float
    """The longest chain of work that starts with it."""
    is_known: bool
    """Whether it ran before; else the size of its source has to tell."""


class BuildPlanned(msgspec.Struct, frozen=True):
    """The graph of a build is known."""

    done: dict[ActionKey, float]
    """Actions whose record was there already, and the seconds that they took once."""
    needed: dict[ActionKey, Expected]
    """Those that have to run, as far as is known before they do."""


class NodesKnown(msgspec.Struct, frozen=True):
    """Who runs the actions is known, or has changed."""

    nodes: tuple[NodeInfo, ...]
    scheduler: str = ""
    """`host:port` of the luigid that knows them; "" without one."""


class Delivered(msgspec.Struct, frozen=True):
    """The binaries of a build are in their places."""

    paths: tuple[str, ...]


class RunEnded(msgspec.Struct, frozen=True):
    """Nothing more is done in one of Luigi's runs."""

    succeeded: bool


class Remark(msgspec.Struct, frozen=True):
    """One thing that the user should know, such as the go command's own words."""

    text: str


Event: TypeAlias = (
    ActionStarted
    | ActionRequeued
    | ActionEnded
    | MessageReplayed
    | CommandStarted
    | BuildPlanned
    | NodesKnown
    | Delivered
    | RunEnded
    | Remark
)
Observer: TypeAlias = Callable[[Event], None]
