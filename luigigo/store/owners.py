"""Whose a pin is: a process, known well enough to say for certain that it is dead. Reads /proc only."""

from __future__ import annotations

import os

import msgspec

from luigigo.machine import node_name


class Owner(msgspec.Struct, frozen=True):
    """A process. Its number may be another's later: machine and beginning tell which one is meant."""

    host: str
    pid: int
    machine: str = ""
    """This start of this machine's kernel, and the numbers that the pid is one of; "" where not known."""
    born: str = ""
    """When the process began, in ticks since the machine started."""


def this_process() -> Owner:
    """The process that asks."""
    return process_of(os.getpid())


def process_of(pid: int) -> Owner:
    """A process of this machine."""
    born = _stat_fields(pid)
    return Owner(node_name(), pid, _machine(), born[_BORN] if born else "")


def is_of_this_machine(owner: Owner) -> bool:
    """Whether it can be told here for certain if the process is over."""
    return bool(owner.machine and owner.born) and owner.machine == _machine()


def is_dead(owner: Owner) -> bool:
    """Whether the process is certainly over; False for one of another machine, or where /proc is not."""
    if not is_of_this_machine(owner):
        return False
    fields = _stat_fields(owner.pid)
    # A zombie holds nothing: it waits for its parent to look.
    return not fields or fields[_BORN] != owner.born or fields[0] in ("Z", "X")


_BORN = 19
"""Counted from the field after the name: that is the 22nd of /proc/PID/stat (proc_pid_stat(5))."""


def _machine() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return f"{file.read().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _stat_fields(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the name; None where there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2].decode("ascii").split()
    except OSError:
        return None
