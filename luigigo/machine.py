"""What this process may use of its machine: processors and memory, within its control groups.

Both versions of control groups count, and every group from this process's own up to the root: a limit may
stand in any of them. `root` is where the machine's file system starts.
"""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

_MEMORY_SHARE = 0.9
"""Of the memory that is free, what actions may take together."""
_OCTAL = re.compile(r"\\([0-7]{3})")


class Mount(msgspec.Struct, frozen=True):
    """One mounted hierarchy of control groups."""

    root: str
    """The group that the mount point shows."""
    point: str
    controllers: frozenset[str]
    """Empty for version 2."""


def memory_budget_bytes() -> int:
    """What actions may take together of the memory that is free here now, within the control groups."""
    return int(_MEMORY_SHARE * min(memory_available_bytes(), memory_limit_bytes()))


def node_name() -> str:
    """The name that this machine has among the nodes."""
    return socket.gethostname()


def usable_cpus(root: Path = Path("/"), affinity: int | None = None) -> int:
    """How many processors may be kept busy: those that this process may run on, within its quota; at least 1.

    A quota of two and a half processors counts as three. `affinity`: how many it may run on, if not to ask.
    """
    allowed = affinity if affinity is not None else _affinity()
    quotas = [*_quotas_v2(root), *_quotas_v1(root)]
    # Divided rounding up.
    return max(1, min([allowed, *(-(-quota // period) for quota, period in quotas)]))


def memory_limit_bytes(root: Path = Path("/")) -> int:
    """How much memory the machine has, or the smallest limit on this process's groups."""
    limits = [limit for limit, _ in _memory_groups(root)]
    return min([_meminfo_bytes(root, "MemTotal"), *limits])


def memory_available_bytes(root: Path = Path("/")) -> int:
    """How much memory can still be taken without swapping or being killed; at least 0.

    File content that a group could drop is not counted as used.
    """
    left = [limit - used for limit, used in _memory_groups(root)]
    return max(0, min([_meminfo_bytes(root, "MemAvailable"), *left]))


def parse_groups(text: str) -> dict[str, str]:
    """/proc/self/cgroup: the group's path by controller, that of version 2 under the empty name."""
    groups = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            groups[controller] = path
    return groups


def parse_mounts(text: str) -> list[Mount]:
    """/proc/self/mountinfo: the mounts of control groups of either version, in the order of mounting."""
    mounts = []
    for line in text.splitlines():
        before, separator, after = line.partition(" - ")
        fields, kinds = before.split(), after.split()
        if not separator or len(fields) < 5 or not kinds or kinds[0] not in ("cgroup", "cgroup2"):
            continue
        is_v1 = kinds[0] == "cgroup" and len(kinds) > 2
        controllers = frozenset(kinds[2].split(",")) if is_v1 else frozenset()
        mounts.append(Mount(_unescape(fields[3]), _unescape(fields[4]), controllers))
    return mounts


def group_folders(root: Path, controller: str) -> list[Path]:
    """The folders of this process's group of `controller` and of its parents, the innermost first.

    The empty controller is version 2. A group that the mount does not show, as in many containers, counts as
    the mount point itself. Empty when there is no such hierarchy.
    """
    group = parse_groups(_read(root / "proc/self/cgroup")).get(controller)
    if group is None:
        return []
    chains = [
        _chain(root, mount, group)
        for mount in parse_mounts(_read(root / "proc/self/mountinfo"))
        if (controller in mount.controllers if controller else not mount.controllers)
    ]
    # Of several mounts of one hierarchy, the one that shows the most of it.
    return max(chains, key=len, default=[])


def _chain(root: Path, mount: Mount, group: str) -> list[Path]:
    point = root / mount.point.lstrip("/")
    inside = os.path.relpath(group, mount.root)
    folder = point / inside
    outside = group.startswith("/..") or inside == ".." or inside.startswith("../")
    if outside or not folder.is_dir():
        return [point]
    depth = len(folder.relative_to(point).parts)
    return [folder, *folder.parents[:depth]]


def _quotas_v2(root: Path) -> Iterator[tuple[int, int]]:
    for folder in group_folders(root, ""):
        fields = _read(folder / "cpu.max").split()
        if len(fields) == 2 and fields[0].isdecimal() and int(fields[1]) > 0:
            yield int(fields[0]), int(fields[1])


def _quotas_v1(root: Path) -> Iterator[tuple[int, int]]:
    for folder in group_folders(root, "cpu"):
        quota = _number(_read(folder / "cpu.cfs_quota_us"))
        period = _number(_read(folder / "cpu.cfs_period_us"))
        if quota and period:
            yield quota, period


def _memory_groups(root: Path) -> Iterator[tuple[int, int]]:
    """Limit and use, without what could be dropped, of every group that has a limit; in bytes."""
    for controller, limit_name, used_name, droppable_name in (
        ("", "memory.max", "memory.current", "inactive_file"),
        ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        for folder in group_folders(root, controller):
            limit = _number(_read(folder / limit_name))
            if limit is None:
                continue
            used = _number(_read(folder / used_name)) or 0
            droppable = _named_number(_read(folder / "memory.stat"), droppable_name) or 0
            yield limit, max(0, used - droppable)


def _meminfo_bytes(root: Path, name: str) -> int:
    kibibytes = _named_number(_read(root / "proc/meminfo"), f"{name}:")
    if kibibytes is not None:
        return kibibytes * 1024
    # Not Linux. Imported only then, for it costs more time than all the rest.
    import psutil

    memory = psutil.virtual_memory()
    return int(memory.total if name == "MemTotal" else memory.available)


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _named_number(text: str, name: str) -> int | None:
    """The number after `name` in lines of names and numbers."""
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 2 and fields[0] == name:
            return _number(fields[1])
    return None


def _number(text: str) -> int | None:
    """A number that is not negative; None for anything else, such as `max` and -1."""
    stripped = text.strip()
    return int(stripped) if stripped.isdecimal() else None


def _read(path: Path) -> str:
    """The text of a small file; empty when it is absent or closed to us."""
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def _unescape(field: str) -> str:
    """Undo the kernel's octal escapes of blanks in paths."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), field)


def process_began() -> float:
    """When this process began, by `time.monotonic`, to 10 ms; now where that is not known."""
    now = time.monotonic()
    try:
        with open("/proc/self/stat", "rb") as file:
            ticks = int(file.read().rpartition(b") ")[2].split()[19])
        # Both count from the machine's start, also while it slept.
        age_seconds = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return now
    return now - max(0.0, age_seconds)


def processor_name(root: Path = Path("/")) -> str:
    """What the processor is called (/proc/cpuinfo); "" where that does not say."""
    try:
        with open(root / "proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            lines = (line.partition(":") for line in file)
            return next((value.strip() for name, _, value in lines if name.strip() == "model name"), "")
    except OSError:
        return ""
