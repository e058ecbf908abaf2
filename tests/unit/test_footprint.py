"""Stats by which one can tell that an answer still holds, and when they are no proof."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from luigigo.filesystems import FileSystems
from luigigo.footprint import Exempt, Footprint, Places, holds, is_settled, take

LATER_NS = 3600 * 1_000_000_000
OLD = 1_000_000_000
Change = Callable[[Path], object]


def trusting(stat: os.stat_result, path: str) -> bool:
    """As on a file system of this machine."""
    return True


def sure(places: Places, **exempt: tuple[str, ...]) -> Footprint:
    """A footprint of places in which nothing changed for long."""
    taken = take(places, time.time_ns() + LATER_NS, trusting, Exempt(**exempt))
    assert taken is not None
    return msgspec.msgpack.decode(msgspec.msgpack.encode(taken), type=Footprint)


def write_in_place(path: Path, text: str) -> None:
    """Another content of the same size under the same times, as far as they can be set."""
    before = path.stat()
    with path.open("r+") as file:
        file.write(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_by(path: Path, make: Change) -> None:
    """Something else under the same name."""
    path.rename(path.with_name("moved"))
    make(path)


def turn(link: Path, target: str) -> None:
    """Let a link lead elsewhere, or be one."""
    link.unlink(missing_ok=True)
    link.symlink_to(target)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one of each kind of entry."""
    made = tmp_path / "folder"
    (made / "sub" / "deeper").mkdir(parents=True)
    (made / "file").write_text("one")
    (tmp_path / "target").write_text("two")
    (tmp_path / "middle").symlink_to("target")
    (made / "link").symlink_to("../middle")
    (made / "dangling").symlink_to("../absent")
    (made / "to_folder").symlink_to("sub")
    (tmp_path / "way").symlink_to("./folder")
    return made


COUNTS_AS_ENTRY: dict[str, Change] = {
    "content under the same times": lambda f: write_in_place(f / "file", "eno"),
    "content of a link's target": lambda f: write_in_place(f.parent / "target", "owt"),
    "a new file": lambda f: (f / "new").write_text(""),
    "a new folder": lambda f: (f / "new").mkdir(),
    "a file that is gone": lambda f: (f / "file").unlink(),
    "a name": lambda f: (f / "file").rename(f / "elif"),
    "a mode": lambda f: (f / "file").chmod(0o700),
    "a file as folder": lambda f: replace_by(f / "file", Path.mkdir),
    "a folder as link": lambda f: replace_by(f / "sub", lambda p: p.symlink_to("moved")),
    "a target that appears": lambda f: (f.parent / "absent").write_text(""),
    "a folder that is gone": lambda f: f.rename(f.with_name("elsewhere")),
    "a link to another folder": lambda f: turn(f / "to_folder", "sub/deeper"),
}


@pytest.mark.parametrize("name", COUNTS_AS_ENTRY)
def test_an_entry_counts_with_its_stat(folder: Path, name: str) -> None:
    """Whatever becomes of an entry of a folder is a change, also where all times that can be are set back."""
    footprint = sure(Places(folders=(str(folder),)))
    assert holds(footprint)
    COUNTS_AS_ENTRY[name](folder)
    assert not holds(footprint)


def test_what_lies_in_a_subfolder_is_its_own_matter(folder: Path) -> None:
    """Of subfolders only name and kind count."""
    footprint = sure(Places(folders=(str(folder),)))
    (folder / "sub" / "new").write_text("")
    assert holds(footprint)
    (folder / "sub").chmod(0o700)
    assert holds(footprint)


def test_a_listing_sees_where_links_lead(tmp_path: Path) -> None:
    """A link that led nowhere leads to something, though nothing changed in its own folder."""
    folder, other = tmp_path / "folder", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    (folder / "header.h").symlink_to("../other/header.h")
    listed = sure(Places(listings=(str(folder),)))
    assert holds(listed)
    (other / "header.h").write_text("")
    assert not holds(listed)


def test_a_listing_counts_by_names_and_kinds(folder: Path) -> None:
    """Contents do not matter, and a name that comes and goes leaves it as it was."""
    footprint = sure(Places(listings=(str(folder),)))
    write_in_place(folder / "file", "eno")
    (folder / "new").write_text("")
    assert not holds(footprint)
    (folder / "new").unlink()
    assert holds(footprint)
    replace_by(folder / "file", Path.mkdir)
    assert not holds(footprint)


def test_what_is_absent_counts(folder: Path) -> None:
    """A file or folder that appears where none was is a change; so is one that goes."""
    file, other = folder / "go.mod", folder / "none" / "deep"
    for places in (Places(files=(str(file),)), Places(listings=(str(file),)), Places(folders=(str(file),))):
        footprint = sure(places)
        assert holds(footprint)
        file.mkdir()
        assert not holds(footprint)
        file.rmdir()
        assert holds(footprint)
    footprint = sure(Places(files=(str(other), str(folder / "file"))))
    other.parent.mkdir()
    assert holds(footprint)
    other.write_text("")
    assert not holds(footprint)
    other.unlink()
    (folder / "file").unlink()
    assert not holds(footprint)


def test_a_file_counts_by_its_stat(folder: Path) -> None:
    """Links are followed."""
    footprint = sure(Places(files=(str(folder / "link"),)))
    assert holds(footprint)
    write_in_place(folder.parent / "target", "owt")
    assert not holds(footprint)


def test_outputs_do_not_count_in_their_own_folder(folder: Path, tmp_path: Path) -> None:
    """By the whole path, also where the folder is known by another; the same name elsewhere counts."""
    (tmp_path / "alias").symlink_to("folder")
    places = Places(folders=(str(tmp_path / "alias"), str(folder / "sub")), listings=(str(folder),))
    footprint = sure(places, outputs=(str(folder / "out"),))
    (folder / "out").write_text("binary")
    assert holds(footprint)
    (folder / "sub" / "out").write_text("")
    assert not holds(footprint)


def test_names_that_are_no_text_are_kept(tmp_path: Path) -> None:
    """A name is bytes."""
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    odd.mkdir()
    (odd / os.fsdecode(b"\xfe")).write_text("")
    footprint = sure(Places(files=(str(odd / "absent"),), folders=(str(odd),), listings=(str(odd),)))
    assert holds(footprint)
    (odd / os.fsdecode(b"\xfe")).unlink()
    assert not holds(footprint)


DURING: dict[str, tuple[Change, Callable[[Path], Places]]] = {
    "an edit": (lambda f: write_in_place(f / "file", "eno"), lambda f: Places(files=(str(f / "file"),))),
    "an edit of an entry": (
        lambda f: write_in_place(f / "file", "eno"),
        lambda f: Places(folders=(str(f),)),
    ),
    "a file that went": (lambda f: (f / "file").unlink(), lambda f: Places(folders=(str(f),))),
    "a file that went from a listing": (
        lambda f: (f / "file").unlink(),
        lambda f: Places(listings=(str(f),)),
    ),
    "a file that is absent now": (
        lambda f: (f / "file").unlink(),
        lambda f: Places(files=(str(f / "file"),)),
    ),
    "a folder that is absent now": (
        lambda f: (f / "sub").rename(f.parent / "moved"),
        lambda f: Places(listings=(str(f / "sub" / "deeper"),)),
    ),
    "a link on the way": (
        lambda f: turn(f.parent / "way", "folder"),
        lambda f: Places(files=(str(f.parent / "way" / "file"),)),
    ),
    "a link behind a link": (
        lambda f: turn(f.parent / "middle", "target"),
        lambda f: Places(folders=(str(f),)),
    ),
}


@pytest.mark.parametrize("name", DURING)
def test_what_changes_meanwhile_is_not_certain(folder: Path, name: str) -> None:
    """Before it there is a footprint; after a change since the asking began there is none."""
    change, places = DURING[name]
    time.sleep(0.05)
    started_ns = time.time_ns()
    assert take(places(folder), started_ns, trusting) is not None
    change(folder)
    assert take(places(folder), started_ns, trusting) is None


def test_a_busy_folder_around_a_file_that_was_absent_before(folder: Path) -> None:
    """It does no harm when the caller saw that the file was not there, for it still is not."""
    absent = str(folder / "go.work")
    (folder / "new").write_text("")
    assert take(Places(files=(absent,)), time.time_ns(), trusting) is None
    exempt = Exempt(absent_before=(absent,))
    assert take(Places(files=(absent,)), time.time_ns(), trusting, exempt) is not None


def test_what_is_on_an_untrusted_file_system_is_never_certain(folder: Path) -> None:
    """Neither a file, nor an entry, nor a listing, nor an absence."""
    later = time.time_ns() + LATER_NS
    name = str(folder / "file")
    for places in (
        Places(files=(name,)),
        Places(folders=(str(folder),)),
        Places(listings=(str(folder),)),
        Places(files=(str(folder / "absent"),)),
    ):
        assert take(places, later, lambda stat, path: False) is None
        assert take(places, later, trusting) is not None


def test_a_coarse_time_is_settled_later() -> None:
    """A time of whole milliseconds may be the time of seconds; a fine one is a tick old at most."""
    second = 1_000_000_000
    assert is_settled(7 * second + 1, 7 * second + 21_000_000)
    assert not is_settled(7 * second + 1, 7 * second + 19_000_000)
    assert not is_settled(7 * second, 9 * second)
    assert is_settled(7 * second, 9 * second + 1)


def test_places_are_joined_without_repeats() -> None:
    """Each place counts once."""
    one, other = Places(("a", "b"), ("c",), ()), Places(("b", "d"), (), ("e",))
    assert one | other == Places(("a", "b", "d"), ("c",), ("e",))


def test_here_times_carry_each_change(folder: Path) -> None:
    """With the real judgement of file systems."""
    time.sleep(0.05)
    trusts = FileSystems().trusts
    taken = take(Places(folders=(str(folder),)), time.time_ns(), trusts)
    assert (taken is not None) is trusts(folder.stat(), str(folder))
