"""Which node runs an action that reads much: chosen early, and told what is done for it.

A build ends with a link, which reads what all its other actions made. When they are done everybody waits for
the one node that links, and that node for the share: so it fetches one by one before, and the next time it is
the same node, which has all but what changed. Packages that import many others are waited for like that, too.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence

from luigi.task_status import DONE

from luigigo.luigid.leases import NO_NEEDS, Leases, remember
from luigigo.luigid.peers import Peer
from luigigo.protocol.messages import Needs, Prefetch, TaskName
from luigigo.scheduling.tasktable import TaskTable
from luigigo.store.layout import is_digest

WIDE_FROM = 50
"""What waits for fewer is staged soon enough when it is ready."""
REMEMBERED = 1000
"""Of how many last actions it is remembered where they ran."""


class Prefetcher:
    """Which node is expected to run which task."""

    def __init__(self, tasks: TaskTable, peers: Mapping[str, Peer], leases: Leases) -> None:
        self._tasks = tasks
        self._peers = peers
        self._leases = leases
        self._expected: dict[str, str] = {}
        """By task, the peer that was told of it."""
        self._news: dict[str, list[str]] = {}
        """By such a task, what was done for it since its peer was told last."""
        self._ran_at: OrderedDict[tuple[str, ...], str] = OrderedDict()
        """By what they are called in every build, the nodes where last actions ran last."""

    def note_done(self, task_id: str) -> None:
        """A task is done: those that wait for many may read of it now."""
        self.forget(task_id)
        queue = self._tasks.queue
        for dependent in queue.dependents(task_id):
            if len(queue.dependencies(dependent)) >= WIDE_FROM and self._is_for_nodes(dependent):
                self._news.setdefault(dependent, []).append(task_id)

    def note_place(self, task_id: str, peer: Peer) -> None:
        """A peer did a task."""
        if peer.is_node and self._ends_a_build(task_id):
            remember(self._ran_at, self._lasting_name(task_id), peer.hello.node, REMEMBERED)

    def forget(self, task_id: str) -> None:
        """A task will not run any more."""
        self._expected.pop(task_id, None)
        self._news.pop(task_id, None)

    def node_for(self, task_id: str) -> Peer | None:
        """The node that has most of what the task reads, if it is known and there."""
        expecting = self._peers.get(self._expected.get(task_id, ""))
        if expecting is not None or not self._ran_at or not self._ends_a_build(task_id):
            return expecting
        node = self._ran_at.get(self._lasting_name(task_id))
        return next((each for each in self._peers.values() if each.is_node and each.hello.node == node), None)

    def tell(self) -> None:
        """Say what is new to the nodes that it concerns. It is sent when they are flushed."""
        news, self._news = self._news, {}
        for task_id, done in news.items():
            peer, is_new = self._choose(task_id)
            if peer is not None:
                told = self._all_done(task_id) if is_new else done
                names = tuple(name for name in map(self._name, told) if name is not None)
                task = self._name(task_id)
                if task is not None and names:
                    peer.outbox.append(Prefetch(task, names, self._leases.made_by(told)))

    def _is_for_nodes(self, task_id: str) -> bool:
        """Whether any node may run the task."""
        needs = self._leases.needs.get(task_id)
        return needs is not None and needs.anywhere

    def _ends_a_build(self, task_id: str) -> bool:
        """Whether a task is an action, and none but a client's own tasks waits for it."""
        dependents = self._tasks.queue.dependents(task_id)
        return self._is_for_nodes(task_id) and not any(other in self._leases.needs for other in dependents)

    def _choose(self, task_id: str) -> tuple[Peer | None, bool]:
        """The node for a task, and whether it was not told of it yet; none where there is no choice."""
        needs = self._leases.needs.get(task_id, NO_NEEDS)
        able = {peer.id: peer for peer in self._peers.values() if _can_run(peer, needs)}
        if len(able) < 2:
            return None, False
        told = able.get(self._expected.get(task_id, ""))
        if told is not None:
            return told, False
        before = self.node_for(task_id)
        load = Counter(self._expected.values())
        chosen = min(
            able.values(), key=lambda peer: (peer is not before, load[peer.id], -peer.capacity.cores)
        )
        self._expected[task_id] = chosen.id
        return chosen, True

    def _all_done(self, task_id: str) -> Sequence[str]:
        needed = self._tasks.present(self._tasks.queue.dependencies(task_id))
        return [task.id for task in needed if task.status == DONE]

    def _lasting_name(self, task_id: str) -> tuple[str, ...]:
        """What the task is called whatever its plan is: its parameters without digests."""
        task = self._tasks.get(task_id)
        values = tuple(value for value in task.params.values() if not is_digest(value))
        return (task.family, *values)

    def _name(self, task_id: str) -> TaskName | None:
        task = self._tasks.get(task_id)
        return None if task is None else TaskName(task.family, task.params)


def _can_run(peer: Peer, needs: Needs) -> bool:
    return peer.is_node and peer.capacity.is_open and peer.capacity.suits(needs)
