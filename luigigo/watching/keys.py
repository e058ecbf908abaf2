"""Single keys from a terminal, as long as it is ours."""

from __future__ import annotations

import os
import select
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_LOOK_SECONDS = 0.2


@contextmanager
def keys(descriptor: int, on_key: Callable[[str], None]) -> Iterator[None]:
    """Within, `on_key` gets each key that is pressed, from a thread; nothing where there is no terminal.

    Keys are not shown. While another process group has the terminal, its keys are that one's.
    """
    if not os.isatty(descriptor):
        yield
        return
    before = termios.tcgetattr(descriptor)
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            with suppress(OSError):
                ready = select.select([descriptor], [], [], _LOOK_SECONDS)[0]
                if ready and _is_ours(descriptor):
                    on_key(os.read(descriptor, 1).decode("latin-1"))
                elif ready:
                    ended.wait(_LOOK_SECONDS)

    tty.setcbreak(descriptor, termios.TCSANOW)
    reader = threading.Thread(target=read, name="keys", daemon=True)
    reader.start()
    try:
        yield
    finally:
        ended.set()
        reader.join()
        termios.tcsetattr(descriptor, termios.TCSANOW, before)


def _is_ours(terminal: int) -> bool:
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        # It controls no session, so nobody else is given it.
        return True
