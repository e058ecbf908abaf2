"""What is said between this machine and the agent on a node: frozen records, sent as lines of JSON."""

from __future__ import annotations

import msgspec

from luigigo.errors import ExitCode, LuigigoError


class ClusterError(LuigigoError):
    """A node or a daemon does not do what it should; the exit code is 1."""

    exit_code = ExitCode.BUILD_FAILED


class NodeError(ClusterError):
    """A node cannot be asked; the text says why, without the node's name."""


class Nothing(msgspec.Struct, frozen=True):
    """A request or an answer that needs no words."""


class ForNode(msgspec.Struct, frozen=True):
    """A request that concerns one node of a cluster."""

    cluster: dict[str, object]
    """The cluster as its file describes it: the node need not see the file."""
    node: str


class Space(msgspec.Struct, frozen=True):
    """A file system's free room for this user."""

    free_bytes: int
    free_inodes: int | None
    """None where inodes are not counted."""


class GoFound(msgspec.Struct, frozen=True):
    """The Go toolchain of a node."""

    version: str
    digest: str
    """Of the tools; the same wherever the same actions have the same keys."""
    path: str


class Probe(msgspec.Struct, frozen=True):
    """What a node says about itself; a text that ends in `_flaw` says what is wrong, "" is fine."""

    hostname: str
    user: str
    python: str
    version: str
    code_digest: str
    """Of luigigo's own source files."""
    cpus: int
    memory_bytes: int
    share: Space | None
    share_flaw: str
    cache_path: str
    cache: Space | None
    cache_flaw: str
    token_flaw: str
    go: GoFound | None
    go_flaw: str
    c_compiler: str
    """The command, such as gcc; "" when there is none."""
    c_digest: str
    c_flaw: str


class Marks(msgspec.Struct, frozen=True):
    """Files to write, or to remove, in the folder of marks."""

    folder: str
    names: tuple[str, ...]


class Look(msgspec.Struct, frozen=True):
    """Files to look for until they are seen, or the time is over."""

    folder: str
    names: tuple[str, ...]
    limit_seconds: float


class Sighting(msgspec.Struct, frozen=True):
    """When a file was seen."""

    seconds: float | None
    """Since the first look; 0 when that saw it, None when none did."""
    listed: bool
    """Whether a listing of the folder shows it at the end."""


class Sightings(msgspec.Struct, frozen=True):
    """An answer to `Look`, by name."""

    seen: dict[str, Sighting]


class Clock(msgspec.Struct, frozen=True):
    """A node's time of day."""

    time_seconds: float


class Reach(msgspec.Struct, frozen=True):
    """Whether a port can be connected to from a node."""

    host: str
    port: int
    limit_seconds: float


class Reached(msgspec.Struct, frozen=True):
    """An answer to `Reach`."""

    flaw: str


class Start(msgspec.Struct, frozen=True):
    """Start a daemon of the cluster."""

    where: ForNode
    role: str
    """`worker` or `scheduler`."""
    limit_seconds: float


class DaemonStarted(msgspec.Struct, frozen=True):
    """A daemon runs."""

    pid: int
    already: bool
    """It ran before."""
    seconds: float
    log_path: str


class Stop(msgspec.Struct, frozen=True):
    """Stop a daemon of the cluster."""

    where: ForNode
    role: str
    patience_seconds: float
    """How long to wait for it to end by itself, because luigid told it to."""
    grace_seconds: float
    """How long it may take after SIGTERM."""


class Stopped(msgspec.Struct, frozen=True):
    """An answer to `Stop`."""

    how: str
    """`stopped`, `killed` or `not running`."""


class ReadLog(msgspec.Struct, frozen=True):
    """Read a daemon's log."""

    where: ForNode
    role: str
    lines: int
    """How many of the last lines; those from `offset` on when it is not negative."""
    offset: int = -1


class LogText(msgspec.Struct, frozen=True):
    """A piece of a log."""

    text: str
    offset: int
    """Where the next piece starts."""
    path: str
