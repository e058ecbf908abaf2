"""A luigid and a worker on this machine's loopback, for whoever attacks them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from intruder import Wire, basic, request
from support import Lab, free_port, wait_until

STATUSES = ("PENDING", "RUNNING", "BATCH_RUNNING", "DONE", "FAILED", "DISABLED", "SUSPENDED", "UNKNOWN")


class Luigid:
    """A luigid as a process, and what it says of itself to who shows the token."""

    def __init__(self, process: subprocess.Popen[str], token: str, log: Path) -> None:
        self.process, self.token, self.log = process, token, log
        assert process.stdout is not None
        word, _, facts = process.stdout.readline().partition(" ")
        assert word == "ready", log.read_text()
        self.facts: dict[str, Any] = json.loads(facts)
        self.port: int = self.facts["port"]

    @property
    def key(self) -> dict[str, str]:
        """The header that lets in."""
        return {"Authorization": basic("luigigo", self.token)}

    def call(self, method: str, **arguments: Any) -> Any:
        """Luigi's procedure, by a friend."""
        body = b"data=" + quote(json.dumps(arguments)).encode()
        headers = self.key | {"Content-Type": "application/x-www-form-urlencoded"}
        status, answer = request(self.port, "POST", f"/api/{method}", headers, body)
        assert status == 200, answer
        return json.loads(answer)["response"]

    def overview(self) -> dict[str, Any]:
        """What `luigigo cluster status` reads."""
        return dict(json.loads(request(self.port, "POST", "/luigigo/status", self.key, b"{}")[1]))

    def nodes(self) -> dict[str, str]:
        """The nodes that are here, with their states."""
        return {node["node"]: node["state"] for node in self.overview()["nodes"]}

    def everything(self) -> Any:
        """All that a stranger could have changed."""
        tasks = {
            status: {name: task["status"] for name, task in self.call("task_list", status=status).items()}
            for status in STATUSES
        }
        workers = sorted(
            (each["name"], each["state"], each.get("workers")) for each in self.call("worker_list")
        )
        return tasks, workers, self.call("resource_list"), self.call("is_paused"), sorted(self.nodes())

    def wire(self, **headers: str) -> Wire:
        """A WebSocket with the token."""
        return Wire(self.port, self.key | headers)

    def resident_bytes(self) -> int:
        """The memory that it has."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) << 10
        raise AssertionError("it has ended")


@contextmanager
def luigid(lab: Lab, *arguments: Any, name: str = "luigid") -> Iterator[Luigid]:
    """A luigid on a port of its own, with its token in the lab's folder."""
    token, log = lab.folder / "token", lab.folder / f"{name}.log"
    if "--cluster" not in arguments:
        arguments = ("--token-file", token, "--port", free_port(), *arguments)
    with log.open("w") as out:
        process = lab.start("luigigo", "scheduler", *arguments, stderr=out)
    try:
        wait_until(token.exists)
        yield Luigid(process, token.read_text().strip(), log)
    finally:
        process.terminate()
        process.wait()


class Worker:
    """A worker as a process."""

    def __init__(self, lab: Lab, daemon: Luigid, shared: Path, name: str, **environment: str) -> None:
        self.log = lab.folder / f"{name}.log"
        with self.log.open("w") as out:
            self.process = lab.start(
                "luigigo", "worker", "--shared", shared, "--scheduler-host", "127.0.0.1",
                "--scheduler-port", daemon.port, "--token-file", lab.folder / "token", "--node", name,
                "--slots", 2, "--cache", lab.folder / f"{name}.cache", stderr=out, env=environment,
            )  # fmt: skip

    def wait_ready(self) -> None:
        """Return when it takes work."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready"), self.log.read_text()
