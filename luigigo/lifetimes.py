"""Which process a number means: numbers are given again, so a boot and a start time go with each."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import msgspec


class Life(msgspec.Struct, frozen=True):
    """One process of this machine, from its start to its end."""

    pid: int
    start_time: str
    boot_id: str

    @property
    def lasts(self) -> bool:
        """Whether it has not ended."""
        return self.boot_id == boot_id() and start_time_of(self.pid) == self.start_time


def own_life() -> Life:
    """This process."""
    return Life(os.getpid(), start_time_of(os.getpid()) or "", boot_id())


def start_time_of(pid: int) -> str | None:
    """When a process was started, in the system's own terms; None when it has ended."""
    if not os.path.isdir("/proc/self"):
        import psutil

        with suppress(psutil.Error):
            return str(psutil.Process(pid).create_time())
        return None
    try:
        # The name before the last parenthesis may hold blanks and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def boot_id() -> str:
    """Another after each start of the machine; "" where it is not told."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""
