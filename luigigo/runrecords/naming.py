"""Which runs have a record in a store, and which one is meant by a name."""

from __future__ import annotations

import os

from luigigo.errors import UsageError
from luigigo.nearest import nearest
from luigigo.runrecords.lines import CLIENT_FILE
from luigigo.store.layout import RUNS, folders_in, run_folder

LATEST = "latest"


def run_ids(root: str) -> list[str]:
    """The runs that have a record in the store, the oldest first."""
    folders = [os.path.basename(folder) for folder in folders_in(f"{root}/{RUNS}")]
    return sorted(each for each in folders if os.path.exists(f"{run_folder(root, each)}/{CLIENT_FILE}"))


def find_run(root: str, name: str = LATEST) -> str:
    """The id of the run that is meant: `latest`, an id, or the unambiguous start of one.

    Raises `UsageError` with the nearest ids, and with how to get a run where there is none.
    """
    known = run_ids(root)
    if not known:
        raise UsageError(
            f"there is no run in {root}: luigigo build DIR records one, unless [luigigo] record=false"
        )
    if name == LATEST:
        return known[-1]
    if name in known:
        return name
    matching = [each for each in known if each.startswith(name)] if name else []
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise UsageError(f"run {name} is not the only one: {', '.join(matching[:5])}")
    raise UsageError(f"there is no run {name}; the nearest are {', '.join(nearest(name, known))}")
