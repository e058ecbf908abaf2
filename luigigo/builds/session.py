"""What one process builds with, made when it is first needed: settings, observers, and then the builds.

Tasks and commands find it by `current`. A build that is up to date costs no more than this module.
"""

from __future__ import annotations

import atexit
import os
import time
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from luigigo.builds import uptodate
from luigigo.builds.invocation import Invocation
from luigigo.builds.phases import Phases
from luigigo.client import hints
from luigigo.config import Config, read_config
from luigigo.errors import UsageError
from luigigo.golang.request import BuildRequest
from luigigo.machine import process_began

if TYPE_CHECKING:
    from luigigo.builds.builds import Builds


class Session(Invocation):
    """One process' settings, observers and builds."""

    def adopt_cluster(self, shared: str) -> None:
        """Keep the store on the share of a cluster from now on.

        Raises `UsageError` when it is elsewhere and a build was planned there already.
        """
        self.is_on_cluster = True
        if not shared or self.config.shared == shared:
            return
        if "builds" in self.__dict__:
            raise UsageError(
                f"the cluster's store is {shared}, and this build's is {self.config.store_root}: "
                f"set [luigigo] shared={shared}"
            )
        self.config = msgspec.structs.replace(self.config, shared=shared)

    @cached_property
    def builds(self) -> Builds:
        """The plans and the context; loading it is what an up-to-date build spares."""
        from luigigo.builds.builds import Builds

        return Builds(self)

    def up_to_date(self, request: BuildRequest, output: str) -> uptodate.Kept | None:
        """What was kept of this build, if nothing changed since and its binaries are in place."""
        place = uptodate.place_of(request, output, self.config, self.variables)
        earlier = uptodate.current_build(place)
        if earlier is None:
            return None
        uptodate.note_use(place, earlier, self.config.store_root, time.time())
        if earlier.messages:
            self.say(earlier.words.rstrip("\n"))
        return earlier

    def budget_bytes(self) -> int:
        """What actions may take together here; 0 where no build needed to know."""
        return self.builds.known_budget_bytes if "builds" in self.__dict__ else 0

    def save(self) -> None:
        """Write the caches; the session can still be used."""
        if "builds" in self.__dict__:
            self.builds.save()

    def end_run(self) -> None:
        """A run is over: give up what it claimed, write the caches, and keep the store small."""
        if "builds" in self.__dict__:
            self.builds.end_run()
            if self.builds.has_run:
                from luigigo.builds import trimming

                trimming.trim_if_clocks_agree(self.config, time.time())

    def close(self) -> None:
        """The same, and remove what lies about; the session can still be used."""
        builds = self.__dict__.pop("builds", None)
        if builds is not None:
            builds.close()
        # One that was stopped runs nothing any more.
        self.__dict__.pop("runner", None)

    def stop(self) -> None:
        """End what runs, at once, give up what it claimed, and save what was learned."""
        self.runner.kill_all()
        if "builds" in self.__dict__:
            self.builds.end_run()


def open_with(config: Config) -> Session:
    """Begin this process' session with settings that were found elsewhere."""
    global _session, _session_pid
    _session = Session(config, os.environ)
    _session_pid = os.getpid()
    return _session


_session: Session | None = None
_session_pid = 0


def current() -> Session:
    """The session of this process, opened with the process' environment. Raises `UsageError`."""
    global _session, _session_pid
    if _session is None or _session_pid != os.getpid():
        _session = Session(read_config(os.environ), os.environ)
        _session.rests = True
        if hints.in_use() is hints.TypedCommand.LUIGI:
            _session.phases = Phases(process_began())
        _session_pid = os.getpid()
        # For whoever asks a task outside of any run.
        atexit.register(rest)
    return _session


def rest() -> None:
    """Close the session of this process, now that nothing runs, unless a command opened it."""
    here = existing()
    if here is not None and here.rests:
        here.close()
        # The next run writes to pipes and devices again.
        here.written.clear()


def stop() -> None:
    """End what the session of this process runs, at once."""
    here = existing()
    if here is not None:
        here.stop()


def end_run() -> None:
    """A run of this process is over."""
    here = existing()
    if here is not None:
        here.end_run()


def memory_budget() -> int:
    """What the actions of this process may take together, in bytes."""
    return current().builds.context.budget_bytes


def existing() -> Session | None:
    """The session, if one was opened in this process."""
    return _session if _session_pid == os.getpid() else None
