"""Daemons of this node: started so that they outlive who starts them, found again, and stopped.

A daemon is known by a state file. It names the process by number, boot and start time, so that a number that
was given to another process is never signalled. Knows nothing of clusters or SSH.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import msgspec

from luigigo.cluster.messages import ClusterError, DaemonStarted
from luigigo.encoding import Codec
from luigigo.lifetimes import Life, boot_id, start_time_of
from luigigo.process import Command, Detached, start_detached

LOG_LIMIT_BYTES = 10 << 20
READY = "ready "
"""Starts the line that a daemon prints when it does its work."""
_TAIL_LINES = 15
_LOOK_SECONDS = 0.02
_DEATH_SECONDS = 5.0


class DaemonPaths(msgspec.Struct, frozen=True):
    """The files of one daemon."""

    state_path: str
    log_path: str


class State(msgspec.Struct, frozen=True):
    """A process that was started, identified beyond its number."""

    pid: int
    start_time: str
    boot_id: str
    argv: tuple[str, ...]


_state_codec = Codec[State](msgspec.json, State)


def start(
    argv: Sequence[str], places: DaemonPaths, env: Mapping[str, str], limit_seconds: float
) -> DaemonStarted:
    """Start a daemon and wait until it says that it is ready; harmless when it runs already.

    Raises `ClusterError` with the end of its log when it does not become ready; then it does not run.
    """
    begun = time.monotonic()
    with _alone(places.state_path + ".lock"):
        running = running_pid(places.state_path)
        if running:
            return DaemonStarted(running, already=True, seconds=0.0, log_path=places.log_path)
        _rotate(places.log_path)
        offset, process = _launch(argv, places, env)
        try:
            _wait_until_ready(process, places.log_path, offset, begun + limit_seconds)
        except BaseException:
            stop(places.state_path, grace_seconds=1.0)
            raise
        return DaemonStarted(process.pid, False, time.monotonic() - begun, places.log_path)


def running_pid(state_path: str) -> int:
    """The number of the daemon's process, or 0 when it does not run."""
    state = _read_state(state_path)
    return state.pid if state is not None and _lives(state) else 0


def stop(state_path: str, grace_seconds: float, patience_seconds: float = 0.0) -> str:
    """End a daemon: SIGTERM, and SIGKILL when it still runs after the time of grace.

    `patience_seconds`: how long it may take to end by itself before.

    Returns `stopped`, `killed` or `not running`. Raises `ClusterError` when it cannot be ended.
    """
    state = _read_state(state_path)
    if state is None or not _lives(state):
        _forget(state_path)
        return "not running"
    how = "stopped"
    if patience_seconds and _is_gone(state, patience_seconds):
        _forget(state_path)
        return how
    _signal(state, signal.SIGTERM)
    if not _is_gone(state, grace_seconds):
        how = "killed"
        # What it started leads sessions of its own and would go on.
        for pid in (*_descendants(state.pid), state.pid):
            if pid != state.pid or _lives(state):
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
        if not _is_gone(state, _DEATH_SECONDS):
            raise ClusterError(
                f"process {state.pid} does not end, even by SIGKILL; it waits for a disk or share"
            )
    _forget(state_path)
    return how


def tail(path: str, lines: int) -> tuple[str, int]:
    """The last lines of a log, and where it ends; the older log counts when the new one is short."""
    recent, end = _read_from(path, 0)
    found = recent.splitlines(keepends=True)
    if len(found) < lines and os.path.exists(path + ".1"):
        found = _read_from(path + ".1", 0)[0].splitlines(keepends=True) + found
    return "".join(found[-lines:]), end


def text_from(path: str, offset: int) -> tuple[str, int]:
    """What was appended to a log since `offset`, and where it ends now; all of it when the log is new."""
    with suppress(OSError):
        if os.path.getsize(path) < offset:
            offset = 0
    return _read_from(path, offset)


def _launch(argv: Sequence[str], places: DaemonPaths, env: Mapping[str, str]) -> tuple[int, Detached]:
    descriptor = os.open(places.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with open(descriptor, "ab") as log:
        offset = os.fstat(descriptor).st_size
        try:
            process = start_detached(Command(argv=tuple(argv), cwd="/", env=dict(env)), log)
        except OSError as error:
            raise ClusterError(f"{argv[0]} cannot be started: {error.strerror}") from error
    # A process that has ended already has no start time left; it is reported as ended soon after.
    state = State(process.pid, start_time_of(process.pid) or "", boot_id(), tuple(argv))
    _write_private(places.state_path, _state_codec.encode(state))
    return offset, process


def _wait_until_ready(process: Detached, log_path: str, offset: int, deadline: float) -> None:
    while True:
        exit_code = process.exit_code()
        text, _ = _read_from(log_path, offset)
        # Only whole lines: one that is being written may start as the one looked for.
        if any(line.startswith(READY) for line in text.splitlines(keepends=True) if line.endswith("\n")):
            return
        late = time.monotonic() > deadline
        if exit_code is not None or late:
            what = "was not ready in time" if exit_code is None else f"ended with {exit_code}"
            said = "\n".join(text.splitlines()[-_TAIL_LINES:]) or "(it said nothing)"
            raise ClusterError(f"the daemon {what}; the end of {log_path}:\n{said}")
        time.sleep(_LOOK_SECONDS)


@contextmanager
def _alone(path: str) -> Iterator[None]:
    """Let one starter in at a time. The file lies on the node's own disk, where locks work."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _lives(state: State) -> bool:
    return Life(state.pid, state.start_time, state.boot_id).lasts


def _signal(state: State, number: signal.Signals) -> None:
    try:
        os.kill(state.pid, number)
    except ProcessLookupError:
        pass
    except PermissionError as error:
        raise ClusterError(f"process {state.pid} belongs to another user and cannot be stopped") from error


def _is_gone(state: State, within_seconds: float) -> bool:
    deadline = time.monotonic() + within_seconds
    while _lives(state):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _descendants(pid: int) -> list[int]:
    import psutil

    with suppress(psutil.Error):
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    return []


def _rotate(path: str) -> None:
    with suppress(FileNotFoundError):
        if os.path.getsize(path) > LOG_LIMIT_BYTES:
            os.replace(path, path + ".1")


def _read_from(path: str, offset: int) -> tuple[str, int]:
    """At most the last megabytes of a log from `offset` on."""
    try:
        with open(path, "rb") as file:
            end = os.fstat(file.fileno()).st_size
            file.seek(max(offset, end - LOG_LIMIT_BYTES))
            content = file.read(LOG_LIMIT_BYTES)
            return content.decode(errors="replace"), file.tell()
    except FileNotFoundError:
        return "", 0


def _read_state(path: str) -> State | None:
    try:
        with open(path, "rb") as file:
            return _state_codec.decode(file.read())
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _write_private(path: str, content: bytes) -> None:
    staged = f"{path}.{secrets.token_hex(8)}"
    with open(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    os.replace(staged, path)


def _forget(state_path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(state_path)
