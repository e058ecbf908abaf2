"""When no run of Luigi's is under way in this process any more: what was made for runs goes then."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from luigi.cmdline_parser import CmdlineParser

rest_callbacks: list[Callable[[], None]] = []
"""Called when the last run of several has ended, and at the end of a forked task."""


class _Runs:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0


_runs = _Runs()


def _forget() -> None:
    # The runs of the parent are none of the child's, and their lock may have been held.
    global _runs
    _runs = _Runs()


os.register_at_fork(after_in_child=_forget)


def begin() -> None:
    """A run begins."""
    with _runs.lock:
        _runs.count += 1


def end() -> None:
    """A run has ended. Luigi's command asks its tasks once more for its exit code, and ends then."""
    with _runs.lock:
        _runs.count -= 1
        is_last = _runs.count == 0
    if is_last and CmdlineParser.get_instance() is None:
        rest()


def rest() -> None:
    """Let go what was made for runs."""
    for callback in tuple(rest_callbacks):
        callback()
