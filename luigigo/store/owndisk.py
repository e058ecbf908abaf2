"""A node's own disk: what is said when it fails, and whether it is full."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from luigigo.errors import NodeTrouble
from luigigo.units import size_text

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
NO_ROOM_BYTES = 1 << 20
"""A disk with less than this is full, whatever the tool said that failed on it."""


@contextmanager
def own_disk_errors(folder: str, needed_bytes: int = 0) -> Iterator[None]:
    """Turn an `OSError` of the block into the `NodeTrouble` of the disk under a folder.

    What can never fit is refused at once: while it filled the disk others could write nothing either.
    """
    if needed_bytes > NO_ROOM_BYTES and needed_bytes > shutil.disk_usage(_existing(folder)).total:
        raise disk_trouble(folder, os.strerror(errno.ENOSPC), needed_bytes, is_full=True)
    try:
        yield
    except OSError as error:
        is_full = error.errno in FULL
        where = f"{error.filename}: " if error.filename and not is_full else ""
        reason = f"{where}{error.strerror or error}"
        raise disk_trouble(folder, reason, needed_bytes, is_full=is_full) from error


def disk_trouble(folder: str, reason: str, needed_bytes: int = 0, *, is_full: bool = False) -> NodeTrouble:
    """What to say of a disk that failed; of a full one also what is free, and what is needed if known."""
    text = f"{folder}: {reason}"
    if not is_full:
        return NodeTrouble(text)
    usage = shutil.disk_usage(_existing(folder))
    needed = f", {size_text(needed_bytes)} are needed" if needed_bytes else ""
    kind = "size" if needed_bytes > usage.total else "disk"
    return NodeTrouble(f"{text}: {size_text(usage.free)} are free{needed}", kind, is_full=True)


def says_full(text: str) -> bool:
    """Whether a tool speaks of a full disk, in the words of its system."""
    return any(os.strerror(number).lower() in text.lower() for number in FULL)


def is_full(folder: str) -> bool:
    """Whether nothing to speak of can be written there, or no file made."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    has_files = not found.f_files or found.f_favail
    return found.f_bavail * found.f_frsize < NO_ROOM_BYTES or not has_files


def _existing(folder: str) -> str:
    while not os.path.isdir(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return folder
