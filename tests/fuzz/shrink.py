"""Find the fewest steps, operations and files with which a difference still shows."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import msgspec

from .play import Found
from .tree import File, Operation, State, Step, below

T = TypeVar("T")
Replay = Callable[[State, Sequence[Step]], Found | None]


class Case(msgspec.Struct, frozen=True):
    """A difference with what leads to it."""

    start: State
    steps: tuple[Step, ...]
    found: Found


class Limits(msgspec.Struct, frozen=True):
    """When shrinking ends although more might go."""

    replays: int = 80
    seconds: float = 120.0


class Shrinker:
    """Tries smaller cases as long as its limits allow, and keeps those that still differ in the same way."""

    def __init__(self, replay: Replay, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._replay = replay
        self._limits = limits
        self._clock = clock
        self._ends = clock() + limits.seconds
        self.replays = 0

    def shrink(self, case: Case) -> Case | None:
        """The smallest case that was found; None if the difference does not show again at all."""
        again = self._try(case, case.start, case.steps)
        if again is None:
            return None
        case = self._without_steps(again)
        case = self._simpler_steps(case)
        case = self._without_files(case)
        return self._without_steps(case)

    def _without_steps(self, case: Case) -> Case:
        """Drop all that go of the steps before the last, the larger parts first."""
        return self._dropping(
            case, lambda c: list(c.steps[:-1]), lambda c, kept: (c.start, (*kept, c.steps[-1]))
        )

    def _simpler_steps(self, case: Case) -> Case:
        """Drop operations of each step, and what makes it depend on time."""
        for index in range(len(case.steps)):
            for change in ({"during": None}, {"again": False}):
                step = msgspec.structs.replace(case.steps[index], **change)
                if step != case.steps[index]:
                    case = self._try(case, case.start, _with(case.steps, index, step)) or case
            case = self._dropping(
                case,
                partial(_operations_of, index),
                partial(_with_operations, index),
            )
        return case

    def _without_files(self, case: Case) -> Case:
        """Drop folders, then files, with the lines of Go files that name them; then variables."""
        for is_tried in (_is_package, bool):
            case = self._dropping(case, partial(_paths, is_tried), partial(_without_paths, is_tried))
        for name in case.start.variables:
            smaller = msgspec.structs.replace(case.start, variables=_less(case.start.variables, name))
            case = self._try(case, smaller, case.steps) or case
        return case

    def _dropping(
        self,
        case: Case,
        items: Callable[[Case], list[T]],
        build: Callable[[Case, list[T]], tuple[State, tuple[Step, ...]]],
    ) -> Case:
        """Delta debugging over a list: leave out halves, quarters, … single items."""
        size = max(1, (len(items(case)) + 1) // 2) if len(items(case)) < 3 else len(items(case))
        while True:
            position = 0
            while position < len(items(case)):
                listed = items(case)
                smaller = self._try(case, *build(case, listed[:position] + listed[position + size :]))
                if smaller is None:
                    position += size
                else:
                    case = smaller
            if size == 1:
                return case
            size = (size + 1) // 2

    def _try(self, case: Case, start: State, steps: tuple[Step, ...]) -> Case | None:
        if self.replays >= self._limits.replays or self._clock() > self._ends:
            return None
        self.replays += 1
        found = self._replay(start, steps)
        return Case(start, steps, found) if found is not None and found.kinds & case.found.kinds else None


def without(state: State, path: str) -> State:
    """A state without a file or folder, and without main.go's lines that name that package."""
    gone = {path, *below(state.tree, path)}
    tree = {each: entry for each, entry in state.tree.items() if each not in gone}
    name = path.rpartition("/")[2]
    for each, entry in tree.items():
        if (
            isinstance(entry, File)
            and each.endswith(("/main.go", "/edge.go"))
            and name.encode() in entry.content
        ):
            kept = re.sub(rb"(?m)^[^\n]*\b" + re.escape(name.encode()) + rb"\b[^\n]*\n", b"", entry.content)
            tree[each] = File(kept, entry.executable, entry.pinned)
    return msgspec.structs.replace(state, tree=tree)


def _with(steps: tuple[Step, ...], index: int, step: Step) -> tuple[Step, ...]:
    return (*steps[:index], step, *steps[index + 1 :])


def _operations_of(index: int, case: Case) -> list[Operation]:
    return list(case.steps[index].operations)


def _with_operations(index: int, case: Case, kept: list[Operation]) -> tuple[State, tuple[Step, ...]]:
    step = msgspec.structs.replace(case.steps[index], operations=tuple(kept))
    return case.start, _with(case.steps, index, step)


def _is_package(path: str) -> bool:
    return path.count("/") == 1 or "/" not in path


def _paths(is_tried: Callable[[str], bool], case: Case) -> list[str]:
    return [path for path in case.start.tree if is_tried(path) and path != case.start.project]


def _without_paths(
    is_tried: Callable[[str], bool], case: Case, kept: list[str]
) -> tuple[State, tuple[Step, ...]]:
    start = case.start
    for path in _paths(is_tried, case):
        if path not in kept and path in start.tree:
            start = without(start, path)
    return start, case.steps


def _less(variables: dict[str, str], name: str) -> dict[str, str]:
    return {each: value for each, value in variables.items() if each != name}
