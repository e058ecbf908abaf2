"""Which node runs a ready task. Decides only; knows no task but by what it needs, and no connection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from luigigo.scheduling.protocol import Needs

SLOTS_PER_PREFETCH = 4
"""A node is given one task ahead for so many slots, and at least one: its inputs are fetched meanwhile."""


@dataclass
class Capacity:
    """What one node has, and what it was given."""

    slots: int
    memory_bytes: int = 0
    """0 is no limit."""
    toolchain: str = ""
    lacks: set[str] = field(default_factory=set)
    """C toolchains that it was found not to have."""
    is_open: bool = True
    """Whether it takes new tasks."""
    given: dict[str, Needs] = field(default_factory=dict)
    """What it was given and has not ended, by task."""
    given_bytes: int = 0
    reserved_for: str = ""
    """A task that fits nowhere yet; the node takes nothing else, so that there will be room."""

    @property
    def free_slots(self) -> int:
        """How many tasks it could begin at once; negative when tasks wait there."""
        return self.slots - len(self.given)

    @property
    def prefetch(self) -> int:
        """How many tasks may wait there."""
        return max(1, self.slots // SLOTS_PER_PREFETCH)

    def give(self, task_id: str, needs: Needs) -> None:
        """Count a task as given."""
        self.given[task_id] = needs
        self.given_bytes += needs.peak_bytes
        if self.reserved_for == task_id:
            self.reserved_for = ""

    def take_back(self, task_id: str) -> None:
        """Count it no more. Unknown tasks are ignored."""
        needs = self.given.pop(task_id, None)
        if needs is not None:
            self.given_bytes -= needs.peak_bytes

    def suits(self, needs: Needs) -> bool:
        """Whether it could ever run such a task."""
        return self.toolchain == needs.toolchain and needs.compilers not in self.lacks

    def has_room(self, needs: Needs) -> bool:
        """Whether the task fits beside what is there. One task alone always does."""
        if not self.given:
            return True
        if needs.runs_alone or any(given.runs_alone for given in self.given.values()):
            return False
        return not self.memory_bytes or self.given_bytes + needs.peak_bytes <= self.memory_bytes


def choose(nodes: Iterable[Capacity], task_id: str, needs: Needs) -> Capacity | None:
    """The node that shall run the task: the one with the largest share of its slots free, or None.

    A node without a free slot gets a task ahead only when none has one. Where there is a slot but not the
    memory, the roomiest node that could run the task is reserved for it.
    """
    best: Capacity | None = None
    best_score = 0.0
    reservable: Capacity | None = None
    for node in nodes:
        if not node.is_open or not node.suits(needs):
            continue
        if node.reserved_for and node.reserved_for != task_id:
            continue
        free = node.free_slots
        if free <= -node.prefetch:
            continue
        if not node.has_room(needs):
            if reservable is None or _roomier(node, reservable):
                reservable = node
            continue
        # One task alone may run on a node that is too small for it, but only where no larger one is.
        score = free / node.slots if free > 0 else free - 10.0
        if node.memory_bytes and needs.peak_bytes > node.memory_bytes:
            score -= 100.0
        if best is None or score > best_score:
            best, best_score = node, score
    if best is None and reservable is not None and not reservable.reserved_for:
        reservable.reserved_for = task_id
    return best


def _roomier(node: Capacity, other: Capacity) -> bool:
    return _spare_bytes(node) > _spare_bytes(other)


def _spare_bytes(node: Capacity) -> float:
    return (node.memory_bytes or float("inf")) - node.given_bytes


def overfull(nodes: Iterable[Capacity]) -> Capacity | None:
    """The node on which most tasks wait for a slot, or None when there are none."""
    fullest = min(nodes, key=lambda node: node.free_slots, default=None)
    return fullest if fullest is not None and fullest.free_slots < 0 else None
