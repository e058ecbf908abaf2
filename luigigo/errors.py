"""Typed errors, each with the exit code that a command ends with.

An error's text is complete: what is wrong, where, and what to do. It is printed as it is, once, without
a traceback. Anything that is not a `LuigigoError` is a bug and keeps its traceback.
"""

from __future__ import annotations

from enum import IntEnum

from luigigo.attempts import Attempt
from luigigo.model import Said, Told, told


class ExitCode(IntEnum):
    """What a command's exit status means, under `luigigo` as under `luigi`."""

    OK = 0
    """Every binary asked for is in its place and right."""
    BUILD_FAILED = 1
    """A compile, cgo or link step failed, or go build would not overwrite what lies at a binary's place."""
    USAGE = 2
    """A wrong or unsupported argument, found before anything ran."""
    NO_TOOLCHAIN = 3
    """No Go toolchain, or one of an unsupported release."""
    INTERNAL = 4
    """A bug in luigigo or Luigi; a traceback was printed."""
    PLAN_FAILED = 5
    """`go list` refused the packages; its message was printed."""
    STORE = 6
    """The store cannot be written or read: full disk, permissions."""
    INTERRUPTED = 130
    """Ctrl-C."""
    TERMINATED = 143
    """SIGTERM."""


class LuigigoError(Exception):
    """Something a user can mend; its text says how."""

    exit_code: ExitCode = ExitCode.INTERNAL


class UsageError(LuigigoError):
    """An argument is wrong, or asks for what luigigo does not support."""

    exit_code = ExitCode.USAGE


class ToolchainError(LuigigoError):
    """There is no usable Go toolchain."""

    exit_code = ExitCode.NO_TOOLCHAIN


class PlanError(LuigigoError):
    """The go command refused the packages; the text is its own."""

    exit_code = ExitCode.PLAN_FAILED


class PlanRefused(LuigigoError):
    """A plan says what no plan of luigigo's says: a node does nothing of it."""

    exit_code = ExitCode.USAGE


class ActionError(LuigigoError):
    """A step of an action failed; the text is the tool's output with whole paths."""

    exit_code = ExitCode.BUILD_FAILED
    said: tuple[Said, ...] = ()
    """The same for any user and folder."""
    folder = ""
    """The package's folder."""
    cpu_seconds = 0.0
    peak_bytes = 0
    """What its tools had taken by then."""
    attempt = Attempt()
    """How the attempt went, by `time.monotonic`."""

    @property
    def told(self) -> tuple[Told, ...]:
        """The same for the user whose folder it is."""
        return told(self.said, self.folder) or (Told(str(self)),)


class ToolStopped(ActionError):
    """Somebody's signal ended a tool of an action; another run of it may succeed."""


class ToolKilled(ActionError):
    """A tool was killed, as the kernel does when memory runs out; with more room it may succeed."""


class PlaceTaken(LuigigoError):
    """What lies where a binary is to go is never overwritten; the text is the go command's."""

    exit_code = ExitCode.BUILD_FAILED


class LuigidEnded(LuigigoError):
    """The luigid that scheduled a build is gone; what was done is done."""

    exit_code = ExitCode.BUILD_FAILED


class StoreError(LuigigoError):
    """The store, or the disk that it lies on, failed."""

    exit_code = ExitCode.STORE
    may_pass = False
    """Whether the same may succeed later: a share that is full, read-only or away may recover."""


class ContentMissing(StoreError):
    """A content that a record names is absent, truncated or corrupt; the action must run again."""


class ContentDamaged(ContentMissing):
    """It is truncated or corrupt: no other node finds it sound."""


class NodeTrouble(StoreError):
    """What a node has of its own failed, its disk or its Go: another node may do what this one can't."""

    def __init__(self, text: str, kind: str = "disk", *, is_full: bool = False) -> None:
        """`kind`: `disk`; `size`, where only what was asked is too large for it; or `toolchain`.

        `is_full`: room may be made.
        """
        super().__init__(text)
        self.kind = kind
        self.is_full = is_full


class SourcesMissing(StoreError):
    """A plan or a source bundle is not in the store: its client has what it was made from."""


class SourcesElsewhere(StoreError):
    """What has to run reads files, or calls programs, that only the node of the client has."""
