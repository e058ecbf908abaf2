"""What one process was told to do: settings, the user's environment, and who hears of what happens."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from luigigo.builds.phases import Phases
from luigigo.config import Config
from luigigo.model import Digest

if TYPE_CHECKING:
    from luigigo.builds.recording import Recorder
    from luigigo.builds.watched import WatchFile
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
        self.phases = Phases(time.monotonic())
        """What it does at which time, for the run's record."""
        self._recorder: Recorder | None = None
        self.watch: WatchFile | None = None
        """Where it leaves what it rests on, for whoever watches."""
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

    @property
    def run_id(self) -> str:
        """The run that is recorded at this moment; "" for none."""
        recorder = self._recorder
        return "" if recorder is None else recorder.run_id

    @property
    def recorder(self) -> Recorder | None:
        """Writes down how the run goes; made when it is first asked for. None where nobody wants that."""
        if self._recorder is None and self.config.record:
            from luigigo.builds.recording import Recorder

            self._recorder = Recorder(self.config.store_root, self.phases, self.say)
        return self._recorder

    def end_record(self, outcome: str, exit_code: int = 0, error: str = "") -> str:
        """The run is over: `ok`, `failed` or `interrupted`. Returns its id, "" where nothing was recorded."""
        recorder, self._recorder = self._recorder, None
        self.phases = Phases(time.monotonic())
        return "" if recorder is None else recorder.close(outcome, exit_code, error)

    def tell(self, event: Event) -> None:
        """Write an event down, and show it."""
        self.record(event)
        self.show(event)

    def record(self, event: Event) -> None:
        """Write an event down, where a run is recorded."""
        # Another thread may end the record meanwhile.
        recorder = self._recorder
        if recorder is not None:
            recorder(event)

    def show(self, event: Event) -> None:
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

            self.show(Remark(line))
        else:
            print(line, file=sys.stderr, flush=True)
