"""Run as a program, it takes a network away when its standard input ends, however that comes about.

It runs in the network namespace that holds the bridge, so that the bridge ends with it. Each line it reads is
the folder of a control group whose processes it has to kill and which it has to remove.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

LONGEST_WAIT_SECONDS = 30.0
PATIENCE_SECONDS = 5.0


def processes_in(group: Path) -> list[int]:
    """The processes in a control group and in those below it."""
    found = []
    for listing in group.glob("**/cgroup.procs"):
        try:
            found += [int(line) for line in listing.read_text().split()]
        except OSError:
            pass
    return found


def write(path: Path, text: str) -> None:
    """Write into a control file, without the truncation that some of them refuse."""
    handle = os.open(path, os.O_WRONLY)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)


def is_on_host(pid: int) -> bool:
    """Whether the process is on a host, and not one of the machine's that waits for another on a host."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid") != os.readlink("/proc/self/ns/pid")
    except OSError:
        return False


def kill_all(group: Path) -> None:
    """Kill a control group's processes and wait until it is empty.

    Those that wait for others get the time to do so: whoever would inherit the dead might not bury them.
    """
    quota = group / "cpu.cfs_quota_us"
    if quota.exists():
        write(quota, "-1")
    begin = time.monotonic()
    while (left := processes_in(group)) and time.monotonic() < begin + LONGEST_WAIT_SECONDS:
        patient = time.monotonic() < begin + PATIENCE_SECONDS
        for pid in left:
            try:
                kill = is_on_host(pid) or not patient
                os.kill(pid, signal.SIGKILL if kill else signal.SIGCONT)
            except ProcessLookupError:
                pass
        time.sleep(0.005)


def remove(group: Path) -> None:
    """Remove a control group and those below it, as soon as they are empty."""
    folders = sorted((path for path in group.glob("**/") if path != group), reverse=True)
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    for folder in [*folders, group]:
        while folder.exists():
            try:
                folder.rmdir()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.005)


def main() -> None:
    """Remember what is read, and undo it at the end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    print("ready", flush=True)
    groups = [Path(line.rstrip("\n")) for line in sys.stdin]
    for group in groups:
        if group.exists():
            kill_all(group)
    for group in groups:
        if group.exists():
            remove(group)


if __name__ == "__main__":
    main()
