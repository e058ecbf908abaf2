"""Digests that are computed again only when a file's stat differs."""

from __future__ import annotations

import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from luigigo.model import Digest
from luigigo.store import stathashes
from luigigo.store.stathashes import StatHashes


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def an_hour_later() -> float:
    return time.time() + 3600


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each time that a file's content was read."""
    seen: list[int] = []
    original = stathashes.sha256_of

    def counted(descriptor: int) -> Digest:
        seen.append(descriptor)
        return original(descriptor)

    monkeypatch.setattr(stathashes, "sha256_of", counted)
    return seen


def test_a_file_is_read_once(tmp_path: Path, reads: list[int]) -> None:
    """The same stat means the same digest."""
    file = tmp_path / "f"
    file.write_bytes(b"x" * 3_000_000)
    hashes = StatHashes(clock=an_hour_later)
    assert hashes.digest(str(file)) == hashes.digest(str(file)) == sha256(b"x" * 3_000_000)
    assert len(reads) == 1


def test_a_change_is_noticed(tmp_path: Path) -> None:
    """Other size, other time or other inode: read again."""
    file = tmp_path / "f"
    file.write_bytes(b"one")
    hashes = StatHashes(clock=an_hour_later)
    hashes.digest(str(file))
    file.write_bytes(b"three")
    assert hashes.digest(str(file)) == sha256(b"three")
    stat = os.stat(file)
    other = tmp_path / "g"
    other.write_bytes(b"seven")
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    os.replace(other, file)
    assert hashes.knows(str(file)) is None
    assert hashes.digest(str(file)) == sha256(b"seven")


def test_a_young_file_is_read_every_time(tmp_path: Path, reads: list[int]) -> None:
    """A file that changed just now may change again within one tick of the clock, whatever its time says."""
    file = tmp_path / "f"
    file.write_bytes(b"one")
    os.utime(file, (0, 0))
    hashes = StatHashes(clock=lambda: os.stat(file).st_ctime + 0.01)
    hashes.digest(str(file))
    hashes.digest(str(file))
    assert len(reads) == 2
    assert hashes.knows(str(file)) is None


def test_a_file_elsewhere_is_read_every_time(tmp_path: Path, reads: list[int]) -> None:
    """Where times do not carry each change, only what is never modified is known by its stat."""
    file = tmp_path / "f"
    file.write_bytes(b"one")
    hashes = StatHashes(clock=an_hour_later, trusts=lambda stat, path: False)
    hashes.digest(str(file))
    hashes.digest(str(file))
    assert len(reads) == 2
    hashes.digest(str(file), immutable=True)
    hashes.digest(str(file))
    assert len(reads) == 3


def test_an_immutable_file_may_be_young(tmp_path: Path, reads: list[int]) -> None:
    """What is only ever replaced by a rename has no racy moment."""
    file = tmp_path / "f"
    file.write_bytes(b"one")
    hashes = StatHashes()
    hashes.digest(str(file), immutable=True)
    hashes.digest(str(file), immutable=True)
    assert len(reads) == 1


def test_remember_takes_the_callers_word(tmp_path: Path, reads: list[int]) -> None:
    """What we just wrote is not read again; of what is absent nothing is kept."""
    file = tmp_path / "f"
    file.write_bytes(b"one")
    hashes = StatHashes()
    hashes.remember(str(file), Digest(sha256(b"one")))
    assert hashes.knows(str(file)) == hashes.digest(str(file)) == sha256(b"one")
    assert reads == []
    file.unlink()
    hashes.remember(str(file), Digest(sha256(b"one")))
    assert hashes.knows(str(file)) is None


def test_an_absent_file_raises(tmp_path: Path) -> None:
    """The caller hears what the system says."""
    with pytest.raises(FileNotFoundError):
        StatHashes().digest(str(tmp_path / "absent"))


def test_what_was_saved_is_known_to_the_next_process(tmp_path: Path, reads: list[int]) -> None:
    """Also of files whose names are no UTF-8."""
    file, odd, saved = tmp_path / "fé", os.fsencode(tmp_path) + b"/\xff", tmp_path / "cache" / "hashes"
    file.write_bytes(b"one")
    Path(os.fsdecode(odd)).write_bytes(b"two")
    hashes = StatHashes.load(str(saved), clock=an_hour_later)
    hashes.digest(str(file))
    hashes.digest(os.fsdecode(odd))
    hashes.save()
    again = StatHashes.load(str(saved))
    assert again.knows(str(file)) == sha256(b"one")
    assert again.knows(os.fsdecode(odd)) == sha256(b"two")
    assert len(reads) == 2


def test_nothing_is_written_when_nothing_changed(tmp_path: Path) -> None:
    """A build with nothing to do does not write."""
    file, saved = tmp_path / "f", tmp_path / "hashes"
    file.write_bytes(b"one")
    StatHashes.load(str(saved)).save()
    assert not saved.exists()
    hashes = StatHashes.load(str(saved), clock=an_hour_later)
    hashes.digest(str(file))
    hashes.save()
    inode = os.stat(saved).st_ino
    again = StatHashes.load(str(saved))
    again.digest(str(file))
    again.save()
    assert os.stat(saved).st_ino == inode
    StatHashes().save()


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xff", b"garbage", msgspec.msgpack.encode((99, {})), msgspec.msgpack.encode((2, {"a": [1]}))],
)
def test_a_corrupt_file_counts_as_empty(tmp_path: Path, content: bytes) -> None:
    """A damaged cache costs time and nothing else."""
    file, saved = tmp_path / "f", tmp_path / "hashes"
    file.write_bytes(b"one")
    saved.write_bytes(content)
    hashes = StatHashes.load(str(saved), clock=an_hour_later)
    assert hashes.digest(str(file)) == sha256(b"one")
    hashes.save()
    assert StatHashes.load(str(saved)).knows(str(file)) == sha256(b"one")


def test_the_least_recently_used_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file's size is bounded."""
    monkeypatch.setattr(stathashes, "MOST_ENTRIES", 2)
    saved = str(tmp_path / "hashes")
    paths = [str(tmp_path / name) for name in "abc"]
    for path in paths:
        Path(path).write_bytes(path.encode())
    first = StatHashes.load(saved, clock=lambda: time.time() + 100)
    first.digest(paths[0])
    first.digest(paths[1])
    first.save()
    second = StatHashes.load(saved, clock=lambda: time.time() + 200)
    second.digest(paths[2])
    second.digest(paths[0])
    second.save()
    third = StatHashes.load(saved)
    assert [third.knows(path) is not None for path in paths] == [True, False, True]


def test_threads_may_share_it(tmp_path: Path) -> None:
    """Look-ups, new entries and saving at once."""
    hashes = StatHashes(str(tmp_path / "hashes"), clock=an_hour_later)
    paths = [str(tmp_path / f"f{number}") for number in range(200)]
    for path in paths:
        Path(path).write_bytes(path.encode())

    def work(path: str) -> bool:
        right = hashes.digest(path) == sha256(path.encode())
        hashes.save()
        return right

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, paths * 2))
    assert all(StatHashes.load(str(tmp_path / "hashes")).knows(path) for path in paths)
