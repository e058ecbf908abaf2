"""Small files on the share that show how soon one node sees what another wrote. Runs on every node.

A mark is published as the store publishes: staged under another name, then renamed. It is looked for by its
name, as records are; a listing of the folder is asked only at the end, for it can refresh what a look-up of a
name cannot.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress

from luigigo.cluster.messages import ClusterError, Look, Marks, Nothing, Sighting, Sightings

FOLDER = "marks"
"""Inside the cluster's folder on the share."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,400}")
_LOOK_SECONDS = 0.02
_OLD_SECONDS = 3600.0


def write(request: Marks) -> Nothing:
    """Publish each mark. Raises `ClusterError` when the folder cannot be written."""
    for name in request.names:
        path = _path(request.folder, name)
        staged = os.path.join(request.folder, f".{name}")
        try:
            with open(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(name.encode())
            os.rename(staged, path)
        except OSError as error:
            with suppress(OSError):
                os.unlink(staged)
            raise ClusterError(f"cannot write in {request.folder}: {error.strerror}") from error
    return Nothing()


def remove(request: Marks) -> Nothing:
    """Remove marks that are there."""
    for name in request.names:
        with suppress(OSError):
            os.unlink(_path(request.folder, name))
    return Nothing()


def look(request: Look) -> Sightings:
    """Look for each mark until it is seen; with no time to wait, look once.

    Many marks are looked for less often, so that the looking does not load the share.
    """
    seen: dict[str, float] = {}
    started = time.monotonic()
    now = 0.0
    pause = max(_LOOK_SECONDS, len(request.names) / 1000)
    while True:
        for name in request.names:
            if name not in seen and _is_whole(_path(request.folder, name), name):
                seen[name] = now
        if len(seen) == len(request.names) or now >= request.limit_seconds:
            break
        time.sleep(pause)
        now = time.monotonic() - started
    # A look that is meant to find nothing must not refresh what the node believes of the folder.
    listed = _listing(request.folder) if request.limit_seconds else frozenset()
    return Sightings({name: Sighting(seen.get(name), name in listed) for name in request.names})


def sweep(folder: str, now: float) -> None:
    """Remove marks that interrupted commands have left."""
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            with suppress(OSError):
                if now - entry.stat().st_mtime > _OLD_SECONDS:
                    os.unlink(entry.path)


def _is_whole(path: str, name: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(1024) == name.encode()
    except OSError:
        return False


def _listing(folder: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except OSError:
        return frozenset()


def _path(folder: str, name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise ClusterError(f"{name!r} cannot name a mark")
    return os.path.join(folder, name)
