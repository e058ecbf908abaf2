"""One process' part of a run: worlds one after the other, and what is found in them."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from .builders import Luigigo, Outcome, Places, Reference, finish, make_blobs
from .cluster import Cluster
from .edits import Drawer, first_build
from .play import Bench, Found, Player, replay
from .script import script_of
from .shrink import Case, Limits, Shrinker
from .tree import State, Step
from .world import World, draw_features, make_world

EDITS_PER_WORLD = 40
SHARE_CLUSTER = 0.1
SHARE_DEAR = 0.08
"""Of worlds in which settings change that let the standard library be compiled anew."""
SHRUNK_PER_KIND = 3
"""More cases of one kind are kept as they are."""


class Options(msgspec.Struct, frozen=True):
    """What a run is asked for."""

    seconds: float
    seed: int
    edits: int
    cluster: str
    luigigo: str
    go: str
    keep: str
    folder: str


class Report(msgspec.Struct, frozen=True):
    """How one world went."""

    seed: int
    features: tuple[str, ...]
    edits: int
    built: int
    """After how many of them go build succeeded."""
    seconds: float
    cluster: bool
    told: tuple[str, ...] = ()
    """The difference, if there was one, and where its script lies."""


class Session:
    """The builders of one process."""

    def __init__(self, options: Options, number: int, ends: float) -> None:
        self._options = options
        self._ends = ends
        self._folder = Path(options.folder) / f"job{number}"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._places = Places(options.go, options.luigigo, self._folder)
        self._reference = Reference(self._places)
        self._luigigo = Luigigo(self._places)
        self._blobs = make_blobs(self._folder / "blobs")
        self._cluster: Cluster | None = None
        self._known: Counter[str] = Counter()

    def world(self, seed: int) -> Report:
        """Draw a world, edit it until something differs or the edits are done, and shrink what differs."""
        begun = time.monotonic()
        rng = random.Random(f"{seed} features")
        world = make_world(seed, draw_features(rng, has_compiler=bool(self._blobs.libraries)), self._blobs)
        drawn = rng.random() < SHARE_CLUSTER
        cluster = {"always": True, "never": False}.get(self._options.cluster, drawn)
        dear = not cluster and rng.random() < SHARE_DEAR
        bench = self._bench(cluster)
        steps, built, found = self._edit(bench, world, Drawer(seed, world.state, self._blobs, dear=dear))
        told = self._tell(bench, world, steps, found) if found else ()
        return Report(seed, world.features, len(steps) - 1, built, time.monotonic() - begun, cluster, told)

    def play_again(self, stored: bytes) -> str:
        """Play a case that was written by a run; the difference, or nothing."""
        case = msgspec.json.decode(stored, type=Case)
        bench = self._bench(self._options.cluster == "always")
        found = replay(bench, case.start, case.steps, self._folder / "world")
        return found.differences[0] if found else ""

    def close(self) -> None:
        """End what was started and remove the folder."""
        if self._cluster is not None:
            self._cluster.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _bench(self, in_cluster: bool) -> Bench:
        if in_cluster and self._cluster is None:
            self._cluster = Cluster(self._places)
            self._cluster.start()
        cluster = self._cluster if in_cluster else None
        self._luigigo.arguments = cluster.arguments if cluster else ()
        self._luigigo.variables = cluster.variables if cluster else {}

        def build(state: State, root: Path) -> Outcome:
            self._luigigo.prepare(state, root)
            return self._luigigo.build(state, root)

        def during(state: State, root: Path, edit: Callable[[], None]) -> Outcome:
            process, place = self._luigigo.start(state, root)
            edit()
            return finish(process, root / state.output, place)

        return Bench(self._reference.build, build, self._luigigo.begin, during)

    def _edit(self, bench: Bench, world: World, drawer: Drawer) -> tuple[list[Step], int, Found | None]:
        player = Player(bench, world.state, self._folder / "world")
        steps: list[Step] = [first_build()]
        found, built = player.play(steps[0]), 0
        while found is None and len(steps) <= self._options.edits and time.monotonic() < self._ends:
            steps.append(drawer.next(built=player.built))
            found = player.play(steps[-1])
            built += player.built
        return steps, built, found

    def _tell(self, bench: Bench, world: World, steps: list[Step], found: Found) -> tuple[str, ...]:
        case = Case(world.state, tuple(steps), found)
        kind = f"{sorted(found.kinds)} {steps[-1].kind}"
        self._known[kind] += 1
        repeated = "not shrunk: seen before"
        if self._known[kind] <= SHRUNK_PER_KIND:
            shrinker = Shrinker(
                lambda start, steps: replay(bench, start, steps, self._folder / "smaller"), Limits()
            )
            smaller = shrinker.shrink(case)
            repeated = "" if smaller else "did not show again"
            case = smaller or case
        path = Path(self._options.keep) / f"seed{world.seed}.sh"
        path.parent.mkdir(parents=True, exist_ok=True)
        first = case.found.differences[0]
        title = f"seed {world.seed}: {' / '.join(step.kind for step in case.steps)}: {first}"
        path.write_text(script_of(case, title))
        path.chmod(0o755)
        path.with_suffix(".json").write_bytes(msgspec.json.encode(case))
        return tuple(
            each
            for each in (first, " / ".join(step.kind for step in case.steps), str(path), repeated)
            if each
        )
