"""Which file systems' times are proof."""

from __future__ import annotations

from pathlib import Path

import pytest

from luigigo.filesystems import FileSystems

MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:27 / /proc rw - proc proc rw
40 22 0:40 / /home rw,relatime - nfs4 server:/home rw
41 40 8:2 / /home/here rw - xfs /dev/sdb rw
42 22 0:42 / /a\040share rw master:1 - fuse.mfs mfs rw
43 22 0:43 / /over rw - ext4 /dev/sdc rw
44 43 0:44 / /over rw - 9p host rw
"""


@pytest.fixture
def here(tmp_path: Path) -> FileSystems:
    """A machine with several mounts."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    return FileSystems(str(mounts))


def test_the_nearest_mount_decides(here: FileSystems) -> None:
    """The longest mount point that the path lies below; of two on one point, the later."""
    assert here.kind_at("/usr/lib") == "ext4"
    assert here.kind_at("/home/user/x.go") == "nfs4"
    assert here.kind_at("/home/here/x.go") == "xfs"
    assert here.kind_at("/homes") == "ext4"
    assert here.kind_at("/a share/x") == "fuse.mfs"
    assert here.kind_at("/over/x") == "9p"
    assert here.kind_at("/") == "ext4"


def test_what_is_not_known_is_not_trusted(tmp_path: Path) -> None:
    """Without a list of mounts no time proves anything."""
    unknown = FileSystems(str(tmp_path / "absent"))
    assert not unknown.trusts(tmp_path.stat(), str(tmp_path))


def test_the_place_behind_links_counts(tmp_path: Path) -> None:
    """A link to a share leads to the share; the link itself lies where it lies."""
    place = tmp_path.resolve()
    (place / "share").mkdir()
    (place / "link").symlink_to("share")
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 8:1 / / rw - ext4 a rw\n2 1 0:9 / {place}/share rw - nfs4 b rw\n")
    link = place / "link"
    assert not FileSystems(str(mounts)).trusts(link.stat(), str(link))
    assert FileSystems(str(mounts)).trusts(link.lstat(), str(link))
