"""What is kept for those who may come back: workers and clients of an earlier connection, or of a luigid
that was restarted.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from luigi.task_status import PENDING, RUNNING

from luigigo.luigid.leases import NOTHING_STOPPED, Leases, StoppedAttempt, remember
from luigigo.luigid.peers import Peer
from luigigo.protocol import messages
from luigigo.protocol.messages import Ended, Held, Needs
from luigigo.scheduling.tasktable import TaskTable

RESULT_SECONDS = 60.0
"""How long the result of a task that no client has offered is kept: as long as its worker repeats it."""
IN_FLIGHT_SECONDS = 1.0
"""How long a worker that is back, and does not hold a task kept for it, may still say how it ended."""


@dataclass
class _Claim:
    """A task that a worker holds and no client has offered yet."""

    peer_id: str
    number: int
    until: float


@dataclass
class _Parked:
    """A task that is kept for a worker."""

    worker_id: str
    until: float
    number: int | None = None
    """Of its lease, where this luigid gave it: a result under another is late."""
    stop: StoppedAttempt = NOTHING_STOPPED
    """How its attempt stopped, if nobody comes back for it."""


class Recovery:
    """Tasks whose holder, whose client or whose result is known, but not all three."""

    def __init__(
        self,
        tasks: TaskTable,
        peers: Mapping[str, Peer],
        leases: Leases,
        clock: Callable[[], float],
    ) -> None:
        self._tasks = tasks
        self._peers = peers
        self._leases = leases
        self._clock = clock
        self._restarted_until = clock() + messages.RETURN_SECONDS
        self._parked: dict[str, _Parked] = {}
        """Tasks kept for a worker of an earlier epoch, or that is away."""
        self._claims: dict[str, _Claim] = {}
        self._early: OrderedDict[str, tuple[float, Peer, Ended]] = OrderedDict()
        """Results of tasks that no client has offered, with the time, the oldest first."""

    def readopt(self, peer: Peer, held: Held) -> None:
        """Let a peer go on with what it holds from before, if nobody else was given it."""
        task_id, number = held.task_id, held.lease
        task = self._tasks.get(task_id)
        self._parked.pop(task_id, None)
        self._leases.losses.get(task_id, set()).discard(peer.id)
        lease = self._leases.get(task_id)
        if task is None:
            self._drop_claim(task_id)
            self._claims[task_id] = _Claim(peer.id, number, self._clock() + messages.RETURN_SECONDS)
            peer.capacity.give(task_id, Needs(cores=held.cores, peak_bytes=held.peak_bytes))
        elif lease is not None:
            if (lease.peer_id, lease.number) != (peer.id, number):
                peer.outbox.append(messages.Cancel((number,)))
        elif task.status in (PENDING, RUNNING):
            self._leases.give(task_id, peer, number)
        else:
            peer.outbox.append(messages.Cancel((number,)))

    def welcome_offer(self, task: Any, running_on: str) -> tuple[Peer, Ended] | None:
        """A task that waits is offered: find who holds it, and return its result where there is one.

        `running_on` is the worker that ran it when its client last heard of it.
        """
        result = self._early.pop(task.id, None)
        claim = self._drop_claim(task.id)
        if result is not None and self._clock() - result[0] < RESULT_SECONDS:
            return result[1:]
        if claim is not None and claim.peer_id in self._peers:
            self._leases.give(task.id, self._peers[claim.peer_id], claim.number)
        elif running_on and running_on not in self._peers and self._clock() < self._restarted_until:
            self._parked[task.id] = _Parked(running_on, self._restarted_until)
            self._tasks.hold(task, running_on)
        else:
            self._leases.follow(task)
        return None

    def take_stray(self, peer: Peer, ended: Ended) -> bool:
        """Take a result without a lease that is in force; say whether it counts.

        It counts from a worker for which the task is kept. One of a task that no client has offered yet is
        kept; any other is late, for the task was given to another since.
        """
        claim = self._claims.get(ended.task_id)
        if claim is not None and (claim.peer_id, claim.number) == (peer.id, ended.lease):
            self._drop_claim(ended.task_id)
        parked = self._parked.get(ended.task_id)
        if parked is not None and parked.worker_id == peer.id and parked.number in (None, ended.lease):
            del self._parked[ended.task_id]
            return True
        if ended.status == "done" and ended.task_id not in self._tasks:
            remember(self._early, ended.task_id, (self._clock(), peer, ended))
        return False

    def await_return(self, peer: Peer) -> None:
        """Keep what a node has for it, and for as long as nobody else is back who could run it."""
        for task_id, lease in tuple(peer.leases.items()):
            stop = self._leases.stop(peer, task_id, "no node gave a sign of life")
            self._parked[task_id] = _Parked(peer.id, math.inf, lease.number, stop)

    def is_back(self, peer: Peer) -> None:
        """A peer has said what it holds: what was kept for it beside that is over, or lost.

        Others that went away when a node did must come back soon after it.
        """
        now = self._clock()
        for parked in self._parked.values():
            if parked.worker_id == peer.id:
                parked.until = min(now + IN_FLIGHT_SECONDS, parked.until)
            elif peer.is_node:
                parked.until = min(now + messages.RETURN_SECONDS, parked.until)

    def is_gone(self, peer: Peer) -> None:
        """What a peer held for clients that are not here yet is lost with it."""
        for task_id, claim in tuple(self._claims.items()):
            if claim.peer_id == peer.id:
                del self._claims[task_id]

    def expire(self) -> None:
        """Wait no longer for those that do not come."""
        now = self._clock()
        for task_id, parked in tuple(self._parked.items()):
            if now > parked.until:
                self.unpark(task_id)
        for task_id, claim in tuple(self._claims.items()):
            if now > claim.until:
                self._drop_claim(task_id)
                self._peers[claim.peer_id].outbox.append(messages.Cancel((claim.number,)))
        while self._early and now - next(iter(self._early.values()))[0] > RESULT_SECONDS:
            self._early.popitem(last=False)

    def is_kept(self, task_id: str) -> bool:
        """Whether the task is kept for a worker."""
        return task_id in self._parked

    def unpark_all(self) -> None:
        """Wait for nobody any more."""
        for task_id in tuple(self._parked):
            self.unpark(task_id)

    def unpark(self, task_id: str) -> None:
        """Let anybody run the task."""
        parked = self._parked.pop(task_id, None)
        if task_id not in self._leases:
            self._leases.requeue(task_id, NOTHING_STOPPED if parked is None else parked.stop)

    def forget(self, task_id: str) -> None:
        """A task is not wanted any more."""
        self._parked.pop(task_id, None)

    def _drop_claim(self, task_id: str) -> _Claim | None:
        claim = self._claims.pop(task_id, None)
        if claim is not None and claim.peer_id in self._peers:
            self._peers[claim.peer_id].capacity.take_back(task_id)
        return claim
