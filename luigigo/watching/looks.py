"""How the inputs of a build are at one moment, and which of them have another content than before.

Stats say what may have changed, contents what did: a save of the same bytes is no change. Of a package's
folder only names count that Go reads, so that editors' helper files are none either.
"""

from __future__ import annotations

import hashlib
import os
import stat as kinds
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

import msgspec

from luigigo.builds.planning_places import READ_IN_PACKAGES
from luigigo.builds.watched import Watched
from luigigo.footprint import COARSE_MARGIN_NS, is_settled, stat_numbers
from luigigo.golang.embedplaces import may_embed

HASHED_BYTES = 64 << 20
"""Of a larger file every save counts."""
_CHUNK_BYTES = 1 << 20
_STAT_NUMBERS, _CTIME = 6, 3

UNKNOWN = b""
"""The digest of a content that nobody has seen; it equals no other."""

State = tuple[int, ...]
"""Stat numbers of a file, the kind alone of a folder, or how it is absent."""
Look = dict[str, State]
"""By absolute path."""


class Beginning(msgspec.Struct, frozen=True):
    """When a build began, and what was there then."""

    started_ns: int
    names: dict[str, frozenset[str]] = {}
    """Of folders into which the build itself may write: what they held before."""

    @classmethod
    def now(cls, folders: Collection[str]) -> Beginning:
        """Look around before a build begins."""
        names = {}
        for folder in folders:
            with suppress(OSError):
                names[folder] = frozenset(os.listdir(folder))
        return cls(time.time_ns(), names)

    def has_seen(self, path: str, state: State) -> bool:
        """Whether it is certain that what is at a path now was there when the build began.

        Of a folder the times of the one around it tell. What is not there is taken to have been absent.
        """
        if len(state) > _CTIME:
            return not _is_recent(state, self.started_ns)
        if state[0] < 0:
            return True
        around, name = os.path.split(path)
        if around in self.names:
            return name in self.names[around]
        try:
            return is_settled(os.stat(around).st_ctime_ns, self.started_ns)
        except OSError:
            return False


class WatchedPlaces:
    """Where to look, from what a build rests on."""

    def __init__(self, watched: Watched) -> None:
        self._sources = watched.sources
        self._outputs = frozenset(watched.outputs)
        self.files = dict.fromkeys(watched.places.files)
        self.folders = dict.fromkeys(watched.places.folders)
        self.listings = {path: None for path in watched.places.listings if path not in self.folders}
        self._listed = frozenset(watched.places.listings)
        self._closed = tuple(tree + "/" for tree in watched.closed if tree)

    def parents(self) -> dict[str, None]:
        """The folders in whose entries something can change: those of links' targets, too."""
        paths = (*self.files, *(os.path.realpath(path) for path in self.files if os.path.islink(path)))
        return dict.fromkeys((*map(os.path.dirname, paths), *self.folders, *self.listings))

    def looks_into(self, folder: str) -> bool:
        """Whether the entries of a folder are looked at."""
        return folder in self.folders or folder in self.listings

    def is_closed(self, path: str) -> bool:
        """Whether it lies where nobody saves files to look at."""
        return path.startswith(self._closed)

    def look(self, within: Collection[str] | None = None) -> Look:
        """How all is that counts, or what is in some folders only."""
        found: Look = {}
        for path in self.files:
            if within is None or os.path.dirname(path) in within:
                found[path] = state_of(path)
        for folder in self.folders:
            if within is None or folder in within:
                self._look_into(folder, found, with_stats=True)
        for folder in self.listings:
            if within is None or folder in within:
                self._look_into(folder, found, with_stats=False)
        return found

    def _look_into(self, folder: str, found: Look, *, with_stats: bool) -> None:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if self.counts(folder, entry.name):
                        found[entry.path] = _entry_state(entry, with_stats=with_stats)
        except OSError as error:
            # Told from its entry in the folder around it.
            found[folder + "/"] = _absence(error)

    def counts(self, folder: str, name: str) -> bool:
        """Whether an entry of a folder that is looked into can change the build."""
        if os.path.join(folder, name) in self._outputs:
            return False
        patterns = self._sources.get(folder)
        if patterns is None and folder in self.folders:
            return True
        if patterns and may_embed(patterns, name):
            return True
        if name.startswith("."):
            return False
        return name.endswith(READ_IN_PACKAGES) or os.path.isdir(os.path.join(folder, name))

    def is_own(self, path: str) -> bool:
        """Whether it is a folder around the build's output, where nobody takes in folders for being there."""
        folder, name = os.path.split(path)
        return (
            any(output.startswith(path + "/") for output in self._outputs)
            and folder not in self._listed
            and not may_embed(self._sources.get(folder, ()), name)
        )

    def notices(self, folder: str, name: str) -> bool:
        """Whether an event of this entry is worth a look."""
        path = os.path.join(folder, name)
        if path in self.files or path in self.folders or path in self.listings:
            return True
        if folder in self.folders or folder in self.listings:
            return self.counts(folder, name) or not os.path.lexists(path)
        # A folder on the way to a place that was not there.
        return any(place.startswith(path + "/") for place in self.files) or any(
            place.startswith(path + "/") for place in (*self.folders, *self.listings)
        )


class Basis:
    """How the inputs were when a build began that saw them so, or later ones."""

    def __init__(self, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._clock_ns = clock_ns
        self._look: Look = {}
        self._digests: dict[str, bytes | None] = {}
        self._seen_ns: dict[str, int] = {}
        """When files were looked at that had just changed: one more change may leave them the same times."""

    def changed(self, look: Look, within: Collection[str] | None = None) -> list[str]:
        """The paths whose contents are others than they were; what only looks so is not looked at again."""
        changed = []
        for path in self._all(look, within):
            before, now = self._look.get(path), look.get(path)
            if before == now and not self._may_hide_a_change(path):
                continue
            if before is not None and now is not None and self._is_same(path, now):
                self._look[path] = now
            else:
                changed.append(path)
        return changed

    def renew(self, places: WatchedPlaces, look: Look, within: Collection[str] | None = None) -> None:
        """Take things as they are: before a build begins."""
        for path in list(self._all(look, within)):
            now = look.get(path)
            if now is None:
                self._forget(path)
            elif self._look.get(path) != now or path in self._seen_ns:
                self._keep(places, path, now)

    def adopt(self, places: WatchedPlaces, look: Look, beginning: Beginning) -> list[str]:
        """Go on with the places that a build has named.

        Returns those that may have changed since it saw them: of what is new to us nobody knows how it was.
        """
        for path in [path for path in self._look if path not in look]:
            # What was deleted stays known, so that it is missed; what merely no longer matters does not.
            if not places.looks_into(os.path.dirname(path)) or os.path.lexists(path):
                self._forget(path)
        for folder, names in beginning.names.items():
            for name in names if places.looks_into(folder) else ():
                path = os.path.join(folder, name)
                if path not in look and places.counts(folder, name) and not os.path.lexists(path):
                    self._look.setdefault(path, ())
        for path, state in look.items():
            if path not in self._look and (places.is_own(path) or beginning.has_seen(path, state)):
                self._keep(places, path, state)
        return self.changed(look)

    def _keep(self, places: WatchedPlaces, path: str, state: State) -> None:
        self._look[path] = state
        self._digests[path] = None if places.is_closed(path) else digest(path, state)
        now_ns = self._clock_ns()
        if _is_recent(state, now_ns):
            self._seen_ns[path] = now_ns

    def _forget(self, path: str) -> None:
        for known in (self._look, self._digests, self._seen_ns):
            known.pop(path, None)

    def _may_hide_a_change(self, path: str) -> bool:
        """Whether its times may be the same after another change: for as long as a coarse clock's tick."""
        seen_ns = self._seen_ns.get(path)
        if seen_ns is None or self._digests.get(path) is None:
            return False
        if self._clock_ns() - seen_ns > 2 * COARSE_MARGIN_NS:
            del self._seen_ns[path]
        return True

    def _all(self, look: Look, within: Collection[str] | None) -> Iterable[str]:
        if within is None:
            return dict.fromkeys((*self._look, *look))
        before = (path for path in self._look if os.path.dirname(path) in within)
        return dict.fromkeys((*before, *look))

    def _is_same(self, path: str, now: State) -> bool:
        before = self._digests.get(path)
        return before not in (None, UNKNOWN) and before == digest(path, now)


def state_of(path: str) -> State:
    """How a file is; of a folder only that it is one."""
    try:
        stat = os.stat(path)
    except OSError as error:
        return _absence(error)
    return (kinds.S_IFDIR,) if kinds.S_ISDIR(stat.st_mode) else stat_numbers(stat)


def _entry_state(entry: os.DirEntry[str], *, with_stats: bool) -> State:
    try:
        if entry.is_dir(follow_symlinks=False):
            return (kinds.S_IFDIR,)
        if not with_stats:
            return (kinds.S_IFLNK if entry.is_symlink() else kinds.S_IFREG,)
        numbers = stat_numbers(entry.stat(follow_symlinks=False))
        return numbers + state_of(entry.path) if entry.is_symlink() else numbers
    except OSError as error:
        return _absence(error)


def _absence(error: OSError) -> State:
    return (-(error.errno or 1),)


def _is_recent(state: State, started_ns: int) -> bool:
    """Whether it may have changed since a moment; `state` as `stat_numbers` has it."""
    return len(state) > _CTIME and not is_settled(state[_CTIME], started_ns)


def digest(path: str, state: State) -> bytes | None:
    """The digest of a file's content; None for what is no file, too large, or cannot be read.

    `UNKNOWN` for a file that is no longer as the look at it saw it.
    """
    if len(state) < _STAT_NUMBERS or state[-5] > HASHED_BYTES or not kinds.S_ISREG(state[-6]):
        return None
    hasher = hashlib.sha256()
    try:
        with open(path, "rb", buffering=0) as file:
            while chunk := file.read(_CHUNK_BYTES):
                hasher.update(chunk)
            after = stat_numbers(os.fstat(file.fileno()))
    except OSError:
        return None
    return hasher.digest() if after == state[-_STAT_NUMBERS:] else UNKNOWN
