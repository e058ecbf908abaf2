"""Starting processes: the one module that does. Knows nothing of Go, actions or the store.

A child's output goes to a file without a name, not to a pipe: nobody has to read while it runs, and a
grandchild that keeps the stream open cannot hold the caller up. Every child leads a session of its own, so
that one signal reaches it and what it started (gcc starts cc1, as and ld).
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import BinaryIO, cast

import msgspec

_FOLLOW_SECONDS = 0.1
_MOST_KILLED_SCOPES = 1000


class Interrupted(Exception):
    """The runner was told to kill everything; the command did not come to its own end."""


class Command(msgspec.Struct, frozen=True):
    """One program to run, never through a shell."""

    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str]
    """The whole environment: nothing is inherited."""
    stdin: bytes = b""
    separate_stderr: bool = False
    """Collect stderr apart from stdout, for programs whose stdout is parsed."""


class Finished(msgspec.Struct, frozen=True):
    """How a command ended and what it took."""

    exit_code: int
    """Negative: the number of the signal that ended it."""
    output: bytes
    """stdout and stderr as they were written; only stdout when the command asked for them apart."""
    seconds: float
    cpu_seconds: float
    """User and system time of the process and of the descendants that it waited for."""
    peak_bytes: int
    """Largest resident set of any one of them. Linux starts the count at the parent's resident set."""
    stderr: bytes = b""
    """Empty unless the command asked for `separate_stderr`."""


class Runner:
    """Runs commands from any number of threads, and can kill all of them at once."""

    def __init__(self) -> None:
        # Reentrant, for a signal handler may call `kill_all` in a thread that holds it.
        self._lock = threading.RLock()
        self._live: dict[int, object] = {}
        """Running commands by pid, with the scope that each belongs to."""
        self._stopped = False
        self._stopped_scopes: dict[object, None] = {}
        """Scopes that were killed and have not ended since, the latest ones."""
        self._thread = threading.local()

    def run(self, command: Command, on_stderr: Callable[[str], None] | None = None) -> Finished:
        """Run the command to its end, whatever its exit status.

        `on_stderr` gets each line of a `separate_stderr` while the command runs, in another thread. Raises
        `Interrupted` after `kill_all`, `FileNotFoundError` or `PermissionError` when the program or the
        folder cannot be used, and `OSError` when the arguments are longer than the system takes.
        """
        self.require_running()
        with ExitStack() as files:
            stdin = files.enter_context(_stdin_file(command.stdin)) if command.stdin else None
            stdout = files.enter_context(_output_file())
            stderr = files.enter_context(_output_file()) if command.separate_stderr else None
            if stderr is not None and on_stderr is not None:
                files.enter_context(_following(stderr, on_stderr))
            started = time.monotonic()
            child = subprocess.Popen(
                command.argv,
                cwd=command.cwd,
                env=command.env,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=stdout,
                stderr=subprocess.STDOUT if stderr is None else stderr,
                start_new_session=True,
            )
            exit_code, cpu_seconds, peak_bytes = self._wait(child)
            if self._is_stopped() and exit_code != 0:
                raise Interrupted(command.argv[0])
            return Finished(
                exit_code=exit_code,
                output=_content(stdout),
                seconds=time.monotonic() - started,
                cpu_seconds=cpu_seconds,
                peak_bytes=peak_bytes,
                stderr=_content(stderr) if stderr is not None else b"",
            )

    def require_running(self) -> None:
        """Raise `Interrupted` where `run` would, for those who wait for something else than a command."""
        if self._is_stopped():
            raise Interrupted("stopped")

    @contextmanager
    def scope(self, name: object) -> Iterator[None]:
        """Within, what this thread runs belongs to the scope, which can be killed by itself."""
        self._thread.scope = name
        try:
            yield
        finally:
            self._thread.scope = None
            with self._lock:
                self._stopped_scopes.pop(name, None)

    def kill(self, scope: object) -> None:
        """Kill what runs in a scope; what would run there later raises `Interrupted`."""
        with self._lock:
            self._stopped_scopes[scope] = None
            while len(self._stopped_scopes) > _MOST_KILLED_SCOPES:
                del self._stopped_scopes[next(iter(self._stopped_scopes))]
            for pid, its_scope in tuple(self._live.items()):
                if its_scope == scope:
                    _kill_group(pid)

    def kill_all(self) -> None:
        """Kill every running command with what it started; every later `run` raises `Interrupted`.

        May be called from any thread and from a signal handler. Does not wait for the deaths.
        """
        with self._lock:
            self._stopped = True
            for pid in tuple(self._live):
                _kill_group(pid)

    def _is_stopped(self) -> bool:
        # A call, for type checkers believe that an attribute stays as it was tested.
        return self._stopped or getattr(self._thread, "scope", None) in self._stopped_scopes

    def _wait(self, child: subprocess.Popen[bytes]) -> tuple[int, float, int]:
        """Wait for the child; return its exit code, CPU seconds and peak bytes."""
        pid = child.pid
        self._live[pid] = getattr(self._thread, "scope", None)
        try:
            # Looked at after the pid was added: a `kill_all` in between has seen the one or set the other.
            if self._is_stopped():
                _kill_group(pid)
            # The child stays a zombie until it has left `_live`, so that its number cannot be given to
            # another process while `kill_all` may still signal it.
            ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            if ended is None or ended.si_code != os.CLD_EXITED:
                _kill_group(pid)
        except BaseException:
            _kill_group(pid)
            raise
        finally:
            with self._lock:
                self._live.pop(pid, None)
            _, status, usage = os.wait4(pid, 0)
            # Popen did not see the end; without this it would wait again, or warn.
            child.returncode = os.waitstatus_to_exitcode(status)
        return child.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


class Detached:
    """A process that outlives this one, in a session of its own."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        """Use `start_detached`."""
        self._child = child
        self.pid = child.pid

    def exit_code(self) -> int | None:
        """How it ended, or None while it runs."""
        return self._child.poll()


def start_detached(command: Command, output: BinaryIO) -> Detached:
    """Start a daemon that reads nothing, writes to `output` and no terminal or session end reaches.

    Raises `OSError` when it cannot be started.
    """
    child = subprocess.Popen(
        command.argv,
        cwd=command.cwd,
        env=command.env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    return Detached(child)


class Grouped:
    """A process that leads a group of its own, with what it starts; it shares this one's terminal."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        """Use `start_group`."""
        self._child = child
        self.pid = child.pid
        self.output = child.stderr
        """What it says, where that was wanted."""

    def wait(self, on_stop: Callable[[int], None] | None = None) -> int:
        """Wait for the end of the process itself; return its exit code, or the signal's number below zero.

        `on_stop` is called with the signal that stopped it, such as SIGTTIN for reading from a terminal.
        """
        options = 0 if on_stop is None else os.WUNTRACED
        while True:
            _, status = os.waitpid(self.pid, options)
            if os.WIFSTOPPED(status):
                if on_stop is not None:
                    on_stop(os.WSTOPSIG(status))
                continue
            self._child.returncode = os.waitstatus_to_exitcode(status)
            return self._child.returncode

    def signal(self, signum: int) -> None:
        """Send a signal to all of the group; none is left to whom it could be sent is no error."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signum)

    def is_gone(self) -> bool:
        """Whether nothing of the group is left."""
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return False


def start_group(command: Command, *, takes_stdin: bool = False, is_heard: bool = False) -> Grouped:
    """Start a process that leads a group of its own and writes where this one does.

    `is_heard`: what it says on stderr is for the caller. Raises `OSError` when it cannot be started.
    """
    child = subprocess.Popen(
        command.argv,
        cwd=command.cwd,
        env=command.env,
        stdin=None if takes_stdin else subprocess.DEVNULL,
        stderr=subprocess.PIPE if is_heard else None,
        preexec_fn=os.setpgrp,
    )
    return Grouped(child)


@contextmanager
def _following(file: BinaryIO, on_line: Callable[[str], None]) -> Iterator[None]:
    """Hand on the lines of a growing file, looking a few times a second, and once more at the end."""
    ended = threading.Event()

    def follow() -> None:
        offset, last = 0, False
        while not last:
            last = ended.wait(_FOLLOW_SECONDS)
            text = os.pread(file.fileno(), os.fstat(file.fileno()).st_size - offset, offset)
            whole = len(text) if last else text.rfind(b"\n") + 1
            offset += whole
            for line in os.fsdecode(text[:whole]).splitlines():
                on_line(line)

    thread = threading.Thread(target=follow, name="follow-stderr", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _output_file() -> BinaryIO:
    """A file without a name that is only ever appended to, so that writers never overwrite each other."""
    file = cast(BinaryIO, tempfile.TemporaryFile(buffering=0))  # noqa: SIM115  the caller closes it
    fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_APPEND)
    return file


def _stdin_file(content: bytes) -> BinaryIO:
    file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115  the caller closes it
    file.write(content)
    file.seek(0)
    return file


def _content(file: BinaryIO) -> bytes:
    if os.fstat(file.fileno()).st_size == 0:
        return b""
    file.seek(0)
    return file.read()
