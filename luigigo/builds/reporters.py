"""Which reporter tells the user of a build, by where it writes and who runs it."""

from __future__ import annotations

import os
import sys
import threading
from typing import TextIO

from luigigo.builds.reporting import JsonReporter, LineReporter, Reporter
from luigigo.builds.session import Session
from luigigo.execution.events import ActionStarted, Event, RunEnded


def choose_reporter(stream: TextIO, *, verbose: bool, commands: bool, as_json: bool) -> Reporter:
    """The reporter that fits the stream."""
    if as_json:
        return JsonReporter(sys.stdout, stream)
    if is_live(stream):
        from luigigo.builds.liveline import LiveReporter

        reporter = LiveReporter(stream, verbose=verbose, commands=commands)
        reporter.begin()
        return reporter
    return LineReporter(stream, verbose=verbose, commands=commands)


def is_live(stream: TextIO) -> bool:
    """Whether a line can be rewritten there."""
    return stream.isatty() and os.environ.get("TERM") not in ("", "dumb", None)


class RunReporter:
    """Under Luigi: tells of one run after the other, each from its first event to its end."""

    def __init__(self) -> None:
        self._reporter: LineReporter | None = None
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take one event, from any thread."""
        with self._lock:
            if isinstance(event, RunEnded):
                reporter, self._reporter = self._reporter, None
            else:
                reporter = self._reporter = self._reporter or self._new_reporter()
        if reporter is None:
            return
        if isinstance(event, RunEnded):
            reporter.close("ok" if event.succeeded and reporter.tally.is_busy else "failed")
            return
        if isinstance(event, ActionStarted):
            reporter.begin()
        reporter(event)

    def _new_reporter(self) -> LineReporter:
        if is_live(sys.stderr):
            from luigigo.builds.liveline import LiveReporter

            return LiveReporter(sys.stderr)
        return LineReporter(sys.stderr)


def ensure_observer(session: Session) -> None:
    """Let somebody tell the user, if nobody does yet: on stderr."""
    if not session.observers:
        session.add_observer(RunReporter())
