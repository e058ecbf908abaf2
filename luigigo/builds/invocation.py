"""What one process was told to do: settings, the user's environment, and who hears of what happens."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from luigigo.config import Config
from luigigo.model import Digest

if TYPE_CHECKING:
    from luigigo.execution.events import Event, Observer
    from luigigo.process import Runner


class Invocation:
    """One process' settings, and who hears of what it does."""

    def __init__(self, config: Config, variables: Mapping[str, str]) -> None:
        self.config = config
        self.variables = dict(variables)
        self._observers: list[Observer] = []
        self._said: set[str] = set()
        self.is_verbose = False
        """Whether the user wants to know more, such as which toolchain builds (`-v`)."""
        self.wants_commands = False
        """Whether somebody wants to see the tools' commands, wherever they run."""
        self.is_on_cluster = False
        """Whether others work on the store as well, so that its faults are worth waiting out."""
        self.rests = False
        """Whether it is closed when nothing runs; else whoever opened it does that."""
        self.written: set[tuple[str, Digest]] = set()
        """The places that this process put a binary into, with its digest: pipes cannot be looked at."""

    keeps_work = False
    """Whether the folders in which tools ran stay (-work)."""

    @cached_property
    def runner(self) -> Runner:
        """What starts this process' children."""
        from luigigo.process import Runner

        return Runner()

    def add_observer(self, observer: Observer) -> None:
        """Let an observer hear of everything from now on."""
        self._observers.append(observer)

    @property
    def observers(self) -> tuple[Observer, ...]:
        """Who listens."""
        return tuple(self._observers)

    def tell(self, event: Event) -> None:
        """Let every observer hear of an event."""
        for observer in self.observers:
            observer(event)

    def say(self, line: str) -> None:
        """Tell the user one thing, once."""
        if line in self._said:
            return
        self._said.add(line)
        if self._observers:
            from luigigo.execution.events import Remark

            self.tell(Remark(line))
        else:
            print(line, file=sys.stderr, flush=True)
