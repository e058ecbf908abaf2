"""The machine that edits: its worlds, its finding, its shrinking and its scripts, without any Go."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from luigigo.golang.toolchain import find_go

from . import disk
from .builders import Outcome, Places, Reference, make_blobs
from .cfeatures import C_FEATURES
from .compare import comparable_lines, differences
from .edits import WEIGHTS, Drawer, first_build
from .features import GO_FEATURES
from .piece import Blobs
from .play import Bench, Player, replay
from .profiles import profile
from .script import script_of
from .shrink import Case, Limits, Shrinker
from .tree import File, Folder, State, Step, Touch, Wait, Write, advance
from .world import World, draw_features, make_world

BLOBS = Blobs((b"!<arch>\n1", b"!<arch>\n2"), (b"\x7fELF1", b"\x7fELF2"))
SEEDS = range(12)
LONGEST_SECONDS = 60


def world_of(seed: int) -> World:
    """The world of a seed, drawn as a session draws it."""
    return make_world(seed, draw_features(random.Random(seed)), BLOBS)


def steps_of(world: World, count: int) -> list[Step]:
    """The first build and some edits, in a hurry."""
    drawer = Drawer(world.seed, world.state, BLOBS, dear=True)
    steps = [first_build(), *(drawer.next(built=number % 5 != 3) for number in range(count))]
    return [in_a_hurry(step) for step in steps]


def in_a_hurry(step: Step) -> Step:
    """The step without pauses."""
    operations = tuple(each for each in step.operations if not isinstance(each, Wait))
    return msgspec.structs.replace(step, operations=operations, during=None)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_decides_everything(seed: int) -> None:
    """The same seed gives the same world and the same edits."""
    first, second = world_of(seed), world_of(seed)
    assert first == second
    assert steps_of(first, 40) == steps_of(second, 40)


def test_seeds_differ() -> None:
    """Different seeds give different worlds, and together all edits but those that few worlds have."""
    worlds = [world_of(seed) for seed in SEEDS]
    assert len({msgspec.json.encode(world) for world in worlds}) == len(worlds)
    kinds = {kind for world in worlds for step in steps_of(world, 150) for kind in step.kind.split("+")}
    assert kinds >= {edit.__name__ for edit in WEIGHTS} - {"guide", "library", "version", "cached_module"}


@pytest.mark.parametrize("seed", SEEDS)
def test_steps_are_data(seed: int) -> None:
    """A case survives JSON, so that it can be played again from a file."""
    world = world_of(seed)
    steps = steps_of(world, 30)
    again = msgspec.json.decode(msgspec.json.encode((world, steps)), type=tuple[World, list[Step]])
    assert again == (world, steps)


@pytest.mark.parametrize("seed", SEEDS)
def test_files_follow_the_state(tmp_path: Path, seed: int) -> None:
    """After any edits the files on disk are those of the state, with the times that were pinned."""
    world = world_of(seed)
    player = Player(Bench(no_build, no_build), world.state, tmp_path / "root")
    for step in steps_of(world, 120):
        player.edit(step.operations)
    expected = {path: bare(entry) for path, entry in player.state.tree.items()}
    assert {path: bare(entry) for path, entry in disk.read(tmp_path / "root").items()} == expected
    for path, entry in player.state.tree.items():
        if isinstance(entry, File) and entry.pinned is not None:
            assert (tmp_path / "root" / path).stat().st_mtime == entry.pinned


@pytest.mark.builds
def test_every_feature_builds(tmp_path: Path) -> None:
    """The go command builds a world of all features that go together, and one with the others."""
    blobs = make_blobs(tmp_path / "blobs")
    reference = Reference(Places(str(find_go("", os.environ).path), "", tmp_path / "builder"))
    everything = [*GO_FEATURES, *C_FEATURES]
    for number, left_out in enumerate([("vendored",), ("workspace", "replaced", "versioned")]):
        features = tuple(name for name in everything if name not in left_out)
        world = make_world(number, features, blobs)
        root = tmp_path / f"world{number}"
        root.mkdir()
        disk.lay_out(root, world.state.tree)
        built = reference.build(world.state, root)
        assert built.exit_code == 0, built.said
        assert built.digest


def test_what_no_longer_fits_is_left_out() -> None:
    """An operation whose place is gone, or taken by something else, is none."""
    state = State({"a": Folder(), "a/b": File(b"text")})
    after, done = advance(state, [Write("a/b/c", b""), Write("a", b""), Touch("gone")])
    assert (after, done) == (state, [])


def no_build(state: State, root: Path) -> Outcome:
    """Builds nothing, and says that all is well."""
    return Outcome(0, "", "")


def bare(entry: object) -> object:
    """An entry without its time."""
    return msgspec.structs.replace(entry, pinned=None)  # type: ignore[type-var]


def contents(root: Path, *, headers: bool) -> bytes:
    """What a planted builder makes of a tree: the bytes of its headers, or of all else."""
    entries = disk.read(root).items()
    return b"".join(
        entry.content for path, entry in entries if isinstance(entry, File) and path.endswith(".h") == headers
    )


class Forgetful:
    """Builds like the planted reference, but looks at headers only once."""

    def __init__(self) -> None:
        self._headers: bytes | None = None

    def begin(self, state: State, root: Path) -> None:
        """Know nothing."""
        self._headers = None

    def build(self, state: State, root: Path) -> Outcome:
        """Build from the headers as they were."""
        if self._headers is None:
            self._headers = contents(root, headers=True)
        return outcome(contents(root, headers=False) + self._headers)


def outcome(content: bytes) -> Outcome:
    """A build that succeeded and made this."""
    return Outcome(0, "", hashlib.sha256(content).hexdigest())


def planted_bench() -> Bench:
    """A reference that sees all, and a builder with a fault."""
    forgetful = Forgetful()

    def reference(state: State, root: Path) -> Outcome:
        return outcome(contents(root, headers=False) + contents(root, headers=True))

    return Bench(reference, forgetful.build, forgetful.begin)


def planted_case(folder: Path) -> Case:
    """A world with headers, edited until the planted fault shows, and shrunk."""
    bench = planted_bench()
    world = make_world(5, ("plain", "cgo_header", "embed_folder", "assembly"), BLOBS)
    player = Player(bench, world.state, folder / "world")
    played: list[Step] = []
    for step in steps_of(world, 400):
        played.append(step)
        found = player.play(step)
        if found is not None:
            shrinker = Shrinker(
                lambda start, steps: replay(bench, start, steps, folder / "smaller"), Limits(2000, 60)
            )
            smaller = shrinker.shrink(Case(world.state, tuple(played), found))
            assert smaller is not None
            return smaller
    raise AssertionError("the fault was not found")


def test_a_planted_fault_is_found_and_shrunk(tmp_path: Path) -> None:
    """A builder that ignores edits of headers is found out; what is left is one edit of one header."""
    case = planted_case(tmp_path)
    assert case.found.kinds == {"bytes"}
    assert len(case.steps) == 2
    assert case.steps[0].operations == ()
    assert len(case.steps[1].operations) == 1
    assert case.steps[1].operations[0].path.endswith(".h")  # type: ignore[union-attr]
    assert len([entry for entry in case.start.tree.values() if isinstance(entry, File)]) <= 2


def test_the_script_shows_the_difference(tmp_path: Path) -> None:
    """The script of a shrunk case ends with 1 with the faulty builder, and with 0 with a right one."""
    script = tmp_path / "case.sh"
    script.write_text(script_of(planted_case(tmp_path), "planted"))
    assert run_script(script, tmp_path, FAULTY).returncode == 1
    assert run_script(script, tmp_path, RIGHT).returncode == 0


PLANTED = """#!/usr/bin/env bash
while [ $# -gt 0 ] && [ "$1" != -o ]; do shift; done
[ $# -gt 0 ] || exit 0
mkdir -p "$XDG_CACHE_HOME"
[ -e "$XDG_CACHE_HOME/$KNOWN" ] || find "$R" -name '*.h' | sort | xargs -r cat >"$XDG_CACHE_HOME/h"
{ cat "$XDG_CACHE_HOME/h"; find "$R/app" -type f -not -name '*.h' | sort | xargs -r cat; } >"$2"
"""
"""A builder that puts all files into its output, headers first; those as they were where KNOWN is `h`."""
RIGHT, FAULTY = PLANTED.replace("$KNOWN", "never"), PLANTED.replace("$KNOWN", "h")


def run_script(script: Path, folder: Path, builder: str) -> subprocess.CompletedProcess[str]:
    """Run a script with a planted builder as luigigo, and the right one as go."""
    for name, text in (("go", RIGHT.replace("XDG_CACHE_HOME", "T")), ("luigigo", builder)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    script.write_text(script.read_text().replace('mkdir -p "$R/out"', 'export R T; mkdir -p "$R/out"', 1))
    env = os.environ | {"GO": str(folder / "go"), "LUIGIGO": str(folder / "luigigo")}
    return subprocess.run(
        ["bash", script], env=env, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS
    )


def test_what_may_differ() -> None:
    """Order, luigigo's own lines and random names are no difference; a line too few, too many or twice is."""
    go = Outcome(1, "# a\na.go:1: wrong\n# b\nb.go:1: wrong\n", "")
    same = Outcome(1, "luigigo: go1.27\n# b\nb.go:1: wrong\n# a\na.go:1: wrong\n", "")
    assert differences(go, same, "") == []
    assert differences(go, msgspec.structs.replace(same, said=same.said + "# a\n"), "") != []
    assert differences(go, msgspec.structs.replace(same, said="# a\n"), "") != []
    assert comparable_lines("x/ccAbCdEf.s:3: Error") == comparable_lines("y/ccGhIjKl.s:3: Error")


@pytest.mark.parametrize(
    ("luigigo", "kind"),
    [
        (Outcome(1, "", "ours"), "exit"),
        (Outcome(0, "", "other"), "bytes"),
        (Outcome(0, "", ""), "bytes"),
        (Outcome(4, "", ""), "traceback"),
        (Outcome(-1000, "", ""), "hung"),
    ],
)
def test_what_is_a_difference(luigigo: Outcome, kind: str) -> None:
    """Each way in which luigigo can be wrong has its kind."""
    found = differences(Outcome(0, "", "ours"), luigigo, "")
    assert kind in {each.partition(":")[0] for each in found}


def test_a_failed_build_leaves_the_binary() -> None:
    """A failed build that removes or changes the delivered binary is a difference."""
    failed = Outcome(1, "", "")
    assert [each.partition(":")[0] for each in differences(failed, failed, "before")] == ["leavings"]
    refused = Outcome(
        2, "luigigo: p is not a main package: there is no binary to write to OUTPUT\n", "before"
    )
    archive = Outcome(0, "", "an archive")
    assert differences(archive, refused, "before") == []
    assert differences(Outcome(1, "# p\np.go: wrong\n", "before"), refused, "before") == []
    assert differences(archive, refused, "other") != []


def test_a_cluster_ends_with_the_first_fault() -> None:
    """There go build may tell more; but what is told must be go build's, and something must be."""
    both, said = Outcome(1, "# a\n# b\n", ""), "luigigo: using your luigid at h:1\n"
    assert differences(both, Outcome(1, said + "# a\n", ""), "") == []
    assert differences(both, Outcome(1, said, ""), "") != []
    assert differences(both, Outcome(1, said + "# a\n# c\n", ""), "") != []
    assert differences(both, Outcome(1, "# a\n", ""), "") != []


@pytest.mark.skipif(shutil.which("go") is None, reason="no go command on PATH")
def test_the_profiles_are_profiles(tmp_path: Path) -> None:
    """The go command's own tool reads the profiles made here."""
    for hot in (0, 1):
        (tmp_path / "made.pgo").write_bytes(profile(hot))
        told = subprocess.run(
            ["go", "tool", "preprofile", "-i", "made.pgo", "-o", "/dev/stdout"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert f"main.hot{hot}" in told.stdout.split("900")[0].splitlines()[-2], told


def test_messages_that_change_are_no_difference(tmp_path: Path) -> None:
    """What go prints only now and then luigigo may print; what go never prints it may not."""
    said = iter(["a.go: wrong", "b.go: wrong", "a.go: wrong"] * 10)
    fickle = Bench(
        lambda state, root: Outcome(1, next(said), ""), lambda state, root: Outcome(1, "b.go: wrong", "")
    )
    wrong = Bench(fickle.reference, lambda state, root: Outcome(1, "c.go: wrong", ""))
    state = State({"app": Folder()})
    assert Player(fickle, state, tmp_path / "one").play(first_build()) is None
    assert Player(wrong, state, tmp_path / "two").play(first_build()) is not None
