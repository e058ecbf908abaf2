"""Finds runs in a store, and reads them as histories."""

from __future__ import annotations

import os
from collections.abc import Iterator

from luigigo.config import read_config
from luigigo.errors import UsageError
from luigigo.reports.history import History
from luigigo.runrecords.naming import LATEST, find_run, run_ids
from luigigo.runrecords.reading import read_run


def store_root(store: str | None) -> str:
    """The store's folder: the one that is named, else the one that builds here use."""
    return read_config(os.environ).store_root if store is None else os.path.abspath(store)


def read_history(run: str = LATEST, store: str | None = None) -> History:
    """A run. Raises `UsageError` for one that is not there, or of another version."""
    root = store_root(store)
    return History(read_run(root, find_run(root, run)))


def all_histories(store: str | None = None, last: int = 0) -> Iterator[History]:
    """All runs that can be read, the newest last; with `last`, of that many of the newest."""
    root = store_root(store)
    for run in run_ids(root)[-last:]:
        try:
            yield History(read_run(root, run))
        except UsageError:
            # Of another version, or gone meanwhile.
            continue
