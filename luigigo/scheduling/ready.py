"""Which task runs next: dependency counters and a heap.

Decides only; knows no scheduler or worker. A task is an id, its dependencies, a priority and an order.
Every operation costs O(log n) in the tasks, plus the dependencies or dependents that it touches.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import Enum, auto


class Stage(Enum):
    """How far a task is, as much of it as choosing the next one needs."""

    PENDING = auto()
    """Waits to run; ready once every dependency is `DONE`."""
    DONE = auto()
    """Its dependents may count on it."""
    OTHER = auto()
    """Neither: running, failed, disabled or never heard of."""


@dataclass
class _Node:
    known: bool = False
    """Put by someone, and not only named as a dependency."""
    stage: Stage = Stage.OTHER
    priority: float = 0
    order: float = 0
    deps: frozenset[str] = frozenset()
    unmet: int = 0
    """How many of `deps` are not done; one that was never put, or was discarded, is not."""
    token: int = 0
    """The one heap entry that counts for this node; 0 while it is not ready."""
    dependents: set[str] = field(default_factory=set)
    ready_at: float = 0.0


_Entry = tuple[float, float, int, str]


class ReadyQueue:
    """Hands out pending tasks whose dependencies are all done: higher priority first, then lower order.

    An entry of a heap is never searched for: one that stopped counting stays until it surfaces.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds, for `ready_at`."""
        self._clock = clock
        self.resource_class_of: Callable[[str], str] = lambda task_id: ""
        """Tasks of one resource class ask for the same: whoever can take none of it passes over all of it."""
        self._nodes: dict[str, _Node] = {}
        self._resource_classes: dict[str, list[_Entry]] = {}
        self._last_token = 0
        self._ready = 0

    def __len__(self) -> int:
        """How many tasks are ready."""
        return self._ready

    def is_ready(self, task_id: str) -> bool:
        """Whether `pop` may return the task now."""
        node = self._nodes.get(task_id)
        return node is not None and node.token != 0

    def put(self, task_id: str, priority: float, order: float, deps: Collection[str]) -> None:
        """Add a task, or bring its priority, order and dependencies up to date; its stage stays."""
        node = self._node(task_id)
        node.known = True
        if node.deps != deps:
            self._replace_deps(task_id, node, frozenset(deps))
        if (node.priority, node.order) != (priority, order):
            node.priority, node.order = priority, order
            self._withdraw(node)
        self._settle(task_id, node)

    def set_priority(self, task_id: str, priority: float) -> None:
        """Change a task's priority alone. Unknown ids are ignored."""
        node = self._nodes.get(task_id)
        if node is not None and node.priority != priority:
            node.priority = priority
            self._withdraw(node)
            self._settle(task_id, node)

    def move(self, task_id: str, stage: Stage) -> list[str]:
        """Make every transition of a task's stage; return the tasks that this made ready, in no order."""
        node = self._node(task_id)
        before, node.stage = node.stage, stage
        newly = []
        step = (before is Stage.DONE) - (stage is Stage.DONE)
        if step:
            for dependent_id in node.dependents:
                dependent = self._nodes[dependent_id]
                dependent.unmet += step
                if self._settle(dependent_id, dependent):
                    newly.append(dependent_id)
        if self._settle(task_id, node):
            newly.append(task_id)
        return newly

    def dependents(self, task_id: str) -> Collection[str]:
        """The tasks that wait for this one."""
        node = self._nodes.get(task_id)
        return () if node is None else node.dependents

    def dependencies(self, task_id: str) -> Collection[str]:
        """The tasks that this one waits for, done or not."""
        node = self._nodes.get(task_id)
        return () if node is None else node.deps

    def ready_at(self, task_id: str) -> float:
        """When the task last became ready, by the clock; 0 for one that never was."""
        node = self._nodes.get(task_id)
        return 0.0 if node is None else node.ready_at

    def pop(self, accept: Callable[[str], bool | None] | None = None) -> str | None:
        """Take the first ready task that `accept` wants; it is `OTHER` from then on.

        Those that it does not want keep their places; passing them costs O(log n) each. Where it gives
        None instead of False, nothing more of the task's resource class is looked at.
        """
        refused: list[tuple[str, _Entry]] = []
        closed: set[str] = set()
        taken = None
        while taken is None and (resource_class := self._first_resource_class(closed)) is not None:
            entry = heapq.heappop(self._resource_classes[resource_class])
            task_id = entry[-1]
            verdict = accept is None or accept(task_id)
            if verdict:
                taken = task_id
                self._nodes[task_id].stage = Stage.OTHER
                self._withdraw(self._nodes[task_id])
                continue
            refused.append((resource_class, entry))
            if verdict is None:
                closed.add(resource_class)
        for resource_class, entry in refused:
            heapq.heappush(self._resource_classes.setdefault(resource_class, []), entry)
        return taken

    def refile(self, task_id: str) -> None:
        """Look again in which resource class a task is. Unknown ids are ignored."""
        node = self._nodes.get(task_id)
        if node is not None:
            self._withdraw(node)
            self._settle(task_id, node)

    def discard(self, task_id: str) -> None:
        """Forget a task; for its dependents it is not done any more. Unknown ids are ignored."""
        node = self._nodes.get(task_id)
        if node is None:
            return
        self.move(task_id, Stage.OTHER)
        self._replace_deps(task_id, node, frozenset())
        node.known = False
        self._drop_if_unused(task_id, node)

    def _first_resource_class(self, closed: Collection[str]) -> str | None:
        """The class with the most urgent task, of those that are not closed; stale entries are dropped."""
        first: str | None = None
        for resource_class, heap in tuple(self._resource_classes.items()):
            while heap and not self._counts(heap[0]):
                heapq.heappop(heap)
            if not heap:
                del self._resource_classes[resource_class]
            elif resource_class not in closed and (
                first is None or heap[0] < self._resource_classes[first][0]
            ):
                first = resource_class
        return first

    def _counts(self, entry: _Entry) -> bool:
        node = self._nodes.get(entry[-1])
        return node is not None and node.token == entry[-2]

    def _node(self, task_id: str) -> _Node:
        node = self._nodes.get(task_id)
        if node is None:
            node = self._nodes[task_id] = _Node()
        return node

    def _replace_deps(self, task_id: str, node: _Node, deps: frozenset[str]) -> None:
        gone, new = node.deps - deps, deps - node.deps
        node.deps = deps
        for dep_id in gone:
            dep = self._nodes[dep_id]
            dep.dependents.discard(task_id)
            node.unmet -= dep.stage is not Stage.DONE
            self._drop_if_unused(dep_id, dep)
        for dep_id in new:
            dep = self._node(dep_id)
            dep.dependents.add(task_id)
            node.unmet += dep.stage is not Stage.DONE

    def _drop_if_unused(self, task_id: str, node: _Node) -> None:
        """Let go of a node that says nothing: it would be made again, alike, when it is asked for."""
        if not node.known and not node.dependents and node.stage is Stage.OTHER:
            del self._nodes[task_id]

    def _settle(self, task_id: str, node: _Node) -> bool:
        """Put the node into the heap, or withdraw it, as its state asks; say whether it became ready."""
        ready = node.stage is Stage.PENDING and node.unmet == 0
        if not ready:
            self._withdraw(node)
        elif not node.token:
            self._last_token += 1
            node.token = self._last_token
            node.ready_at = self._clock()
            self._ready += 1
            entry = (-node.priority, node.order, node.token, task_id)
            heapq.heappush(self._resource_classes.setdefault(self.resource_class_of(task_id), []), entry)
            return True
        return False

    def _withdraw(self, node: _Node) -> None:
        if node.token:
            node.token = 0
            self._ready -= 1
