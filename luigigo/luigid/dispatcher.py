"""Gives ready tasks to whoever shall run them, and takes the results: luigid without its network.

Tasks, their states and what the visualizer shows are Luigi's own. A `Dispatcher` adds who holds what. It
is called by one thread; every entry point ends with `settle`, which brings everything to rest.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from luigi.task_status import DISABLED, DONE, FAILED, PENDING, RUNNING

from luigigo.luigid.assigner import AHEAD_FROM, Assigner
from luigigo.luigid.leases import Leases, remember
from luigigo.luigid.notifier import ClientNotifier
from luigigo.luigid.outages import Outages
from luigigo.luigid.peers import Peer, Send
from luigigo.luigid.placement import Capacity
from luigigo.luigid.recovery import Recovery
from luigigo.luigid.refusals import Refusals
from luigigo.luigid.republishing import Republishing
from luigigo.luigid.results import MOST_LOSSES, LuigidParts, ResultTaker
from luigigo.luigid.runs import Runs
from luigigo.luigid.submission import Submission
from luigigo.luigid.tally import ResultCounts
from luigigo.protocol import messages
from luigigo.protocol.messages import Hello
from luigigo.scheduling.scheduler import ReadyScheduler
from luigigo.scheduling.tasktable import TaskTable


class Dispatcher:
    """The peers of one luigid and what they hold."""

    def __init__(
        self,
        scheduler: ReadyScheduler,
        epoch: str,
        clock: Callable[[], float] = time.monotonic,
        first_lease: int | None = None,
        ahead_from: float = AHEAD_FROM,
    ) -> None:
        """`epoch` names this luigid's life; leases count from `first_lease`, by default from the time.

        `ahead_from`: how many tasks must be ready for each slot before one is given ahead.
        """
        self.scheduler = scheduler
        self.epoch = epoch
        self.peers: dict[str, Peer] = {}
        self.runs = Runs(scheduler.queue)
        self.tally = ResultCounts()
        self._clock = clock
        self.tasks = TaskTable(scheduler, self._is_held)
        self._leases = Leases(self.tasks, first_lease, clock)
        self._outages = Outages(clock())
        self._recovery = Recovery(self.tasks, self.peers, self._leases, clock)
        self._assigner = Assigner(self.tasks, self.peers, self._leases, clock, ahead_from)
        self._notifier = ClientNotifier(self.peers, self.runs, clock)
        self._submission = Submission(self.tasks, self.runs, self._leases, self._recovery, self._notifier)
        self._leases.on_requeue = self._notifier.tell_wait
        self._republishing = Republishing(self.peers, self.runs, self._leases)
        self._refusals = Refusals(self.peers, self._leases)
        self._results = ResultTaker(
            LuigidParts(
                tasks=self.tasks,
                peers=self.peers,
                leases=self._leases,
                recovery=self._recovery,
                republishing=self._republishing,
                refusals=self._refusals,
                notifier=self._notifier,
                prefetcher=self._assigner.prefetcher,
                tally=self.tally,
                clock=clock,
            )
        )
        self._absent_clients: dict[str, float] = {}
        self._drained: OrderedDict[str, None] = OrderedDict()
        """Nodes that were lost while they were drained."""
        scheduler.queue.resource_class_of = self._leases.resource_class

    def now(self) -> float:
        """The time by the dispatcher's clock, in seconds."""
        return self._clock()

    # --- who is there ---

    def connect(self, hello: Hello, send: Send) -> Peer:
        """Let a peer in; one of the same name that is still there is replaced."""
        now = self._wake()
        before = self.peers.pop(hello.worker_id, None)
        capacity = Capacity(hello.slots, hello.memory_bytes, frozenset(hello.features))
        peer = Peer(hello, send, now, now, capacity, freed_at=now)
        self.peers[peer.id] = peer
        self._absent_clients.pop(peer.id, None)
        self.scheduler.add_worker(peer.id, self._worker_info(hello))
        held = {each.task_id: each for each in hello.held}
        if before is not None:
            self._replace(before, peer, held)
        if peer.id in self._drained or (before is not None and before.is_draining):
            self._drained.pop(peer.id, None)
            peer.drain()
            peer.outbox.append(messages.Exit("the node is drained"))
        for each in held.values():
            self._recovery.readopt(peer, each)
        self._recovery.is_back(peer)
        self._notifier.notify_all(f"node {hello.node} is here" if peer.is_node else "")
        self.settle()
        return peer

    def _replace(self, before: Peer, peer: Peer, held: Mapping[str, messages.Held]) -> None:
        """Let a new connection take over what it still holds of an old one's."""
        self._recovery.is_gone(before)
        for task_id, lease in tuple(before.leases.items()):
            stop = self._leases.stop(before, task_id, "the connection was lost")
            if task_id not in held or held[task_id].lease != lease.number:
                self._leases.requeue(task_id, stop)
            else:
                self._leases.give(task_id, peer, lease.number)

    @staticmethod
    def _worker_info(hello: Hello) -> list[tuple[str, Any]]:
        return [("workers", hello.slots), ("host", hello.node), ("assistant", hello.role == "node")]

    def disconnect(self, peer: Peer) -> None:
        """A peer's connection is lost. What it held runs elsewhere; a client may come back for its run.

        Where all nodes are silent, or luigid itself was, that is no loss: what they hold is kept for them.
        """
        if self.peers.get(peer.id) is not peer:
            return
        now = self._wake()
        nodes = [each for each in self.peers.values() if each.is_node]
        del self.peers[peer.id]
        if peer.is_node and self._outages.is_one(peer, nodes, now):
            self._recovery.await_return(peer)
            news = f"no node gives a sign of life: waiting for {peer.hello.node}"
        else:
            self._lose(peer)
            news = f"node {peer.hello.node} is lost"
        self._recovery.is_gone(peer)
        if peer.is_draining:
            remember(self._drained, peer.id, None)
        if peer.is_node:
            self.tasks.inactivate_worker(peer.id)
            self._notifier.notify_all(news)
        else:
            self._absent_clients[peer.id] = self._clock()
        self.settle()

    def _lose(self, peer: Peer) -> None:
        """A peer is lost: others run what it held, but for what took too many with it."""
        for task_id in tuple(peer.leases):
            stop = self._leases.stop(peer, task_id, "the worker was lost")
            self.tally.note_stop("lost")
            if peer.is_node:
                self._leases.losses.setdefault(task_id, set()).add(peer.id)
            if self._leases.mishaps(task_id) >= MOST_LOSSES:
                self._results.fail(
                    peer, task_id, f"{task_id}: {MOST_LOSSES} workers were lost while they ran it"
                )
            else:
                self._leases.requeue(task_id, stop)

    def _wake(self) -> float:
        """The time now; if luigid was stopped until now, nobody is silent for longer than since now."""
        now = self._clock()
        if self._outages.has_slept(now):
            for peer in self.peers.values():
                peer.heard_at = now
        return now

    def leave(self, peer: Peer) -> None:
        """A peer goes for good."""
        if self.peers.get(peer.id) is not peer:
            return
        del self.peers[peer.id]
        for task_id in tuple(peer.leases):
            self._leases.requeue(task_id, self._leases.stop(peer, task_id, "the worker left"))
        self._recovery.is_gone(peer)
        if peer.is_node:
            self.tasks.inactivate_worker(peer.id)
            self._notifier.notify_all(f"node {peer.hello.node} has left")
        else:
            self._end_run(peer.id, cancel_running=True)
        self.settle()

    def tick(self) -> list[Peer]:
        """What time brings; called once a second. Returns the peers that were not heard of for too long."""
        now = self._wake()
        self._recovery.expire()
        for client_id, since in tuple(self._absent_clients.items()):
            if now - since > messages.RETURN_SECONDS:
                del self._absent_clients[client_id]
                self._end_run(client_id, cancel_running=False)
        for peer in self.peers.values():
            self.scheduler.ping(worker=peer.id)
            if peer.reopen_if_due(now):
                self._notifier.notify_all(f"node {peer.hello.node} is tried again")
        for peer, ended in self._refusals.hopeless(now):
            self._results.fail_as(peer, ended)
        self._notifier.remind(now)
        self.settle()
        return [peer for peer in self.peers.values() if now - peer.heard_at > messages.LOST_SECONDS]

    def heard(self, peer: Peer) -> None:
        """A peer gave a sign of life."""
        peer.heard_at = self._wake()

    # --- what they say ---

    def receive(self, peer: Peer, message: messages.FromPeer) -> None:
        """Take one message of a connected peer; `settle` afterwards. Raises `ValueError` for nonsense."""
        if self.peers.get(peer.id) is not peer:
            return
        if isinstance(message, messages.Ended):
            self._results.take(peer, message)
        elif isinstance(message, messages.Started):
            self._note_start(peer, message)
        elif isinstance(message, messages.Publishing):
            self._note_publishing(peer, message)
        elif isinstance(message, messages.NodeState):
            peer.state = message
        elif isinstance(message, messages.Leave):
            self.leave(peer)
        elif peer.is_node:
            raise ValueError(f"a node does not say {type(message).__name__}")
        elif isinstance(message, messages.Add):
            self.runs.of(peer.id)
            self._forget_ended()
            for offer in message.offers:
                self._submission.take(peer, offer)
        elif isinstance(message, messages.Call):
            self._call(peer, message)
        elif isinstance(message, messages.RunAll):
            self.runs.of(peer.id).is_complete = True
            self._notifier.notify(peer, "")
        elif isinstance(message, messages.Join):
            self._join(peer, message)
        else:
            raise ValueError(f"a client does not say {type(message).__name__} now")

    def _call(self, peer: Peer, message: messages.Call) -> None:
        if message.method not in _CALLS:
            raise ValueError(f"{message.method} is no call for a client")
        worker = {"worker": peer.id} if message.method in _CALLS_WITH_WORKER else {}
        getattr(self.scheduler, message.method)(**message.arguments | worker)

    def _join(self, peer: Peer, message: messages.Join) -> None:
        features = self.runs.of(peer.id).features
        peer.joined = Capacity(peer.hello.slots, message.memory_bytes, features)
        for task_id, needs in tuple(peer.capacity.given.items()):
            if needs.key and needs.anywhere:
                peer.capacity.take_back(task_id)
                peer.joined.give(task_id, needs)
        # It would run itself what waits for nodes to come back.
        self._recovery.unpark_all()

    def _note_start(self, peer: Peer, message: messages.Started) -> None:
        lease = peer.leases.get(message.task_id)
        if lease is None or lease.number != message.lease:
            return
        lease.has_started, lease.started_at = True, self._clock()
        self._results.show(message.task_id, f"runs on {peer.hello.node}")
        self._notifier.tell_start(message.task_id, peer)

    def _note_publishing(self, peer: Peer, message: messages.Publishing) -> None:
        lease = peer.leases.get(message.task_id)
        if lease is not None and lease.number == message.lease:
            self._leases.vacate(peer, message.task_id)

    # --- coming to rest ---

    def settle(self) -> None:
        """Draw all conclusions from what has changed: what is over, who gets what, who is told."""
        for task in self.tasks.take_changes():
            if task.status == DONE:
                self._conclude_done(task)
            elif task.status in (FAILED, DISABLED):
                self._conclude_failed(task)
            elif task.status == PENDING:
                self.runs.reopen(task.id)
                self._leases.follow(task)
        self._assigner.run()
        for run in self.runs:
            if run.is_spent():
                run.is_over = True
                self._notifier.say(run.client_id, messages.RunOver(tuple(run.failed)))
        for peer in self.peers.values():
            peer.flush()

    def _conclude_done(self, task: Any) -> None:
        self.runs.finish(task.id)
        self._leases.forget_mishaps(task.id)
        self._notifier.tell_end(task.id, "done")
        self._assigner.prefetcher.note_done(task.id)
        needs = self._leases.needs.get(task.id)
        if needs is None:
            return
        self._assigner.note_done(needs.key)
        for duplicate in self._leases.duplicates(task.id):
            self._results.show(duplicate.id, "cached" if task.status_message is None else task.status_message)
            self.tasks.set_status(duplicate, DONE)

    def _conclude_failed(self, task: Any) -> None:
        self._notifier.tell_end(task.id, "failed")
        self._leases.forget_mishaps(task.id)
        self.runs.fail(task.id)
        news = self._notifier.news.pop(task.id, None)
        if news is None:
            # It failed under its client, which says nothing of the others.
            self._leases.requeue(task.id)
        else:
            for duplicate in self._leases.duplicates(task.id):
                self._notifier.news[duplicate.id] = news
                self._results.fail(news[0], duplicate.id, news[1].explanation)
        self._drop_unneeded(cancel_running=True)

    def _drop_unneeded(self, *, cancel_running: bool) -> None:
        """Forget actions that nobody will read; end those that run."""
        tasks = self.tasks.active(PENDING, RUNNING)
        unneeded = self.runs.unneeded([task.id for task in tasks if task.id in self._leases.needs])
        gone = set(unneeded)
        dropped = []
        for task_id in unneeded:
            lease = self._leases.get(task_id)
            if lease is not None:
                if not cancel_running or any(
                    duplicate.id not in gone for duplicate in self._leases.duplicates(task_id)
                ):
                    continue
                peer = self.peers[lease.peer_id]
                self._leases.release(peer, task_id)
                peer.outbox.append(messages.Cancel((lease.number,)))
            dropped.append(task_id)
        self._forget(dropped)

    def _end_run(self, client_id: str, *, cancel_running: bool) -> None:
        self.runs.close(client_id)
        self.tasks.inactivate_worker(client_id)
        self._drop_unneeded(cancel_running=cancel_running)

    def _forget_ended(self) -> None:
        """Forget the tasks of runs that are over, which were kept to be looked at."""
        self._forget(self.runs.forget_ended(self._leases.__contains__))

    def _forget(self, task_ids: list[str]) -> None:
        if not task_ids:
            return
        self.runs.drop(task_ids)
        for task_id in task_ids:
            self._recovery.forget(task_id)
            self._republishing.forget(task_id)
            self._assigner.prefetcher.forget(task_id)
            self._notifier.news.pop(task_id, None)
        self._refusals.forget(task_ids)
        self._leases.forget(task_ids)
        self.tasks.forget(task_ids)

    def _is_held(self, task_id: str) -> bool:
        """Whether a peer runs the task or an equal one, or it is kept for a worker."""
        equals = self._leases.equals(task_id)
        return any(each in self._leases or self._recovery.is_kept(each) for each in equals)


_CALLS_WITH_WORKER = frozenset(("announce_scheduling_failure", "add_task_batcher"))
_CALLS = _CALLS_WITH_WORKER | {"set_task_status_message", "set_task_progress_percentage"}
