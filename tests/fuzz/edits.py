"""Draw one edit after another: which kinds there are, how often each comes, and when it happens."""

from __future__ import annotations

import random

from . import fileedits, goedits, settings
from .draws import Edit, Editing
from .piece import Blobs
from .tree import (
    Operation,
    SetFlags,
    SetOutput,
    SetVariable,
    State,
    Step,
    Wait,
    advance,
    difference,
)

SETTLED_SECONDS = 2.2
"""After that a stat is old enough to be trusted."""
SHARE_SETTLED = 0.08
SHARE_AGAIN = 0.15
SHARE_DURING = 0.06
SHARE_TWICE = 0.1
SHARE_REPAIRED = 0.75
"""How often a tree that did not build is set back by the next edit."""
LONGEST_DELAY_SECONDS = 0.6
TRIES = 50

WEIGHTS: dict[Edit, int] = {
    fileedits.value: 22,
    fileedits.value_same_time: 8,
    fileedits.pin: 2,
    fileedits.touch: 3,
    fileedits.remove: 3,
    fileedits.remove_folder: 1,
    fileedits.rename: 5,
    fileedits.rename_folder: 2,
    fileedits.empty: 2,
    fileedits.to_folder: 2,
    fileedits.to_link: 3,
    fileedits.folder_to_link: 1,
    fileedits.from_link: 2,
    fileedits.relink: 2,
    fileedits.noise: 3,
    fileedits.mistake: 4,
    fileedits.checkout: 6,
    fileedits.copied_with_time: 3,
    fileedits.new_folder: 2,
    fileedits.swap: 2,
    fileedits.back_and_forth: 2,
    fileedits.unfold: 1,
    goedits.constraint: 5,
    goedits.new_go_file: 7,
    goedits.new_other_file: 2,
    goedits.embedded: 6,
    goedits.embed_directive: 2,
    goedits.new_header: 6,
    goedits.include: 4,
    goedits.library: 3,
    goedits.new_import: 4,
    goedits.module_line: 4,
    goedits.outside_asks: 1,
    goedits.version: 3,
    goedits.cached_module: 1,
    goedits.nested_module: 2,
    goedits.workspace: 2,
    goedits.vendor: 1,
    goedits.guide: 1,
    goedits.debug_line: 1,
    settings.flags: 5,
    settings.variable: 7,
    settings.output: 2,
    settings.spoiled: 4,
}
DEAR_WEIGHT = 1


class Drawer:
    """Draws the steps of one world, each for the state that the ones before have led to."""

    def __init__(self, seed: int, start: State, blobs: Blobs, *, dear: bool = False) -> None:
        self._rng = random.Random(f"{seed} edits")
        self._blobs = blobs
        self._good = start
        self._history = [start]
        self._weights = {**WEIGHTS, settings.dear: DEAR_WEIGHT} if dear else WEIGHTS
        self.state = start

    def next(self, *, built: bool) -> Step:
        """The next step; `built` says whether go built the present state: else it is likely repaired."""
        rng = self._rng
        if built:
            self._good = self.state
        if not built and rng.random() < SHARE_REPAIRED:
            return self._finish("repair", self._repair(), rng)
        names, operations = [], []
        state = self.state
        for _ in range(2 if rng.random() < SHARE_TWICE else 1):
            name, drawn = self._draw(state)
            state, done = advance(state, drawn)
            names.append(name)
            operations += done
        return self._finish("+".join(names), operations, rng)

    def _draw(self, state: State) -> tuple[str, list[Operation]]:
        editing = Editing(self._rng, state, self._history, self._blobs)
        for _ in range(TRIES):
            (edit,) = self._rng.choices(list(self._weights), list(self._weights.values()))
            drawn = edit(editing)
            if drawn and advance(state, drawn)[1]:
                return edit.__name__, drawn
        return "none", []

    def _repair(self) -> list[Operation]:
        """Set tree and settings back to what built last, with fresh times."""
        good, now = self._good, self.state
        operations: list[Operation] = difference(now.tree, good.tree, with_times=False)
        names = sorted({*good.variables, *now.variables})
        operations += [
            SetVariable(name, good.variables.get(name))
            for name in names
            if good.variables.get(name) != now.variables.get(name)
        ]
        if good.flags != now.flags:
            operations.append(SetFlags(good.flags))
        # What is no program at the output's place stays an error: another place, then.
        if not operations:
            operations.append(SetOutput("out/prog2" if now.output == "out/prog" else "out/prog"))
        return operations

    def _finish(self, kind: str, operations: list[Operation], rng: random.Random) -> Step:
        during = rng.random() * LONGEST_DELAY_SECONDS if rng.random() < SHARE_DURING else None
        settled = [Wait(SETTLED_SECONDS)] if rng.random() < SHARE_SETTLED else []
        again = rng.random() < SHARE_AGAIN
        self.state, done = advance(self.state, operations)
        self._history.append(self.state)
        del self._history[:-12]
        return Step(kind, (*done, *settled), during, again)


def first_build() -> Step:
    """The build with which a world begins, twice."""
    return Step("start", (), None, True)
