"""A luigid with one worker on this machine, for worlds whose sources travel as bundles."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from .builders import Places, command, plain_environment

LONGEST_START_SECONDS = 30.0


class Cluster:
    """Both daemons, as child processes, on a share of their own."""

    def __init__(self, places: Places) -> None:
        self._folder = places.folder / "cluster"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._environment = plain_environment(self._folder) | {"PYTHONPATH": places.luigigo}
        self._processes: list[subprocess.Popen[bytes]] = []
        self.shared = self._folder / "share"
        self.shared.mkdir(exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]

    @property
    def arguments(self) -> tuple[str, ...]:
        """What a client adds to its command line."""
        return ("--scheduler-host", "127.0.0.1", "--scheduler-port", str(self._port))

    @property
    def variables(self) -> dict[str, str]:
        """What a client has in its environment."""
        return {"LUIGIGO_SHARED": str(self.shared), "LUIGIGO_TOKEN_FILE": str(self._token)}

    @property
    def _token(self) -> Path:
        return self._folder / "token"

    def start(self) -> None:
        """Start luigid, and when it answers the worker. Raises RuntimeError if it never does."""
        self._daemon("scheduler", "--port", str(self._port), "--token-file", str(self._token))
        ends = time.monotonic() + LONGEST_START_SECONDS
        while not self._answers():
            if time.monotonic() > ends:
                raise RuntimeError(f"luigid did not start: {(self._folder / 'scheduler.log').read_text()}")
            time.sleep(0.05)
        self._daemon(
            "worker", "--shared", str(self.shared), *self.arguments, "--token-file", str(self._token),
            "--cache", str(self._folder / "node"), "--slots", "2",
        )  # fmt: skip

    def stop(self) -> None:
        """End both, and whatever they started."""
        for process in reversed(self._processes):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._processes.clear()

    def _daemon(self, name: str, *arguments: str) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            argv = [*command(), name, *arguments]
            process = subprocess.Popen(
                argv,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(process)

    def _answers(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self._port)) == 0 and self._token.exists()
