"""Writing to a share that is full, read-only or away for a moment."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from luigigo.errors import StoreError
from luigigo.store import StatHashes, Store, staging
from luigigo.store.staging import persistently, store_error


class Clock:
    """Stands for `time`: sleeping takes no time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(staging, "time", made)
    return made


class Share:
    """Fails so many times, then gives a value."""

    def __init__(self, number: int, failures: int) -> None:
        self.number, self.failures = number, failures
        self.attempts = 0

    def __call__(self) -> str:
        self.attempts += 1
        if self.attempts <= self.failures:
            raise store_error("write", "/share/x", OSError(self.number, os.strerror(self.number)))
        return "written"


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.ESTALE, errno.EIO]
)
def test_what_may_pass_is_tried_again(clock: Clock, number: int) -> None:
    """A share that is full, read-only or away is tried again until it takes what it is given."""
    share = Share(number, 4)
    assert persistently(share, 30.0) == "written"
    assert share.attempts == 5
    assert clock.slept == sorted(clock.slept)


def test_the_pauses_have_a_limit(clock: Clock) -> None:
    """It is asked ever less often, but every two seconds at least."""
    persistently(Share(errno.ENOSPC, 20), 1000.0)
    assert max(clock.slept) == 2.0


def test_patience_ends(clock: Clock) -> None:
    """When the time is over, the error says what failed and what to do."""
    share = Share(errno.ENOSPC, 10**6)
    with pytest.raises(StoreError, match=r"cannot write /share/x: No space left on device; free space"):
        persistently(share, 30.0)
    assert 30.0 <= clock.now <= 33.0


def test_without_patience_there_is_one_attempt(clock: Clock) -> None:
    """On one machine a failure is said at once."""
    share = Share(errno.EROFS, 1)
    with pytest.raises(StoreError):
        persistently(share, 0.0)
    assert (share.attempts, clock.slept) == (1, [])


def test_what_does_not_pass_is_not_tried_again(clock: Clock) -> None:
    """A wrong path stays wrong, and an error that is no store's is nobody's to wait for."""
    share = Share(errno.ENOTDIR, 1)
    with pytest.raises(StoreError):
        persistently(share, 30.0)
    assert share.attempts == 1

    def broken() -> None:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        persistently(broken, 30.0)
    assert clock.slept == []


def test_a_store_waits_until_its_share_can_be_written(tmp_path: Path, clock: Clock) -> None:
    """Publishing goes on when a folder that stood in the way is mended."""
    store = Store.open_at(str(tmp_path), None, StatHashes(), patience_seconds=30.0)
    real = os.rename
    failures = iter([errno.ESTALE, errno.EIO])

    def rename(source: str, target: str) -> None:
        for number in failures:
            raise OSError(number, os.strerror(number))
        real(source, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging.os, "rename", rename)
        output = store.publish_bytes(b"content")
    assert Path(store.open_content(output)).read_bytes() == b"content"
    assert len(clock.slept) == 2


def test_a_published_file_has_its_mode_less_the_umask(tmp_path: Path) -> None:
    """As files have that any program makes: a private umask makes a private store."""
    before = os.umask(0o027)
    try:
        staging.publish(str(tmp_path / "a" / "b"), b"content", 0o444)
    finally:
        os.umask(before)
    published = tmp_path / "a" / "b"
    assert (published.stat().st_mode & 0o777, published.read_bytes()) == (0o440, b"content")


def test_a_server_that_made_the_file_before_it_was_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client asks once more, and is told that the file exists: another name is taken."""
    asked: list[str] = []
    really_open = os.open

    def open_twice(path: str, *arguments: int) -> int:
        asked.append(path)
        if len(asked) == 1:
            os.close(really_open(path, *arguments))
        return really_open(path, *arguments)

    monkeypatch.setattr(staging.os, "open", open_twice)
    staging.publish(str(tmp_path / "b"), b"content", 0o444)
    assert len(set(asked)) == 2
    assert (tmp_path / "b").read_bytes() == b"content"
