"""Keep a plan with what it rests on, so that an unchanged build asks nobody.

Imported by the fastest path of the command line: it imports little, and reads one file.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from luigigo.config import Config
from luigigo.currentfolder import short_path
from luigigo.encoding import Codec
from luigigo.footprint import Footprint, holds, is_settled, stat_numbers
from luigigo.golang.variables import decisive
from luigigo.model import Digest, Told, digest_of

if TYPE_CHECKING:
    from luigigo.golang.request import BuildRequest

FORMAT = 6

WATCHED_VARIABLE = "LUIGIGO_WATCHED"
"""Names the file to which a build writes what it rests on, for whoever watches it."""

USE_SECONDS = 86_400.0 / 2
"""How old the sign of the last use may be: a trim spares what was used within a day."""


class OutputState(msgspec.Struct, frozen=True, array_like=True):
    """A binary that the last build put into place."""

    path: str
    stat: tuple[int, ...]
    digest: Digest
    """What it must be."""
    settled: bool = False
    """Whether its stat alone says so: it was hashed when it was older than the clock's tick."""


class Kept(msgspec.Struct, frozen=True):
    """A plan that still holds while all that it rests on is as it was."""

    format: int
    plan: Digest
    footprint: Footprint
    outputs: tuple[OutputState, ...] = ()
    toolchain: str = ""
    """The line that says which toolchain builds."""
    version: str = ""
    """Of the Go toolchain that made the binaries."""
    messages: tuple[Told, ...] = ()
    """What the tools said that built it, which `go build` shows each time."""
    records: bytes = b""
    """The action keys of the plan, 32 bytes each: what a build that is up to date would need to be edited."""
    seconds: float = 0.0
    """What the plan's actions took when they ran."""

    @property
    def actions(self) -> int:
        """How many actions the plan has."""
        return len(self.records) // 32

    @property
    def words(self) -> str:
        """What the tools said, as it is shown in the current folder."""
        if not self.messages:
            return ""
        from luigigo.messages import shown

        return shown(self.messages)

    @property
    def text(self) -> str:
        """What an up-to-date build prints in the current folder."""
        paths = ", ".join(short_path(output.path) for output in self.outputs)
        return f"{self.words}luigigo: {paths} up to date ({self.version})"

    @property
    def holds(self) -> bool:
        """Whether all that the plan rests on is as it was."""
        return holds(self.footprint)


_codec = Codec[Kept](msgspec.msgpack, Kept)


class Place(msgspec.Struct, frozen=True):
    """Where one request's plan is kept."""

    path: str


def place_of(request: BuildRequest, output: str, config: Config, variables: Mapping[str, str]) -> Place:
    """The file for this request, output and environment: another of any of them is another file."""
    digest = digest_of(FORMAT, os.uname().nodename, request, output, config, decisive(variables))
    return Place(os.path.join(config.cache, "kept", digest))


def place_of_command(
    arguments: Sequence[str], folder: str, config: Config, variables: Mapping[str, str]
) -> Place:
    """The file for a command line as it was typed in a folder: found without parsing it."""
    digest = digest_of(FORMAT, os.uname().nodename, list(arguments), folder, config, decisive(variables))
    return Place(os.path.join(config.cache, "kept", digest))


def link(command: Place, place: Place) -> None:
    """Let a command line find what is kept at `place`. What fails is no loss but of time."""
    if os.path.exists(place.path):
        with suppress(OSError):
            os.symlink(os.path.basename(place.path), command.path)


def current_build(place: Place, clock: Callable[[], int] = time.time_ns) -> Kept | None:
    """What was kept, if it is all as it was and the binaries are in place: nothing is to be done.

    A binary was made just before it was kept, so the first time its content is looked at; what was found is
    written to the place, for the next time. `clock` tells nanoseconds since 1970.
    """
    kept = read(place)
    if kept is None or not kept.outputs:
        return None
    now_ns = clock()
    outputs = tuple(output for output in kept.outputs if _is_in_place(output))
    if len(outputs) < len(kept.outputs) or not kept.holds:
        return None
    settled = tuple(output if output.settled else _settled(output, now_ns) for output in outputs)
    if settled != outputs:
        write(Place(os.path.realpath(place.path)), msgspec.structs.replace(kept, outputs=settled))
    return kept


def note_use(place: Place, kept: Kept, store_root: str, now: float) -> None:
    """Say once a day that an up-to-date build uses what it would need after an edit, so that it stays.

    Costs one stat on the other times. `now`: seconds since 1970.
    """
    with suppress(OSError):
        if now - os.stat(place.path).st_mtime < USE_SECONDS:
            return
        os.utime(place.path)
    from luigigo.store.layout import PLANS, RECORDS, flat, sharded

    keys = kept.records.hex()
    records = [sharded(f"{store_root}/{RECORDS}", keys[at : at + 64]) for at in range(0, len(keys), 64)]
    for path in (flat(f"{store_root}/{PLANS}", kept.plan), *records):
        with suppress(OSError):
            os.utime(path)


def read(place: Place) -> Kept | None:
    """Return what was kept, if the file is there and sound."""
    try:
        with open(place.path, "rb") as file:
            kept = _codec.decode(file.read())
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return kept if kept.format == FORMAT else None


def write(place: Place, kept: Kept) -> None:
    """Keep it. What cannot be written is no loss but of time."""
    temporary = f"{place.path}.{os.getpid()}"
    with suppress(OSError):
        content = _codec.encode(kept)
        os.makedirs(os.path.dirname(place.path), exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(content)
        os.replace(temporary, place.path)


def output_state(path: str, digest: Digest) -> OutputState:
    """Note how a binary is that was just put into place. Raises `OSError`."""
    return OutputState(path, stat_numbers(os.stat(path)), digest)


def _is_in_place(output: OutputState) -> bool:
    """Whether the binary is as it was left: by its stat, and by its content while that was too young."""
    try:
        if stat_numbers(os.stat(output.path)) != output.stat:
            return False
        if output.settled:
            return True
        with open(output.path, "rb", buffering=0) as file:
            # The store's own reader takes long to import.
            hasher = hashlib.sha256()
            while chunk := file.read(1 << 20):
                hasher.update(chunk)
            return hasher.hexdigest() == output.digest
    except OSError:
        return False


def _settled(output: OutputState, now_ns: int) -> OutputState:
    """The same, to be known by its stat if a change since it was hashed at `now_ns` would show there."""
    from luigigo.filesystems import FileSystems

    with suppress(OSError):
        stat = os.stat(output.path)
        if is_settled(stat.st_ctime_ns, now_ns) and FileSystems().trusts(stat, output.path):
            return msgspec.structs.replace(output, settled=True)
    return output
