"""A build that a client runs on the hosts, seen from the test."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from processes import Process
from tools import LONGEST_WAIT_SECONDS, wait_for


class Build:
    """A `luigigo build --json` that runs, or has ended."""

    def __init__(self, process: Process, output: Path) -> None:
        self.process = process
        self.output = output
        """Where the machine sees the binary."""
        self.events: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self._readers = [
            threading.Thread(target=self._read_events, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _read_events(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors.append(line)

    @property
    def stderr(self) -> str:
        """What it said so far."""
        return "".join(tuple(self.errors))

    def actions(self, outcome: str = "ran") -> list[str]:
        """`KIND PACKAGE` of the actions that ended so, as often as was said."""
        return [
            f"{event['kind']} {event['package']}"
            for event in tuple(self.events)
            if event["event"] == "action" and event["outcome"] == outcome
        ]

    def nodes_of(self, package: str) -> list[str]:
        """The nodes that are said to have ended a compile of the package."""
        return [
            event["node"]
            for event in tuple(self.events)
            if event["event"] == "action" and event["kind"] == "compile" and event["package"] == package
        ]

    def wait_said(self, text: str, seconds: float = LONGEST_WAIT_SECONDS) -> None:
        """Return as soon as it says something on stderr."""
        self._wait_for(lambda: text in self.stderr, repr(text), seconds)

    def wait_ended(self, count: int = 1) -> None:
        """Return as soon as so many actions have ended."""

        def have_ended() -> bool:
            return len([event for event in tuple(self.events) if event["event"] == "action"]) >= count

        self._wait_for(have_ended, f"{count} actions")

    def _wait_for(self, holds: Callable[[], bool], what: str, seconds: float = LONGEST_WAIT_SECONDS) -> None:
        def holds_or_over() -> bool:
            is_over = self.process.poll() is not None and not any(each.is_alive() for each in self._readers)
            return holds() or is_over

        try:
            wait_for(holds_or_over, what, seconds)
            assert holds(), f"ended without {what}"
        except AssertionError as error:
            raise AssertionError(f"{error}: {self}") from None

    def end(self, exit_code: int = 0, seconds: float = LONGEST_WAIT_SECONDS) -> Build:
        """Wait until it ends, which must be with that exit code."""
        self._wait_for(lambda: self.process.poll() is not None, "its end", seconds)
        for reader in self._readers:
            reader.join(10)
        assert self.process.returncode == exit_code, self
        return self

    def __str__(self) -> str:
        return f"exit code {self.process.returncode}, {len(self.events)} events, {self.stderr}"
