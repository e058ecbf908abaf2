"""The folders in which processes run their tools, one for each process."""

from __future__ import annotations

import os
import shutil


def prepare_work_dir(cache: str) -> str:
    """Make the folder in which this process runs its tools; remove those of processes that are gone."""
    base = _base(cache)
    os.makedirs(base, exist_ok=True)
    remove_old_work(cache)
    folder = os.path.join(base, str(os.getpid()))
    os.makedirs(folder, exist_ok=True)
    return folder


def remove_old_work(cache: str) -> None:
    """Remove what processes of this node left that are gone, as when they were killed."""
    base = _base(cache)
    for name in os.listdir(base) if os.path.isdir(base) else ():
        if name.isdigit() and not os.path.exists(f"/proc/{name}"):
            shutil.rmtree(os.path.join(base, name), ignore_errors=True)


def _base(cache: str) -> str:
    return os.path.join(cache, "work")
