"""A build that was kept counts as current only while that is certain."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import msgspec
import pytest

from luigigo.builds import uptodate
from luigigo.currentfolder import short_path
from luigigo.footprint import Places, take
from luigigo.model import Digest, Told

LATER_NS = 3600 * 1_000_000_000


@pytest.fixture
def place(tmp_path: Path) -> uptodate.Place:
    """Where a build with one source and one binary is kept, both as young as can be."""
    (tmp_path / "source").write_text("source")
    (tmp_path / "binary").write_text("binary")
    footprint = take(
        Places(files=(str(tmp_path / "source"),)), time.time_ns() + LATER_NS, lambda stat, path: True
    )
    assert footprint is not None
    digest = Digest(hashlib.sha256(b"binary").hexdigest())
    output = uptodate.output_state(str(tmp_path / "binary"), digest)
    made = uptodate.Place(str(tmp_path / "kept" / "file"))
    state = uptodate.Kept(uptodate.FORMAT, Digest("0" * 64), footprint, (output,))
    uptodate.write(made, msgspec.structs.replace(state, version="go1.27", messages=(Told("words\n"),)))
    return made


def at_once() -> int:
    """Within the clock's tick, however busy the machine is."""
    return 0


def later() -> int:
    """When all is settled."""
    return time.time_ns() + LATER_NS


def settled(place: uptodate.Place) -> bool:
    """What the place says of its output."""
    found = uptodate.read(place)
    assert found is not None
    return found.outputs[0].settled


def overwrite(place: uptodate.Place, content: bytes) -> None:
    """Another binary that the kept stat takes for the same, as in one tick of the clock."""
    found = uptodate.read(place)
    assert found is not None
    path = found.outputs[0].path
    Path(path).write_bytes(content)
    state = uptodate.output_state(path, found.outputs[0].digest)
    state = msgspec.structs.replace(state, settled=found.outputs[0].settled)
    uptodate.write(place, msgspec.structs.replace(found, outputs=(state,)))


def test_a_young_binary_is_known_by_its_content(place: uptodate.Place) -> None:
    """Each time, until it is older than the clock's tick; then by its stat, which is written down once."""
    current = uptodate.current_build(place, at_once)
    assert (
        current is not None
        and current.text == f"words\nluigigo: {short_path(current.outputs[0].path)} up to date (go1.27)"
    )
    assert not settled(place)
    overwrite(place, b"BINARY")
    assert uptodate.current_build(place, at_once) is None
    assert uptodate.current_build(place, later) is None
    overwrite(place, b"binary")
    assert uptodate.current_build(place, later) is not None
    if not settled(place):
        pytest.skip("the file system here is not one whose times carry each change")
    inode = os.stat(place.path).st_ino
    assert uptodate.current_build(place, later) is not None
    assert os.stat(place.path).st_ino == inode


def test_a_command_finds_what_was_settled_by_another(place: uptodate.Place, tmp_path: Path) -> None:
    """The link by the command line stays a link when the kept file is written anew."""
    command = uptodate.Place(str(tmp_path / "kept" / "command"))
    uptodate.link(command, place)
    assert uptodate.current_build(command, later) is not None
    assert os.path.islink(command.path)
    assert not os.path.islink(place.path)


def test_what_is_otherwise_is_not_current(place: uptodate.Place, tmp_path: Path) -> None:
    """A source or a binary that changed or is gone, or nothing kept at all."""
    assert uptodate.current_build(uptodate.Place(str(tmp_path / "absent")), later) is None
    (tmp_path / "source").write_text("other")
    assert uptodate.current_build(place, later) is None


def test_a_binary_that_is_gone_is_not_current(place: uptodate.Place, tmp_path: Path) -> None:
    """Whether it was settled or not."""
    (tmp_path / "binary").unlink()
    assert uptodate.current_build(place, later) is None


def test_any_bytes_are_kept(place: uptodate.Place) -> None:
    """A name need not be text."""
    found = uptodate.read(place)
    assert found is not None
    odd = msgspec.structs.replace(found, version=os.fsdecode(b"\xff"))
    uptodate.write(place, odd)
    assert uptodate.read(place) == odd


def test_what_cannot_be_written_is_not_kept(place: uptodate.Place, tmp_path: Path) -> None:
    """A folder that is none is no error."""
    found = uptodate.read(place)
    assert found is not None
    uptodate.write(uptodate.Place(str(tmp_path / "source" / "file")), found)
    assert uptodate.read(uptodate.Place(str(tmp_path / "source" / "file"))) is None
