"""Daemons that outlive their starter: real processes, their state files and logs."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from luigigo.cluster import daemon
from luigigo.cluster.messages import ClusterError

READY = "import sys, time; print('warming up'); print('ready {}', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + READY
PARENT = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],"
    " start_new_session=True); print('child', child.pid); " + STUBBORN
)


@pytest.fixture
def places(tmp_path: Path) -> Iterator[daemon.DaemonPaths]:
    places = daemon.DaemonPaths(str(tmp_path / "worker.json"), str(tmp_path / "worker.log"))
    yield places
    daemon.stop(places.state_path, 0.0)


def begin(places: daemon.DaemonPaths, program: str, limit_seconds: float = 20.0) -> daemon.DaemonStarted:
    """Start a Python program as a daemon."""
    return daemon.start([sys.executable, "-c", program], places, os.environ, limit_seconds)


def test_a_daemon_runs_in_a_session_of_its_own(places: daemon.DaemonPaths) -> None:
    """It has no terminal to lose, its output is in the log, and its files are private."""
    started = begin(places, READY)
    assert not started.already
    assert os.getsid(started.pid) == started.pid
    assert os.readlink(f"/proc/{started.pid}/fd/0") == "/dev/null"
    assert os.readlink(f"/proc/{started.pid}/cwd") == "/"
    assert daemon.tail(places.log_path, 10)[0] == "warming up\nready {}\n"
    for path in (places.state_path, places.log_path):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert daemon.running_pid(places.state_path) == started.pid


def test_starting_twice_is_harmless(places: daemon.DaemonPaths) -> None:
    """The second start finds the first; also when both come at the same time."""
    found: list[daemon.DaemonStarted] = []
    threads = [threading.Thread(target=lambda: found.append(begin(places, READY))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({started.pid for started in found}) == 1
    assert sorted(started.already for started in found) == [False, True, True, True]


def test_a_daemon_that_ends_at_once_is_reported_with_its_words(places: daemon.DaemonPaths) -> None:
    """The end of the log says why; nothing is left that would count as running."""
    with pytest.raises(ClusterError, match=r"ended with 3; the end of .*\nno such option"):
        begin(places, "import sys; sys.exit(print('no such option', file=sys.stderr) or 3)")
    assert daemon.running_pid(places.state_path) == 0


def test_a_daemon_that_is_never_ready_is_ended(places: daemon.DaemonPaths) -> None:
    """A half-started daemon does not stay behind."""
    with pytest.raises(ClusterError, match="was not ready in time"):
        begin(places, "import os, time; print(os.getpid(), flush=True); time.sleep(600)", limit_seconds=1.0)
    pid = int(Path(places.log_path).read_text())
    assert daemon.start_time_of(pid) is None


def test_an_earlier_ready_in_the_log_does_not_count(places: daemon.DaemonPaths) -> None:
    """Only what this start wrote does."""
    Path(places.log_path).write_text("ready {}\n")
    with pytest.raises(ClusterError, match="ended with 1"):
        begin(places, "import sys; sys.exit(1)")


def test_a_program_that_is_not_there_is_named(places: daemon.DaemonPaths) -> None:
    """No traceback for a wrong interpreter."""
    with pytest.raises(ClusterError, match="/no/python cannot be started: No such file"):
        daemon.start(["/no/python"], places, os.environ, 1.0)


def test_stop_ends_it_and_says_how(places: daemon.DaemonPaths) -> None:
    """SIGTERM is enough for who obeys."""
    pid = begin(places, READY).pid
    assert daemon.stop(places.state_path, 10.0) == "stopped"
    assert daemon.start_time_of(pid) is None
    assert daemon.stop(places.state_path, 10.0) == "not running"
    assert not os.path.exists(places.state_path)


def test_who_ignores_sigterm_is_killed_with_its_children(places: daemon.DaemonPaths) -> None:
    """Children lead sessions of their own and would go on."""
    begin(places, PARENT)
    child = int(daemon.tail(places.log_path, 9)[0].split()[1])
    assert daemon.stop(places.state_path, 0.2) == "killed"
    # It dies a moment after the signal, and is there until its new parent has heard of it.
    ends = time.monotonic() + 10
    while daemon.start_time_of(child) is not None and time.monotonic() < ends:
        time.sleep(0.01)
    assert daemon.start_time_of(child) is None


def test_who_ends_by_itself_is_not_signalled(places: daemon.DaemonPaths) -> None:
    """Patience comes before SIGTERM."""
    program = "import time; print('ready', '{}', flush=True); time.sleep(0.5); print('bye', flush=True)"
    begin(places, program)
    assert daemon.stop(places.state_path, 0.0, patience_seconds=10.0) == "stopped"
    assert daemon.tail(places.log_path, 1)[0] == "bye\n"


@pytest.mark.parametrize("field", ["start_time", "boot_id"])
def test_a_number_that_went_to_another_process_is_never_signalled(
    places: daemon.DaemonPaths, field: str
) -> None:
    """The start time and the boot must be those of the daemon."""
    stranger = subprocess.Popen([sys.executable, "-c", READY], stdout=subprocess.DEVNULL)
    try:
        begin(places, READY)
        state = json.loads(Path(places.state_path).read_text())
        daemon.stop(places.state_path, 1.0)
        own = daemon.start_time_of(stranger.pid)
        forged = {**state, "pid": stranger.pid, "start_time": own, field: "another"}
        Path(places.state_path).write_text(json.dumps(forged))
        assert daemon.running_pid(places.state_path) == 0
        assert daemon.stop(places.state_path, 0.0) == "not running"
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_broken_state_file_counts_as_none(places: daemon.DaemonPaths) -> None:
    """A torn file does not keep a daemon from starting."""
    Path(places.state_path).write_text("{")
    assert daemon.running_pid(places.state_path) == 0
    assert not begin(places, READY).already


def test_a_daemon_outlives_its_starter(places: daemon.DaemonPaths) -> None:
    """The starter is killed with its whole session, as when a connection ends."""
    program = (
        "import os, sys, time; from luigigo.cluster import daemon;"
        f"daemon.start([sys.executable, '-c', {READY!r}], daemon.DaemonPaths({places.state_path!r},"
        f" {places.log_path!r}), os.environ, 20.0); print('up', flush=True); time.sleep(600)"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True
    )
    assert starter.stdout is not None and starter.stdout.readline() == b"up\n"
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait()
    starter.stdout.close()
    time.sleep(0.1)
    assert daemon.running_pid(places.state_path)


def test_a_large_log_is_put_aside_at_the_next_start(
    places: daemon.DaemonPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end is still shown."""
    monkeypatch.setattr(daemon, "LOG_LIMIT_BYTES", 100)
    Path(places.log_path).write_text("old\n" * 100)
    begin(places, READY)
    assert Path(places.log_path).read_text() == "warming up\nready {}\n"
    assert daemon.tail(places.log_path, 3)[0] == "old\nwarming up\nready {}\n"


def test_a_log_can_be_followed(tmp_path: Path) -> None:
    """From where the last piece ended; from its start when it was put aside."""
    log = tmp_path / "log"
    assert daemon.tail(str(log), 5) == ("", 0)
    log.write_text("one\ntwo\nthree\n")
    text, offset = daemon.tail(str(log), 2)
    assert text == "two\nthree\n"
    with log.open("a") as file:
        file.write("four\n")
    assert daemon.text_from(str(log), offset)[0] == "four\n"
    log.write_text("new\n")
    assert daemon.text_from(str(log), offset)[0] == "new\n"
