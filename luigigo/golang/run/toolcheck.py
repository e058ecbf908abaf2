"""Whether a toolchain is still the one that plans were made with: by stats, by digests where they differ."""

from __future__ import annotations

import os

from luigigo.errors import ToolchainError
from luigigo.golang.toolchain import Toolchain, include_digest, include_dir
from luigigo.store.stathashes import StatHashes


class ToolCheck:
    """Looks at one toolchain's files again and again. Safe for threads."""

    def __init__(self, toolchain: Toolchain, hashes: StatHashes) -> None:
        self._toolchain = toolchain
        self._hashes = hashes
        self._sound: tuple[tuple[int, ...], ...] = ()
        """The stats with which all was as it should be."""

    def changed(self) -> str:
        """A file or folder that is not what it was when the toolchain was read, or ""."""
        stats = self._stats()
        if stats == self._sound:
            return ""
        toolchain = self._toolchain
        for name, digest in toolchain.tools.items():
            path = os.path.join(toolchain.tool_dir, name)
            if self._digest(path) != digest:
                return path
        folder = include_dir(toolchain.goroot)
        try:
            is_same = include_digest(toolchain.goroot, self._hashes) == toolchain.include
        except (OSError, ToolchainError):
            is_same = False
        if not is_same:
            return folder
        self._sound = stats
        return ""

    def _stats(self) -> tuple[tuple[int, ...], ...]:
        toolchain = self._toolchain
        folder = include_dir(toolchain.goroot)
        paths = [os.path.join(toolchain.tool_dir, name) for name in toolchain.tools]
        try:
            paths += [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
            seen = [os.stat(path) for path in paths]
        except OSError:
            return ((-1,),)
        return tuple((s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino, s.st_dev) for s in seen)

    def _digest(self, path: str) -> str:
        try:
            return self._hashes.digest(path)
        except OSError:
            return ""
