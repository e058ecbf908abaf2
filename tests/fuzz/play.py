"""Play steps on a world: lay it out, edit, build with both, compare."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from . import disk
from .builders import CRASHED, HUNG, Outcome, digest
from .compare import differences
from .tree import Operation, State, Step, apply, concrete

ASKED_AGAIN = 6
"""How often go build is asked again whether it prints what luigigo did."""


class Found(msgspec.Struct, frozen=True):
    """A difference, and where it showed."""

    step: int
    differences: tuple[str, ...]
    go: Outcome
    luigigo: Outcome

    @property
    def kinds(self) -> frozenset[str]:
        """What is different: bytes, exit, message missing, message extra, …"""
        return frozenset(_kind(each) for each in self.differences)


class Bench:
    """Both builders, as `play` needs them: tests plant others here."""

    def __init__(
        self,
        reference: Callable[[State, Path], Outcome],
        builder: Callable[[State, Path], Outcome],
        begin: Callable[[State, Path], None] = lambda state, root: None,
        during: Callable[[State, Path, Callable[[], None]], Outcome] | None = None,
    ) -> None:
        self.reference = reference
        self.builder = builder
        self.begin = begin
        self.during = during


class Player:
    """One world on disk, and its state as it is edited."""

    def __init__(self, bench: Bench, start: State, root: Path) -> None:
        self._bench = bench
        self._root = root
        self.state = start
        self.number = -1
        self.built = True
        if root.exists():
            shutil.rmtree(root)
        root.mkdir(parents=True)
        disk.lay_out(root, start.tree)
        bench.begin(start, root)

    def play(self, step: Step, *, compared: bool = True) -> Found | None:
        """Do a step and build. The first difference, if there is any; without `compared` go is not asked."""
        self.number += 1
        trouble = self._edit(step)
        before = digest(self._root / self.state.output)
        if not compared:
            for _ in range(2 if step.again else 1):
                self._bench.builder(self.state, self._root)
            return None
        go, luigigo = self._build_both(step)
        self.built = go.exit_code == 0
        found = trouble + self._lasting(go, luigigo, before)
        if not found and step.again:
            second = self._bench.builder(self.state, self._root)
            found = [f"second {each}" for each in self._lasting(go, second, luigigo.digest)]
            luigigo = second if found else luigigo
        return Found(self.number, tuple(found), go, luigigo) if found else None

    def _lasting(self, go: Outcome, luigigo: Outcome, before: str) -> list[str]:
        """The differences, but for messages that go does not print each time it is asked.

        cmd/cgo looks at the files of a package at the same time and stops at the first error, and packages
        that fail at the same time stop what waits for them: which errors come depends on the moment.
        """
        found = differences(go, luigigo, before)
        for _ in range(ASKED_AGAIN):
            if not found or not all(each.startswith("message") for each in found):
                break
            go = self._bench.reference(self.state, self._root)
            found = differences(go, luigigo, before)
        return found

    def _build_both(self, step: Step) -> tuple[Outcome, Outcome]:
        """Reference and luigigo at the same time, unless luigigo's output lies where go build reads."""
        if self.state.output.startswith(self.state.project) or step.during is not None:
            return self._bench.reference(self.state, self._root), self._bench.builder(self.state, self._root)
        with ThreadPoolExecutor(1) as pool:
            go = pool.submit(self._bench.reference, self.state, self._root)
            luigigo = self._bench.builder(self.state, self._root)
            return go.result(), luigigo

    def _edit(self, step: Step) -> list[str]:
        if step.during is None or self._bench.during is None:
            self.edit(step.operations)
            return []
        ended = self._bench.during(self.state, self._root, lambda: self._edit_later(step))
        crashed = "Traceback (most recent call last)" in ended.said or ended.exit_code in (CRASHED, HUNG)
        return [f"during: luigigo ends with {ended.exit_code}: {ended.said[-400:]}"] if crashed else []

    def _edit_later(self, step: Step) -> None:
        time.sleep(step.during or 0.0)
        self.edit(step.operations)

    def edit(self, operations: Iterable[Operation]) -> None:
        """Do the operations that are applicable, to the files and to the state."""
        for operation in operations:
            ready = concrete(self.state, operation)
            if ready is not None:
                disk.perform(self._root, self.state, ready)
                self.state = apply(self.state, ready)


def replay(bench: Bench, start: State, steps: Sequence[Step], root: Path) -> Found | None:
    """Play all steps and compare after the last: what is different there."""
    player = Player(bench, start, root)
    for step in steps[:-1]:
        player.play(step, compared=False)
    return player.play(steps[-1]) if steps else None


def _kind(told: str) -> str:
    kind, _, what = told.partition(": ")
    return f"{kind} {what.split()[0]}" if kind.endswith("message") else kind
