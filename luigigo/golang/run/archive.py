"""Append objects to an archive as `go tool pack r` does (packInternal in cmd/go/internal/work/gc.go)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence


def append(archive: str, objects: Sequence[str]) -> None:
    """Append files to the archive: names cut to 16 bytes, times and owners zero, mode 644."""
    if not objects:
        return
    with open(archive, "ab") as target:
        for path in objects:
            with open(path, "rb") as source:
                size = os.fstat(source.fileno()).st_size
                target.write(_header(os.path.basename(path), size))
                shutil.copyfileobj(source, target)
            if size % 2:
                target.write(b"\0")


def _header(name: str, size: int) -> bytes:
    return os.fsencode(name)[:16].ljust(16) + f"{0:<12}{0:<6}{0:<6}{'644':<8}{size:<10}`\n".encode()
