"""Keeps a node's copies of the store within a size: what was used longest ago goes first.

What actions read at this moment stays.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress

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
    """Looks at the folders of a cache now and then, in a thread of its own. Safe for threads."""

    def __init__(self, folders: Sequence[str] = (), limit_bytes: int = 0) -> None:
        """`folders` hold files, sharded or not, or folders with the files of one bundle."""
        self._held: Counter[str] = Counter()
        """By name, how many actions read it at this moment."""
        self._guard = threading.Lock()
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

    @contextmanager
    def hold(self, names: Collection[str]) -> Iterator[None]:
        """Remove nothing of these names within the block."""
        with self._guard:
            self._held.update(names)
        try:
            yield
        finally:
            with self._guard:
                self._held.subtract(names)
                for name in names:
                    if not self._held[name]:
                        del self._held[name]

    def make_room(self) -> int:
        """Remove all that nobody reads at this moment; return the bytes removed."""
        for folder in self._folders:
            _remove_leftovers(folder)
        removed = sum(entry.size_bytes for entry in tuple(self._entries()) if self._remove(entry.path))
        _log.info("the disk is full: removed %d bytes from the cache", removed)
        return removed

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
            if self._remove(entry.path):
                removed += entry.size_bytes
        self._size_bytes = total - removed
        return removed

    def _entries(self) -> Iterator[CachedContent]:
        for folder in self._folders:
            yield from _entries_below(folder)

    def _remove(self, path: str) -> bool:
        # Who begins to read it now finds it gone, and fetches it again.
        with self._guard:
            return not self._held[os.path.basename(path)] and remove_entry(path)

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


def remove_entry(path: str) -> bool:
    """Remove a file, or a folder in one step as others see it; say whether it is gone."""
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
