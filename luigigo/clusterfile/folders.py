"""Folders that nobody else may write into."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from luigigo.errors import UsageError


def private_folder(path: str) -> str:
    """Make the folder for this user alone, of mode 700, or check that it is such a one; return it.

    Raises `UsageError` when it belongs to somebody else, is a link, or others could write into it.
    """
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with suppress(FileExistsError):
            os.mkdir(path, 0o700)
        found = os.lstat(path)
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022:
            # Readable by others is mended; what others wrote there could not be.
            if found.st_mode & 0o077:
                os.chmod(path, 0o700)
            return path
    except OSError as error:
        raise UsageError(f"the folder {path} cannot be used: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise UsageError(f"{path} is no folder; remove it, or set another cache in the cluster's file")
    mode = stat.S_IMODE(found.st_mode)
    raise UsageError(
        f"the folder {path} belongs to user {found.st_uid} and has mode {mode:o}, where it must be this "
        "user's alone: remove it, or set another cache in the cluster's file"
    )
