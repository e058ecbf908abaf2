"""Keeps a node's copies of the store within a size: what was used longest ago goes first."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import msgspec

_log = logging.getLogger("luigigo.worker")

YOUNG_SECONDS = 300.0
"""What was brought or used so recently may be in use."""
TRIM_TO = 0.9
"""Of the limit: how much is kept when it was passed."""
LOOK_SECONDS = 30.0
_REMOVED = ".removed"


class CachedContent(msgspec.Struct, frozen=True):
    """One file or folder of the cache."""

    path: str
    size_bytes: int
    used_at: float


class CacheKeeper:
    """Looks at the folders of a cache now and then, in a thread of its own."""

    def __init__(self, folders: Sequence[str], limit_bytes: int) -> None:
        """`folders` hold files, sharded or not, or folders with the files of one bundle."""
        self._folders = tuple(folders)
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._stopped = threading.Event()

    def start(self) -> None:
        """Look from now on."""
        threading.Thread(target=self._watch, name="cache keeper", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def size_bytes(self) -> int:
        """What the cache held when it was last looked at."""
        return self._size_bytes

    def trim(self, now: float) -> int:
        """Remove what was used longest ago until the limit holds; return the bytes removed."""
        for folder in self._folders:
            _remove_leftovers(folder)
        kept = sorted(self._entries(), key=lambda entry: entry.used_at)
        total = sum(entry.size_bytes for entry in kept)
        removed = 0
        for entry in choose_old(kept, total, self._limit_bytes, now):
            if _remove(entry.path):
                removed += entry.size_bytes
        self._size_bytes = total - removed
        return removed

    def _entries(self) -> Iterator[CachedContent]:
        for folder in self._folders:
            yield from _entries_below(folder)

    def _watch(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS if self._size_bytes else 1.0):
            try:
                removed = self.trim(time.time())
            except OSError as error:
                _log.warning("the cache cannot be looked at: %s", error)
                continue
            if removed:
                _log.info("removed %d bytes from the cache", removed)


def choose_old(
    kept: Sequence[CachedContent], total_bytes: int, limit_bytes: int, now: float
) -> list[CachedContent]:
    """Which entries, given in the order of their use, to remove so that the limit holds again."""
    if total_bytes <= limit_bytes:
        return []
    chosen = []
    for entry in kept:
        if total_bytes <= limit_bytes * TRIM_TO or now - entry.used_at < YOUNG_SECONDS:
            break
        chosen.append(entry)
        total_bytes -= entry.size_bytes
    return chosen


def _entries_below(folder: str) -> Iterator[CachedContent]:
    """The files of a sharded folder, and the bundles of a flat one: names are 64 letters long."""
    with suppress(FileNotFoundError):
        for entry in os.scandir(folder):
            if len(entry.name) == 2 and entry.is_dir(follow_symlinks=False):
                yield from _entries_below(entry.path)
            elif len(entry.name) == 64:
                with suppress(FileNotFoundError):
                    stat = entry.stat(follow_symlinks=False)
                    size = stat.st_size if entry.is_file(follow_symlinks=False) else _tree_bytes(entry.path)
                    # Relative atime is exact enough: it is brought up to date once a day at least.
                    yield CachedContent(entry.path, size, max(stat.st_atime, stat.st_mtime))


def _tree_bytes(folder: str) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(parent, name)).st_size
    return total


def _remove_leftovers(folder: str) -> None:
    """Remove the rest of bundles whose removal was cut short."""
    with suppress(FileNotFoundError):
        for entry in os.scandir(folder):
            if entry.name.endswith(_REMOVED):
                shutil.rmtree(entry.path, ignore_errors=True)


def _remove(path: str) -> bool:
    try:
        if os.path.isdir(path):
            # First renamed, so that nobody finds half of it.
            doomed = f"{path}{_REMOVED}"
            os.rename(path, doomed)
            shutil.rmtree(doomed, ignore_errors=True)
        else:
            os.unlink(path)
    except OSError:
        return False
    return True
