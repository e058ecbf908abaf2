"""The lines of a run's record, `runs/<id>/client.jsonl` in the store: one JSON object each. Pure.

The first line is a `Head`. Times are seconds since the run began, on the client's clock, rounded to a tenth
of a millisecond; an action takes less than 300 bytes, its part of the plan included. What is added
later has a default, so that older readers pass over it; `VERSION` changes when an old field gets another
meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from luigigo.attempts import NodeInfo
from luigigo.encoding import Codec
from luigigo.store.owners import Owner

VERSION = 1
CLIENT_FILE = "client.jsonl"
NONE_SECONDS = 0.0
"""What a line leaves out: the encoder knows it as this very object."""
TICKS_PER_SECOND = 10_000
_COMPILE = "compile "
SHORT_DIGEST = 12
"""How many digits of a digest tell contents of one store apart."""


def brief(seconds: float, digits: int = 4) -> float:
    """Rounded to so many digits, so that what is nothing takes no room in a line."""
    return round(seconds, digits) or NONE_SECONDS


class Line(msgspec.Struct, frozen=True, tag_field="line", omit_defaults=True):
    """Any line."""


class Head(Line, frozen=True, tag="run"):
    """Which run it is, whose, and where."""

    version: int
    run: str
    started: float
    """When the command began, in seconds since 1970 by the client's host."""
    command: tuple[str, ...]
    folder: str
    node: str
    """What the client's machine is called among the nodes."""
    owner: Owner
    """The client's process."""
    luigigo: str = ""
    python: str = ""
    plans: tuple[str, ...] = ()
    """The digests of the plans that are known when the run begins."""


class PlannedAction(msgspec.Struct, frozen=True, array_like=True):
    """One action of a plan."""

    name: str
    """Its id; of a compile its package alone, which has no space in it."""
    key: str
    """The first digits of its action key."""
    module: int
    """Which of the plan's modules its package is in."""
    dependencies: tuple[int, ...] = ()
    """Numbers of the actions that it waits for, within the record."""

    @property
    def id(self) -> str:
        """Its kind and its package, as `compile net/http`; "" for one that is not known."""
        return self.name if " " in self.name or not self.name else _COMPILE + self.name


def planned_name(action_id: str) -> str:
    """How a `PlannedAction` has the id of an action, in few bytes."""
    package = action_id.removeprefix(_COMPILE)
    return action_id if " " in package or not package else package


def ticks_of(times: Sequence[float | None]) -> tuple[int | None, ...]:
    """Times as an `AttemptLine` has them: the first, then by how much each is later than the one before."""
    ticks: list[int | None] = []
    before = 0
    for each in times:
        if each is None:
            ticks.append(None)
            continue
        now = round(each * TICKS_PER_SECOND)
        ticks.append(now - before)
        before = now
    return tuple(ticks)


class PlanLine(Line, frozen=True, tag="plan"):
    """What the run has to do, as it is known before anything runs."""

    plan: str
    """The plan's digest."""
    request: str
    """The first digits of a digest that is equal for equal requests in equal folders."""
    project: str
    packages: tuple[str, ...]
    toolchain: str
    first: int
    """The number of its first action within the record; the others follow."""
    modules: tuple[str, ...]
    actions: tuple[PlannedAction, ...]
    roots: tuple[int, ...] = ()


class HitEntry(msgspec.Struct, frozen=True, array_like=True):
    """An action that was done before the run."""

    action: int
    seconds: float
    """What it took when it ran."""
    run: int = -1
    """Which of the line's runs made it; -1 where that is not known."""


class HitsLine(Line, frozen=True, tag="hits"):
    """The actions of a plan that nothing had to be done for."""

    hits: tuple[HitEntry, ...]
    runs: tuple[str, ...] = ()


class AttemptLine(Line, frozen=True, tag="a", rename={
    "action": "i", "node": "n", "outcome": "o", "ticks": "t", "slot": "s", "waits": "q", "cpu_seconds": "c",
    "peak_bytes": "m", "read_bytes": "r", "written_bytes": "w", "made": "d", "made_by": "b",
    "saved_seconds": "v", "exit_code": "x", "cause": "y", "message": "z", "uncertainty_seconds": "u",
    "content_key": "k",
}):  # fmt: skip
    """One attempt at an action, when it is over."""

    action: int
    node: str
    outcome: str = "ran"
    """`ran`, `cutoff`, `hit`, `failed`; `requeued`, where it came to no end."""
    ticks: tuple[int | None, ...] = ()
    """`Moments`, as `ticks_of` writes them."""
    slot: int = -1
    waits: tuple[float, ...] = ()
    """`Waits`, likewise."""
    cpu_seconds: float = NONE_SECONDS
    peak_bytes: int = 0
    read_bytes: int = 0
    written_bytes: int = 0
    made: tuple[str, ...] = ()
    """The first digits of the contents' digests, in the order of their roles' names."""
    made_by: str = ""
    """The run whose outputs serve."""
    saved_seconds: float = NONE_SECONDS
    exit_code: int = 0
    cause: str = ""
    """Why it was requeued."""
    message: str = ""
    """What its tools said, where it failed."""
    uncertainty_seconds: float = NONE_SECONDS
    content_key: str = ""
    """The first digits of the key of what its tools read."""

    @property
    def times(self) -> tuple[float | None, ...]:
        """`Moments`, in seconds."""
        found: list[float | None] = []
        now = 0
        for each in self.ticks:
            now += each or 0
            found.append(None if each is None else now / TICKS_PER_SECOND)
        return tuple(found)


class PhaseLine(Line, frozen=True, tag="phase"):
    """What the client itself did from when to when."""

    name: str
    start: float
    end: float


class NodesLine(Line, frozen=True, tag="nodes"):
    """Who runs the actions from now on."""

    at: float
    nodes: tuple[NodeInfo, ...]
    scheduler: str = ""
    """`host:port` of the luigid that knows them; "" without one."""


class UnderWay(msgspec.Struct, frozen=True, array_like=True):
    """An attempt under way."""

    action: int
    node: str
    since: float


class NowLine(Line, frozen=True, tag="now"):
    """What runs at a moment; written now and then where it has changed."""

    at: float
    running: tuple[UnderWay, ...]


class EndLine(Line, frozen=True, tag="end"):
    """How the run ended."""

    outcome: str
    """`ok`, `failed` or `interrupted`."""
    seconds: float
    exit_code: int = 0
    error: str = ""
    """What was printed, where no action's failure says it."""
    paths: tuple[str, ...] = ()
    """The binaries that are in place."""


AnyLine: TypeAlias = Head | PlanLine | HitsLine | AttemptLine | PhaseLine | NodesLine | NowLine | EndLine

codec = Codec[AnyLine](msgspec.json, AnyLine)
"""A line without its end; no line has a line break inside."""
