"""What a luigid of luigigo's, its workers and its clients say to each other over a WebSocket.

A frame is a JSON array of messages, each an object whose `type` names it. Requests need no reply: what a
message causes arrives as messages. Tasks are given out under *leases*: a result counts only with the lease
that is in force.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec

from luigigo.attempts import Attempt, NodeInfo
from luigigo.encoding import Codec
from luigigo.model import Output, Said

PROTOCOL = 8
CHANNEL_PATH = "/luigigo/channel"
LARGEST_FRAME_BYTES = 32 << 20
"""A frame larger than this ends the connection."""
TASKS_PER_FRAME = 500
PING_SECONDS = 1.0
LOST_SECONDS = 9.0
"""A peer that was not heard of for this long is lost.

Longer than a cable that is out for five seconds: TCP tries again 0.2, 0.6, 1.4, 3.0 and 6.2 s after what was
lost first, so the silence lasts for a ping's time and 6.2 s.
"""
MOST_SLOTS = 4096
MOST_HELD = 20_000
ASKED = "?"
"""Begins a feature of which a node finds out whether it has it when it is given a task that needs it."""
RETURN_SECONDS = 10.0
"""How long what a lost client, or a worker known to an earlier luigid, held is kept for it."""


Made: TypeAlias = dict[str, Output]
"""What an action made, by role."""


class Message(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True):
    """Anything that is said."""


class Held(msgspec.Struct, frozen=True, array_like=True):
    """A task that a worker holds from an earlier connection."""

    task_id: str
    lease: int
    peak_bytes: int = 0
    """What was set aside for it."""
    cores: float = 1.0


class Hello(Message, frozen=True, tag="hello"):
    """The first message of a connection, by the one who connects."""

    protocol: int
    worker_id: str
    role: str
    """`node` runs any action that suits it, `client` offers tasks and runs those that are its own."""
    node: str
    slots: int
    memory_bytes: int = 0
    """What all its tasks may take together; 0 is no limit."""
    features: tuple[str, ...] = ()
    """What it has that tasks may need, as `go:<digest>`: only what has all of a task's runs it."""
    go: str = ""
    """The name of its Go toolchain, for people."""
    processor: str = ""
    """What its processor is called, likewise."""
    held: tuple[Held, ...] = ()
    epoch: str = ""
    """Of the luigid that it was connected to before."""


class Needs(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a task asks of the node that runs it."""

    key: str = ""
    """The action key: of tasks with equal keys one runs, for all. One without is like no other."""
    features: tuple[str, ...] = ()
    """What the node must have, in any order. Of those that begin with `ASKED` no node says that it has them:
    it looks when it is given the task."""
    cores: float = 1.0
    """How many of the node's slots it takes, a fraction or several."""
    peak_bytes: int = 0
    runs_alone: bool = False
    anywhere: bool = True
    """False binds it to the client, whose files it reads."""
    wants_commands: bool = False
    """Whether the client wants to know the commands that run (`-x`)."""
    run: str = ""
    """The client's run, which the records of what it makes name."""


class Offer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A task, as the arguments of Luigi's `add_task`, and what it needs; without needs it is the client's."""

    call: dict[str, Any]
    needs: Needs | None = None
    running_on: str = ""
    """The worker that ran it when the client last heard of it, before luigid was restarted."""


class Add(Message, frozen=True, tag="add"):
    """Tasks to add or bring up to date, dependents before dependencies."""

    offers: tuple[Offer, ...]


class Call(Message, frozen=True, tag="call"):
    """Another of Luigi's remote procedures, in order with the rest; its answer is dropped."""

    method: str
    arguments: dict[str, Any]


class RunAll(Message, frozen=True, tag="run"):
    """All tasks are added: tell when nothing more of them can run."""


class Join(Message, frozen=True, tag="join"):
    """The client takes part in running its actions, whatever features they need, with its own slots."""

    memory_bytes: int


class Leave(Message, frozen=True, tag="leave"):
    """The one who connected goes for good; a client's running tasks are wanted no more."""


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of one action, beside how its attempt went."""

    outcome: str
    seconds: float = 0.0
    """Wall time from the moment when a slot took it up."""
    gogc: str = ""
    saved_seconds: float = 0.0
    """What the run took whose outputs serve, where no tool ran."""
    said: tuple[Said, ...] = ()
    """What its tools said, also where they failed."""
    commands: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Folder and argument list of each tool, where they were wanted."""


class Started(Message, frozen=True, tag="started"):
    """A slot took a task up."""

    task_id: str
    lease: int


class Publishing(Message, frozen=True, tag="publishing"):
    """The tools of a task have ended: it needs neither its slot nor its memory any more."""

    task_id: str
    lease: int


class Ended(Message, frozen=True, tag="ended"):
    """A task is over on a node."""

    task_id: str
    lease: int
    status: str
    """`done`; `failed`, for good; `killed`, for want of memory; `unable`, this node can't, another may;
    `local-only`, only the client can; `sourceless`, what the client put into the store for it is not seen
    there; `returned`, not begun. A client that was asked to publish again says `returned` when it did,
    `unable` where nothing was missing, or `failed`."""
    explanation: str = ""
    exit_code: int = 0
    usage: Usage | None = None
    made: Made = {}
    """With `done`: what the store now holds of it."""
    lacks: str = ""
    """With `unable`: the feature that this node does not have; "" when the node itself has a fault."""
    trouble: str = ""
    """With `unable`, where the fault is the node's own and not the share's: `disk`, `toolchain`, or `size`,
    where the task alone is too large for it."""
    attempt: Attempt = Attempt()
    """How it went, on luigid's clock; without what was made."""


class NodeState(Message, frozen=True, tag="state"):
    """What a node says of itself now and then, for whoever asks for the state of the cluster."""

    cache_bytes: int = 0


class Welcome(Message, frozen=True, tag="welcome"):
    """The answer to `Hello`."""

    epoch: str
    shared: str = ""
    """The store's folder, where luigid was told of it."""
    now: float = 0.0
    """What luigid's clock shows."""


class Refused(Message, frozen=True, tag="refused"):
    """The answer to a `Hello` that is not welcome; the connection ends."""

    reason: str


class Grant(msgspec.Struct, frozen=True, omit_defaults=True):
    """A task that the receiver shall run."""

    task_id: str
    lease: int
    family: str = ""
    params: dict[str, str] = {}
    peak_bytes: int = 0
    """What was set aside for it, with which it shall do; 0 is no limit."""
    cores: float = 1.0
    probably_done: bool = False
    """Another node did an equal one moments ago: its record is worth waiting for."""
    wants_commands: bool = False
    made: dict[str, Made] = {}
    """By action key, what those made that the task waited for, as far as luigid heard of it."""
    run: str = ""
    """The run that wants it."""


class Work(Message, frozen=True, tag="work"):
    """Tasks to run, the most urgent first."""

    grants: tuple[Grant, ...]


class TaskName(msgspec.Struct, frozen=True, array_like=True):
    """What a task is, without its id."""

    family: str
    params: dict[str, str]


class Prefetch(Message, frozen=True, tag="prefetch"):
    """A task that the receiver will probably be given, and those that it waits for and that are done now.

    What it reads of them may be fetched ahead.
    """

    task: TaskName
    done: tuple[TaskName, ...]
    made: dict[str, Made] = {}
    """By action key, what they made, as far as luigid heard of it."""


class Cancel(Message, frozen=True, tag="cancel"):
    """End these at once and say no more of them."""

    leases: tuple[int, ...]


class Revoke(Message, frozen=True, tag="revoke"):
    """Give these back unless they have begun."""

    leases: tuple[int, ...]


class Republish(Message, frozen=True, tag="republish"):
    """A node does not see what the client put into the store for these tasks.

    The client publishes it again, and then gives them back.
    """

    tasks: tuple[Held, ...]


class Progress(Message, frozen=True, tag="progress"):
    """What became of one of the client's tasks."""

    task_id: str
    status: str
    """`running`, `pending` (again), `done` or `failed`."""
    node: str = ""
    worker_id: str = ""
    explanation: str = ""
    exit_code: int = 0
    usage: Usage | None = None
    attempt: Attempt = Attempt()
    """With `done`, `failed` and `pending`: how the attempt went that is over, on luigid's clock."""


class Notice(Message, frozen=True, tag="notice"):
    """Something that the client's user should know."""

    text: str
    workers: int
    """How many nodes can run the client's actions now."""
    why: tuple[str, ...] = ()
    """Of each other node, why it can't."""


class Nodes(Message, frozen=True, tag="nodes"):
    """Who is connected to run tasks; said again when that changes, while the client's run goes on."""

    nodes: tuple[NodeInfo, ...]


class RunOver(Message, frozen=True, tag="over"):
    """Nothing more of the client's tasks can run."""

    failed: tuple[str, ...] = ()
    """Ids of the tasks that failed."""


class Exit(Message, frozen=True, tag="exit"):
    """The worker shall finish what runs and end."""

    reason: str


FromPeer: TypeAlias = Hello | Add | Call | RunAll | Join | Leave | Started | Publishing | Ended | NodeState
FromServer: TypeAlias = (
    Welcome
    | Refused
    | Work
    | Prefetch
    | Cancel
    | Revoke
    | Republish
    | Progress
    | Notice
    | Nodes
    | RunOver
    | Exit
)

_from_peer = Codec[Sequence[FromPeer]](msgspec.json, list[FromPeer])
_from_server = Codec[Sequence[FromServer]](msgspec.json, list[FromServer])


def encode(messages: Sequence[FromPeer] | Sequence[FromServer]) -> bytes:
    """The frame that says all of this."""
    return _from_peer.encode(messages)  # type: ignore[arg-type]


def decode_from_peer(frame: str | bytes) -> Sequence[FromPeer]:
    """What a peer said. Raises `msgspec.MsgspecError` for anything else."""
    return _from_peer.decode(frame)


def decode_from_server(frame: str | bytes) -> Sequence[FromServer]:
    """What luigid said. Raises `msgspec.MsgspecError` for anything else."""
    return _from_server.decode(frame)
