"""Programs that run on a host, seen from the machine, and the control groups that hold them."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

from guard import processes_in, write
from tools import LONGEST_WAIT_SECONDS, wait_for

CGROUPS = Path("/sys/fs/cgroup")


class Process:
    """A program on a host, and the `nsenter` that waits for it."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self.popen = popen
        self.stdin, self.stdout, self.stderr = popen.stdin, popen.stdout, popen.stderr

    @property
    def pid(self) -> int:
        """The program's number on the machine; on its host it has another."""
        wait_for(self._is_there, "the program")
        if not (children := children_of(self.popen.pid)):
            raise ProcessLookupError(f"ended already: {self.popen.args!r}")
        return children[0]

    def _is_there(self) -> bool:
        """Whether the program, or what is about to become it, leads its process group."""
        for child in children_of(self.popen.pid):
            with contextlib.suppress(ProcessLookupError):
                return os.getsid(child) == child
        return self.popen.poll() is not None

    @property
    def returncode(self) -> int | None:
        """The exit status as far as it was asked for; negative where a signal ended the program."""
        return self.popen.returncode

    def poll(self) -> int | None:
        """The exit status, or nothing while the program runs."""
        return self.popen.poll()

    def wait(self, timeout: float = LONGEST_WAIT_SECONDS) -> int:
        """The exit status, as soon as there is one."""
        return self.popen.wait(timeout)

    def communicate(self, text: str | None = None, timeout: float = LONGEST_WAIT_SECONDS) -> tuple[str, str]:
        """What the program wrote until its end; one that takes too long is killed."""
        try:
            return self.popen.communicate(text, timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.communicate(timeout=1)
            raise

    def send_signal(self, number: int) -> None:
        """Send a signal to the program alone; none where it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
            self._wake(number)

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """Send a signal to the program and what it started, as Ctrl-C does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)
            self._wake(number)

    def _wake(self, number: int) -> None:
        """Let the nsenter go on that stopped together with the program."""
        if number in (signal.SIGKILL, signal.SIGCONT):
            self.popen.send_signal(signal.SIGCONT)

    def terminate(self) -> None:
        """Ask the program to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the program and what it started in its process group."""
        self.interrupt(signal.SIGKILL)


def children_of(pid: int) -> list[int]:
    """The children of a process' first thread."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def parent_pid(pid: int) -> int:
    """The parent of a process, whichever of its threads made it; 0 where it has ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def namespace_of(pid: int) -> str:
    """What names the process' pid namespace; nothing where it has ended."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""


def is_stopped(pid: int) -> bool:
    """Whether a process is stopped by a signal, or has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "TZX"
    except OSError:
        return True


def command_line(pid: int) -> str:
    """The words of a process, with spaces between them; "" of one that is gone."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return ""
    return b" ".join(words).decode(errors="replace")


def matching(pids: Iterable[int], pattern: str) -> list[int]:
    """The processes whose command line has a match of the pattern."""
    lines = ((pid, command_line(pid)) for pid in pids)
    return [pid for pid, line in lines if line and re.search(pattern, line)]


def send(pids: Iterable[int], number: int) -> None:
    """Send a signal to processes, some of which may have ended."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


class Group:
    """The control groups of one host: all of its processes are in them."""

    def __init__(self, name: str) -> None:
        self.cpu = parent_of("cpu") / name
        self.memory = parent_of("memory") / name
        self.folders = (self.cpu, self.memory)

    def make(self) -> None:
        """Make the groups, without a limit."""
        for folder in self.folders:
            folder.mkdir()

    def enter(self) -> None:
        """Put the calling process in; its children will follow."""
        for folder in self.folders:
            write(folder / "cgroup.procs", str(os.getpid()))

    def processes(self) -> list[int]:
        """All processes in the groups."""
        return processes_in(self.cpu)

    def waiting_for(self, pids: Iterable[int]) -> list[int]:
        """The processes of the machine that wait for these of the host: each nsenter stops with its child."""
        wanted = set(pids)
        waiting = (pid for pid in self.processes() if wanted.intersection(children_of(pid)))
        return [pid for pid in waiting if namespace_of(pid) == namespace_of(os.getpid())]

    def limit_cpu(self, share: float | None) -> None:
        """Let all processes together have this many processors; without a number, as many as there are."""
        period = int((self.cpu / "cpu.cfs_period_us").read_text())
        write(self.cpu / "cpu.cfs_quota_us", str(-1 if share is None else int(share * period)))

    def limit_memory(self, size: int | None) -> None:
        """Let all processes together have this many bytes; the kernel kills one that wants more."""
        write(self.memory / "memory.limit_in_bytes", str(-1 if size is None else size))


def parent_of(controller: str) -> Path:
    """The control group in which this process is, so that its own limits go on to hold."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if controller in names.split(","):
            inside = CGROUPS / controller / path.lstrip("/")
            return inside if inside.is_dir() else CGROUPS / controller
    return CGROUPS / controller
