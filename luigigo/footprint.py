"""What an answer rests on: stats of files and folders, by which one can tell that it still holds.

An answer is kept only when none of its places changed since the asking began, so that what changes later
has other times. Asks nobody and knows nothing of what the answer is.
"""

from __future__ import annotations

import hashlib
import os
import stat as kinds
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

import msgspec

FINE_MARGIN_NS = 20_000_000
"""The kernel stamps files with the time of its last tick, which is up to 10 ms ago."""
COARSE_MARGIN_NS = 2_000_000_000
"""Some file systems keep whole or even seconds."""
_FINEST_COARSE_NS = 1_000_000

Trusts = Callable[[os.stat_result, str], bool]
"""Whether a file system's times carry each change (`filesystems`)."""


class Places(msgspec.Struct, frozen=True):
    """Where an answer comes from, by absolute paths."""

    files: tuple[str, ...] = ()
    """Paths that may or may not exist: the stat of each, links followed, or its absence."""
    folders: tuple[str, ...] = ()
    """Of every entry name, kind and stat; of a link its own and its target's; of a subfolder no stat."""
    listings: tuple[str, ...] = ()
    """Of every entry only name and kind. One that is not there counts by its absence."""

    def __or__(self, other: Places) -> Places:
        """Both, each place once."""
        return joined((self, other))


def joined(several: Iterable[Places]) -> Places:
    """All of them, each place once."""
    files: dict[str, None] = {}
    folders: dict[str, None] = {}
    listings: dict[str, None] = {}
    for places in several:
        files.update(dict.fromkeys(places.files))
        folders.update(dict.fromkeys(places.folders))
        listings.update(dict.fromkeys(places.listings))
    return Places(tuple(files), tuple(folders), tuple(path for path in listings if path not in folders))


class FolderState(msgspec.Struct, frozen=True, array_like=True):
    """One folder with its entries."""

    path: bytes
    left_out: tuple[bytes, ...]
    """Names that do not count."""
    digest: bytes


class ListingState(msgspec.Struct, frozen=True, array_like=True):
    """One folder's names."""

    path: bytes
    left_out: tuple[bytes, ...]
    stat: tuple[int, ...]
    """While it is the same, so are the names."""
    digest: bytes
    dangling: tuple[bytes, ...] = ()
    """Names of links that lead nowhere, and whose targets may appear without a trace in the folder."""


class Footprint(msgspec.Struct, frozen=True, array_like=True):
    """How places were, in few bytes: paths, and digests of stats."""

    files: tuple[bytes, ...]
    files_digest: bytes
    folders: tuple[FolderState, ...]
    listings: tuple[ListingState, ...]


class Exempt(msgspec.Struct, frozen=True):
    """What `take` need not be certain of."""

    outputs: Collection[str] = ()
    """Files that the asking itself will make, by absolute path: as entries of folders they do not count."""
    absent_before: Collection[str] = ()
    """Files that were absent when the asking began: if they still are, the folder around may be busy."""


_NOTHING = Exempt()


def take(places: Places, started_ns: int, trusts: Trusts, exempt: Exempt = _NOTHING) -> Footprint | None:
    """Note how the places are, or return None when it is not certain that the answer saw them so.

    `started_ns` is the time when the asking began. It is not certain when anything changed since, or just
    before, within the clock's tick; when it lies on a file system whose times do not carry each change; or
    when it vanished.
    """
    witness = _Witness(started_ns, trusts, exempt)
    try:
        footprint = Footprint(
            tuple(os.fsencode(path) for path in places.files),
            _files_digest([os.fsencode(path) for path in places.files], witness),
            tuple(_folder(path, witness) for path in places.folders),
            tuple(_listing(path, witness) for path in places.listings),
        )
        witness.look_at_ways((*places.files, *places.folders, *places.listings))
    except (_Uncertain, OSError):
        return None
    return footprint


def holds(footprint: Footprint) -> bool:
    """Whether all is as it was."""
    try:
        return (
            _files_digest(footprint.files) == footprint.files_digest
            and all(_listing_holds(state) for state in footprint.listings)
            and all(_folder_digest(state.path, state.left_out) == state.digest for state in footprint.folders)
        )
    except OSError:
        return False


def is_settled(ctime_ns: int, before_ns: int) -> bool:
    """Whether a file with this change time changed so long before a moment that what comes later shows.

    By the change time, which nobody can set back.
    """
    margin_ns = FINE_MARGIN_NS if ctime_ns % _FINEST_COARSE_NS else COARSE_MARGIN_NS
    return ctime_ns < before_ns - margin_ns


class _Uncertain(Exception):
    """Something may have been otherwise when the answer was made."""


class _Witness:
    """Sees every stat that goes into a footprint. Raises `_Uncertain`."""

    def __init__(self, started_ns: int, trusts: Trusts, exempt: Exempt) -> None:
        self._started_ns = started_ns
        self._trusts = trusts
        self._absent_before = exempt.absent_before
        self._ways: set[str] = set()
        self._outputs: dict[tuple[int, int], set[bytes]] = {}
        for output in exempt.outputs:
            folder, name = os.path.split(output)
            try:
                stat = os.stat(folder)
            except OSError:
                continue
            self._outputs.setdefault((stat.st_dev, stat.st_ino), set()).add(os.fsencode(name))

    def left_out(self, folder: str) -> tuple[bytes, ...]:
        """The names of outputs in a folder, by whatever path the folder is known."""
        if not self._outputs:
            return ()
        try:
            stat = os.stat(folder)
        except OSError:
            return ()
        return tuple(sorted(self._outputs.get((stat.st_dev, stat.st_ino), ())))

    def see(self, stat: os.stat_result, path: bytes | str) -> None:
        """What this stat is of was so all the time."""
        if not is_settled(stat.st_ctime_ns, self._started_ns) or not self._trusts(stat, os.fsdecode(path)):
            raise _Uncertain

    def see_absent(self, path: bytes) -> None:
        """Nothing was there all the time: nothing came or went in the nearest folder that is there."""
        folder = os.path.dirname(os.fsdecode(path))
        while not os.path.exists(folder):
            if folder in ("", "/"):
                raise _Uncertain
            folder = os.path.dirname(folder)
        stat = os.stat(folder)
        if os.fsdecode(path) not in self._absent_before:
            self.see(stat, folder)
        elif not self._trusts(stat, folder):
            raise _Uncertain

    def look_at_ways(self, paths: Iterable[str]) -> None:
        """No link on the way to a place was turned to another target."""
        waiting = list(paths)
        while waiting:
            path = waiting.pop()
            while path not in self._ways:
                self._ways.add(path)
                if os.path.islink(path):
                    self.see(os.lstat(path), path)
                    waiting.append(os.path.join(os.path.dirname(path), os.readlink(path)))
                path = os.path.dirname(path)


def _files_digest(paths: Iterable[bytes], witness: _Witness | None = None) -> bytes:
    numbers: list[int] = []
    for path in paths:
        try:
            stat = os.stat(path)
        except OSError as error:
            numbers.append(_absence(error))
            if witness is not None:
                witness.see_absent(path)
            continue
        numbers += stat_numbers(stat)
        if witness is not None:
            witness.see(stat, path)
    return hashlib.sha256(_encode(numbers)).digest()


def _folder(path: str, witness: _Witness) -> FolderState:
    left_out = witness.left_out(path)
    folder = os.fsencode(path)
    return FolderState(folder, left_out, _folder_digest(folder, left_out, witness))


def _folder_digest(path: bytes, left_out: Collection[bytes], witness: _Witness | None = None) -> bytes:
    """Digest of what counts of a folder, or of its absence. Raises `OSError` when an entry vanishes."""
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        return _absence_digest(path, error, witness)
    try:
        names = sorted(_counted(os.listdir(folder), left_out))
        numbers: list[int] = []
        for name in names:
            stat = os.stat(name, dir_fd=folder, follow_symlinks=False)
            mode = stat.st_mode
            if kinds.S_ISDIR(mode):
                numbers.append(kinds.S_IFDIR)
                continue
            numbers += stat_numbers(stat)
            if kinds.S_ISLNK(mode):
                numbers += _target(name, folder, witness, path)
            if witness is not None:
                witness.see(stat, os.path.join(os.fsdecode(path), name))
        if witness is not None:
            # Last, so that an entry that vanished while the others were looked at shows.
            witness.see(os.fstat(folder), path)
    finally:
        os.close(folder)
    return hashlib.sha256(os.fsencode("\0".join(names)) + b"\0\0" + _encode(numbers)).digest()


def _target(name: str, folder: int, witness: _Witness | None, path: bytes) -> tuple[int, ...]:
    """What counts of that to which a link leads."""
    link = os.path.join(os.fsdecode(path), name)
    if witness is not None:
        witness.look_at_ways((link,))
    try:
        stat = os.stat(name, dir_fd=folder)
    except OSError as error:
        if witness is not None:
            witness.see_absent(os.fsencode(os.path.realpath(link)))
        return (_absence(error),)
    if kinds.S_ISDIR(stat.st_mode):
        return (kinds.S_IFDIR, stat.st_ino, stat.st_dev)
    if witness is not None:
        witness.see(stat, link)
    return stat_numbers(stat)


def _listing(path: str, witness: _Witness) -> ListingState:
    folder, left_out = os.fsencode(path), witness.left_out(path)
    digest = _listing_digest(folder, left_out, witness)
    dangling = _dangling(path, witness)
    try:
        # Last, so that a change while the names were read shows.
        stat = os.stat(path)
    except OSError:
        return ListingState(folder, left_out, (), digest)
    witness.see(stat, path)
    return ListingState(folder, left_out, stat_numbers(stat), digest, dangling)


def _dangling(path: str, witness: _Witness) -> tuple[bytes, ...]:
    """The links of a folder that lead nowhere; what others lead to was there all the time."""
    found = []
    with suppress(OSError), os.scandir(path) as entries:
        for entry in entries:
            if entry.is_symlink():
                try:
                    stat = entry.stat()
                except OSError:
                    found.append(os.fsencode(entry.name))
                    continue
                if not kinds.S_ISDIR(stat.st_mode):
                    witness.see(stat, entry.path)
    return tuple(sorted(found))


def _listing_holds(state: ListingState) -> bool:
    if any(os.path.exists(os.path.join(state.path, name)) for name in state.dangling):
        return False
    if state.stat:
        try:
            if stat_numbers(os.stat(state.path)) == state.stat:
                return True
        except OSError:
            return False
    return _listing_digest(state.path, state.left_out) == state.digest


def _listing_digest(path: bytes, left_out: Collection[bytes], witness: _Witness | None = None) -> bytes:
    try:
        with os.scandir(os.fsdecode(path)) as entries:
            kind_of = {entry.name: _kind(entry) for entry in entries}
    except OSError as error:
        return _absence_digest(path, error, witness)
    found = (name + kind_of[name] for name in sorted(_counted(kind_of, left_out)))
    return hashlib.sha256(os.fsencode("\0".join(found))).digest()


def _counted(names: Iterable[str], left_out: Collection[bytes]) -> Iterable[str]:
    return (name for name in names if os.fsencode(name) not in left_out) if left_out else names


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "@"
    return "/" if entry.is_dir(follow_symlinks=False) else "-"


def _absence_digest(path: bytes, error: OSError, witness: _Witness | None) -> bytes:
    if witness is not None:
        witness.see_absent(path)
    return b"%d" % _absence(error)


def _absence(error: OSError) -> int:
    """How nothing is there: never the mode of a file, with which a state begins."""
    return -(error.errno or 1)


def stat_numbers(stat: os.stat_result) -> tuple[int, ...]:
    """What counts of a stat: mode, size, times, inode and device."""
    return (stat.st_mode, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev)


_encode = msgspec.msgpack.Encoder().encode
