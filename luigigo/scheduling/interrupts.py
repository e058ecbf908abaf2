"""Ctrl-C and SIGTERM: one way out of a run, with an exit code and without a traceback."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from luigigo.errors import ExitCode

interrupt_callbacks: list[Callable[[], None]] = []
"""Called in order when a run is interrupted, before its slots are awaited: stop what the slots wait for."""


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived. A KeyboardInterrupt, so that what cleans up after Ctrl-C does so for it as well."""


@contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """Within, an interrupt calls `stop`, prints one line and raises `SystemExit` with 130 or 143.

    A second interrupt cuts `stop` short. SIGTERM is only taken over in the main thread, and given back.
    """
    try:
        with _sigterm_raises():
            yield
    except KeyboardInterrupt as interrupt:
        with suppress(KeyboardInterrupt):
            stop()
        print("luigigo: interrupted", file=sys.stderr, flush=True)
        terminated = isinstance(interrupt, Terminated)
        raise SystemExit(int(ExitCode.TERMINATED if terminated else ExitCode.INTERRUPTED)) from None


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    owner_pid = os.getpid()

    def handle(signum: int, frame: FrameType | None) -> None:
        if os.getpid() != owner_pid:
            # A forked child inherits the handler, but not this run.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)
            return
        raise Terminated

    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)
