"""Records of actions: read when sound, absent otherwise."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from luigigo.errors import StoreError
from luigigo.model import ActionRecord, Digest, ImportPath, Output, Said
from luigigo.store import records as records_module
from luigigo.store.records import Records


def key_of(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def record_of(number: int, digest: str | None = None, size: int = 7) -> ActionRecord:
    output = Output(Digest(digest or key_of(-number)), size)
    said = (Said(("wärning in ", "/x.go\n")),)
    return ActionRecord(
        key_of(number), "compile", ImportPath("fmt"), {"export": output}, 1.5, 1.25, 99, "n1", said
    )


class Shelf:
    """Records in a folder, and what they complained of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damage: list[str] = []
        self.records = Records(str(folder), self.damage.append)

    def path(self, number: int) -> Path:
        return self.folder / key_of(number)[:2] / key_of(number)

    def forge(self, number: int, body: bytes) -> None:
        """Write a file whose first line is right."""
        self.path(number).parent.mkdir(parents=True, exist_ok=True)
        self.path(number).write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "actions")


def test_what_was_written_is_read(shelf: Shelf) -> None:
    """A record comes back as it was, and the file starts with the digest of the rest."""
    shelf.records.write(record_of(1))
    assert shelf.records.read(key_of(1)) == record_of(1)
    assert shelf.records.read(key_of(2)) is None
    first, _, rest = shelf.path(1).read_bytes().partition(b"\n")
    assert first.decode() == hashlib.sha256(rest).hexdigest()
    assert msgspec.json.decode(rest)["package"] == "fmt"
    assert shelf.damage == []


def test_a_record_with_a_content_key_is_read_by_both(shelf: Shelf) -> None:
    """It is one file with two names."""
    record = msgspec.structs.replace(record_of(1), content_key=key_of(2))
    shelf.records.write(record)
    assert shelf.records.read(key_of(1)) == shelf.records.read(key_of(2)) == record
    assert shelf.path(1).samefile(shelf.path(2))


@pytest.mark.parametrize("number", [errno.EPERM, errno.EXDEV, errno.EOPNOTSUPP, errno.EMLINK])
def test_where_a_file_has_one_name_it_is_written_twice(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Some file systems know no second name for a file, or none in another folder."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    record = msgspec.structs.replace(record_of(1), content_key=key_of(2))
    shelf.records.write(record)
    assert shelf.records.read(key_of(1)) == shelf.records.read(key_of(2)) == record


def test_a_content_key_gets_the_latest_record(shelf: Shelf) -> None:
    """What lay there is replaced: it may have been unfit to use."""
    shelf.records.write(msgspec.structs.replace(record_of(3), content_key=key_of(2)))
    record = msgspec.structs.replace(record_of(1), content_key=key_of(2))
    shelf.records.write(record)
    assert shelf.records.read(key_of(2)) == record
    assert shelf.records.read(key_of(3)) is not None
    assert shelf.damage == []


@pytest.mark.parametrize("listing_from", [1, 1000])
def test_many_are_read_at_once(shelf: Shelf, listing_from: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listed or tried one by one: the same result."""
    monkeypatch.setattr(records_module, "LISTING_PAYS_FROM", listing_from)
    for number in range(50):
        shelf.records.write(record_of(number))
    found = shelf.records.read_many(key_of(number) for number in range(25, 75))
    assert found == {key_of(number): record_of(number) for number in range(25, 50)}
    assert shelf.damage == []


@pytest.mark.parametrize("length", [0, 1, 64, 65, 66, 100])
def test_a_truncated_record_is_absent_reported_and_removed(shelf: Shelf, length: int) -> None:
    """It is made again instead of believed."""
    shelf.records.write(record_of(1))
    content = shelf.path(1).read_bytes()
    shelf.path(1).write_bytes(content[:length])
    assert shelf.records.read(key_of(1)) is None
    assert len(shelf.damage) == 1 and "truncated" in shelf.damage[0] and key_of(1) in shelf.damage[0]
    assert not shelf.path(1).exists()


def test_a_flipped_bit_is_noticed(shelf: Shelf) -> None:
    """Also where the JSON stays well-formed."""
    shelf.records.write(record_of(1))
    shelf.path(1).write_bytes(shelf.path(1).read_bytes().replace(b"fmt", b"gmt"))
    assert shelf.records.read_many([key_of(1)]) == {}
    assert "corrupt" in shelf.damage[0]
    assert not shelf.path(1).exists()


def test_a_record_of_another_key_is_refused(shelf: Shelf) -> None:
    """A file under the wrong name is damaged."""
    shelf.forge(2, msgspec.json.encode(record_of(1)))
    assert shelf.records.read(key_of(2)) is None
    assert "misfiled" in shelf.damage[0]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        msgspec.json.encode(record_of(1, size=-1)),
        msgspec.json.encode(record_of(1, digest="../../../../etc/passwd")),
        msgspec.json.encode(record_of(1, digest="A" * 64)),
        msgspec.json.encode(record_of(1, digest="0" * 64 + "\n")),
        msgspec.json.encode(record_of(1)).replace(b"1.5", b'"1.5"'),
    ],
)
def test_a_malformed_record_is_absent(shelf: Shelf, body: bytes) -> None:
    """Even when its digest is right."""
    shelf.forge(1, body)
    assert shelf.records.read(key_of(1)) is None
    assert len(shelf.damage) == 1
    assert not shelf.path(1).exists()


def test_an_unreadable_record_is_reported_and_left(shelf: Shelf) -> None:
    """A folder in its place, which even root cannot read as a file."""
    shelf.path(1).mkdir(parents=True)
    assert shelf.records.read(key_of(1)) is None
    assert "unreadable" in shelf.damage[0]
    assert shelf.path(1).is_dir()


@pytest.mark.parametrize(
    "key", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 65, "0" * 64 + "\n", "/" * 64]
)
def test_a_key_that_is_no_digest_never_becomes_a_path(shelf: Shelf, key: str) -> None:
    """The caller has a bug or worse."""
    with pytest.raises(ValueError, match="sha256"):
        shelf.records.read(key)
    with pytest.raises(ValueError, match="sha256"):
        shelf.records.read_many([key])
    with pytest.raises(ValueError, match="sha256"):
        shelf.records.write(msgspec.structs.replace(record_of(1), key=key))


def test_reading_an_old_record_marks_it_used(shelf: Shelf) -> None:
    """The time of last use is renewed once it is an hour old, not at each reading."""
    shelf.records.write(record_of(1))
    recent, old = time.time() - 1800, time.time() - 7200
    os.utime(shelf.path(1), (recent, recent))
    shelf.records.read(key_of(1))
    assert os.stat(shelf.path(1)).st_mtime == pytest.approx(recent, abs=1)
    os.utime(shelf.path(1), (old, old))
    shelf.records.read(key_of(1))
    assert os.stat(shelf.path(1)).st_mtime > time.time() - 60


def test_a_reader_that_may_not_mark_still_reads(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only store is readable."""
    shelf.records.write(record_of(1))
    os.utime(shelf.path(1), (1, 1))

    def refuse(*_: object) -> None:
        raise PermissionError(1, "no")

    monkeypatch.setattr(os, "utime", refuse)
    assert shelf.records.read(key_of(1)) == record_of(1)
    assert shelf.damage == []


def test_a_record_published_late_is_waited_for(shelf: Shelf) -> None:
    """Another node's rename may take a moment to be seen."""
    timer = threading.Timer(0.3, shelf.records.write, (record_of(1),))
    timer.start()
    assert shelf.records.read(key_of(1), wait_seconds=10) == record_of(1)
    timer.join()


def test_who_waits_for_long_makes_the_share_look_again(shelf: Shelf) -> None:
    """It changes the folder, or the one above where there is none yet, and leaves nothing there."""
    folder = shelf.path(1).parent
    for place in (folder.parent, folder):
        place.mkdir(exist_ok=True)
        before = place.stat().st_mtime_ns
        assert shelf.records.read(key_of(1), wait_seconds=1.8) is None
        assert place.stat().st_mtime_ns > before
        assert list(place.iterdir()) == []
    assert shelf.damage == []


def test_a_failing_write_says_what_to_do_and_leaves_nothing(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The staged file is removed."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(StoreError, match=r"No space left on device; free space.*shared="):
        shelf.records.write(record_of(1))
    assert [path for path in shelf.folder.rglob("*") if path.is_file()] == []


def test_racing_writers_of_one_key_all_succeed(shelf: Shelf) -> None:
    """The last one stays, whole."""
    made = [msgspec.structs.replace(record_of(1), node=f"n{number}" * 500) for number in range(100)]
    with ThreadPoolExecutor(16) as pool:
        writing = [pool.submit(shelf.records.write, record) for record in made]
        while not all(future.done() for future in writing):
            assert shelf.records.read(key_of(1)) in [None, *made]
        for future in writing:
            future.result()
    assert shelf.records.read(key_of(1)) in made
    assert len(list(shelf.path(1).parent.iterdir())) == 1
    assert shelf.damage == []
