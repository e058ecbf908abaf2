"""What becomes of the place of a binary, beside a real `go build`; nothing of a user's is destroyed."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from outputs import COMMANDS, build, expected, small
from support import Lab, Result

from luigigo.errors import ExitCode

__all__ = ["expected", "small"]

pytestmark = pytest.mark.builds

SEVERAL = {
    "go.mod": "module example.com/s\n\ngo 1.26\n",
    "a/main.go": "package main\n\nfunc main() { println(1) }\n",
    "b/main.go": "package main\n\nfunc main() { println(2) }\n",
    "lib/lib.go": "package lib\n",
}


def object_file(path: Path, mode: int = 0o755) -> None:
    """An object that is not the binary."""
    path.write_bytes(b"\x7fELF and no more")
    path.chmod(mode)


def linked(folder: Path, target: str) -> None:
    (folder / "place").symlink_to(target)


def link_to_object(folder: Path) -> None:
    object_file(folder / "object")
    linked(folder, "object")


def link_to_text(folder: Path) -> None:
    (folder / "text").write_text("a month's work")
    linked(folder, "text")


def second_name(folder: Path) -> None:
    object_file(folder / "first")
    (folder / "place").hardlink_to(folder / "first")


def socket_at(folder: Path) -> None:
    made = os.getcwd()
    os.chdir(folder)
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("place")
    finally:
        os.chdir(made)


def folder_of_all(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    link_to_object(folder)


def folder_with_text(folder: Path) -> None:
    (folder / "place").mkdir()
    (folder / "place" / "x").write_text("a month's work")


PLACES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda folder: None,
    "text": lambda folder: (folder / "place").write_text("a month's work"),
    "empty": lambda folder: (folder / "place").touch(0o600),
    "object": lambda folder: object_file(folder / "place"),
    "read-only object": lambda folder: object_file(folder / "place", 0o444),
    "second name of an object": second_name,
    "link to an object": link_to_object,
    "link to a text": link_to_text,
    "link to nothing": lambda folder: linked(folder, "absent"),
    "link to nothing in a missing folder": lambda folder: linked(folder, "missing/absent"),
    "link to itself": lambda folder: linked(folder, "place"),
    "link to a device": lambda folder: linked(folder, "/dev/null"),
    "link to a full device": lambda folder: linked(folder, "/dev/full"),
    "link to a folder": lambda folder: ((folder / "other").mkdir(), linked(folder, "other")),
    "folder": lambda folder: (folder / "place").mkdir(),
    "folder with a folder": lambda folder: (folder / "place" / "x").mkdir(parents=True),
    "folder with a text": lambda folder: (
        (folder / "place").mkdir(),
        (folder / "place" / "x").write_text("t"),
    ),
    "socket": socket_at,
    "link in a setgid folder": lambda folder: folder_of_all(folder, 0o2755),
    "link in a sticky folder": lambda folder: folder_of_all(folder, 0o1777),
}


def tree(folder: Path) -> dict[str, tuple[object, ...]]:
    """All that lies below a folder: its kind, permissions, names, and what it holds or leads to."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        content = ""
        if path.is_symlink():
            content = os.readlink(path)
        elif path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        links = about.st_nlink if path.is_file() else 0
        found[str(path.relative_to(folder))] = (stat.filemode(about.st_mode), links, content)
    return found


def compare(lab: Lab, project: Path, place: str, run: Callable[[str], Result], env: dict[str, str]) -> None:
    """Let both build into a folder in which the place was made alike."""
    folder = lab.folder / "places"
    ends = []
    for builds in (lambda output: lab.go_build(project, "-o", output, ".", env=env), run):
        folder.mkdir()
        PLACES[place](folder)
        finished = builds("../places/place")
        ends.append((finished, tree(folder)))
        shutil.rmtree(folder)
    (by_go, left_by_go), (by_us, left_by_us) = ends
    assert left_by_us == left_by_go, by_us.stderr
    assert (by_us.returncode == 0) == (by_go.returncode == 0), by_us.stderr + by_go.stderr
    assert "Traceback" not in by_us.stderr
    if "already exists" in by_go.stderr:
        assert by_go.stderr in by_us.stderr
        assert by_us.returncode == ExitCode.BUILD_FAILED
    elif by_go.returncode != 0:
        assert "luigigo: cannot write" in by_us.stderr
        assert by_us.returncode == ExitCode.STORE


@pytest.fixture
def other_disk() -> Iterator[Path]:
    """A folder on another file system than the tests'."""
    place = Path("/dev/shm") / f"luigigo-test-{os.getpid()}"
    place.mkdir()
    yield place
    shutil.rmtree(place)


@pytest.mark.parametrize("place", PLACES)
def test_a_place_is_left_as_by_go_build(lab: Lab, small: Path, place: str) -> None:
    """Where go build's work folder is on the same file system, so that it can rename."""
    env = {"GOTMPDIR": str(lab.folder)}
    compare(lab, small, place, lambda output: build(lab, "luigigo", small, output, env=env), env)


@pytest.mark.parametrize("place", PLACES)
def test_a_place_that_go_build_cannot_rename_to_is_left_as_by_it(
    lab: Lab, small: Path, other_disk: Path, place: str
) -> None:
    """Links, devices and sockets are written to then, and stay what they are."""
    env = {"GOTMPDIR": str(other_disk)}
    compare(lab, small, place, lambda output: build(lab, "luigigo", small, output, env=env), env)


@pytest.mark.parametrize("place", ["text", "object", "link to a text", "folder with a folder"])
def test_luigis_command_leaves_a_place_as_go_build_does(lab: Lab, small: Path, place: str) -> None:
    """With the same words."""
    compare(lab, small, place, lambda output: build(lab, "luigi", small, output), {})


@pytest.mark.parametrize("command", COMMANDS)
def test_the_default_name_is_refused_in_gos_words(lab: Lab, small: Path, command: str) -> None:
    """A text and a folder that are called as the program is."""
    (small / "x").write_text("a month's work")
    by_go, by_us = lab.go_build(small), build(lab, command, small, "")
    assert by_us.returncode == ExitCode.BUILD_FAILED
    assert "is not an object file" in by_go.stderr
    assert by_go.stderr in by_us.stderr
    assert (small / "x").read_text() == "a month's work"
    (small / "x").unlink()
    (small / "x").mkdir()
    by_go, by_us = lab.go_build(small), build(lab, command, small, "")
    assert by_us.returncode == ExitCode.USAGE
    assert "is a directory" in by_go.stderr
    assert by_go.stderr in by_us.stderr
    assert "Traceback" not in by_us.stderr


def test_a_text_that_takes_the_binarys_place_is_not_overwritten(lab: Lab, small: Path) -> None:
    """Neither by the next build, which is not up to date, nor by one after an edit."""
    assert build(lab, "luigigo", small, "place").returncode == 0
    (small / "place").write_text("a month's work")
    for _ in range(2):
        finished = build(lab, "luigigo", small, "place")
        assert finished.returncode == ExitCode.BUILD_FAILED
        assert "up to date" not in finished.stderr
        assert (small / "place").read_text() == "a month's work"
        (small / "main.go").write_text("package main\n\nfunc main() { println() }\n")


OUTPUTS = ("./folder", "folder/", "folder/.", "new/", "new/.", ".", "file", "/dev/null", "/dev/stdout", "")


@pytest.mark.parametrize("packages", ["./...", "./lib", "./a"])
@pytest.mark.parametrize("output", OUTPUTS)
def test_programs_go_where_go_build_puts_them(lab: Lab, packages: str, output: str) -> None:
    """Several, one, or none; what is refused is so with the same words."""
    ends = []
    for name in ("go", "luigigo"):
        project = lab.write(SEVERAL, f"{name}/several")
        (project / "folder").mkdir()
        (project / "file").write_text("a month's work")
        flags = ("-o", output) if output else ()
        with open(lab.folder / f"{name}.stdout", "wb") as stdout:
            if name == "go":
                arguments = [str(lab.go.path), "build", "-trimpath", "-buildvcs=false", "-ldflags=-buildid="]
                environment = lab.go.environment(lab.environment)
                finished = subprocess.run(
                    [*arguments, *flags, packages],
                    cwd=project,
                    env=environment,
                    stdout=stdout,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            else:
                finished = lab.luigigo("build", packages, *flags, cwd=project, stdout=stdout)
        ends.append((finished, tree(project), (lab.folder / f"{name}.stdout").read_bytes()))
    (by_go, left_by_go, out_of_go), (by_us, left_by_us, out_of_us) = ends
    # An archive of a package that is no program is refused.
    if packages == "./lib" and output in ("file", "new/.", "/dev/stdout"):
        assert by_us.returncode == ExitCode.USAGE
        return
    assert left_by_us == left_by_go, by_us.stderr
    assert out_of_us == out_of_go
    assert (by_us.returncode == 0) == (by_go.returncode == 0), by_us.stderr
    # Programs are refused at the same time, in no order.
    assert set(by_go.stderr.splitlines()) <= set(by_us.stderr.splitlines())


def test_what_is_refused_of_several_keeps_no_other_away(lab: Lab) -> None:
    """Each refusal is told, and the other programs are in place."""
    project = lab.write(SEVERAL, "several")
    (project / "folder").mkdir()
    (project / "folder" / "a").write_text("a month's work")
    finished = lab.luigigo("build", "./...", "-o", "folder", cwd=project)
    assert finished.returncode == ExitCode.BUILD_FAILED
    assert finished.stderr.count("already exists") == 1
    assert (project / "folder" / "b").read_bytes().startswith(b"\x7fELF")
    (project / "folder" / "b").write_text("another")
    by_go = lab.go_build(project, "-o", "folder", "./...")
    finished = lab.luigigo("build", "./...", "-o", "folder", cwd=project)
    assert sorted(by_go.stderr.splitlines()) == sorted(finished.stderr.splitlines()[-2:])


def test_a_program_that_runs_is_not_disturbed(lab: Lab, small: Path, expected: bytes) -> None:
    """Its place gets the new binary, and it runs on."""
    place = small / "place"
    shutil.copy(shutil.which("sleep") or "", place)
    with subprocess.Popen([place, "600"]) as running:
        assert build(lab, "luigigo", small, "place").returncode == 0
        assert running.poll() is None
        running.kill()
    assert place.read_bytes() == expected


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_binary_has_the_modes_that_go_build_gives(lab: Lab, small: Path, mask: int) -> None:
    """Under any umask, also in a place that was not executable."""
    earlier = os.umask(mask)
    try:
        for name in ("go", "luigigo"):
            object_file(small / name, 0o600)
        assert lab.go_build(small, "-o", "go").returncode == 0
        assert build(lab, "luigigo", small, "luigigo").returncode == 0
    finally:
        os.umask(earlier)
    assert (small / "luigigo").stat().st_mode == (small / "go").stat().st_mode
    (small / "luigigo").chmod(0o600)
    assert build(lab, "luigigo", small, "luigigo").returncode == 0
    assert (small / "luigigo").stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_in_a_folder_that_is_read_only_is_written_in_place(
    lab: Lab, small: Path, expected: bytes, command: str
) -> None:
    """It keeps its mode and its other names, as go build leaves them."""
    folder = lab.folder / "closed"
    folder.mkdir()
    object_file(folder / "place", 0o700)
    number = (folder / "place").stat().st_ino
    folder.chmod(0o555)
    try:
        finished = build(lab, command, small, "../closed/place", obeys_modes=True)
        again = build(lab, "luigigo", small, "../closed/place", obeys_modes=True)
    finally:
        folder.chmod(0o755)
    assert finished.returncode == 0, finished.stderr
    assert again.returncode == 0, again.stderr
    assert (folder / "place").read_bytes() == expected
    assert (folder / "place").stat().st_ino == number


@pytest.fixture
def mounted(lab: Lab) -> Iterator[Path]:
    """A file that is a mount point of its own, as containers mount single files."""
    if os.geteuid() != 0:
        pytest.skip("mounting a file needs root")
    place = lab.folder / "mounted"
    for path in (place, lab.folder / "backing"):
        path.touch()
    subprocess.run(["mount", "--bind", str(lab.folder / "backing"), str(place)], check=True)
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.root
@pytest.mark.parametrize("command", COMMANDS)
def test_a_mounted_file_is_written_in_place(
    lab: Lab, small: Path, expected: bytes, mounted: Path, command: str
) -> None:
    """Nothing can be renamed to it; a text in it is safe."""
    assert build(lab, command, small, str(mounted)).returncode == 0
    assert (lab.folder / "backing").read_bytes() == expected
    again = build(lab, "luigigo", small, str(mounted))
    assert again.returncode == 0, again.stderr
    mounted.write_text("a month's work")
    assert build(lab, command, small, str(mounted)).returncode == ExitCode.BUILD_FAILED
    assert mounted.read_text() == "a month's work"
    assert sorted(path.name for path in lab.folder.glob(".staging*")) == []


@pytest.fixture
def tiny_disk(lab: Lab) -> Iterator[Path]:
    """A file system of 100 kB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    place = lab.folder / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.root
def test_half_a_binary_is_never_left(lab: Lab, small: Path, tiny_disk: Path) -> None:
    """What was there stays where the copy is made beside it, and is said to be gone where it is not."""
    object_file(tiny_disk / "place")
    before = tree(tiny_disk)
    finished = build(lab, "luigigo", small, str(tiny_disk / "place"))
    assert finished.returncode == ExitCode.STORE
    assert "No space left on device" in finished.stderr
    assert tree(tiny_disk) == before
    (small / "link").symlink_to(tiny_disk / "place")
    finished = build(lab, "luigigo", small, "link", env={"GOTMPDIR": "/dev/shm"})
    assert finished.returncode == ExitCode.STORE
    assert f"cannot write {small / 'link'}, which is empty now: No space left on device" in finished.stderr
    assert (tiny_disk / "place").read_bytes() == b""
