"""Which file systems give a file another change time with each change. Reads the list of mounts."""

from __future__ import annotations

import os
import re
import stat as kinds

TRUSTED = frozenset({
    "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "jfs", "reiserfs", "nilfs2",
    "tmpfs", "ramfs", "rootfs", "overlay", "squashfs", "erofs", "iso9660",
})  # fmt: skip
"""Those of which the kernel of this machine makes every change, or to which none is made.

Of a share's file somebody else changes the content, and this machine hears of it later; the attributes of
a FUSE file are whatever its program says, and FAT has no change time.
"""

MOUNTS = "/proc/self/mountinfo"


class FileSystems:
    """Judges file systems by their kind, each once. What is not known is not trusted."""

    def __init__(self, mounts: str = MOUNTS) -> None:
        """`mounts` is a list in the form of /proc/self/mountinfo (proc(5)); it is read when needed."""
        self._mounts = mounts
        self._kinds: dict[bytes, str] | None = None
        self._judged: dict[int, bool] = {}

    def trusts(self, stat: os.stat_result, path: str) -> bool:
        """Whether each change of a file on the file system of `stat`, found at `path`, changes its times."""
        judged = self._judged.get(stat.st_dev)
        if judged is None:
            judged = self._judged[stat.st_dev] = self.kind_at(_resolved(stat, path)) in TRUSTED
        return judged

    def kind_at(self, path: str) -> str:
        """The kind of file system, such as `ext4`, at a path without symbolic links; "" if not known."""
        if self._kinds is None:
            self._kinds = _read_mounts(self._mounts)
        folder = os.fsencode(path)
        while folder not in self._kinds:
            parent = os.path.dirname(folder)
            if parent == folder:
                return ""
            folder = parent
        return self._kinds[folder]


def _resolved(stat: os.stat_result, path: str) -> str:
    if not kinds.S_ISLNK(stat.st_mode):
        return os.path.realpath(path)
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)


def _read_mounts(path: str) -> dict[bytes, str]:
    """By mount point, the kind of what was mounted there last."""
    try:
        with open(path, "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        mount, _, source = line.partition(b" - ")
        fields = mount.split(b" ")
        if len(fields) > 4 and source:
            point = re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), fields[4])
            found[point] = os.fsdecode(source.split(b" ")[0])
    return found
