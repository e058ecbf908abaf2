"""One line on a terminal that follows a build; all else that is printed stands above it."""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import Any, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from luigigo.builds.reporting import LineReporter


class AboveLine:
    """Stands for a stream: whole lines are printed above the live line."""

    def __init__(self, stream: TextIO, console: Console) -> None:
        self._stream = stream
        self._console = console
        self._owner_pid = os.getpid()
        self._begun = ""
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        """Print what is complete, and keep the beginning of a line."""
        if os.getpid() != self._owner_pid:
            # A forked child has no thread that draws the line, and locks that nobody will release.
            return self._stream.write(text)
        with self._lock:
            lines, _, self._begun = (self._begun + text).rpartition("\n")
            if "\n" in text:
                print_whole(self._console, lines)
        return len(text)

    def flush(self) -> None:
        """What is complete is printed already."""

    def end(self) -> None:
        """Print the beginning of a line that nobody ended."""
        with self._lock:
            if self._begun:
                print_whole(self._console, self._begun)
            self._begun = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def print_whole(console: Console, text: str) -> None:
    """Print lines as they are: neither coloured, nor broken at the terminal's width."""
    console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)


class LiveReporter(LineReporter):
    """Lines as ever, above one that follows the build from `begin` to `close`."""

    def __init__(self, stream: TextIO, *, verbose: bool = False, commands: bool = False) -> None:
        super().__init__(stream, verbose=verbose, commands=commands)
        self._console = Console(file=stream, highlight=False)
        self._live = Live(
            console=self._console,
            refresh_per_second=8,
            transient=True,
            get_renderable=self._render,
            # They would break lines at the terminal's width.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._above = AboveLine(stream, self._console)
        self._handlers: list[logging.StreamHandler[Any]] = []
        self._has_begun = False

    def begin(self) -> None:
        """Show the line from now on; harmless when it is shown."""
        with self._lock:
            if self._has_begun:
                return
            self._has_begun = True
            if sys.stderr is self._stream:
                sys.stderr = self._above
            self._handlers = [handler for handler in _handlers() if handler.stream is self._stream]
            for handler in self._handlers:
                handler.setStream(self._above)
            self._live.start()

    def _render(self) -> Text:
        running = " ".join(each.label for each in tuple(self.tally.running.values()))
        text = Text(f"luigigo: {self.tally.line()}  ", no_wrap=True, overflow="ellipsis")
        return text.append(running, style="dim")

    def _show_progress(self) -> None:
        """The live line shows itself."""

    def write(self, text: str) -> None:
        if self._has_begun:
            print_whole(self._console, text)
        else:
            super().write(text)

    def close(self, outcome: str, error: str = "") -> None:
        with self._lock:
            if self._has_begun:
                self._has_begun = False
                self._live.stop()
                self._above.end()
                for handler in self._handlers:
                    handler.setStream(self._stream)
                if sys.stderr is self._above:
                    sys.stderr = self._stream
        super().close(outcome, error)


def _handlers() -> list[logging.StreamHandler[Any]]:
    """What Luigi and others write their logs with."""
    loggers = [logging.getLogger(), *(logging.getLogger(name) for name in ("luigi", "luigi-interface"))]
    return [
        handler
        for logger in loggers
        for handler in logger.handlers
        if isinstance(handler, logging.StreamHandler)
    ]
