"""Do to real files what `tree` says of values."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from .tree import (
    Entry,
    File,
    Folder,
    Link,
    MakeFolder,
    MakeLink,
    Operation,
    PinAll,
    Remove,
    Rename,
    Spoil,
    State,
    Touch,
    Tree,
    Wait,
    Write,
)

TEXT = b"notes that are no program\n"
"""What a delivered binary is replaced by."""


def lay_out(root: Path, tree: Tree) -> None:
    """Make a tree in an empty folder, with its pinned times."""
    for path, entry in tree.items():
        place = root / path
        if isinstance(entry, Folder):
            place.mkdir(parents=True, exist_ok=True)
        elif isinstance(entry, Link):
            place.symlink_to(entry.target)
        else:
            place.write_bytes(entry.content)
            place.chmod(0o755 if entry.executable else 0o644)
    for path, entry in sorted(tree.items(), reverse=True):
        if entry.pinned is not None:
            _set_time(root / path, entry.pinned)


def perform(root: Path, state: State, operation: Operation) -> None:
    """Do an operation that `tree.concrete` gave for this state."""
    if isinstance(operation, Wait):
        time.sleep(operation.seconds)
    elif isinstance(operation, Spoil):
        spoil(root / state.output, operation.how)
    elif isinstance(operation, PinAll):
        for path in sorted(state.tree, reverse=True):
            _set_time(root / path, operation.pinned)
    elif isinstance(operation, Write):
        _write(root / operation.path, operation)
    elif isinstance(operation, MakeFolder):
        (root / operation.path).mkdir(parents=True, exist_ok=True)
    elif isinstance(operation, MakeLink):
        (root / operation.path).parent.mkdir(parents=True, exist_ok=True)
        (root / operation.path).symlink_to(operation.target)
    elif isinstance(operation, Touch):
        _set_time(root / operation.path, operation.pinned)
    elif isinstance(operation, Remove):
        _remove(root / operation.path)
    elif isinstance(operation, Rename):
        (root / operation.to).parent.mkdir(parents=True, exist_ok=True)
        (root / operation.path).rename(root / operation.to)


def spoil(binary: Path, how: str) -> None:
    """Do something to a delivered binary, if it is there."""
    if not binary.is_file():
        return
    content = binary.read_bytes()
    if how == "append":
        with binary.open("ab") as file:
            file.write(b"x")
    elif how == "truncate":
        os.truncate(binary, len(content) // 2)
    elif how == "empty":
        os.truncate(binary, 0)
    elif how == "remove":
        binary.unlink()
    elif how == "touch":
        binary.touch()
    elif how == "replace":
        # The same size and times: only the content tells.
        stat = binary.stat()
        binary.unlink()
        binary.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        binary.chmod(0o755)
        os.utime(binary, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    elif how == "text":
        binary.write_bytes(TEXT)
    elif how == "mode":
        binary.chmod(0o644)


def read(root: Path, skipped: str = "") -> dict[str, Entry]:
    """The tree that is there, without times."""
    entries: dict[str, Entry] = {}
    for place in sorted(root.rglob("*")):
        path = str(place.relative_to(root))
        if path == skipped:
            continue
        if place.is_symlink():
            entries[path] = Link(os.readlink(place))
        elif place.is_dir():
            entries[path] = Folder()
        else:
            entries[path] = File(place.read_bytes(), os.access(place, os.X_OK) and _is_executable(place))
    return entries


def _is_executable(place: Path) -> bool:
    return bool(place.stat().st_mode & 0o100)


def _write(place: Path, operation: Write) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    target = place if operation.in_place else place.with_name(place.name + ".new~")
    target.write_bytes(operation.content)
    target.chmod(0o755 if operation.executable else 0o644)
    if operation.pinned is not None:
        _set_time(target, operation.pinned)
    if target is not place:
        target.replace(place)


def _set_time(place: Path, seconds: int | None) -> None:
    now = time.time() if seconds is None else seconds
    os.utime(place, (now, now), follow_symlinks=False)


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink()
