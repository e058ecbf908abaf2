"""Which peer holds which task. Of *duplicates*, tasks with equal keys, one is given out and runs for all."""

from __future__ import annotations

import itertools
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from luigi.task_status import PENDING, RUNNING

from luigigo.attempts import Attempt
from luigigo.luigid.peers import Lease, Peer
from luigigo.protocol.messages import Made, Needs
from luigigo.scheduling.tasktable import TaskTable


class StoppedAttempt(msgspec.Struct, frozen=True):
    """How an attempt stopped that came to no end; all empty where there was none."""

    node: str = ""
    cause: str = ""
    attempt: Attempt = Attempt()


NOTHING_STOPPED = StoppedAttempt()
NO_NEEDS = Needs("")
"""Of a task that is the client's own."""
OWN_KEY = "task "
"""Begins the key of a task that was offered without one: no other has it."""
REMEMBERED = 20_000
"""How many results of tasks not heard of yet are remembered."""


class Leases:
    """What was given to whom, and what each task asks for."""

    def __init__(
        self,
        tasks: TaskTable,
        first_lease: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Leases count from `first_lease`, by default from the time, so that no later luigid repeats one."""
        self.needs: dict[str, Needs] = {}
        self.losses: dict[str, set[str]] = {}
        """By task, the workers that were lost while they had it and are not back with it."""
        self.refusals: Counter[str] = Counter()
        """By task, how often a node could not do it."""
        self.kills: Counter[str] = Counter()
        """By task, how often it was killed for memory."""
        self.on_requeue: Callable[[str, StoppedAttempt], None] = lambda task_id, stop: None
        """Told of each task that waits again, and how it stopped."""
        self._tasks = tasks
        self._clock = clock
        self._numbers = itertools.count(first_lease or time.time_ns() // 1000)
        self._made: dict[str, Made] = {}
        """By key, what those that are done made, while a task has the key."""
        self._by_key: dict[str, set[str]] = {}
        self._holders: dict[str, str] = {}
        """By key, the task that runs for all that have it."""
        self._leases: dict[str, Lease] = {}

    def __contains__(self, task_id: str) -> bool:
        """Whether a peer holds the task."""
        return task_id in self._leases

    def get(self, task_id: str) -> Lease | None:
        """The lease of a task that a peer holds."""
        return self._leases.get(task_id)

    def holder_of(self, key: str) -> str:
        """The peer that runs a task with this key, or ""."""
        task_id = self._holders.get(key)
        return "" if task_id is None else self._leases[task_id].peer_id

    def note_needs(self, task_id: str, needs: Needs) -> None:
        """Learn what a task asks for.

        What was found out since it was offered stays: that it is bound to its client, or takes more memory.
        """
        before = self.needs.get(task_id)
        if not needs.key:
            needs = msgspec.structs.replace(needs, key=f"{OWN_KEY}{task_id}")
        if before is not None:
            self._forget_key(task_id, before)
            needs = msgspec.structs.replace(
                needs,
                anywhere=needs.anywhere and before.anywhere,
                peak_bytes=max(needs.peak_bytes, before.peak_bytes * bool(self.kills[task_id])),
                runs_alone=needs.runs_alone or before.runs_alone,
            )
        self.needs[task_id] = needs
        self._by_key.setdefault(needs.key, set()).add(task_id)
        if before is not None and before.anywhere and not needs.anywhere:
            self._tasks.queue.refile(task_id)

    def bind(self, task_id: str) -> None:
        """Only the client can run the task: it reads files that are nowhere else."""
        needs = self.needs.get(task_id)
        if needs is not None:
            self.note_needs(task_id, msgspec.structs.replace(needs, anywhere=False))

    def enlarge(self, larger: Needs) -> None:
        """What has this key was killed for memory: it asks for more from now on."""
        for each in self._by_key[larger.key]:
            self.kills[each] += 1
            needs = self.needs[each]
            self.needs[each] = msgspec.structs.replace(
                needs, peak_bytes=larger.peak_bytes, runs_alone=larger.runs_alone
            )

    def note_made(self, task_id: str, made: Made) -> None:
        """Learn what a task that is done made."""
        needs = self.needs.get(task_id)
        if made and needs is not None:
            self._made[needs.key] = made

    def made_by(self, task_ids: Iterable[str]) -> dict[str, Made]:
        """What these tasks made, by key, as far as it is known."""
        keys = [needs.key for needs in map(self.needs.get, task_ids) if needs is not None]
        return {key: self._made[key] for key in keys if key in self._made}

    def equals(self, task_id: str) -> Iterable[str]:
        """The task, and all others with its key."""
        needs = self.needs.get(task_id)
        return (task_id,) if needs is None else self._by_key[needs.key]

    def tasks_of(self, key: str) -> Iterable[str]:
        """All tasks with a key."""
        return tuple(self._by_key.get(key, ()))

    def resource_class(self, task_id: str) -> str:
        """What the task asks of a node, where any may run it; "" for what is bound to a client."""
        needs = self.needs.get(task_id)
        return f"{needs.cores} {' '.join(needs.features)}" if needs is not None and needs.anywhere else ""

    def duplicates(self, task_id: str) -> list[Any]:
        """The other tasks with the same key that are not over, and that nobody was given."""
        needs = self.needs.get(task_id)
        if needs is None:
            return []
        found = (
            self._tasks.get(duplicate_id)
            for duplicate_id in self._by_key[needs.key]
            if duplicate_id != task_id and duplicate_id not in self._leases
        )
        return [task for task in found if task is not None and task.status in (PENDING, RUNNING)]

    def give(self, task_id: str, peer: Peer, number: int | None = None) -> Lease:
        """Give a task to a peer; `number` is that of a lease which it holds already."""
        task = self._tasks.get(task_id)
        is_new = number is None
        lease = Lease(next(self._numbers) if number is None else number, peer.id, not is_new)
        self._leases[task_id] = peer.leases[task_id] = lease
        self._tasks.start(task, peer.id, peer.hello.node)
        needs = self.needs.get(task_id)
        if needs is None:
            peer.capacity.give(task_id, NO_NEEDS)
            return lease
        (peer.joined if peer.joined is not None and needs.anywhere else peer.capacity).give(task_id, needs)
        self._holders[needs.key] = task_id
        for duplicate in self.duplicates(task_id):
            if duplicate.status == PENDING:
                self._tasks.hold(duplicate, peer.id)
        return lease

    def vacate(self, peer: Peer, task_id: str) -> None:
        """A peer publishes what the task made: it could begin another."""
        peer.leases[task_id].is_publishing = True
        self._take_back(peer, task_id)

    def _take_back(self, peer: Peer, task_id: str) -> None:
        was_full = peer.capacity.free_cores <= 0
        peer.capacity.take_back(task_id)
        if was_full:
            peer.freed_at = self._clock()

    def stop(self, peer: Peer, task_id: str, cause: str) -> StoppedAttempt:
        """Release a task that came to no end with a peer; say how it stopped."""
        lease = peer.leases.get(task_id)
        self.release(peer, task_id)
        if lease is None:
            return NOTHING_STOPPED
        return StoppedAttempt(peer.hello.node, cause, lease.stopped(self._clock()))

    def release(self, peer: Peer, task_id: str) -> None:
        """A peer has the task no more."""
        peer.leases.pop(task_id, None)
        self._leases.pop(task_id, None)
        self._take_back(peer, task_id)
        if peer.joined is not None:
            peer.joined.take_back(task_id)
        needs = self.needs.get(task_id)
        if needs is not None and self._holders.get(needs.key) == task_id:
            del self._holders[needs.key]
            for duplicate_id in self._by_key[needs.key] & self._leases.keys():
                self._holders[needs.key] = duplicate_id

    def follow(self, task: Any) -> None:
        """Let a task that waits share the outcome of an equal one that runs, if there is one."""
        needs = self.needs.get(task.id)
        holder_id = "" if needs is None else self.holder_of(needs.key)
        if holder_id:
            self._tasks.hold(task, holder_id)

    def requeue(self, task_id: str, stop: StoppedAttempt = NOTHING_STOPPED) -> None:
        """Let a task wait again that stopped so, and those that waited for its outcome."""
        task = self._tasks.get(task_id)
        for each in (*(() if task is None else (task,)), *self.duplicates(task_id)):
            if each.status == RUNNING:
                each.worker_running = None
                self._tasks.set_status(each, PENDING)
                self.on_requeue(each.id, stop if each.id == task_id else NOTHING_STOPPED)

    def forget(self, task_ids: Iterable[str]) -> None:
        """Forget what tasks asked for that nobody holds."""
        for task_id in task_ids:
            self.forget_mishaps(task_id)
            needs = self.needs.pop(task_id, None)
            if needs is not None:
                self._forget_key(task_id, needs)
                if needs.key not in self._by_key:
                    self._made.pop(needs.key, None)

    def mishaps(self, task_id: str) -> int:
        """How many workers the task took with it, or could not do it."""
        return len(self.losses.get(task_id, ())) + self.refusals[task_id]

    def forget_mishaps(self, task_id: str) -> None:
        """A task is over: what befell it counts no more."""
        self.losses.pop(task_id, None)
        self.refusals.pop(task_id, None)
        self.kills.pop(task_id, None)

    def _forget_key(self, task_id: str, needs: Needs) -> None:
        equal = self._by_key[needs.key]
        equal.discard(task_id)
        if not equal:
            del self._by_key[needs.key]


def remember(memory: OrderedDict[Any, Any], key: Any, value: Any, most: int = REMEMBERED) -> None:
    """Note something as the latest of at most so many."""
    memory[key] = value
    memory.move_to_end(key)
    while len(memory) > most:
        memory.popitem(last=False)
