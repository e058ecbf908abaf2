"""Runs of Luigi's command line, with and without a stock luigid."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import luigi.rpc
import pytest

LONGEST_WAIT_SECONDS = 60.0
HERE = Path(__file__).parent


def wait_until(holds: Callable[[], Any]) -> None:
    """Return as soon as something holds that another process brings about."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


class Flows:
    """Runs workflows of flows.py, each in a process of its own, all on one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `luigi --module flows …`."""
        return self.popen("-m", "luigi", "--module", "flows", *arguments)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The same, to its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=LONGEST_WAIT_SECONDS)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def local(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The same, with a scheduler in that process."""
        return self.run(*arguments, "--local-scheduler")

    def popen(self, *arguments: str) -> subprocess.Popen[str]:
        """Start Python in the folder."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LUIGI")}
        paths = [str(HERE), str(HERE.parent.parent)]
        environment |= {"PYTHONPATH": os.pathsep.join(paths), "FLOWS_FOLDER": str(self.folder)}
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # A background job of a shell ignores Ctrl-C, and so would all that it starts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.processes.append(process)
        return process

    def interrupt(self, process: subprocess.Popen[str], signal_number: int = signal.SIGINT) -> None:
        """Send a signal to a command and all that it started, as a terminal does."""
        os.killpg(process.pid, signal_number)

    def ran(self) -> list[str]:
        """The tasks that ran, in order."""
        log = self.folder / "log"
        return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []

    def pids(self) -> set[str]:
        """The processes in which tasks ran."""
        return {line.split()[1] for line in (self.folder / "log").read_text().splitlines()}

    def allow(self, name: str = "go-root") -> None:
        """Make the file that a task waits for."""
        (self.folder / name).write_text("")

    def wait_for(self, name: str = "waiting-root") -> None:
        """Wait for a file that a task makes."""
        wait_until((self.folder / name).exists)


@pytest.fixture
def flows(tmp_path: Path) -> Iterator[Flows]:
    """Workflows in an empty folder; what still runs at the end is killed."""
    made = Flows(tmp_path)
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


class Luigid:
    """A stock luigid."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.arguments = ("--scheduler-port", str(port))
        self.scheduler: Any = luigi.rpc.RemoteScheduler(f"http://localhost:{port}/")


@pytest.fixture
def luigid(flows: Flows) -> Iterator[Luigid]:
    """A stock luigid on a free port, without any of our pieces in it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    state = str(flows.folder / "luigid.pickle")
    command = "from luigi.cmdline import luigid; luigid()"
    process = flows.popen("-c", command, "--port", str(port), "--address", "127.0.0.1", "--state-path", state)

    def answers() -> bool:
        assert process.poll() is None, process.communicate()
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    wait_until(answers)
    yield Luigid(port)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=LONGEST_WAIT_SECONDS)
