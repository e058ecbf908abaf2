"""Digests of files, computed again only when a file's stat differs. Knows nothing of the store.

A file that changes twice within one tick of the file system's clock, and keeps its size, has the same stat
before and after. So the digest of a file that changed just before it was hashed is not kept (git calls such
an entry racily clean), and none of a file on a file system whose times do not carry each change, unless the
caller vouches that the file is only ever replaced by a rename.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable

import msgspec

from luigigo.encoding import Codec
from luigigo.filesystems import FileSystems
from luigigo.footprint import Trusts, is_settled
from luigigo.model import Digest
from luigigo.store.staging import CHUNK_BYTES, publish

MOST_ENTRIES = 400_000
_FORMAT = 2

_Stat = tuple[int, int, int, int, int]
_Entry = tuple[_Stat, Digest, int]
"""Stat, digest, and when it was last used, in seconds since 1970."""
_codec = Codec[tuple[int, dict[str, _Entry]]](msgspec.msgpack, tuple[int, dict[str, _Entry]])


class StatHashes:
    """Digests by absolute path, valid while size, times, inode and device are the same. Safe for threads."""

    def __init__(
        self,
        file: str | None = None,
        clock: Callable[[], float] = time.time,
        trusts: Trusts | None = None,
    ) -> None:
        """Start empty; `file` is where `save` writes, and None keeps everything in memory.

        `trusts` judges file systems, by this machine's mounts unless another is given.
        """
        self._file = file
        self._clock = clock
        self._trusts = FileSystems().trusts if trusts is None else trusts
        self._entries: dict[str, _Entry] = {}
        self._used: set[str] = set()
        self._changed = False
        self._saving = threading.Lock()

    @classmethod
    def load(cls, file: str, clock: Callable[[], float] = time.time) -> StatHashes:
        """Read what an earlier process saved; a file that is absent, unreadable or corrupt is empty."""
        hashes = cls(file, clock)
        try:
            with open(file, "rb") as saved:
                number, entries = _codec.decode(saved.read())
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return hashes
        if number == _FORMAT:
            hashes._entries = entries
        return hashes

    def save(self) -> None:
        """Write the file if an entry changed since it was read, the least recently used left out.

        Processes that save to one file overwrite each other whole; what is lost is hashed again.
        Raises `OSError`.
        """
        with self._saving:
            if self._file is None or not self._changed:
                return
            self._changed = False
            now = int(self._clock())
            used = self._used.copy()
            entries = {
                path: (stat, digest, now if path in used else last_used)
                for path, (stat, digest, last_used) in self._entries.copy().items()
            }
            if len(entries) > MOST_ENTRIES:
                newest = sorted(entries.items(), key=lambda item: item[1][2], reverse=True)
                entries = dict(newest[:MOST_ENTRIES])
            publish(self._file, _codec.encode((_FORMAT, entries)), 0o644)

    def knows(self, path: str) -> Digest | None:
        """The digest of the file, if that is known without reading it."""
        entry = self._entries.get(path)
        if entry is None:
            return None
        try:
            stat = os.stat(path)
        except OSError:
            return None
        if entry[0] != _stat_of(stat):
            return None
        self._used.add(path)
        return entry[1]

    def digest(self, path: str, *, immutable: bool = False) -> Digest:
        """The sha256 of the file's content, read only when it is not known. Raises `OSError`.

        `immutable`: the file is only ever replaced by a rename, so the digest holds however young it is.
        """
        known = self.knows(path)
        if known is not None:
            return known
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        now_ns = int(self._clock() * 1e9)
        try:
            before = os.fstat(descriptor)
            digest = sha256_of(descriptor)
            after = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        settled = is_settled(before.st_ctime_ns, now_ns) and self._trusts(before, path)
        if (settled or immutable) and _stat_of(before) == _stat_of(after):
            self._keep(path, before, digest)
        return digest

    def remember(self, path: str, digest: Digest) -> None:
        """Take the caller's word for the content of a file that it just made and nobody modifies."""
        try:
            self._keep(path, os.stat(path), digest)
        except OSError:
            self._entries.pop(path, None)

    def _keep(self, path: str, stat: os.stat_result, digest: Digest) -> None:
        self._entries[path] = (_stat_of(stat), digest, int(self._clock()))
        self._changed = True


def sha256_of(descriptor: int) -> Digest:
    """The sha256 of what can still be read from an open file. Raises `OSError`."""
    hasher = hashlib.sha256()
    while chunk := os.read(descriptor, CHUNK_BYTES):
        hasher.update(chunk)
    return Digest(hasher.hexdigest())


def _stat_of(stat: os.stat_result) -> _Stat:
    return (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev)
