"""How builds went, as pandas frames: `from luigigo import reports; reports.actions("latest")`.

Every function takes `store`, a store's folder; without it the one that builds here use. `run` is an id, the
unambiguous start of one, or `latest`. `luigigo.reports.columns` says what each column means. Raises
`luigigo.errors.UsageError` for a run that is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from luigigo.runrecords.naming import LATEST

if TYPE_CHECKING:
    import pandas

    from luigigo.reports.history import History

__all__ = ["actions", "compare", "nodes", "packages", "phases", "runs", "summary", "waits"]


def runs(store: str | None = None) -> pandas.DataFrame:
    """All runs that have a record, the newest last (`columns.RUNS`)."""
    from luigigo.reports.frames import runs_frame
    from luigigo.reports.reading import all_histories

    return runs_frame(all_histories(store))


def actions(run: str = LATEST, store: str | None = None) -> pandas.DataFrame:
    """Each attempt at each action, and what was done before (`columns.ACTIONS`)."""
    return _frame("actions", run, store)


def phases(run: str = LATEST, store: str | None = None) -> pandas.DataFrame:
    """What the client did from when to when (`columns.PHASES`)."""
    return _frame("phases", run, store)


def nodes(run: str = LATEST, store: str | None = None) -> pandas.DataFrame:
    """The machines (`columns.NODES`)."""
    return _frame("nodes", run, store)


def waits(run: str = LATEST, store: str | None = None) -> pandas.DataFrame:
    """What all slots did, and why the idle ones were idle (`columns.WAITS`)."""
    return _frame("waits", run, store)


def packages(run: str = LATEST, store: str | None = None) -> pandas.DataFrame:
    """The packages, the slowest first (`columns.PACKAGES`)."""
    return _frame("packages", run, store)


def summary(run: str = LATEST, store: str | None = None) -> pandas.DataFrame:
    """The run in one row (`columns.SUMMARY`)."""
    return _frame("summary", run, store)


def compare(run: str, other: str, store: str | None = None) -> pandas.DataFrame:
    """Every action in two runs, what became slower most first (`columns.COMPARISON`)."""
    from luigigo.reports.frames import compare_frame

    return compare_frame(_history(run, store), _history(other, store))


def _history(run: str, store: str | None) -> History:
    from luigigo.reports.reading import read_history

    return read_history(run, store)


def _frame(name: str, run: str, store: str | None) -> pandas.DataFrame:
    from luigigo.reports.frames import FRAMES

    return FRAMES[name](_history(run, store))
