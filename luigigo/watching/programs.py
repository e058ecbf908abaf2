"""The program that a watch runs: started when a build has succeeded, replaced when its bytes are others.

It leads a group of processes of its own, all of which are gone before the next one starts.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import msgspec

from luigigo.builds.watched import Watching
from luigigo.process import Command, Grouped, start_group
from luigigo.watching.looks import digest, state_of

_STEP_SECONDS = 0.02


class Manner(msgspec.Struct, frozen=True):
    """How a program is run and ended."""

    argv: tuple[str, ...]
    """Empty: the binary that was built."""
    grace_seconds: float
    """How long it may take to end after SIGTERM, before SIGKILL."""
    stops_first: bool = False
    """Whether it ends before a build begins, and not when the next one is ready."""


class ServedProgram:
    """At most one run of the program at a time."""

    def __init__(
        self,
        manner: Manner,
        variables: dict[str, str],
        say: Callable[[str], None],
        on_interrupt: Callable[[], None],
    ) -> None:
        """`on_interrupt` is called when the user has ended it with Ctrl-C while it had the terminal."""
        self._manner, self._variables, self._say, self._on_interrupt = manner, variables, say, on_interrupt
        self._group: Grouped | None = None
        self._digests: tuple[bytes | None, ...] = ()
        self._ended = threading.Event()
        self._has_terminal = False

    def before_build(self) -> None:
        """A build is about to begin."""
        if self._manner.stops_first:
            self.stop()

    def after_build(self, left: Watching, changed: Sequence[str]) -> None:
        """A build has put binaries into place."""
        paths = left.paths
        digests = tuple(digest(path, state_of(path)) for path in paths)
        if digests == self._digests and None not in digests:
            return
        self.stop()
        self._digests = digests
        argv = self._manner.argv or tuple(paths[:1])
        if not argv:
            self._say("luigigo: no program was built that could be run: name a command after --run")
            return
        try:
            self._group = start_group(Command(argv, os.getcwd(), self._variables), takes_stdin=True)
        except OSError as error:
            self._say(f"luigigo: cannot run {argv[0]}: {error.strerror}")
            return
        self._ended.clear()
        threading.Thread(target=self._await, args=(self._group,), name="program", daemon=True).start()

    def stop(self) -> None:
        """End it with all that it has started, and wait until it is gone."""
        group, self._group, self._digests = self._group, None, ()
        if group is not None:
            end(group, self._ended, self._manner.grace_seconds)
            self._take_terminal()

    def _await(self, group: Grouped) -> None:
        exit_code = group.wait(lambda signum: self._give_terminal(group, signum))
        had_terminal = self._has_terminal
        self._take_terminal()
        self._ended.set()
        if self._group is not group:
            return
        if had_terminal and exit_code == -signal.SIGINT:
            self._on_interrupt()
        elif exit_code:
            how = f"exit status {exit_code}" if exit_code > 0 else signal.Signals(-exit_code).name
            self._say(f"luigigo: the program ended: {how}")

    def _give_terminal(self, group: Grouped, signum: int) -> None:
        """It reads from the terminal, or sets it up: from now on that is its own."""
        if signum not in (signal.SIGTTIN, signal.SIGTTOU):
            return
        with suppress(OSError):
            os.tcsetpgrp(0, group.pid)
            self._has_terminal = True
        group.signal(signal.SIGCONT)

    def _take_terminal(self) -> None:
        if self._has_terminal:
            self._has_terminal = False
            with _unstoppable(), suppress(OSError):
                os.tcsetpgrp(0, os.getpgrp())


def end(group: Grouped, leader_ended: threading.Event, grace_seconds: float) -> None:
    """End a group: SIGTERM, after the grace SIGKILL; returns when nothing of it is left.

    `leader_ended` is set by whoever waits for its leader, which is there until then.
    """
    deadline = time.monotonic() + grace_seconds
    group.signal(signal.SIGTERM)
    # One that is stopped hears of it only when it goes on.
    group.signal(signal.SIGCONT)
    while not (leader_ended.is_set() and group.is_gone()):
        if time.monotonic() >= deadline:
            group.signal(signal.SIGKILL)
        time.sleep(_STEP_SECONDS)


@contextmanager
def _unstoppable() -> Iterator[None]:
    """Within, this thread may set the terminal up from the background."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
