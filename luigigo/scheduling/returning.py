"""What is kept for those who may come back: workers and clients of an earlier connection, or of a luigid
that was restarted.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from luigi.task_status import PENDING, RUNNING

from luigigo.scheduling import protocol
from luigigo.scheduling.leases import Leases, remember
from luigigo.scheduling.peers import Peer
from luigigo.scheduling.protocol import Ended
from luigigo.scheduling.scheduler import ReadyScheduler


class Returning:
    """Tasks whose holder, whose client or whose result is known, but not all three."""

    def __init__(self, scheduler: ReadyScheduler, leases: Leases, clock: Callable[[], float]) -> None:
        self._scheduler = scheduler
        self._leases = leases
        self._clock = clock
        self._parked: dict[str, tuple[str, float]] = {}
        """Tasks kept for a worker of an earlier epoch: its id, and until when."""
        self._claims: dict[str, tuple[str, int]] = {}
        """Tasks that a worker holds and no client has offered yet."""
        self._early: OrderedDict[str, Ended] = OrderedDict()

    def readopt(self, peer: Peer, task_id: str, number: int) -> None:
        """Let a peer go on with what it holds from before, if nobody else was given it."""
        task = self._scheduler._state.get_task(task_id)
        self._parked.pop(task_id, None)
        lease = self._leases.get(task_id)
        if task is None:
            self._claims[task_id] = (peer.id, number)
        elif lease is not None:
            if lease.number != number:
                peer.outbox.append(protocol.Cancel((number,)))
        elif task.status in (PENDING, RUNNING):
            self._leases.give(task_id, peer, number)
        else:
            peer.outbox.append(protocol.Cancel((number,)))

    def take_claim(self, task_id: str) -> tuple[str, int] | None:
        """The worker that holds a task from before, and its lease; asked once."""
        return self._claims.pop(task_id, None)

    def keep_result(self, ended: Ended) -> None:
        """Keep the result of a task of which no client has spoken yet."""
        remember(self._early, ended.task_id, ended)

    def take_result(self, task_id: str) -> Ended | None:
        """The result that came before the task was offered; asked once."""
        return self._early.pop(task_id, None)

    def park(self, task: Any, worker_id: str) -> None:
        """Keep a task for the worker that ran it when its client last heard of it."""
        self._parked[task.id] = (worker_id, self._clock() + protocol.RETURN_SECONDS)
        self._leases.hold(task, worker_id)

    def unpark(self, task_id: str) -> None:
        """Let anybody run the task."""
        self._parked.pop(task_id, None)
        if task_id not in self._leases:
            self._leases.requeue(task_id)

    def unpark_all_of(self, worker_id: str) -> None:
        """The worker is here, and has said what it holds."""
        for task_id, (parked_for, _) in tuple(self._parked.items()):
            if parked_for == worker_id:
                self.unpark(task_id)

    def unpark_overdue(self) -> None:
        """Wait no longer for workers that do not come."""
        for task_id, (_, until) in tuple(self._parked.items()):
            if self._clock() > until:
                self.unpark(task_id)

    def forget(self, task_id: str) -> None:
        """A task is not wanted any more."""
        self._parked.pop(task_id, None)
