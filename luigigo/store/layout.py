"""Where things lie in a store, and the names that they may have. Reads folders, never files.

```
<root>/cas/ab/abcdef…   content by its sha256
<root>/actions/ab/<key> records of actions
<root>/plans/<digest>   plans
<root>/runs/<id>/pin  what a running build needs
```
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator

CONTENTS = "cas"
RECORDS = "actions"
PLANS = "plans"
RUNS = "runs"
PIN = "pin"

STAGING_PREFIX = ".staging-"
"""Starts the name of every file that is not published yet."""

_HEX64 = re.compile(r"[0-9a-f]{64}")
_RUN_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")


def staging_path(folder: str) -> str:
    """A name in a folder that is nobody else's, for a file under way; upkeep removes what is left of them."""
    return f"{folder}/{STAGING_PREFIX}{secrets.token_hex(12)}"


def is_digest(name: str) -> bool:
    """Whether `name` is 64 lower-case hexadecimal digits, as digests and keys are."""
    return _HEX64.fullmatch(name) is not None


def sharded(folder: str, name: str) -> str:
    """The path of a digest or key below `folder`. Raises `ValueError` for any other name.

    The check is what keeps a name from outside from leading out of the folder.
    """
    if not is_digest(name):
        raise ValueError(f"{name!r} is not a sha256 in lower-case hexadecimal")
    return f"{folder}/{name[:2]}/{name}"


def flat(folder: str, name: str) -> str:
    """The path of a digest directly in `folder`. Raises `ValueError` for any other name."""
    if not is_digest(name):
        raise ValueError(f"{name!r} is not a sha256 in lower-case hexadecimal")
    return f"{folder}/{name}"


def is_run_id(name: str) -> bool:
    """Whether `name` can name a run."""
    return _RUN_ID.fullmatch(name) is not None


def run_folder(root: str, run_id: str) -> str:
    """The folder of a run. Raises `ValueError` for an id that is no plain file name."""
    if not is_run_id(run_id):
        raise ValueError(f"{run_id!r} cannot name a run: letters, digits, '.', '_' and '-' only")
    return f"{root}/{RUNS}/{run_id}"


def files_in(folder: str) -> Iterator[os.DirEntry[str]]:
    """The plain files in one folder; none when it is absent."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    yield entry
    except (FileNotFoundError, NotADirectoryError):
        return


def files_in_shards(folder: str) -> Iterator[os.DirEntry[str]]:
    """The plain files in every sub-folder of `folder`, in no order; none when it is absent."""
    for shard in folders_in(folder):
        yield from files_in(shard)


def folders_in(folder: str) -> list[str]:
    """The paths of the folders in `folder`, sorted; none when it is absent."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return []
