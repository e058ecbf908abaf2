"""Tell the user how a build goes: plain lines, one live line on a terminal, or JSON. Observers only."""

from __future__ import annotations

import json
import os
import shlex
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any, TextIO

from luigigo.execution.events import (
    ActionEnded,
    ActionStarted,
    BuildPlanned,
    CommandStarted,
    Event,
    MessageReplayed,
    Outcome,
)
from luigigo.messages import short_path, shown
from luigigo.session import Session

_LINE_SECONDS = 5.0
"""Between two lines of progress where there is no terminal."""


class Tally:
    """The state of a build as observers see it."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.total = 0
        self.done = 0
        self.counts = dict.fromkeys(Outcome, 0)
        self.running: dict[str, None] = {}

    def note(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, BuildPlanned):
            self.total += event.total
            self.done += event.done
            self.counts[Outcome.HIT] += event.done
        elif isinstance(event, ActionStarted):
            self.running[event.label] = None
        elif isinstance(event, ActionEnded):
            self.running.pop(event.label, None)
            self.done += 1
            self.counts[event.outcome] += 1

    @property
    def elapsed_seconds(self) -> float:
        """Since the observer was made."""
        return time.monotonic() - self.started

    @property
    def cached(self) -> int:
        """Actions that needed no tool."""
        return self.counts[Outcome.HIT] + self.counts[Outcome.CUTOFF]

    def line(self) -> str:
        """The state in one line."""
        return f"{self.done}/{self.total} done, {self.cached} cached, {self.elapsed_seconds:.0f} s"


class LineReporter:
    """Tool messages as they come; now and then a line of progress. `-v` names packages, `-x` commands."""

    def __init__(self, stream: TextIO, *, verbose: bool = False, commands: bool = False) -> None:
        self.tally = Tally()
        self._stream = stream
        self._verbose = verbose
        self._commands = commands
        self._lock = threading.Lock()
        self._last_line = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Take one event, from any thread."""
        with self._lock:
            self.tally.note(event)
            self._show(event)

    def _show(self, event: Event) -> None:
        if isinstance(event, CommandStarted) and self._commands:
            self.write(show_command(event))
        elif isinstance(event, MessageReplayed):
            self.write(shown(event.told).rstrip("\n"))
        elif isinstance(event, ActionEnded):
            if self._verbose and event.kind == "compile" and event.outcome is Outcome.RAN:
                self.write(event.package)
            if event.told:
                self.write(shown(event.told).rstrip("\n"))
            self._show_progress()

    def _show_progress(self) -> None:
        now = time.monotonic()
        if now - self._last_line >= _LINE_SECONDS:
            self._last_line = now
            self.write(f"luigigo: {self.tally.line()}")

    def write(self, text: str) -> None:
        """Print one line or several."""
        print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing is left to show."""


class LiveReporter(LineReporter):
    """On a terminal: one line that follows the build, messages above it."""

    def __init__(self, stream: TextIO, *, verbose: bool = False, commands: bool = False) -> None:
        super().__init__(stream, verbose=verbose, commands=commands)
        from rich.console import Console
        from rich.live import Live

        self._console = Console(file=stream, highlight=False)
        self._live = Live(
            console=self._console, refresh_per_second=8, transient=True, get_renderable=self._render
        )
        self._live.start()

    def _render(self) -> Any:
        from rich.text import Text

        running = " ".join(self.tally.running)
        text = Text(f"luigigo: {self.tally.line()}  ", no_wrap=True, overflow="ellipsis")
        return text.append(running, style="dim")

    def _show_progress(self) -> None:
        """The live line shows itself."""

    def write(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)

    def close(self) -> None:
        self._live.stop()


class JsonReporter:
    """One JSON object a line on stdout for each action; tool messages on stderr as ever."""

    def __init__(self, stream: TextIO, messages: TextIO) -> None:
        self.tally = Tally()
        self._stream = stream
        self._messages = messages
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take one event, from any thread."""
        with self._lock:
            self.tally.note(event)
            if isinstance(event, ActionEnded | MessageReplayed) and event.told:
                print(shown(event.told).rstrip("\n"), file=self._messages, flush=True)
            if not isinstance(event, ActionEnded):
                return
            self.write(
                {
                    "event": "action",
                    "kind": event.kind,
                    "package": event.package,
                    "outcome": event.outcome.value,
                    "seconds": round(event.seconds, 4),
                    "node": event.node,
                    "cpu_seconds": round(event.resources.cpu_seconds, 4),
                    "peak_bytes": event.resources.peak_bytes,
                    "published_seconds": round(event.resources.published_seconds, 4),
                    "waited_seconds": round(event.resources.waited_seconds, 4),
                    "queued_seconds": round(event.resources.queued_seconds, 4),
                }
            )

    def write(self, record: dict[str, object]) -> None:
        """Print one record."""
        print(json.dumps(record), file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing is left to show."""


Reporter = LineReporter | LiveReporter | JsonReporter


def choose_reporter(stream: TextIO, *, verbose: bool, commands: bool, as_json: bool) -> Reporter:
    """The reporter that fits the stream."""
    if as_json:
        return JsonReporter(sys.stdout, stream)
    is_terminal = stream.isatty() and os.environ.get("TERM") not in ("", "dumb", None)
    kind = LiveReporter if is_terminal else LineReporter
    return kind(stream, verbose=verbose, commands=commands)


def ensure_observer(session: Session) -> None:
    """Let somebody tell the user, if nobody does yet: plain lines on stderr."""
    if not session.has_observers:
        session.add_observer(LineReporter(sys.stderr))


def closing_line(tally: Tally, paths: Sequence[str]) -> str:
    """What a build that did something says at its end."""
    ran, cached = tally.counts[Outcome.RAN], tally.cached
    what = ", ".join(short_path(path) for path in paths) or "checked"
    return f"luigigo: {what}: {ran} actions ran, {cached} cached, {tally.elapsed_seconds:.1f} s"


def show_command(event: CommandStarted) -> str:
    """A command as a shell would take it."""
    return f"cd {shlex.quote(event.cwd)}\n{shlex.join(event.argv)}"
