"""What a watch takes for a change, and when it builds."""

from __future__ import annotations

import os
import time
from itertools import product
from pathlib import Path

import pytest

from luigigo.builds.watched import Watched, Watching
from luigigo.errors import UsageError
from luigigo.footprint import Places as Where
from luigigo.watching.looks import Basis, Beginning, WatchedPlaces
from luigigo.watching.rounds import LATEST_SECONDS, QUIET_SECONDS, Act, Happening, Round, WatchPhase, after
from luigigo.watching.said import changed_text, ended_line


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package's folder with one file."""
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "p.go").write_text("package p\n")
    return folder


def places_of(folder: Path, patterns: tuple[str, ...] = (), files: tuple[str, ...] = ()) -> WatchedPlaces:
    return WatchedPlaces(
        Watched(
            Where(files=files, folders=(str(folder),)), {str(folder): patterns}, (str(folder / "app.go"),)
        )
    )


def begun(places: WatchedPlaces) -> Basis:
    basis = Basis()
    basis.renew(places, places.look())
    return basis


def names(places: WatchedPlaces, basis: Basis) -> list[str]:
    return sorted(os.path.basename(path) for path in basis.changed(places.look()))


def test_only_contents_count(package: Path) -> None:
    """A save of the same bytes is no change, in place or by rename; other bytes are one."""
    places = places_of(package)
    basis = begun(places)
    (package / "p.go").write_text("package p\n")
    (package / "new").write_text("package p\n")
    os.replace(package / "new", package / "p.go")
    assert names(places, basis) == []
    (package / "p.go").write_text("package q\n")
    assert names(places, basis) == ["p.go"]


def test_a_closed_file_is_a_change_and_an_opened_one_again(package: Path) -> None:
    """What can no longer be read may fail a build, and so does what is gone."""
    places = places_of(package)
    basis = begun(places)
    (package / "p.go").unlink()
    assert names(places, basis) == ["p.go"]
    basis.renew(places, places.look())
    (package / "p.go").mkdir()
    assert names(places, basis) == ["p.go"]


@pytest.mark.parametrize(
    "name", [".p.go.swp", "4913", "p.go~", "#p.go#", ".#p.go", "p.go___jb_tmp___", "app.go"]
)
def test_what_go_does_not_read_is_no_change(package: Path, name: str) -> None:
    """Editors' helper files, and what the build itself writes, change nothing."""
    places = places_of(package)
    basis = begun(places)
    (package / name).write_text("x")
    assert names(places, basis) == []


@pytest.mark.parametrize("name", ["q.go", "q_test.go", "q.s", "q.h", "go.mod", "default.pgo"])
def test_what_go_would_read_is_a_change(package: Path, name: str) -> None:
    """A new file of a kind that the go command reads counts."""
    places = places_of(package)
    basis = begun(places)
    (package / name).write_text("x")
    assert names(places, basis) == [name]


def test_embedded_names_count(package: Path) -> None:
    """In a package's own folder, what a pattern would take counts as well, also hidden files."""
    places = places_of(package, ("*.txt", ".env"))
    basis = begun(places)
    (package / "a.txt").write_text("x")
    (package / ".env").write_text("x")
    (package / "other").write_text("x")
    assert names(places, basis) == [".env", "a.txt"]


def test_a_missing_file_counts_when_it_appears(package: Path, tmp_path: Path) -> None:
    """A place that was not there is looked for, and what an event says of the way to it is worth a look."""
    places = places_of(package, files=(str(tmp_path / "far" / "go.work"),))
    basis = begun(places)
    (tmp_path / "far").mkdir()
    assert places.notices(str(tmp_path), "far")
    assert names(places, basis) == []
    (tmp_path / "far" / "go.work").write_text("go 1.22\n")
    assert names(places, basis) == ["go.work"]


def test_a_part_is_looked_at_alone(package: Path, tmp_path: Path) -> None:
    """A look within some folders says nothing of others, and does not take them for gone."""
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / "q.go").write_text("package q\n")
    both = (str(package), str(tmp_path / "q"), str(tmp_path))
    places = WatchedPlaces(Watched(Where(folders=both), dict.fromkeys(both, ())))
    basis = begun(places)
    (tmp_path / "q" / "q.go").write_text("package r\n")
    within = {str(package)}
    assert basis.changed(places.look(within), within) == []
    within = {str(tmp_path / "q")}
    assert basis.changed(places.look(within), within) == [str(tmp_path / "q" / "q.go")]


def test_what_changed_while_a_build_ran_is_not_taken_for_seen(package: Path) -> None:
    """A file that a build named and that is younger than the build may have been read before it changed."""
    places, basis = places_of(package), Basis()
    old = time.time_ns() + 10_000_000_000
    assert basis.adopt(places, places.look(), Beginning(old)) == []
    fresh = Basis()
    assert fresh.adopt(places, places.look(), Beginning(0)) == [str(package / "p.go")]
    fresh.renew(places, places.look())
    assert fresh.adopt(places, places.look(), Beginning(0)) == []


def test_a_folder_that_came_while_a_build_ran_is_not_taken_for_seen(package: Path) -> None:
    """A name tells no time: the folder around it does, or what it held before the build."""
    places, old = places_of(package), time.time_ns() + 10_000_000_000
    (package / "sub").mkdir()
    assert Basis().adopt(places, places.look(), Beginning(old)) == []
    assert str(package / "sub") in Basis().adopt(places, places.look(), Beginning(0))
    before = Beginning(old, {str(package): frozenset(("p.go",))})
    assert Basis().adopt(places, places.look(), before) == [str(package / "sub")]
    assert Basis().adopt(places, places.look(), Beginning.now([str(package)])) == [str(package / "p.go")]


def test_a_change_within_a_tick_of_the_clock_is_seen(package: Path) -> None:
    """A second save that leaves the same size and times, as where times are coarse, counts."""
    file = package / "p.go"
    places, basis = places_of(package), Basis()
    basis.renew(places, places.look())
    look = places.look()
    file.write_text("package q\n")
    assert basis.changed(look) == [str(file)]


def test_what_changes_while_it_is_hashed_is_a_change(package: Path) -> None:
    """A file that is saved between the look at it and the reading of its content is built again."""
    file, places, basis = package / "p.go", places_of(package), Basis()
    look = places.look()
    file.write_text("package other\n")
    assert basis.adopt(places, look, Beginning(time.time_ns() + 10_000_000_000)) == [str(file)]
    assert basis.changed(places.look()) == [str(file)]


def test_quiet_is_awaited_but_not_for_ever() -> None:
    """A build begins when it has been quiet, or some time after the first change at the latest."""
    state, act = after(Round(), Happening.STIR, 10.0)
    assert (state.phase, act, state.due_at) == (WatchPhase.STIRRED, Act.NOTHING, 10.0 + QUIET_SECONDS)
    state, _ = after(state, Happening.STIR, 10.05)
    assert state.due_at == 10.05 + QUIET_SECONDS
    for step in range(40):
        state, _ = after(state, Happening.STIR, 10.05 + step / 20)
    assert state.due_at == 10.0 + LATEST_SECONDS


def test_an_edit_cancels_the_build_that_did_not_see_it() -> None:
    """Then another one follows once the first is gone, also where the edit was taken back."""
    state, act = after(Round(WatchPhase.BUILDING), Happening.STIR, 1.0)
    assert act is Act.LOOK
    assert after(state, Happening.SAME, 1.0) == (state, Act.NOTHING)
    state, act = after(state, Happening.DIFFERS, 1.0)
    assert (state.phase, act) == (WatchPhase.CANCELLING, Act.CANCEL)
    state, act = after(state, Happening.ENDED, 1.5)
    assert (state.phase, act) == (WatchPhase.STIRRED, Act.NOTHING)
    assert after(state, Happening.DUE, 1.5) == (Round(WatchPhase.BUILDING), Act.BUILD)


def test_two_builds_never_run_at_a_time() -> None:
    """Whatever happens, a build begins only when none runs, and only one that runs is cancelled, once."""
    for happenings in product(Happening, repeat=5):
        runs_alone(happenings)


def runs_alone(happenings: tuple[Happening, ...]) -> None:
    state, runs = Round(), 0
    for now, happening in enumerate(happenings):
        if happening is Happening.ENDED and not runs:
            continue
        if happening is Happening.ENDED:
            runs -= 1
        was = state.phase
        state, act = after(state, happening, float(now))
        if act is Act.BUILD:
            runs += 1
        if act is Act.CANCEL:
            assert was is WatchPhase.BUILDING
        assert runs == (state.phase in (WatchPhase.BUILDING, WatchPhase.CANCELLING))


def test_no_change_is_forgotten() -> None:
    """Whatever happened before, a change leads to a build, as long as builds end and looks see it."""
    for happenings in product(Happening, repeat=4):
        leads_to_a_build(happenings)


def leads_to_a_build(happenings: tuple[Happening, ...]) -> None:
    state = Round()
    for now, happening in enumerate(happenings):
        if happening is not Happening.ENDED or state.phase in (WatchPhase.BUILDING, WatchPhase.CANCELLING):
            state, _ = after(state, happening, float(now))
    acts, later = [], 1000.0
    state, act = after(state, Happening.STIR, later)
    for _ in range(6):
        acts.append(act)
        answer = Happening.DIFFERS if act is Act.LOOK else Happening.DUE
        if state.phase is WatchPhase.CANCELLING:
            answer = Happening.ENDED
        state, act = after(state, answer, later := later + 1)
    assert Act.BUILD in acts


def test_one_line_says_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What changed, what ran, and in how many milliseconds."""
    monkeypatch.chdir(tmp_path)
    changed = changed_text([str(tmp_path / name) for name in ("a.go", "b.go", "c.go", "d.go")])
    assert changed == "a.go, b.go, c.go and 1 more changed"
    left = Watching(counts={"ran": 1, "cutoff": 2, "hit": 9}, paths=(str(tmp_path / "app"),))
    assert ended_line(changed, 0, left, 0.8124).endswith("changed: app: 1 action ran, 2 cut off, 812 ms")
    assert ended_line("", 1, None, 0.5) == "luigigo: failed after 500 ms"


def test_own_flags_are_told_from_those_of_the_build() -> None:
    """All behind --run is the command; a grace that is no time is refused."""
    from luigigo.commands.watch import read_options

    options = read_options(
        ["-tags", "a", "--grace", "2", ".", "--stop-first", "--run", "serve", "--grace", "x"]
    )
    assert options.build == ("-tags", "a", ".")
    assert options.command == ("serve", "--grace", "x")
    assert (options.grace_seconds, options.stops_first) == (2.0, True)
    assert read_options(["."]).command is None
    assert read_options([".", "--run"]).command == ()
    with pytest.raises(UsageError, match="--grace x"):
        read_options(["--grace", "x"])


@pytest.mark.parametrize("flag", ["-trimpath", "-o=/home/x", "-ldflags=-X main.hash=1"])
def test_an_h_within_a_flag_asks_for_no_help(flag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flags of the build, and all behind --run, reach the watch as they are."""
    from click.testing import CliRunner

    from luigigo.commands import watch
    from luigigo.commands.main import cli

    given: list[tuple[str, ...]] = []

    def run(arguments: tuple[str, ...]) -> int:
        given.append(arguments)
        return 0

    monkeypatch.setattr(watch, "run", run)
    arguments = ["watch", flag, ".", "--run", "serve", "-h"]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    assert given == [tuple(arguments[1:])]
    assert "--stop-first" in CliRunner().invoke(cli, ["watch", "-h"]).output
    assert len(given) == 1


def test_a_deletion_while_a_build_ran_is_seen(package: Path) -> None:
    """A file that is gone when the build ends is a change, until a build begins without it."""
    old, file = time.time_ns() + 10_000_000_000, package / "p.go"
    places, first, beginning = places_of(package), Basis(), Beginning.now([str(package)])
    later = begun(places)
    file.unlink()
    for basis, began in ((first, beginning), (later, Beginning(old))):
        assert basis.adopt(places, places.look(), began) == [str(file)]
        assert names(places, basis) == ["p.go"]
        basis.renew(places, places.look())
        assert basis.adopt(places, places.look(), Beginning(old)) == []
