"""The luigid that this user runs on this machine for nobody else: a note by which other commands find it.

One small file for each, written when the luigid listens and removed at its end. What a luigid left that was
killed names a process that has ended, and counts for nothing.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from luigigo.clusterfile.known import KnownCluster, find_known
from luigigo.config import luigids_folder
from luigigo.encoding import Codec
from luigigo.errors import UsageError
from luigigo.lifetimes import Life, own_life
from luigigo.machine import node_name

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class LocalLuigid(msgspec.Struct, frozen=True):
    """A luigid of this user's that runs on this machine."""

    known: KnownCluster
    """`shared` is the user's own store, which workers on this machine use as well."""
    life: Life


_codec = Codec[LocalLuigid](msgspec.json, LocalLuigid)


def announce(known: KnownCluster, variables: Mapping[str, str] = os.environ) -> str:
    """Let other commands of this user find the luigid that this process is; return the note.

    Raises `UsageError` where the note cannot be written.
    """
    folder = luigids_folder(variables)
    path = os.path.join(folder, f"{_prefix()}{os.getpid()}.json")
    staged = os.path.join(folder, f".{secrets.token_hex(8)}")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with open(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_codec.encode(LocalLuigid(known, own_life())))
        os.replace(staged, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(staged)
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    _remove_stale(folder)
    return path


def find_local(port: int = 0, variables: Mapping[str, str] = os.environ) -> KnownCluster | None:
    """The luigid of this user's that runs here, at `port` where that is given; of several the lowest."""
    folder = luigids_folder(variables)
    try:
        names = [name for name in os.listdir(folder) if name.startswith(_prefix()) and name.endswith(".json")]
    except OSError:
        return None
    notes = (_read(os.path.join(folder, name)) for name in names)
    found = [note.known for note in notes if note is not None and port in (0, note.known.port)]
    return min(found, key=lambda known: known.port, default=None)


def find_access(host: str, port: int, variables: Mapping[str, str] = os.environ) -> KnownCluster | None:
    """What a client needs for the luigid there: this user's own on this machine, else a known cluster's."""
    local = find_local(port, variables) if host in LOOPBACK else None
    return local or find_known(host, port, variables)


def _prefix() -> str:
    """What the notes of this machine begin with: others may share the home."""
    return f"{node_name()}_"


def _remove_stale(folder: str) -> None:
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name.startswith(_prefix()) and _read(path) is None:
            with suppress(OSError):
                os.unlink(path)


def _read(path: str) -> LocalLuigid | None:
    """The note, if it is this user's and its luigid runs."""
    try:
        with open(path, "rb") as file:
            # It names the store and the token's file: nobody else may have written it.
            if os.fstat(file.fileno()).st_uid not in (os.geteuid(), 0):
                return None
            note = _codec.decode(file.read())
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return note if note.life.lasts else None
