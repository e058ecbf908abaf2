"""What a process may use, told from fake file systems."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from luigigo.machine import (
    group_folders,
    memory_available_bytes,
    memory_limit_bytes,
    node_name,
    parse_groups,
    parse_mounts,
    usable_cpus,
)

GIB = 1 << 30
MEMINFO = "MemTotal:       16777216 kB\nMemFree: 1 kB\nMemAvailable:    8388608 kB\n"
V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1_MOUNTS = (
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "33 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
)


class Machine:
    """A fake root of a file system."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("proc/meminfo", MEMINFO)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def mount(self, groups: str, mounts: str) -> None:
        self.write("proc/self/cgroup", groups)
        self.write("proc/self/mountinfo", mounts)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_without_groups_the_affinity_and_the_physical_memory_count(machine: Machine) -> None:
    """No control group limits nothing."""
    assert usable_cpus(machine.root, 8) == 8
    assert memory_limit_bytes(machine.root) == 16 * GIB
    assert memory_available_bytes(machine.root) == 8 * GIB


@pytest.mark.parametrize(
    ("quota", "cpus"),
    [
        ("max 100000", 8),
        ("250000 100000", 3),
        ("200000 100000", 2),
        ("1000 100000", 1),
        ("9900000 100000", 8),
    ],
)
def test_a_quota_of_version_2_is_rounded_up(machine: Machine, quota: str, cpus: int) -> None:
    """At least one processor, at most those that the process may run on."""
    machine.mount("0::/job\n", V2_MOUNT)
    machine.write("sys/fs/cgroup/job/cpu.max", quota + "\n")
    assert usable_cpus(machine.root, 8) == cpus


@pytest.mark.parametrize(("quota", "cpus"), [("-1", 8), ("150000", 2), ("50000", 1)])
def test_a_quota_of_version_1_counts(machine: Machine, quota: str, cpus: int) -> None:
    """-1 is no quota."""
    machine.mount("2:cpu,cpuacct:/job\n", V1_MOUNTS)
    machine.write("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", quota)
    machine.write("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n")
    assert usable_cpus(machine.root, 8) == cpus


def test_the_strictest_group_of_the_chain_counts(machine: Machine) -> None:
    """A limit may stand in any parent."""
    machine.mount("0::/slurm/job/step\n", V2_MOUNT)
    machine.write("sys/fs/cgroup/slurm/job/step/cpu.max", "max 100000")
    machine.write("sys/fs/cgroup/slurm/job/cpu.max", "300000 100000")
    machine.write("sys/fs/cgroup/slurm/cpu.max", "600000 100000")
    machine.write("sys/fs/cgroup/slurm/job/step/memory.max", "max")
    machine.write("sys/fs/cgroup/slurm/job/memory.max", str(4 * GIB))
    machine.write("sys/fs/cgroup/slurm/memory.max", str(2 * GIB))
    assert usable_cpus(machine.root, 8) == 3
    assert memory_limit_bytes(machine.root) == 2 * GIB


def test_available_memory_of_version_2_leaves_out_what_can_be_dropped(machine: Machine) -> None:
    """Inactive file pages are not used memory."""
    machine.mount("0::/job\n", V2_MOUNT)
    machine.write("sys/fs/cgroup/job/memory.max", str(4 * GIB))
    machine.write("sys/fs/cgroup/job/memory.current", str(3 * GIB))
    machine.write("sys/fs/cgroup/job/memory.stat", f"anon 5\ninactive_file {2 * GIB}\nactive_file 7\n")
    assert memory_available_bytes(machine.root) == 3 * GIB


def test_available_memory_of_version_1(machine: Machine) -> None:
    """Version 1 counts the whole sub-tree's inactive files; no limit is a huge number."""
    machine.mount("4:memory:/a/b\n", V1_MOUNTS)
    base = "sys/fs/cgroup/memory"
    machine.write(f"{base}/a/b/memory.limit_in_bytes", "9223372036854771712\n")
    machine.write(f"{base}/a/b/memory.usage_in_bytes", str(GIB))
    machine.write(f"{base}/a/memory.limit_in_bytes", str(2 * GIB))
    machine.write(f"{base}/a/memory.usage_in_bytes", str(2 * GIB))
    machine.write(f"{base}/a/memory.stat", f"inactive_file 3\ntotal_inactive_file {GIB // 2}\n")
    assert memory_limit_bytes(machine.root) == 2 * GIB
    assert memory_available_bytes(machine.root) == GIB // 2


def test_a_group_over_its_limit_has_nothing_left(machine: Machine) -> None:
    """Never a negative number."""
    machine.mount("0::/\n", V2_MOUNT)
    machine.write("sys/fs/cgroup/memory.max", str(GIB))
    machine.write("sys/fs/cgroup/memory.current", str(2 * GIB))
    assert memory_available_bytes(machine.root) == 0


@pytest.mark.parametrize("group", ["/docker/abcdef", "/../outside"])
def test_a_group_that_the_mount_does_not_show_counts_as_the_mount_point(machine: Machine, group: str) -> None:
    """In a container the path is often that of the host."""
    machine.mount(f"0::{group}\n", V2_MOUNT)
    machine.write("sys/fs/cgroup/cpu.max", "200000 100000")
    assert usable_cpus(machine.root, 8) == 2
    assert group_folders(machine.root, "") == [machine.root / "sys/fs/cgroup"]


def test_a_mount_that_starts_at_a_group_shows_what_is_below_it(machine: Machine) -> None:
    """A bind mount of a container's own group."""
    mounts = "32 31 0:29 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n"
    machine.mount("1:cpu:/docker/abc/inner\n", mounts)
    machine.write("sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us", "-1")
    machine.write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "400000")
    machine.write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000")
    assert usable_cpus(machine.root, 8) == 4
    point = machine.root / "sys/fs/cgroup/cpu"
    assert group_folders(machine.root, "cpu") == [point / "inner", point]


def test_both_versions_count_together(machine: Machine) -> None:
    """A hybrid machine has controllers in either."""
    mounts = V1_MOUNTS + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
    machine.mount("4:memory:/m\n2:cpu,cpuacct:/c\n0::/u\n", mounts)
    machine.write("sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_quota_us", "300000")
    machine.write("sys/fs/cgroup/cpu,cpuacct/c/cpu.cfs_period_us", "100000")
    machine.write("sys/fs/cgroup/memory/m/memory.limit_in_bytes", str(3 * GIB))
    machine.write("sys/fs/cgroup/unified/u/cpu.max", "500000 100000")
    assert usable_cpus(machine.root, 8) == 3
    assert memory_limit_bytes(machine.root) == 3 * GIB


def test_garbage_in_the_files_is_no_limit(machine: Machine) -> None:
    """Nothing that the kernel might say breaks a build."""
    machine.mount("0::/\n", V2_MOUNT + "short line\n40 - cgroup\n")
    machine.write("sys/fs/cgroup/cpu.max", "")
    machine.write("sys/fs/cgroup/memory.max", "lots")
    assert usable_cpus(machine.root, 5) == 5
    assert memory_limit_bytes(machine.root) == 16 * GIB


def test_parse_groups_names_each_controller() -> None:
    """A hierarchy may have several controllers; version 2 has the empty name; paths may hold colons."""
    groups = parse_groups("9:name=systemd:/s\n2:cpu,cpuacct:/c:1\n0::/u\n")
    assert groups == {"name=systemd": "/s", "cpu": "/c:1", "cpuacct": "/c:1", "": "/u"}


def test_parse_mounts_undoes_octal_escapes() -> None:
    """A mount point may hold a blank."""
    (mount,) = parse_mounts("32 31 0:29 / /sys/my\\040groups rw a:1 b:2 - cgroup2 none rw\n")
    assert (mount.root, mount.point, mount.controllers) == ("/", "/sys/my groups", frozenset())


def test_the_real_machine_has_something() -> None:
    """The numbers of this machine are in order."""
    assert 1 <= usable_cpus() <= (os.cpu_count() or 1)
    assert 0 <= memory_available_bytes() <= memory_limit_bytes()
    assert node_name()
