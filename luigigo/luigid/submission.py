"""Takes the tasks that clients offer, and what they say of them, into Luigi's state."""

from __future__ import annotations

from typing import Any

from luigi.task_status import DISABLED, DONE, FAILED, PENDING, RUNNING, SUSPENDED

from luigigo.luigid.leases import Leases
from luigigo.luigid.notifier import ClientNotifier
from luigigo.luigid.peers import Peer
from luigigo.luigid.recovery import Recovery
from luigigo.luigid.runs import Run, Runs
from luigigo.protocol.messages import Offer
from luigigo.scheduling.tasktable import TaskTable


class Submission:
    """The way in for tasks."""

    def __init__(
        self,
        tasks: TaskTable,
        runs: Runs,
        leases: Leases,
        returning: Recovery,
        notifier: ClientNotifier,
    ) -> None:
        self._tasks = tasks
        self._runs = runs
        self._leases = leases
        self._recovery = returning
        self._notifier = notifier

    def take(self, peer: Peer, offer: Offer) -> None:
        """Add a task to a client's run, or bring it up to date."""
        call = {**offer.call, "worker": peer.id}
        task_id, status = call["task_id"], call.get("status", PENDING)
        task = self._tasks.get(task_id)
        run = self._runs.of(peer.id)
        if offer.needs is not None:
            self._leases.note_needs(task_id, offer.needs)
            run.note_features(offer.needs.features)
            if peer.joined is not None:
                peer.joined.features = run.features
        if task_id in peer.leases:
            # PENDING alone is said again, to a luigid that may not know; with more dependencies, it waits.
            if status != PENDING or call.get("new_deps"):
                self._leases.release(peer, task_id)
            if status == PENDING and call.get("new_deps"):
                self._leases.requeue(task_id)
        elif task is not None and status == PENDING:
            if task.status in (FAILED, DISABLED):
                self._tasks.re_enable(task)
            elif task.status == DONE:
                # luigid ignores PENDING for what was done seconds ago; SUSPENDED means PENDING to it.
                call["status"] = SUSPENDED
        self._tasks.add(call)
        self._place(run, task_id, offer, call)

    def may_travel(self, task_id: str) -> bool:
        """Whether one of Luigi's assistants may run a task: only what any node may run."""
        needs = self._leases.needs.get(task_id)
        return needs is not None and needs.anywhere

    def _place(self, run: Run, task_id: str, offer: Offer, call: dict[str, Any]) -> None:
        task = self._tasks.get(task_id)
        if task is None:
            self._leases.forget([task_id])
            return
        task.runnable = task.runnable and self.may_travel(task_id)
        is_open = task.status in (PENDING, RUNNING) and call.get("runnable", True) is not False
        self._runs.put(run, task_id, is_open=is_open)
        if task.status != PENDING:
            return
        if not is_open:
            self._runs.fail(task_id)
            return
        known = self._recovery.welcome_offer(task, offer.running_on)
        if known is not None:
            self._notifier.news[task_id] = known
            self._tasks.set_status(task, DONE)
