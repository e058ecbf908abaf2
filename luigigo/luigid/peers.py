"""Who is connected to luigid, and what each was given."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from luigigo.attempts import Attempt, Moments, NodeInfo, Waits
from luigigo.luigid.placement import Capacity
from luigigo.protocol.messages import FromServer, Grant, Hello, Made, NodeState, Work

Send = Callable[[Sequence[FromServer]], None]

SUSPENDED_SECONDS = 60.0
"""How long a node with a fault gets nothing."""


@dataclass
class Lease:
    """One task given to one peer."""

    number: int
    peer_id: str
    has_started: bool = False
    is_publishing: bool = False
    is_revoked: bool = False
    ready_at: float | None = None
    given_at: float | None = None
    """None where an earlier luigid gave it."""
    started_at: float | None = None
    """When its peer was heard to have begun."""
    waits: Waits = field(default_factory=Waits)

    def attempt(self, of_peer: Attempt, made: Made | None = None) -> Attempt:
        """What luigid and the peer know of it together."""
        moments = msgspec.structs.replace(of_peer.moments, ready=self.ready_at, given=self.given_at)
        waits = msgspec.structs.replace(self.waits, builds=of_peer.waits.builds)
        return msgspec.structs.replace(of_peer, moments=moments, waits=waits, made=made or {})

    def stopped(self, now: float) -> Attempt:
        """The same of one that came to no end, as far as luigid heard of it."""
        return self.attempt(Attempt(Moments(started=self.started_at, ended=now)))


@dataclass
class Peer:
    """One connection."""

    hello: Hello
    send: Send
    heard_at: float
    connected_at: float
    capacity: Capacity
    """Of a node, all that it has; of a client, its slots for its own tasks."""
    joined: Capacity | None = None
    """Of a client that takes part: what it has for its actions."""
    leases: dict[str, Lease] = field(default_factory=dict)
    state: NodeState = field(default_factory=NodeState)
    done: int = 0
    ended_at: float = 0.0
    """When it ended a task last."""
    freed_at: float = 0.0
    """Since when it has had a free core, where it has one."""
    told_idle_at: float = -math.inf
    """Of a client, when it was told last that no node can run its actions; not while one can."""
    told_nodes: tuple[NodeInfo, ...] = ()
    """Of a client, the nodes that it was told of last."""
    is_draining: bool = False
    suspended_at: float = 0.0
    """Since when it has done nothing but fail."""
    suspended_until: float = 0.0
    fault: str = ""
    outbox: list[FromServer] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Its worker id in Luigi."""
        return self.hello.worker_id

    @property
    def is_node(self) -> bool:
        """Whether it runs any client's actions."""
        return self.hello.role == "node"

    @property
    def info(self) -> NodeInfo:
        """What it is, for who records a run."""
        hello = self.hello
        return NodeInfo(hello.node, hello.slots, hello.memory_bytes, hello.processor)

    @property
    def availability(self) -> str:
        """In one word, whether it takes tasks."""
        if self.is_draining:
            return "draining"
        return "suspended" if self.suspended_until else "ready"

    def suspend(self, reason: str, now: float) -> None:
        """Give it nothing for a while."""
        self.fault = reason
        self.suspended_at = self.suspended_at or now
        self.suspended_until = now + SUSPENDED_SECONDS
        self.capacity.is_open = False

    def drain(self) -> None:
        """Give it nothing any more."""
        self.is_draining = True
        self.capacity.is_open = False

    def reopen_if_due(self, now: float) -> bool:
        """End a suspension that lasted long enough; say whether it did."""
        if not self.suspended_until or now < self.suspended_until:
            return False
        self.suspended_until, self.fault = 0.0, ""
        self.capacity.refused.clear()
        self.capacity.is_open = not self.is_draining
        return True

    def flush(self) -> None:
        """Send what is to be said, in one frame."""
        if self.grants:
            self.outbox.append(Work(tuple(self.grants)))
            self.grants = []
        if self.outbox:
            messages, self.outbox = self.outbox, []
            self.send(messages)
