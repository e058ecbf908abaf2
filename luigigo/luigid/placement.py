"""Which node runs a ready task. Decides only; knows no task but by what it needs, and no connection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Set
from dataclasses import dataclass, field

import msgspec

from luigigo.protocol.messages import ASKED, Needs

CORES_PER_PREFETCH = 4
"""A node is given one core's work ahead for so many, and at least one's: inputs are fetched meanwhile."""
_EXACTLY = 1e-6
"""Sums of fractions of a core are no more exact than this."""


@dataclass
class Capacity:
    """What one node has, and what it was given."""

    cores: float
    """How many tasks of one core each run at a time."""
    memory_bytes: int = 0
    """0 is no limit."""
    features: Set[str] = frozenset()
    """What it is known to have."""
    lacks: set[str] = field(default_factory=set)
    """What it was found not to have when it was given a task that needs it."""
    refused: dict[str, str] = field(default_factory=dict)
    """By action key, what it was found not to be able to run, and why."""
    is_open: bool = True
    """Whether it takes new tasks."""
    given: dict[str, Needs] = field(default_factory=dict)
    """What it was given and has not ended, by task."""
    given_bytes: int = 0
    given_cores: float = 0.0
    reserved_for: str = ""
    """A task that fits nowhere yet; the node takes nothing else, so that there will be room."""

    @property
    def free_cores(self) -> float:
        """For how much it could begin at once; negative when tasks wait there."""
        return self.cores - self.given_cores

    @property
    def prefetch_cores(self) -> float:
        """For how much may wait there."""
        return max(1, self.cores // CORES_PER_PREFETCH)

    def give(self, task_id: str, needs: Needs) -> None:
        """Count a task as given."""
        self.take_back(task_id)
        self.given[task_id] = needs
        self.given_bytes += needs.peak_bytes
        self.given_cores += needs.cores
        self.cancel_reservation(task_id)

    def take_back(self, task_id: str) -> None:
        """Count it no more. Unknown tasks are ignored."""
        needs = self.given.pop(task_id, None)
        if needs is not None:
            self.given_bytes -= needs.peak_bytes
            self.given_cores = self.given_cores - needs.cores if self.given else 0.0

    def cancel_reservation(self, task_id: str) -> None:
        """The task needs no room here any more."""
        if self.reserved_for == task_id:
            self.reserved_for = ""

    def suits(self, needs: Needs) -> bool:
        """Whether it could ever run such a task."""
        return self.is_of_class(needs) and needs.key not in self.refused

    def is_of_class(self, needs: Needs) -> bool:
        """Whether it has the cores and features that such a task asks for."""
        # Looked at for each ready task and node: a generator would take three times as long.
        for feature in needs.features:
            if feature not in self.features and not self.has(feature):
                return False
        return needs.cores <= self.cores

    def has(self, feature: str) -> bool:
        """Whether it has a feature, or may have one that it looks for only when it is asked."""
        return feature not in self.lacks if feature.startswith(ASKED) else feature in self.features

    def has_cores(self, needs: Needs, waiting_cores: float = 0.0) -> bool:
        """Whether the task could begin, when so much may wait for others."""
        return self.free_cores - needs.cores >= -waiting_cores - _EXACTLY

    def has_room(self, needs: Needs) -> bool:
        """Whether the task fits beside what is there. One task alone always does."""
        if not self.given:
            return True
        if needs.runs_alone or any(given.runs_alone for given in self.given.values()):
            return False
        return not self.memory_bytes or self.given_bytes + needs.peak_bytes <= self.memory_bytes


def choose(nodes: Iterable[Capacity], task_id: str, needs: Needs, *, ahead: bool = True) -> Capacity | None:
    """The node that shall run the task: the one with the largest share of its cores free, or None.

    A node without free cores gets a task `ahead` only when none has some. Where there are cores but not the
    memory, or where it needs several cores, for which smaller ones never leave room, the roomiest node that
    could run the task is reserved for it; one task at a time has one.
    """
    nodes = tuple(nodes)
    candidates = _large_enough([node for node in nodes if node.is_open and node.suits(needs)], needs)
    best: Capacity | None = None
    reservable: Capacity | None = None
    for node in candidates:
        if node.reserved_for not in ("", task_id):
            continue
        takes_it = _takes_one_more(node, needs, ahead=ahead)
        if not takes_it and needs.cores <= 1:
            continue
        if not takes_it or not node.has_room(needs):
            if reservable is None or _room(node) > _room(reservable):
                reservable = node
        elif best is None or _share(node) > _share(best):
            best = node
    if best is not None:
        for node in nodes:
            node.cancel_reservation(task_id)
    elif reservable is not None and not any(node.reserved_for for node in candidates):
        reservable.reserved_for = task_id
    return best


def has_slot_for(node: Capacity, needs: Needs, *, ahead: bool = True) -> bool:
    """Whether a task of this resource class could be given to the node, if there is memory."""
    return node.is_open and node.is_of_class(needs) and _takes_one_more(node, needs, ahead=ahead)


def _takes_one_more(node: Capacity, needs: Needs, *, ahead: bool) -> bool:
    return node.has_cores(needs, node.prefetch_cores if ahead else 0.0)


def could_begin(node: Capacity, needs: Needs) -> bool:
    """Whether such a task would begin at once there."""
    return (
        node.is_open
        and node.suits(needs)
        and node.has_cores(needs)
        and not node.reserved_for
        and node.has_room(needs)
        and (not node.memory_bytes or needs.peak_bytes <= node.memory_bytes)
    )


def enlarged(needs: Needs, killed_bytes: int, nodes: Collection[Capacity]) -> Needs | None:
    """What a task asks for after it was killed with `killed_bytes` in use, or None where no node has more.

    Twice as much; all of the largest node at last.
    """
    if needs.runs_alone:
        return None
    wanted = max(2 * needs.peak_bytes, killed_bytes * 3 // 2)
    sizes = [node.memory_bytes for node in nodes if node.suits(needs)]
    if not sizes or any(not size or wanted <= size for size in sizes):
        return msgspec.structs.replace(needs, peak_bytes=wanted)
    return msgspec.structs.replace(needs, peak_bytes=max(sizes), runs_alone=True)


def _large_enough(nodes: list[Capacity], needs: Needs) -> list[Capacity]:
    """Those with memory for the task. A task that is too large for all may run alone on the largest."""
    fitting = [node for node in nodes if not node.memory_bytes or needs.peak_bytes <= node.memory_bytes]
    if fitting:
        return fitting
    most_bytes = max((node.memory_bytes for node in nodes), default=0)
    return [node for node in nodes if node.memory_bytes == most_bytes]


def _share(node: Capacity) -> float:
    """How gladly a node is given a task: its share of free cores; those with none come last."""
    return node.free_cores / node.cores if node.free_cores > 0 else node.free_cores - 10.0


def _room(node: Capacity) -> tuple[float, float]:
    return (node.memory_bytes or float("inf")) - node.given_bytes, node.free_cores
