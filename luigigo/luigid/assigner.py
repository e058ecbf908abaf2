"""Gives ready tasks to the peers that have room for them, and evens out what waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from luigigo.attempts import Waits
from luigigo.luigid.leases import NO_NEEDS, Leases
from luigigo.luigid.peers import Lease, Peer
from luigigo.luigid.placement import Capacity, choose, could_begin, has_slot_for
from luigigo.luigid.prefetch import Prefetcher
from luigigo.protocol import messages
from luigigo.protocol.messages import ASKED, Grant, Needs
from luigigo.scheduling.tasktable import TaskTable

AHEAD_FROM = 4.0
"""How many tasks must be ready for each slot before one is given ahead: it is bound to its node from then on.
Where few are ready, the longest chain decides, and its next task must not wait behind a long one."""
PATIENCE = 64
"""How many ready tasks of a resource class for which there is a slot but no memory are passed in looking for
one that fits."""

RECENT_SECONDS = 60.0
"""For so long after a task was done, up to twice as long, a node may still not see its record; then it is
taken to be gone."""
RECENT_KEYS = 10_000
"""How many keys end that time early, so that luigid's memory has a bound."""


class Assigner:
    """Chooses who runs what. Grants are put with the peers, who are told when they are flushed."""

    def __init__(
        self,
        tasks: TaskTable,
        peers: Mapping[str, Peer],
        leases: Leases,
        clock: Callable[[], float],
        ahead_from: float = AHEAD_FROM,
    ) -> None:
        self.prefetcher = Prefetcher(tasks, peers, leases)
        self._ahead_from = ahead_from
        self._tasks = tasks
        self._peers = peers
        self._leases = leases
        self._clock = clock
        self._recent = _RecentKeys(clock)
        self._without_memory: dict[str, float] = {}
        """Since when ready tasks have found a free core and not the memory."""

    def note_done(self, key: str) -> None:
        """A task with this key was done just now."""
        self._recent.add(key)

    def run(self) -> None:
        """Give out what can be given out."""
        if self._tasks.is_paused:
            return
        queue = self._tasks.queue
        for peer in self._peers.values():
            for capacity in (peer.capacity, peer.joined):
                if capacity is not None and not queue.is_ready(capacity.reserved_for):
                    capacity.reserved_for = ""
        disabled = self._tasks.disabled_workers()
        peers = [peer for peer in self._peers.values() if peer.id not in disabled]
        if len(queue):
            search = _Search(self._tasks, peers, self._leases, self._ahead_from, self.prefetcher)
            while (task_id := queue.pop(search.accept)) is not None:
                self._grant(task_id, search.chosen)
            now = self._clock()
            before = self._without_memory
            self._without_memory = {each: before.get(each, now) for each in search.without_memory}
        self._even_out([peer for peer in peers if peer.is_node])
        self.prefetcher.tell()

    def _grant(self, task_id: str, peer: Peer) -> None:
        task = self._tasks.get(task_id)
        lease = self._leases.give(task_id, peer)
        lease.given_at = now = self._clock()
        lease.ready_at = ready_at = self._tasks.queue.ready_at(task_id)
        memory_seconds = now - self._without_memory.pop(task_id, now)
        free_seconds = max(0.0, now - max(ready_at, peer.freed_at) - memory_seconds)
        lease.waits = Waits(memory=memory_seconds, luigid=free_seconds)
        needs = self._leases.needs.get(task_id, NO_NEEDS)
        peer.grants.append(
            Grant(
                task_id=task_id,
                lease=lease.number,
                family=task.family,
                params=task.params,
                peak_bytes=needs.peak_bytes,
                cores=needs.cores,
                probably_done=needs.key in self._recent,
                wants_commands=needs.wants_commands,
                made=self._leases.made_by(self._tasks.queue.dependencies(task_id)),
                run=needs.run,
            )
        )

    def _even_out(self, nodes: list[Peer]) -> None:
        """Take back what waits for a slot on one node and could begin at once on another."""
        idle = {id(peer.capacity): peer.capacity.free_cores for peer in nodes if peer.capacity.is_open}
        for peer in sorted(nodes, key=lambda peer: peer.capacity.free_cores):
            if peer.capacity.free_cores >= 0 or max(idle.values(), default=0) <= 0:
                return
            revoked = (task_id for task_id, lease in peer.leases.items() if lease.is_revoked)
            surplus = -peer.capacity.free_cores - sum(self._cores_of(each) for each in revoked)
            for task_id, lease in reversed(peer.leases.items()):
                if surplus <= 0:
                    break
                other = None if _is_settled(lease) else self._idle_for(task_id, nodes, idle)
                if other is not None:
                    lease.is_revoked = True
                    peer.outbox.append(messages.Revoke((lease.number,)))
                    idle[id(other)] -= self._cores_of(task_id)
                    surplus -= self._cores_of(task_id)

    def _cores_of(self, task_id: str) -> float:
        return self._leases.needs.get(task_id, NO_NEEDS).cores

    def _idle_for(self, task_id: str, nodes: list[Peer], idle: dict[int, float]) -> Capacity | None:
        needs = self._leases.needs.get(task_id, NO_NEEDS)
        capacities = (
            peer.capacity
            for peer in nodes
            if idle.get(id(peer.capacity), 0.0) > 0 and idle[id(peer.capacity)] >= needs.cores
        )
        return next((capacity for capacity in capacities if could_begin(capacity, needs)), None)


class _RecentKeys:
    """The keys of what was done lately, in two generations."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since = clock()
        # Hashes, a third of the keys' size: two keys with one hash cost a node some waiting, no more.
        self._new: set[int] = set()
        self._old: set[int] = set()

    def add(self, key: str) -> None:
        self._age()
        self._new.add(hash(key))

    def __contains__(self, key: str) -> bool:
        self._age()
        return hash(key) in self._new or hash(key) in self._old

    def _age(self) -> None:
        passed = self._clock() - self._since
        if passed >= RECENT_SECONDS or len(self._new) >= RECENT_KEYS:
            self._old = self._new if passed < 2 * RECENT_SECONDS else set()
            self._new, self._since = set(), self._clock()


def _is_settled(lease: Lease) -> bool:
    return lease.has_started or lease.is_revoked


class _Search:
    """One round of handing out: for each ready task in turn, whether somebody can take it."""

    def __init__(
        self,
        tasks: TaskTable,
        peers: list[Peer],
        leases: Leases,
        ahead_from: float,
        prefetcher: Prefetcher,
    ) -> None:
        self.chosen: Peer
        """Who takes the task that was accepted last."""
        self.without_memory: list[str] = []
        """Tasks for which there was a free core and not the memory."""
        self._tasks = tasks
        self._leases = leases
        self._prefetcher = prefetcher
        # Of nodes that are as free, the one that ended something last: it has what is read next.
        latest_first = sorted(peers, key=lambda peer: -peer.ended_at)
        self._nodes = {id(peer.capacity): peer for peer in latest_first if peer.is_node}
        self._capacities = [peer.capacity for peer in self._nodes.values()]
        self._ahead_from = ahead_from * sum(capacity.cores for capacity in self._capacities)
        self._clients = [peer for peer in peers if not peer.is_node]
        self._joined = [peer for peer in self._clients if peer.joined is not None]
        self._passed: Counter[str] = Counter()

    def accept(self, task_id: str) -> bool | None:
        """Whether somebody can take the task; None when nobody can take anything of its resource class."""
        task = self._tasks.get(task_id)
        needs = self._leases.needs.get(task_id)
        if task.resources and not self._tasks.has_resources(task):
            return False
        if needs is None or not needs.anywhere or self._is_for_no_node(needs):
            return self._accept_for_client(task)
        resource_class = self._leases.resource_class(task_id)
        ahead = len(self._tasks.queue) > self._ahead_from
        has_slot = any(has_slot_for(capacity, needs, ahead=ahead) for capacity in self._capacities)
        if self._passed[resource_class] >= PATIENCE or not (has_slot or self._joined):
            return None
        if self._is_expected(task_id, needs):
            return True
        own = [peer.joined for peer in self._joined if peer.joined is not None and peer.id in task.workers]
        best = choose([*self._capacities, *own], task_id, needs, ahead=ahead)
        if best is None:
            self._passed[resource_class] += has_slot
            if has_slot:
                self.without_memory.append(task_id)
            return False
        self.chosen = self._nodes.get(id(best)) or next(p for p in self._joined if p.joined is best)
        return True

    def _is_expected(self, task_id: str, needs: Needs) -> bool:
        """Whether a node that has fetched for the task can begin it."""
        expecting = self._prefetcher.node_for(task_id)
        if expecting is None or id(expecting.capacity) not in self._nodes:
            return False
        self.chosen = expecting
        return choose([expecting.capacity], task_id, needs, ahead=False) is not None

    def _is_for_no_node(self, needs: Needs) -> bool:
        """Whether every node that has the rest lacks something, so that only the client has all."""
        asked = [feature for feature in needs.features if feature.startswith(ASKED)]
        if not asked:
            return False
        told = [feature for feature in needs.features if not feature.startswith(ASKED)]
        nodes = [node for node in self._capacities if all(map(node.has, told))]
        return bool(nodes) and not any(all(map(node.has, asked)) for node in nodes)

    def _accept_for_client(self, task: Any) -> bool | None:
        free = [peer for peer in self._clients if peer.capacity.free_cores > 0]
        if not free:
            return None
        owner = next((peer for peer in free if peer.id in task.workers), None)
        if owner is not None:
            self.chosen = owner
        return owner is not None
