"""Which runs' records stay in a store, and which plans with them."""

from __future__ import annotations

import os

import msgspec

from luigigo.errors import UsageError
from luigigo.runrecords.lines import CLIENT_FILE, Head, codec
from luigigo.runrecords.naming import run_ids
from luigigo.runrecords.reading import SILENT_SECONDS, read_run
from luigigo.store.layout import run_folder

RUNS_KEPT = 20
"""The newest runs stay however old they are, and the plans that explain them."""
RUN_SECONDS = 30 * 86_400.0
"""How long others stay after they were written to last."""


def old_runs(root: str, now: float, span_seconds: float = RUN_SECONDS, kept: int = RUNS_KEPT) -> list[str]:
    """The ids of runs that go: all but the newest so many, when nothing was written to them for the span.

    One that goes on stays. `now`: seconds since 1970.
    """
    ids = run_ids(root)
    return [each for each in ids[: max(0, len(ids) - kept)] if _is_old(root, each, now, span_seconds)]


def _is_old(root: str, run_id: str, now: float, span_seconds: float) -> bool:
    silent_seconds = now - _written(root, run_id)
    if silent_seconds <= span_seconds:
        return False
    # A client that lives writes more often than that.
    if silent_seconds >= SILENT_SECONDS:
        return True
    try:
        return not read_run(root, run_id).is_alive
    except UsageError:
        return True


def plans_kept(root: str, kept: int = RUNS_KEPT) -> frozenset[str]:
    """The digests of the plans of the newest so many runs."""
    newest = run_ids(root)[-kept:] if kept else []
    return frozenset(plan for each in newest for plan in _plans(root, each))


def _written(root: str, run_id: str) -> float:
    try:
        return os.stat(f"{run_folder(root, run_id)}/{CLIENT_FILE}").st_mtime
    except OSError:
        return float("inf")


def _plans(root: str, run_id: str) -> tuple[str, ...]:
    try:
        with open(f"{run_folder(root, run_id)}/{CLIENT_FILE}", "rb") as file:
            head = codec.decode(file.readline().rstrip(b"\n"))
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return ()
    return head.plans if isinstance(head, Head) else ()
