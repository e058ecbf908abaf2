"""Programs of the machine that make hosts, and waiting for what they bring about."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

LONGEST_WAIT_SECONDS = 120.0
PATH = f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs are, on the machine and on the hosts."""


def tool(name: str) -> str:
    """Where a program of the system is."""
    found = shutil.which(name, path=PATH)
    assert found is not None, f"{name} is not installed"
    return found


def not_installed(names: Iterable[str]) -> str:
    """Which of the programs is missing, as a sentence; empty where all are there."""
    absent = [name for name in names if shutil.which(name, path=PATH) is None]
    return f"not installed: {' '.join(absent)}" if absent else ""


def call(argv: Sequence[str], text: str = "") -> str:
    """What a short command of the machine prints; it must succeed."""
    done = subprocess.run(argv, input=text, capture_output=True, text=True, timeout=LONGEST_WAIT_SECONDS)
    assert done.returncode == 0, f"{list(argv)}\n{text}{done.stderr}"
    return done.stdout


def wait_for(holds: Callable[[], object], what: str, seconds: float = LONGEST_WAIT_SECONDS) -> None:
    """Return as soon as something holds that others bring about."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.005)


def listens(address: str, port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex((address, port)) == 0


def wait_for_port(address: str, port: int) -> None:
    """Return as soon as somebody takes connections there."""
    wait_for(lambda: listens(address, port), f"{address}:{port}")


def free_subnet(wish: int) -> str:
    """The first three numbers of a network that this machine has no route to; others for other wishes."""
    routes = call([tool("ip"), "-4", "route", "show", "table", "all"])
    for number in range(wish, wish + 1000):
        subnet = f"10.{64 + number // 256 % 128}.{number % 256}"
        if f"{subnet}.0/24" not in routes:
            return subnet
    raise AssertionError("no free network")
