"""Publishing one file: staged beside its target under a name of our own, then renamed. Knows no digest.

No lock: publishers of one target all succeed and the last rename stays. No flush to the disk either: after a
power cut a file may be torn, its reader finds that its digest is wrong, and it is made again. That is rare,
and a flush for every file is not.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, TypeVar

from luigigo.errors import StoreError
from luigigo.store.flaws import AWAY, make_folder
from luigigo.store.layout import staging_path

CHUNK_BYTES = 1 << 20

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0

Made = TypeVar("Made")


@contextmanager
def staged(target: str, mode: int) -> Iterator[BinaryIO]:
    """Give a file to write; it becomes `target` when the block ends well.

    Its permissions are `mode` less the umask. When the block or the publishing raises, nothing is left
    behind. Folders are made as needed.
    """
    staging, created = _created(os.path.dirname(target), mode)
    try:
        # Closed before the rename: some network file systems report a full disk only then.
        with created as file:
            yield file
        os.rename(staging, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(staging)
        raise


def publish(target: str, content: bytes, mode: int) -> None:
    """Write `content` to `target` in one step. Raises `OSError`."""
    with staged(target, mode) as file:
        file.write(content)


def link(existing: str, target: str) -> None:
    """Let `target` be another name of a published file, in one step. Raises `OSError`.

    Not every file system has such names, some have them within one folder only, and none replaces one.
    """
    try:
        os.link(existing, target)
    except FileNotFoundError:
        make_folder(os.path.dirname(target))
        os.link(existing, target)


def move(source: str, target: str) -> None:
    """Rename `source`, making the target's folder when it is absent. Raises `OSError`."""
    try:
        os.rename(source, target)
    except FileNotFoundError:
        make_folder(os.path.dirname(target))
        os.rename(source, target)


def remove_unchanged(path: str, seen: os.stat_result) -> bool:
    """Remove the file at `path` if it still is the one that was `seen`; return whether it was removed.

    Another publisher may have put a sound file in its place meanwhile; that one stays.
    """
    try:
        now = os.stat(path)
        same = (now.st_ino, now.st_size, now.st_mtime_ns) == (seen.st_ino, seen.st_size, seen.st_mtime_ns)
        if same:
            os.unlink(path)
    except OSError:
        return False
    return same


@contextmanager
def store_errors(doing: str, path: str) -> Iterator[None]:
    """Turn an `OSError` of the block into a `StoreError` that says what failed, where, and what to do."""
    try:
        yield
    except OSError as error:
        raise store_error(doing, path, error) from error


def store_error(doing: str, path: str, error: OSError) -> StoreError:
    """The `StoreError` for a file system call that failed."""
    reason = error.strerror or str(error)
    failed = StoreError(f"cannot {doing} {path}: {reason}; {_remedy(error.errno)}")
    failed.may_pass = error.errno in _FULL | _DENIED | AWAY
    return failed


def persistently(attempt: Callable[[], Made], patience_seconds: float) -> Made:
    """Attempt again while it fails with what may pass. Raises its `StoreError` when the patience is over."""
    deadline = time.monotonic() + patience_seconds
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            return attempt()
        except StoreError as error:
            if not error.may_pass or time.monotonic() >= deadline:
                raise
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _remedy(number: int | None) -> str:
    elsewhere = "set [luigigo] shared= to a folder elsewhere"
    if number in _FULL:
        return f"free space (luigigo store gc --max-size 10G) or {elsewhere}"
    if number in _DENIED:
        return f"make it writable for this user or {elsewhere}"
    return f"mend the file system or {elsewhere}"


def _create(path: str, mode: int) -> BinaryIO:
    """A new file to write, whatever its mode says: as Git makes its objects."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, mode)
    except FileNotFoundError:
        make_folder(os.path.dirname(path))
        descriptor = os.open(path, flags, mode)
    return os.fdopen(descriptor, "wb")


def _created(folder: str, mode: int) -> tuple[str, BinaryIO]:
    """A new file in a folder, with its name."""
    staging = staging_path(folder)
    try:
        return staging, _create(staging, mode)
    except FileExistsError:
        # Nobody else has this name: a server that was away made the file, and its client asked once more.
        staging = staging_path(folder)
        return staging, _create(staging, mode)
