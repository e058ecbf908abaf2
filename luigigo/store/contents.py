"""Content by its digest: published once, checked before it is used. Knows nothing of actions.

On one machine content is used where it lies. With a node cache, the folder is shared: content is copied to
the node when it is first needed, checked on the way, and used from there ever after.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from luigigo.errors import ContentMissing
from luigigo.keyedlocks import KeyedLocks
from luigigo.machine import node_name
from luigigo.model import Digest, Output
from luigigo.store.flaws import MISSING, Flaw, flaw_of, open_plain, patiently
from luigigo.store.layout import sharded
from luigigo.store.owndisk import own_disk_errors
from luigigo.store.staging import CHUNK_BYTES, move, publish, remove_unchanged, staged, store_errors
from luigigo.store.stathashes import StatHashes, sha256_of


class Contents:
    """Immutable files named by their sha256. Safe for threads and for any number of processes and nodes."""

    def __init__(
        self, folder: str, node_cache: str | None, stat_hashes: StatHashes, on_damage: Callable[[str], None]
    ) -> None:
        """`folder` holds the content; `node_cache`, when given, is on a disk of this node's own."""
        self._folder = folder
        self._node_cache = node_cache
        self._stat_hashes = stat_hashes
        self._on_damage = on_damage
        self._opening = KeyedLocks()

    def publish_file(self, path: str, *, executable: bool = False) -> Output:
        """Move a finished file in; afterwards `path` is gone.

        Content that is there already is replaced all the same: its size says nothing of its soundness.
        Raises `StoreError`; then nothing half-written remains and `path` is still there.
        """
        with own_disk_errors(os.path.dirname(path)), open(path, "rb", buffering=0) as file:
            output = Output(sha256_of(file.fileno()), os.fstat(file.fileno()).st_size)
        mode = _mode(executable)
        target = self._path(output.digest)
        if self._node_cache is not None:
            with store_errors("write", target):
                _copy(path, target, mode)
            target = sharded(self._node_cache, output.digest)
            # Where the cache cannot take it, it is fetched when it is read here.
            with suppress(OSError):
                _move_or_copy(path, target, mode)
        else:
            with store_errors("write", target):
                _move_or_copy(path, target, mode)
        self._stat_hashes.remember(target, output.digest)
        return output

    def publish_bytes(self, content: bytes, *, executable: bool = False) -> Output:
        """Store `content`. Raises `StoreError`; then nothing half-written remains."""
        output = Output(Digest(hashlib.sha256(content).hexdigest()), len(content))
        target = self._path(output.digest)
        with store_errors("write", target):
            publish(target, content, _mode(executable))
        self._stat_hashes.remember(target, output.digest)
        return output

    def has(self, output: Output) -> bool:
        """Whether a file of the right name and size is there; its content is not looked at."""
        try:
            return os.stat(self._path(output.digest)).st_size == output.size_bytes
        except OSError:
            return False

    def open(self, output: Output, wait_seconds: float = 0.0) -> str:
        """The path of the content, on this node and checked.

        Waits up to `wait_seconds` for what another node published and this one cannot see yet. Raises
        `ContentMissing` when it is absent, truncated, corrupt or unreadable (what is damaged is removed and
        reported, so that it is made again), and `NodeTrouble` when the node cache cannot be written.
        """
        digest = output.digest
        place = self._path(digest) if self._node_cache is None else sharded(self._node_cache, digest)
        if self._stat_hashes.knows(place) == digest:
            return place
        # Slots of one node ask for the same content at the same moment: one of them copies it.
        with self._opening.hold(digest):
            if self._node_cache is not None and self._cached(output, place):
                return place
            ensure = self._check if self._node_cache is None else self._fetch
            path = self._path(digest)
            try:
                patiently(lambda: ensure(output, place), os.path.dirname(path), wait_seconds)
            except Flaw as flaw:
                self._discard(path, flaw)
                raise ContentMissing(
                    f"content {digest} is {flaw.what} at {path} on node {node_name()}{flaw.patience()}"
                ) from flaw
        return place

    def _path(self, digest: str) -> str:
        return sharded(self._folder, digest)

    def _own_disk_errors(self, output: Output) -> AbstractContextManager[None]:
        return own_disk_errors(str(self._node_cache), output.size_bytes)

    def _discard(self, path: str, flaw: Flaw) -> None:
        """Remove what is damaged, if it may be, and report it."""
        if flaw.what == MISSING:
            return
        removed = flaw.seen is not None and remove_unchanged(path, flaw.seen)
        self._on_damage(f"{path} is {flaw.what}; {'removed' if removed else 'left in place'}")

    def _check(self, output: Output, path: str) -> None:
        """Check content where it lies. Raises `Flaw`."""
        try:
            seen = os.stat(path)
            _check_size(output, seen)
            digest = self._stat_hashes.digest(path, immutable=True)
        except OSError as error:
            raise flaw_of(error) from error
        if digest != output.digest:
            raise Flaw(f"corrupt: its sha256 is {digest}", seen=seen)

    def _cached(self, output: Output, path: str) -> bool:
        """Whether the node cache holds the content; what it holds damaged is removed and reported."""
        try:
            self._check(output, path)
        except Flaw as flaw:
            self._discard(path, flaw)
            return False
        return True

    def _fetch(self, output: Output, place: str) -> None:
        """Copy content from the share to the node cache, checked on the way. Raises `Flaw`."""
        try:
            source = open_plain(self._path(output.digest))
        except OSError as error:
            raise flaw_of(error) from error
        with source:
            seen = os.fstat(source.fileno())
            _check_size(output, seen)
            with self._own_disk_errors(output), staged(place, seen.st_mode & 0o555) as file:
                hasher = hashlib.sha256()
                while chunk := _read_chunk(source.fileno()):
                    hasher.update(chunk)
                    file.write(chunk)
                if hasher.hexdigest() != output.digest:
                    raise Flaw(f"corrupt: its sha256 is {hasher.hexdigest()}", seen=seen)
        self._stat_hashes.remember(place, output.digest)


def _mode(executable: bool) -> int:
    return 0o555 if executable else 0o444


def _check_size(output: Output, seen: os.stat_result) -> None:
    if not stat.S_ISREG(seen.st_mode):
        raise Flaw("no plain file", seen=seen)
    if seen.st_size < output.size_bytes:
        # Waiting may help: a network file system can show a new name before the whole file.
        what = f"truncated: {seen.st_size} of {output.size_bytes} bytes"
        raise Flaw(what, passing=True, seen=seen)
    if seen.st_size > output.size_bytes:
        raise Flaw(f"corrupt: {seen.st_size} instead of {output.size_bytes} bytes", seen=seen)


def _read_chunk(descriptor: int) -> bytes:
    """Read from the share; its errors must not look like those of the file that is written."""
    try:
        return os.read(descriptor, CHUNK_BYTES)
    except OSError as error:
        raise flaw_of(error) from error


def _move_or_copy(path: str, target: str, mode: int) -> None:
    os.chmod(path, mode)
    try:
        move(path, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(path, target, mode)
        os.unlink(path)


def _copy(path: str, target: str, mode: int) -> None:
    with open(path, "rb", buffering=0) as source, staged(target, mode) as file:
        while chunk := source.read(CHUNK_BYTES):
            file.write(chunk)
