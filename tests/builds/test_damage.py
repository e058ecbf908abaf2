"""A store that was damaged, is read-only or full: reported, mended, and never a wrong binary."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import Lab, replace_content, wait_until

from luigigo.errors import ExitCode

pytestmark = pytest.mark.builds

FILES = {
    "go.mod": "module example.com/small\n\ngo 1.26\n",
    "main.go": 'package main\n\nimport "example.com/small/part"\n\nfunc main() { println(part.Name) }\n',
    "part/part.go": 'package part\n\nvar Name = "first"\n',
}
FOLDERS = {"contents": "cas", "records": "actions", "plans": "plans"}


@pytest.fixture
def project(lab: Lab) -> Path:
    """A program, built once, whose output was lost since."""
    made = lab.write(FILES, "small")
    lab.build(made)
    lab.output_of(made).unlink()
    return made


def own_files(lab: Lab, compiled: Path, kind: str) -> list[Path]:
    """The files of one kind in the store that are not of the standard library."""
    folder = lab.cache / "store" / FOLDERS[kind]
    shared = compiled / "store" / FOLDERS[kind]
    found = [path for path in folder.rglob("*") if path.is_file()]
    own = [path for path in found if not (shared / path.relative_to(folder)).exists()]
    assert own
    return own


def _truncate(path: Path) -> None:
    replace_content(path, path.read_bytes()[: path.stat().st_size // 2])


def _corrupt(path: Path) -> None:
    content = path.read_bytes()
    middle = len(content) // 2
    replace_content(path, content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :])


DAMAGES: dict[str, Callable[[Path], None]] = {
    "truncated": _truncate,
    "corrupt": _corrupt,
    "missing": Path.unlink,
    "unreadable": lambda path: path.chmod(0),
    "empty": lambda path: replace_content(path, b""),
}


@pytest.mark.parametrize("kind", FOLDERS)
@pytest.mark.parametrize("damage", DAMAGES)
def test_whatever_is_damaged_is_made_again(
    lab: Lab, compiled_cache: Path, project: Path, kind: str, damage: str
) -> None:
    """With every file of the kind damaged the same way, both commands succeed and the binary is right."""
    for path in own_files(lab, compiled_cache, kind):
        DAMAGES[damage](path)
    built = lab.build(project, obeys_modes=True)
    lab.assert_identical(project)
    (project / "part" / "part.go").write_text('package part\n\nvar Name = "other"\n')
    lab.build(project, obeys_modes=True)
    lab.assert_identical(project)
    assert "Traceback" not in built.stderr


@pytest.mark.parametrize("damage", ["truncated", "corrupt", "missing", "unreadable"])
def test_luigi_mends_a_damaged_store_as_well(
    lab: Lab, compiled_cache: Path, project: Path, damage: str
) -> None:
    """Content that a record names and the store has not is made again, under `luigi` too."""
    for path in own_files(lab, compiled_cache, "contents"):
        DAMAGES[damage](path)
    output = lab.output_of(project)
    finished = lab.luigi("--project", project, "--output", output, obeys_modes=True)
    assert finished.returncode == 0, finished.stderr
    lab.assert_identical(project)


@pytest.mark.parametrize("name", ["hashes", "timings", "kept"])
@pytest.mark.parametrize("damage", ["truncated", "corrupt", "empty"])
def test_a_damaged_cache_file_counts_as_none(lab: Lab, project: Path, name: str, damage: str) -> None:
    """What was kept for speed alone is never believed when it cannot be read."""
    place = lab.cache / name
    for path in [place] if place.is_file() else list(place.iterdir()):
        DAMAGES[damage](path)
    assert lab.build(project).actions() == set()
    lab.assert_identical(project)
    assert lab.build(project).outcome == "up-to-date"


def test_verify_reports_and_removes_what_is_broken(lab: Lab, compiled_cache: Path, project: Path) -> None:
    """It ends with 1 once, names every broken file, and with 0 from then on."""
    assert lab.verify().returncode == 0
    broken = [*own_files(lab, compiled_cache, "contents")[:2], *own_files(lab, compiled_cache, "records")[:2]]
    for path in broken:
        _corrupt(path)
    finished = lab.verify()
    assert finished.returncode == 1
    assert all(path.name in finished.stderr for path in broken)
    counts = re.search(r"(\d+) damaged, (\d+) removed", finished.stdout)
    assert counts is not None
    assert int(counts[1]) == int(counts[2]) >= len(broken)
    assert lab.verify().returncode == 0
    lab.build(project)
    lab.assert_identical(project)


def test_stats_and_gc_say_what_the_store_holds(lab: Lab, project: Path) -> None:
    """After everything was collected the store is empty, and the next build fills it again."""
    stats = lab.luigigo("store", "stats").stdout
    assert re.search(r"(?m)^contents +\d+, .* MB$", stats)
    assert re.search(r"(?m)^  compile +\d+, ", stats)
    assert "bound     10.0 GB" in stats and "trimmed   2" in stats
    kept = lab.luigigo("store", "gc").stdout
    assert re.search(
        r"(?m)^removed 0 records.*\nkept \d+ records, .* MB: used within the last 10 minutes$", kept
    )
    assert lab.luigigo("store", "gc", "--max-size", "much").returncode == ExitCode.USAGE
    assert "removed 0 records" in lab.luigigo("store", "gc", "--max-age", "1d").stdout
    assert "used within the last 10 minutes" in lab.luigigo("store", "gc", "--max-size", "0").stdout
    for path in (lab.cache / "store").rglob("*"):
        os.utime(path, (0, 0))
    assert " 0 B left" in lab.luigigo("store", "gc", "--max-size", "0").stdout
    assert lab.verify().stdout.startswith("checked 0 contents, 0 records")


def test_a_read_only_store_serves_what_it_holds(lab: Lab, project: Path) -> None:
    """With everything in it, a build only needs somewhere to put the binary."""
    cache = str(lab.folder / "own")
    settings = {"LUIGIGO_SHARED": str(lab.cache / "store"), "LUIGIGO_CACHE": cache}
    subprocess.run(["chmod", "-R", "a-w", str(lab.cache / "store")], check=True)
    try:
        built = lab.build(project, env=settings, obeys_modes=True)
        assert built.actions() == set()
        lab.assert_identical(project)
        (project / "part" / "part.go").write_text('package part\n\nvar Name = "other"\n')
        finished = lab.luigigo("build", project, "-o", "binary", env=settings, obeys_modes=True)
        assert finished.returncode == ExitCode.STORE
        assert str(lab.cache / "store") in finished.stderr
        assert "Traceback" not in finished.stderr
    finally:
        subprocess.run(["chmod", "-R", "u+w", str(lab.cache / "store")], check=True)


@pytest.fixture
def small_disk(lab: Lab) -> Iterator[Path]:
    """A file system of 70 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    place = lab.folder / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=70m", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.root
@pytest.mark.parametrize("place", ["LUIGIGO_SHARED", "LUIGIGO_CACHE"])
@pytest.mark.parametrize("command", ["luigigo", "luigi"])
def test_a_full_disk_ends_with_6_and_damages_nothing(
    lab: Lab, small_disk: Path, command: str, place: str
) -> None:
    """Store or cache: once there is room, the next run goes on from what was published."""
    project = lab.write(FILES, "small")
    output = lab.output_of(project)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(67 << 20))
    env = {place: str(small_disk / "store")}
    run = {
        "luigigo": lambda: lab.luigigo("build", project, "-o", output, env=env),
        "luigi": lambda: lab.luigi("--project", project, "--output", output, env=env),
    }[command]
    finished = run()
    assert finished.returncode == ExitCode.STORE, finished.stderr
    assert "no space left on device" in finished.stderr.lower()
    assert str(small_disk) in finished.stderr
    assert "Traceback" not in finished.stdout + finished.stderr
    assert not output.exists()
    verified = lab.luigigo("store", "verify", env=env)
    assert verified.returncode == 0, verified.stderr
    ballast.unlink()
    again = run()
    assert again.returncode == 0, again.stdout + again.stderr
    lab.assert_identical(project)


def test_a_store_comes_back_below_its_bound_by_itself(lab: Lab, project: Path) -> None:
    """At the end of a build that ran something, once a day; what the build used stays."""
    (lab.folder / "luigi.cfg").write_text("[luigigo]\nstore_bytes=1M\n")

    def edit(text: str) -> None:
        (project / "main.go").write_text((project / "main.go").read_text() + text)

    def records() -> set[Path]:
        return set((lab.cache / "store" / "actions").glob("*/*"))

    for path in (lab.cache / "store").rglob("*"):
        os.utime(path, (0, 0))
    before = records()
    edit("\nvar another = 1\n")
    lab.build(project)
    lab.assert_identical(project)
    left = records()
    assert before - left and before & left
    assert all(path.stat().st_mtime > 0 for path in left)
    assert lab.verify().returncode == 0
    assert "1.0 MB" in lab.luigigo("store", "stats").stdout
    for path in left:
        os.utime(path, (0, 0))
    edit("\nvar third = 1\n")
    lab.build(project)
    assert left <= records(), "trimmed twice on one day"


def test_clean_empties_the_store_but_for_what_a_build_holds(empty_lab: Lab) -> None:
    """It names the build and ends with 1, and the build goes on; alone it leaves nothing, and ends with 0."""
    lab = empty_lab
    project = lab.program("generics")
    running = lab.start("luigigo", "build", project, "-o", lab.output_of(project))
    wait_until(lambda: len(list((lab.cache / "store" / "cas").glob("*/*"))) > 5, "for the first contents")
    for command in ("gc", "clean"):
        held = lab.luigigo("store", command)
        assert f"in use by the build of {project} (process {running.pid} on " in held.stdout
        assert held.returncode == (1 if command == "clean" else 0)
    assert f"luigigo: not emptied: in use by the build of {project}" in held.stderr
    assert f"pin       in use by the build of {project}" in lab.luigigo("store", "stats").stdout
    assert running.wait(timeout=120) == 0
    lab.assert_identical(project)
    emptied = lab.luigigo("store", "clean")
    assert emptied.returncode == 0, emptied.stderr
    assert " 0 B left" in emptied.stdout
    for folder in ("actions", "cas", "plans", "runs"):
        assert not [path for path in (lab.cache / "store" / folder).rglob("*") if path.is_file()]
    assert lab.build(project).outcome == "ok"
    lab.assert_identical(project)
