"""Ctrl-C and SIGTERM: one way out of a run, with an exit code and without a traceback."""

from __future__ import annotations

import _imp
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

from luigigo.errors import ExitCode

_AGAIN_SECONDS = 0.01

logger = logging.getLogger("luigi-interface")

interrupt_callbacks: list[Callable[[], None]] = []
"""Called in order when a run is interrupted, before its slots are awaited: stop what the slots wait for."""

end_callbacks: list[Callable[[], None]] = []
"""Called in order when a run is over, whichever way, or a forked task: give up what was held."""


def call_at_end() -> None:
    """Call every one of `end_callbacks`; what one raises is logged and keeps none of the others."""
    for callback in list(end_callbacks):
        try:
            callback()
        except Exception:
            logger.exception("Could not end a run in good order")


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived. A KeyboardInterrupt, so that what cleans up after Ctrl-C does so for it as well."""


@dataclass
class _Signals:
    """What arrived in this process. A signal concerns all of it, hence there is one of these."""

    arrived: type[KeyboardInterrupt] | None = None
    """The interrupt that nobody dealt with yet."""
    deferred: bool = False


_signals = _Signals()


def _forget() -> None:
    _signals.arrived, _signals.deferred = None, False


os.register_at_fork(after_in_child=_forget)


@contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """Within, an interrupt calls `stop`, prints one line and raises `SystemExit` with 130 or 143.

    A second interrupt cuts `stop` short. Signals are only taken over in the main thread, and given back.
    """
    try:
        with _handlers():
            yield
            check()
    except KeyboardInterrupt as interrupt:
        with suppress(KeyboardInterrupt):
            stop()
        _signals.arrived = None
        print("luigigo: interrupted", file=sys.stderr, flush=True)
        terminated = isinstance(interrupt, Terminated)
        raise SystemExit(int(ExitCode.TERMINATED if terminated else ExitCode.INTERRUPTED)) from None


def check() -> None:
    """Raise the interrupt that arrived while nothing could be raised: Python drops it in some callbacks."""
    if _signals.arrived is not None:
        raise _signals.arrived


@contextmanager
def deferred() -> Iterator[None]:
    """Within, an interrupt waits for the end. For forks: Python drops what is raised in their callbacks."""
    _signals.deferred = True
    try:
        yield
    finally:
        _signals.deferred = False
    check()


@contextmanager
def _handlers() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    owner_pid = os.getpid()

    def handle(signum: int, frame: FrameType | None) -> None:
        if os.getpid() == owner_pid:
            if _imp.lock_held():
                # What is raised while a module's lock is taken or dropped may leave it taken for ever.
                again = threading.Timer(_AGAIN_SECONDS, os.kill, (owner_pid, signum))
                again.daemon = True
                again.start()
                return
            _signals.arrived = Terminated if signum == signal.SIGTERM else KeyboardInterrupt
            if not _signals.deferred:
                check()
            return
        # A forked child inherits the handler, but not this run.
        if signum == signal.SIGINT:
            raise KeyboardInterrupt
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)

    taken = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        taken.append(signal.SIGINT)
    before = {signum: signal.signal(signum, handle) for signum in taken}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler if handler is not None else signal.SIG_DFL)
