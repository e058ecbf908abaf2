"""Tell the user how a build goes: plain lines, one live line on a terminal, or JSON. Observers only."""

from __future__ import annotations

import json
import shlex
import threading
import time
from typing import Protocol, TextIO

from luigigo.builds.jsonlines import action_event, build_event
from luigigo.builds.progress import Tally
from luigigo.execution.events import (
    ActionEnded,
    CommandStarted,
    Event,
    MessageReplayed,
    Outcome,
    Remark,
)
from luigigo.messages import shown

_LINE_SECONDS = 5.0
"""Between two lines of progress where there is no terminal."""


class Reporter(Protocol):
    """An observer that tells the user."""

    tally: Tally

    def __call__(self, event: Event) -> None:
        """Take one event, from any thread."""

    def close(self, outcome: str, error: str = "") -> None:
        """Say how the build ended: `ok`, `failed` or `interrupted`; `error` is printed by somebody else."""


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
        elif isinstance(event, Remark):
            self.write(event.text)
        elif isinstance(event, MessageReplayed):
            self.write(shown(event.told).rstrip("\n"))
        elif isinstance(event, ActionEnded):
            if self._verbose and event.kind == "compile" and event.outcome is Outcome.RAN:
                self.write(event.package)
            if event.told:
                self.write(shown(event.told).rstrip("\n"))
            self._show_progress()

    def begin(self) -> None:
        """Show from now on how it goes."""

    def _show_progress(self) -> None:
        now = time.monotonic()
        if now - self._last_line >= _LINE_SECONDS:
            self._last_line = now
            self.write(f"luigigo: {self.tally.line()}")

    def write(self, text: str) -> None:
        """Print one line or several."""
        print(text, file=self._stream, flush=True)

    def close(self, outcome: str, error: str = "") -> None:
        """Say what was done, where the build succeeded."""
        if outcome == "ok":
            self.write(self.tally.closing_line())


class JsonReporter:
    """One JSON object a line on stdout for each action and for the build; messages on stderr as ever."""

    def __init__(self, stream: TextIO, messages: TextIO) -> None:
        self.tally = Tally()
        self._stream = stream
        self._printed = messages
        self._messages: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take one event, from any thread."""
        with self._lock:
            self.tally.note(event)
            if isinstance(event, Remark):
                self._print(event.text)
            elif isinstance(event, ActionEnded | MessageReplayed) and event.told:
                self._print(shown(event.told).rstrip("\n"))
            if isinstance(event, ActionEnded):
                self._write(action_event(event))

    def _print(self, text: str) -> None:
        self._messages.append(f"{text}\n")
        print(text, file=self._printed, flush=True)

    def _write(self, record: dict[str, object]) -> None:
        print(json.dumps(record), file=self._stream, flush=True)

    def close(self, outcome: str, error: str = "") -> None:
        """Print the last event."""
        tally = self.tally
        self._write(
            build_event(
                outcome,
                list(tally.paths) if outcome == "ok" else [],
                {each.value: count for each, count in tally.counts.items()},
                (tally.elapsed_seconds, tally.saved_seconds),
                [*self._messages, *([f"{error}\n"] if error else [])],
            )
        )


def show_command(event: CommandStarted) -> str:
    """A command as a shell would take it."""
    return f"cd {shlex.quote(event.cwd)}\n{shlex.join(event.argv)}"
