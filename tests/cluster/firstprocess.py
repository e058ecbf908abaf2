"""Run as a program, it is a host's first process: it makes the host's view of the disk, then buries orphans.

Its argument is a plan in JSON: `name`, `kept` (folders that stay visible under what is hidden), `mounts`
(pairs of a source, or `tmpfs`, and a target) and `folders` to be made afterwards.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import sys
from typing import Any

MS_NOSUID = 2
MS_BIND = 4096
MS_REC = 16384

libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str) -> None:
    """Lay a folder, a file or an empty `tmpfs` over another."""
    kind, flags = (b"tmpfs", MS_NOSUID) if source == "tmpfs" else (None, MS_BIND | MS_REC)
    if libc.mount(source.encode(), target.encode(), kind, flags, None):
        code = ctypes.get_errno()
        raise OSError(code, f"mount {source} on {target}: {os.strerror(code)}")


def prepare(plan: dict[str, Any]) -> None:
    """Give the host its name and its view of the disk."""
    socket.sethostname(plan["name"])
    kept = [(os.open(path, os.O_PATH), path) for path in plan["kept"]]
    for source, target in plan["mounts"]:
        if not os.path.exists(target):
            os.makedirs(target)
        mount(source, target)
    for handle, path in kept:
        os.makedirs(path, exist_ok=True)
        mount(f"/proc/self/fd/{handle}", path)
        os.close(handle)
    for folder in plan["folders"]:
        os.makedirs(folder, exist_ok=True)


def main() -> None:
    """Prepare the host, say so, and wait for orphans for ever."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    prepare(json.loads(sys.argv[1]))
    print("ready", flush=True)
    while True:
        signal.sigwait({signal.SIGCHLD})
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


if __name__ == "__main__":
    main()
