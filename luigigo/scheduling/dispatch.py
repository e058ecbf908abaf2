"""Gives ready tasks to whoever shall run them, and takes the results: luigid without its network.

Tasks, their states and what the visualizer shows are Luigi's own. A `Dispatcher` adds who holds what. It
is called by one thread; every entry point ends with `settle`, which brings everything to rest.
"""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any

import msgspec
from luigi.task_status import DISABLED, DONE, FAILED, PENDING, RUNNING, SUSPENDED

from luigigo.scheduling import protocol
from luigigo.scheduling.peers import Lease, Peer, Send
from luigigo.scheduling.placement import Capacity, choose, overfull
from luigigo.scheduling.protocol import Ended, Grant, Hello, Needs, Offer, Progress
from luigigo.scheduling.runs import Run, Runs
from luigigo.scheduling.scheduler import ReadyScheduler

MOST_LOSSES = 5
"""A task that took so many workers with it fails."""
PATIENCE = 64
"""How many ready tasks that nobody can take are passed in looking for one that somebody can."""
REMEMBERED = 20_000
"""How many keys that were done lately, and results of tasks not heard of yet, are remembered."""


class Dispatcher:
    """The peers of one luigid and what they hold."""

    def __init__(
        self,
        scheduler: ReadyScheduler,
        epoch: str,
        clock: Callable[[], float] = time.monotonic,
        first_lease: int | None = None,
    ) -> None:
        """`epoch` names this luigid's life; leases count from `first_lease`, by default from the time."""
        self.scheduler = scheduler
        self.epoch = epoch
        self.peers: dict[str, Peer] = {}
        self.runs = Runs(scheduler.queue)
        self._clock = clock
        self._started_at = clock()
        self._numbers = itertools.count(first_lease or time.time_ns() // 1000)
        self._needs: dict[str, Needs] = {}
        self._by_key: defaultdict[str, set[str]] = defaultdict(set)
        self._holders: dict[str, str] = {}
        """By key, the task that runs for all that have it."""
        self._leases: dict[str, Lease] = {}
        self._parked: dict[str, tuple[str, float]] = {}
        """Tasks kept for a worker of an earlier epoch: its id, and until when."""
        self._claims: dict[str, tuple[str, int]] = {}
        """Tasks that a worker holds and no client has offered yet."""
        self._early: OrderedDict[str, Ended] = OrderedDict()
        self._recent_keys: OrderedDict[str, None] = OrderedDict()
        self._losses: Counter[str] = Counter()
        self._absent_clients: dict[str, float] = {}
        self._changed: deque[tuple[Any, str]] = deque()
        self._news: dict[str, tuple[Peer, Ended]] = {}
        scheduler._state.on_change = lambda task: self._changed.append((task, task.status))
        scheduler.may_travel = self._may_travel

    def now(self) -> float:
        """The time by the dispatcher's clock, in seconds."""
        return self._clock()

    # --- who is there ---

    def connect(self, hello: Hello, send: Send) -> Peer:
        """Let a peer in; one of the same name that is still there is replaced."""
        now = self._clock()
        before = self.peers.pop(hello.worker_id, None)
        capacity = Capacity(hello.slots, hello.memory_bytes, hello.toolchain)
        peer = Peer(hello, send, now, now, capacity)
        self.peers[peer.id] = peer
        self._absent_clients.pop(peer.id, None)
        self.scheduler.add_worker(peer.id, self._worker_info(hello))
        held = {each.task_id: each.lease for each in hello.held}
        if before is not None:
            for task_id, lease in tuple(before.leases.items()):
                self._release(before, task_id)
                if held.get(task_id) != lease.number:
                    self._requeue(task_id)
                else:
                    self._lease(task_id, peer, lease.number)
        for task_id, number in held.items():
            self._readopt(peer, task_id, number)
        for task_id, (worker_id, _) in tuple(self._parked.items()):
            if worker_id == peer.id:
                self._unpark(task_id)
        self._notify_clients(f"node {hello.node} is here" if peer.is_node else "")
        self.settle()
        return peer

    @staticmethod
    def _worker_info(hello: Hello) -> list[tuple[str, Any]]:
        return [("workers", hello.slots), ("host", hello.node), ("assistant", hello.role == "node")]

    def disconnect(self, peer: Peer) -> None:
        """A peer's connection is lost. What it held runs elsewhere; a client may come back for its run."""
        if self.peers.get(peer.id) is not peer:
            return
        del self.peers[peer.id]
        for task_id in tuple(peer.leases):
            self._release(peer, task_id)
            if peer.is_node:
                self._losses[task_id] += 1
            if self._losses[task_id] >= MOST_LOSSES:
                self._fail(peer, task_id, f"{task_id}: {MOST_LOSSES} workers were lost while they ran it")
            else:
                self._requeue(task_id)
        if peer.is_node:
            self._inactivate(peer.id)
            self._notify_clients(f"node {peer.hello.node} is lost")
        else:
            self._absent_clients[peer.id] = self._clock()
        self.settle()

    def leave(self, peer: Peer) -> None:
        """A peer goes for good."""
        if self.peers.get(peer.id) is not peer:
            return
        del self.peers[peer.id]
        for task_id in tuple(peer.leases):
            self._release(peer, task_id)
            self._requeue(task_id)
        if peer.is_node:
            self._inactivate(peer.id)
            self._notify_clients(f"node {peer.hello.node} has left")
        else:
            self._end_run(peer.id, cancel_running=True)
        self.settle()

    def tick(self) -> list[Peer]:
        """What time brings; called once a second. Returns the peers that were not heard of for too long."""
        now = self._clock()
        for task_id, (_, until) in tuple(self._parked.items()):
            if now > until:
                self._unpark(task_id)
        for client_id, since in tuple(self._absent_clients.items()):
            if now - since > protocol.RETURN_SECONDS:
                del self._absent_clients[client_id]
                self._end_run(client_id, cancel_running=False)
        for peer in self.peers.values():
            self.scheduler.ping(worker=peer.id)
            if peer.reopen_if_due(now):
                self._notify_clients(f"node {peer.hello.node} is tried again")
        self.settle()
        return [peer for peer in self.peers.values() if now - peer.heard_at > protocol.LOST_SECONDS]

    def heard(self, peer: Peer) -> None:
        """A peer gave a sign of life."""
        peer.heard_at = self._clock()

    # --- what they say ---

    def receive(self, peer: Peer, message: protocol.FromPeer) -> None:
        """Take one message of a connected peer; `settle` afterwards. Raises `ValueError` for nonsense."""
        if self.peers.get(peer.id) is not peer:
            return
        if isinstance(message, protocol.Ended):
            self._take_result(peer, message)
        elif isinstance(message, protocol.Started):
            self._note_start(peer, message)
        elif isinstance(message, protocol.NodeState):
            peer.state = message
        elif isinstance(message, protocol.Leave):
            self.leave(peer)
        elif peer.is_node:
            raise ValueError(f"a node does not say {type(message).__name__}")
        elif isinstance(message, protocol.Add):
            self._forget_ended()
            for offer in message.offers:
                self._offer(peer, offer)
        elif isinstance(message, protocol.Call):
            self._call(peer, message)
        elif isinstance(message, protocol.RunAll):
            self.runs.of(peer.id).is_complete = True
            self._notify(peer, "")
        elif isinstance(message, protocol.Join):
            peer.joined = Capacity(peer.hello.slots, message.memory_bytes, message.toolchain)
        else:
            raise ValueError(f"a client does not say {type(message).__name__} now")

    def _call(self, peer: Peer, message: protocol.Call) -> None:
        if message.method not in _CALLS:
            raise ValueError(f"{message.method} is no call for a client")
        arguments = {**message.arguments, "worker": peer.id}
        if message.method == "set_task_status_message":
            del arguments["worker"]
        getattr(self.scheduler, message.method)(**arguments)

    def _offer(self, peer: Peer, offer: Offer) -> None:
        call = {**offer.call, "worker": peer.id}
        task_id, status = call["task_id"], call.get("status", PENDING)
        task = self.scheduler._state.get_task(task_id)
        run = self.runs.of(peer.id)
        if offer.needs is not None:
            self._needs[task_id] = offer.needs
            self._by_key[offer.needs.key].add(task_id)
            run.toolchain = offer.needs.toolchain
        lease = peer.leases.get(task_id)
        if lease is not None:
            self._release(peer, task_id)
            if status == PENDING and task is not None:
                # It found more dependencies while it ran.
                self.scheduler._state.set_status(task, PENDING)
        elif task is not None and status == PENDING:
            if task.status in (FAILED, DISABLED):
                self.scheduler._state.re_enable(task)
            elif task.status == DONE:
                # luigid ignores PENDING for what was done seconds ago; SUSPENDED means PENDING to it.
                call["status"] = SUSPENDED
        self.scheduler.add_task(**call)
        self._place_offer(run, task_id, offer, call)

    def _place_offer(self, run: Run, task_id: str, offer: Offer, call: dict[str, Any]) -> None:
        task = self.scheduler._state.get_task(task_id)
        if task is None:
            return
        is_open = task.status in (PENDING, RUNNING) and call.get("runnable", True) is not False
        self.runs.put(run, task_id, is_open=is_open)
        if not is_open and task.status not in (DONE, PENDING):
            return
        if task.status == PENDING and not is_open:
            self.runs.fail(task_id)
            return
        early = self._early.pop(task_id, None)
        claim = self._claims.pop(task_id, None)
        if task.status != PENDING:
            return
        if early is not None and early.status == "done":
            self.scheduler._state.set_status(task, DONE)
        elif claim is not None and claim[0] in self.peers:
            self._lease(task_id, self.peers[claim[0]], claim[1])
        elif offer.running_on and offer.running_on not in self.peers:
            until = self._clock() + protocol.RETURN_SECONDS
            self._parked[task_id] = (offer.running_on, until)
            self._hold(task, offer.running_on)
        elif offer.needs is not None and offer.needs.key in self._holders:
            self._hold(task, self._leases[self._holders[offer.needs.key]].peer_id)

    def _note_start(self, peer: Peer, message: protocol.Started) -> None:
        lease = peer.leases.get(message.task_id)
        if lease is None or lease.number != message.lease:
            return
        lease.has_started = True
        waited = self._clock() - self.scheduler.queue.ready_at(message.task_id)
        self._tell_clients(
            message.task_id,
            Progress(
                message.task_id,
                "running",
                node=peer.hello.node,
                worker_id=peer.id,
                dispatch_seconds=waited,
            ),
        )

    def _take_result(self, peer: Peer, ended: Ended) -> None:
        task_id = ended.task_id
        lease = peer.leases.get(task_id)
        if lease is None or lease.number != ended.lease:
            # Late: it was given to another since. Or early: its client has not returned to a new luigid.
            if ended.status == "done" and not self.scheduler._state.has_task(task_id):
                _remember(self._early, task_id, ended)
            return
        self._release(peer, task_id)
        task = self.scheduler._state.get_task(task_id)
        if task is None:
            return
        if ended.status == "done":
            peer.done += 1
            self._news[task_id] = (peer, ended)
            self.scheduler._update_task_history(task, DONE)
            self.scheduler._state.set_status(task, DONE)
        elif ended.status == "failed":
            self._news[task_id] = (peer, ended)
            self._fail(peer, task_id, ended.explanation)
        else:
            self._take_back(peer, task_id, ended)

    def _take_back(self, peer: Peer, task_id: str, ended: Ended) -> None:
        """A node did not do a task, for reasons of its own: another shall."""
        if ended.status == "home":
            self._needs[task_id] = msgspec.structs.replace(self._needs[task_id], anywhere=False)
        elif ended.status == "unable":
            if ended.lacks:
                peer.capacity.lacks.add(ended.lacks)
            else:
                peer.suspend(ended.explanation, self._clock())
                self._losses[task_id] += 1
            self._notify_clients(f"node {peer.hello.node}: {ended.explanation}")
        if self._losses[task_id] >= MOST_LOSSES:
            self._news[task_id] = (peer, ended)
            self._fail(peer, task_id, ended.explanation)
        else:
            self._requeue(task_id)

    # --- leases ---

    def _lease(self, task_id: str, peer: Peer, number: int | None = None) -> Lease:
        task = self.scheduler._state.get_task(task_id)
        record = self.scheduler._state.get_worker(peer.id)
        is_new = number is None
        lease = Lease(next(self._numbers) if number is None else number, peer.id, self._clock(), not is_new)
        self._leases[task_id] = peer.leases[task_id] = lease
        if task.status != RUNNING:
            self.scheduler.start(task, record, peer.hello.node)
        task.worker_running = peer.id
        needs = self._needs.get(task_id)
        if needs is None:
            peer.capacity.give(task_id, _NO_NEEDS)
            return lease
        (peer.joined if peer.joined is not None and needs.anywhere else peer.capacity).give(task_id, needs)
        self._holders[needs.key] = task_id
        for twin_id in self._by_key[needs.key] - {task_id}:
            twin = self.scheduler._state.get_task(twin_id)
            if twin is not None and twin.status == PENDING:
                self._hold(twin, peer.id)
        return lease

    def _release(self, peer: Peer, task_id: str) -> None:
        peer.leases.pop(task_id, None)
        self._leases.pop(task_id, None)
        peer.capacity.take_back(task_id)
        if peer.joined is not None:
            peer.joined.take_back(task_id)
        needs = self._needs.get(task_id)
        if needs is not None and self._holders.get(needs.key) == task_id:
            del self._holders[needs.key]

    def _hold(self, task: Any, worker_id: str) -> None:
        """Show a task as running on a worker that was not given it: it runs an equal one, or did."""
        self.scheduler._update_worker(worker_id)
        self.scheduler._state.set_status(task, RUNNING)
        task.worker_running = worker_id
        task.time_running = time.time()
        task.resources_running = {}

    def _requeue(self, task_id: str) -> None:
        """Let a task wait again, and those that waited for its outcome."""
        for each in (task_id, *self._twins(task_id)):
            task = self.scheduler._state.get_task(each)
            if task is not None and task.status == RUNNING:
                task.worker_running = None
                self.scheduler._state.set_status(task, PENDING)

    def _twins(self, task_id: str) -> list[str]:
        """The other tasks with the same key, none of which is given to anybody."""
        needs = self._needs.get(task_id)
        if needs is None:
            return []
        return [twin for twin in self._by_key[needs.key] if twin != task_id and twin not in self._leases]

    def _readopt(self, peer: Peer, task_id: str, number: int) -> None:
        """Let a peer go on with what it holds from before, if nobody else was given it."""
        task = self.scheduler._state.get_task(task_id)
        self._parked.pop(task_id, None)
        if task is None:
            self._claims[task_id] = (peer.id, number)
        elif task_id in self._leases:
            if self._leases[task_id].number != number:
                peer.outbox.append(protocol.Cancel((number,)))
        elif task.status in (PENDING, RUNNING):
            self._lease(task_id, peer, number)
        else:
            peer.outbox.append(protocol.Cancel((number,)))

    def _unpark(self, task_id: str) -> None:
        self._parked.pop(task_id, None)
        if task_id not in self._leases:
            self._requeue(task_id)

    def _fail(self, peer: Peer, task_id: str, explanation: str) -> None:
        task = self.scheduler._state.get_task(task_id)
        if task is None:
            return
        task.expl = json.dumps(explanation)
        self.scheduler._update_task_history(task, FAILED)
        self._news.setdefault(task_id, (peer, Ended(task_id, 0, "failed", explanation)))
        self.scheduler._state.set_status(task, FAILED, self.scheduler._config)

    # --- coming to rest ---

    def settle(self) -> None:
        """Draw all conclusions from what has changed: what is over, who gets what, who is told."""
        while self._changed:
            task, status = self._changed.popleft()
            if task.status != status:
                continue
            if task.status == DONE:
                self._conclude_done(task)
            elif task.status in (FAILED, DISABLED):
                self._conclude_failed(task)
            elif task.status == PENDING:
                self.runs.reopen(task.id)
        self._hand_out()
        for run in self.runs:
            if run.is_spent():
                run.is_over = True
                self._say(run.client_id, protocol.RunOver(tuple(run.failed)))
        for peer in self.peers.values():
            peer.flush()

    def _conclude_done(self, task: Any) -> None:
        self.runs.finish(task.id)
        self._losses.pop(task.id, None)
        self._tell_end(task.id, "done")
        needs = self._needs.get(task.id)
        if needs is None:
            return
        _remember(self._recent_keys, needs.key, None)
        for twin_id in self._twins(task.id):
            twin = self.scheduler._state.get_task(twin_id)
            if twin is not None and twin.status in (PENDING, RUNNING):
                self.scheduler._state.set_status(twin, DONE)

    def _conclude_failed(self, task: Any) -> None:
        self._tell_end(task.id, "failed")
        self.runs.fail(task.id)
        for twin_id in self._twins(task.id):
            twin = self.scheduler._state.get_task(twin_id)
            if twin is not None and twin.status in (PENDING, RUNNING) and task.id in self._news:
                self._news[twin_id] = self._news[task.id]
                self._fail(self._news[task.id][0], twin_id, self._news[task.id][1].explanation)
        self._news.pop(task.id, None)
        self._drop_unneeded(cancel_running=True)

    def _tell_end(self, task_id: str, status: str) -> None:
        peer, ended = self._news.get(task_id, (None, None))
        if status == "done":
            self._news.pop(task_id, None)
        self._tell_clients(
            task_id,
            Progress(
                task_id,
                status,
                node=peer.hello.node if peer is not None else "",
                worker_id=peer.id if peer is not None else "",
                explanation=ended.explanation if ended is not None else "",
                exit_code=ended.exit_code if ended is not None else 0,
                usage=ended.usage if ended is not None else None,
            ),
        )

    def _drop_unneeded(self, *, cancel_running: bool) -> None:
        """Forget actions that nobody will read; end those that run."""
        tasks = self.scheduler._state.get_active_tasks_by_status(PENDING, RUNNING)
        actions = [task.id for task in tasks if task.id in self._needs]
        dropped = []
        for task_id in self.runs.unneeded(actions):
            lease = self._leases.get(task_id)
            if lease is not None:
                if not cancel_running:
                    continue
                peer = self.peers[lease.peer_id]
                self._release(peer, task_id)
                peer.outbox.append(protocol.Cancel((lease.number,)))
                for twin_id in self._twins(task_id):
                    self._unpark(twin_id)
            dropped.append(task_id)
        self._forget(dropped)

    def _end_run(self, client_id: str, *, cancel_running: bool) -> None:
        self.runs.close(client_id)
        self._inactivate(client_id)
        self._drop_unneeded(cancel_running=cancel_running)

    def _inactivate(self, worker_id: str) -> None:
        if worker_id in self.scheduler._state._active_workers:
            self.scheduler._state.inactivate_workers([worker_id])

    def _forget_ended(self) -> None:
        """Forget the tasks of runs that are over, which were kept to be looked at."""
        self._forget([task_id for task_id in self.runs.forget_ended() if task_id not in self._leases])

    def _forget(self, task_ids: list[str]) -> None:
        if not task_ids:
            return
        self.runs.drop(task_ids)
        present = [task_id for task_id in task_ids if self.scheduler._state.has_task(task_id)]
        self.scheduler._state.inactivate_tasks(present)
        for task_id in task_ids:
            self._losses.pop(task_id, None)
            self._parked.pop(task_id, None)
            self._news.pop(task_id, None)
            needs = self._needs.pop(task_id, None)
            if needs is not None:
                self._by_key[needs.key].discard(task_id)
                if not self._by_key[needs.key]:
                    del self._by_key[needs.key]

    def _hand_out(self) -> None:
        queue = self.scheduler.queue
        if not len(queue):
            self._even_out()
            return
        nodes = {id(peer.capacity): peer for peer in self.peers.values() if peer.is_node}
        capacities = [peer.capacity for peer in nodes.values()]
        clients = [peer for peer in self.peers.values() if not peer.is_node]
        while len(queue):
            chosen: list[Peer] = []

            def accept(task_id: str, chosen: list[Peer] = chosen) -> bool:
                peer = self._place(task_id, capacities, nodes, clients)
                if peer is not None:
                    chosen.append(peer)
                return peer is not None

            task_id = queue.pop(accept, PATIENCE)
            if task_id is None:
                return
            self._grant(task_id, chosen[0])
        self._even_out()

    def _place(
        self, task_id: str, capacities: list[Capacity], nodes: dict[int, Peer], clients: list[Peer]
    ) -> Peer | None:
        needs = self._needs.get(task_id)
        owners = self.scheduler._state.get_task(task_id).workers
        if needs is not None and needs.anywhere:
            joined = [peer for peer in clients if peer.joined is not None and peer.id in owners]
            best = choose(
                [*capacities, *(peer.joined for peer in joined if peer.joined is not None)], task_id, needs
            )
            if best is None:
                return None
            return nodes.get(id(best)) or next(peer for peer in joined if peer.joined is best)
        for peer in clients:
            if peer.id in owners and peer.capacity.free_slots > 0:
                return peer
        return None

    def _grant(self, task_id: str, peer: Peer) -> None:
        task = self.scheduler._state.get_task(task_id)
        lease = self._lease(task_id, peer)
        needs = self._needs.get(task_id, _NO_NEEDS)
        peer.grants.append(
            Grant(
                task_id,
                lease.number,
                task.family,
                task.params,
                needs.peak_bytes,
                needs.runs_alone,
                needs.key in self._recent_keys,
                needs.wants_commands,
            )
        )

    def _even_out(self) -> None:
        """Take back what waits on one node while another has a free slot."""
        nodes = [peer for peer in self.peers.values() if peer.is_node]
        if not any(peer.capacity.free_slots > 0 and peer.capacity.is_open for peer in nodes):
            return
        fullest = overfull(peer.capacity for peer in nodes)
        if fullest is None:
            return
        peer = next(peer for peer in nodes if peer.capacity is fullest)
        waiting = [lease for lease in peer.leases.values() if not (lease.has_started or lease.is_revoked)]
        revoked = sum(lease.is_revoked for lease in peer.leases.values())
        for lease in waiting[-(-fullest.free_slots - revoked) :] if -fullest.free_slots > revoked else []:
            lease.is_revoked = True
            peer.outbox.append(protocol.Revoke((lease.number,)))

    def _may_travel(self, task_id: str) -> bool:
        needs = self._needs.get(task_id)
        return needs is None or needs.anywhere

    # --- who is told ---

    def _tell_clients(self, task_id: str, message: protocol.FromServer) -> None:
        for client_id in self.runs.clients_of(task_id):
            self._say(client_id, message)

    def _say(self, client_id: str, message: protocol.FromServer) -> None:
        peer = self.peers.get(client_id)
        if peer is not None:
            peer.outbox.append(message)

    def _notify_clients(self, text: str) -> None:
        for peer in self.peers.values():
            run = self.runs.get(peer.id)
            if not peer.is_node and run is not None and run.is_complete and not run.is_over:
                self._notify(peer, text)

    def _notify(self, client: Peer, text: str) -> None:
        """Tell a client how many nodes can run its actions, and by name those that can't."""
        wanted = self.runs.of(client.id).toolchain
        nodes = [peer for peer in self.peers.values() if peer.is_node]
        able = [peer for peer in nodes if peer.capacity.is_open and peer.capacity.toolchain == wanted]
        others = [
            f"{peer.hello.node} has {peer.hello.go}" for peer in nodes if peer.hello.toolchain != wanted
        ]
        if wanted and others:
            text = "; ".join([*([text] if text else []), *others]) + ", not this build's Go: left out"
        client.outbox.append(protocol.Notice(text, len(able)))


_NO_NEEDS = Needs("")
_CALLS = frozenset(
    (
        "announce_scheduling_failure",
        "set_task_status_message",
        "set_task_progress_percentage",
        "add_task_batcher",
    )
)


def _remember(memory: OrderedDict[str, Any], key: str, value: Any) -> None:
    memory[key] = value
    memory.move_to_end(key)
    while len(memory) > REMEMBERED:
        memory.popitem(last=False)
