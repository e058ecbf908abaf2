"""How a tool ended: by its own verdict on what it was given, or because something else ended it.

Only the first says anything about the program that is built.
"""

from __future__ import annotations

import re
import signal
from enum import Enum

STOPPING = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""What ends a process by somebody's will, as an allocation that ends does with each process in it."""

_CHILD_KILLED = re.compile(
    rb"terminated with signal 9\b|Killed signal terminated program"
    rb"|unable to execute command: Killed"
)
_CHILD_STOPPED = re.compile(
    rb"terminated with signal (?:1|2|15)\b|(?:Hangup|Interrupt|Terminated) signal terminated program"
    rb"|unable to execute command: (?:Hangup|Interrupt|Terminated)"
)
"""What drivers say whose compiler or linker was ended (gcc.cc and collect2.cc; LLVM's Program.inc)."""


class Ending(Enum):
    """Why a tool is no longer running."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """It found something wrong with what it was given, or crashed."""
    KILLED = "killed"
    """By SIGKILL, as the kernel does when memory runs out."""
    STOPPED = "stopped"
    """By somebody's signal, which says nothing about the action: another run of it may succeed."""

    @property
    def is_verdict(self) -> bool:
        """Whether another run with the same inputs would end so as well."""
        return self in (Ending.SUCCEEDED, Ending.FAILED)


def ending(exit_code: int, output: bytes) -> Ending:
    """How a tool ended, by its exit code (negative for a signal) and by what it printed."""
    if exit_code == 0:
        return Ending.SUCCEEDED
    if exit_code == -signal.SIGKILL or (exit_code > 0 and _CHILD_KILLED.search(output)):
        return Ending.KILLED
    if -exit_code in STOPPING or (exit_code > 0 and _CHILD_STOPPED.search(output)):
        return Ending.STOPPED
    return Ending.FAILED
