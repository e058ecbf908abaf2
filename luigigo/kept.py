"""Keep a plan with the stats of what it was made from, so that an unchanged build asks nobody.

Imported by the fastest path of the command line: it imports little, and reads one file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from luigigo.config import Config, config_files
from luigigo.encoding import Codec
from luigigo.model import Digest, digest_of

if TYPE_CHECKING:
    from luigigo.golang.request import BuildRequest

FORMAT = 3
RACY_NANOSECONDS = 2_000_000_000
"""A file younger than this may change again without a trace in its stat: its content is kept as well."""

_VARIABLES = ("PATH", "HOME", "XDG_CONFIG_HOME", "CC", "CXX", "FC", "AR", "CPATH", "SDKROOT", "LIBRARY_PATH")
_PREFIXES = ("GO", "CGO_", "PKG_CONFIG", "LD_", "C_INCLUDE", "CPLUS_INCLUDE", "GCC_", "COMPILER_")


class FileState(msgspec.Struct, frozen=True, array_like=True):
    """One file that the plan was made from."""

    path: str
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    """Unlike the other time, it cannot be set back after an edit."""
    inode: int
    digest: str = ""
    """Set for a file that was too young to be trusted by its stat."""


class FolderState(msgspec.Struct, frozen=True, array_like=True):
    """One folder whose entries the plan depends on."""

    path: str
    mtime_ns: int
    names: str
    """Digest of the entries' names, for when something else in the folder changed its time."""


class Kept(msgspec.Struct, frozen=True):
    """A plan that still holds while all of this is as it was."""

    format: int
    plan: Digest
    files: tuple[FileState, ...]
    folders: tuple[FolderState, ...]
    absent: tuple[str, ...]
    """Paths that must not exist, such as a go.work in a parent folder."""
    outputs: tuple[FileState, ...] = ()
    """The binaries that the last build put into place."""
    summary: str = ""
    """What to tell the user of an up-to-date build."""
    messages: str = ""
    """What the tools said that built it, which `go build` shows each time."""

    @property
    def text(self) -> str:
        """What an up-to-date build prints."""
        return self.messages + self.summary


_codec = Codec[Kept](msgspec.msgpack, Kept)


class Place(msgspec.Struct, frozen=True):
    """Where one request's plan is kept."""

    path: str


def place_of(request: BuildRequest, output: str, config: Config, variables: Mapping[str, str]) -> Place:
    """The file for this request, output and environment: another of any of them is another file."""
    digest = digest_of(FORMAT, request, output, config, _relevant(variables))
    return Place(os.path.join(config.cache, "kept", digest))


def place_of_command(
    arguments: Sequence[str], folder: str, config: Config, variables: Mapping[str, str]
) -> Place:
    """The file for a command line as it was typed in a folder: found without parsing it."""
    digest = digest_of(FORMAT, list(arguments), folder, config, _relevant(variables))
    return Place(os.path.join(config.cache, "kept", digest))


def link(command: Place, place: Place) -> None:
    """Let a command line find what is kept at `place`. What fails is no loss but of time."""
    if os.path.exists(place.path):
        with suppress(OSError):
            os.symlink(os.path.basename(place.path), command.path)


def current_build(place: Place) -> Kept | None:
    """What was kept, if it is all as it was and the binaries are in place: nothing is to be done."""
    kept = read(place)
    if kept is not None and outputs_in_place(kept) and still_holds(kept):
        return kept
    return None


def read(place: Place) -> Kept | None:
    """Return what was kept, if the file is there and sound."""
    try:
        with open(place.path, "rb") as file:
            kept = _codec.decode(file.read())
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return kept if kept.format == FORMAT else None


def write(place: Place, kept: Kept) -> None:
    """Keep it. A file that cannot be written is no loss but of time."""
    temporary = f"{place.path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(place.path), exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(_codec.encode(kept))
        os.replace(temporary, place.path)
    except OSError:
        return


def still_holds(kept: Kept) -> bool:
    """Whether every file and folder that the plan was made from is as it was."""
    return (
        all(_same_file(state) for state in kept.files)
        and all(_same_folder(state, kept.outputs) for state in kept.folders)
        and not any(os.path.lexists(path) for path in kept.absent)
    )


def outputs_in_place(kept: Kept) -> bool:
    """Whether the binaries are where the last build put them, untouched."""
    return bool(kept.outputs) and all(_same_file(state) for state in kept.outputs)


def _relevant(variables: Mapping[str, str]) -> list[tuple[str, str]]:
    """The variables that the go command, the C compiler or luigigo obey."""
    return sorted(
        (name, value) for name, value in variables.items() if name in _VARIABLES or name.startswith(_PREFIXES)
    )


def file_states(paths: Iterable[str], now_ns: int) -> tuple[FileState, ...]:
    """Note how files are now. Raises `OSError` for one that is not there."""
    return tuple(file_state(path, now_ns) for path in dict.fromkeys(paths))


def file_state(path: str, now_ns: int = 0) -> FileState:
    """Note how one file is now; with `now_ns`, a young one with its content. Raises `OSError`."""
    stat = os.stat(path)
    young = bool(now_ns) and max(stat.st_mtime_ns, stat.st_ctime_ns) > now_ns - RACY_NANOSECONDS
    times = (stat.st_mtime_ns, stat.st_ctime_ns)
    return FileState(path, stat.st_size, *times, stat.st_ino, _digest(path) if young else "")


def folder_states(paths: Iterable[str], outputs: Sequence[str], now_ns: int) -> tuple[FolderState, ...]:
    """Note how folders are now, the outputs in them aside. Raises `OSError` for one that is not there."""
    ignored = {os.path.basename(path) for path in outputs}
    states = []
    for path in dict.fromkeys(paths):
        mtime_ns = os.stat(path).st_mtime_ns
        settled = mtime_ns <= now_ns - RACY_NANOSECONDS
        states.append(FolderState(path, mtime_ns if settled else 0, _names(path, ignored)))
    return tuple(states)


def setting_files(variables: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The configuration files that are there, and those that are not."""
    paths = [os.path.abspath(path) for path in config_files(variables)]
    present = [path for path in paths if os.path.isfile(path)]
    return present, [path for path in paths if path not in present]


def _same_file(state: FileState) -> bool:
    try:
        stat = os.stat(state.path)
        if (
            stat.st_size != state.size_bytes
            or stat.st_mtime_ns != state.mtime_ns
            or stat.st_ctime_ns != state.ctime_ns
            or stat.st_ino != state.inode
        ):
            return False
        return not state.digest or _digest(state.path) == state.digest
    except OSError:
        return False


def _same_folder(state: FolderState, outputs: Sequence[FileState]) -> bool:
    try:
        if os.stat(state.path).st_mtime_ns == state.mtime_ns:
            return True
        return _names(state.path, {os.path.basename(output.path) for output in outputs}) == state.names
    except OSError:
        return False


def _names(path: str, ignored: set[str]) -> str:
    names = sorted(name for name in os.listdir(path) if name not in ignored)
    return hashlib.sha256(os.fsencode("\0".join(names))).hexdigest()


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()
