"""What is said of a node's own disk that fails."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from luigigo.errors import NodeTrouble
from luigigo.store.owndisk import FULL, disk_trouble, own_disk_errors, says_full


@pytest.mark.parametrize("number", sorted(FULL))
def test_a_full_disk_is_said_with_what_is_free_and_needed(tmp_path: Path, number: int) -> None:
    """Of a quota as of a disk; room may be made, and something smaller may fit."""
    with pytest.raises(NodeTrouble) as caught, own_disk_errors(f"{tmp_path}/gone", 3 << 20):
        raise OSError(number, os.strerror(number), "some file")
    assert str(caught.value).startswith(f"{tmp_path}/gone: {os.strerror(number)}: ")
    assert str(caught.value).endswith(" are free, 3.0 MB are needed")
    assert (caught.value.kind, caught.value.is_full) == ("disk", True)


def test_what_is_larger_than_the_disk_is_a_matter_of_its_size(tmp_path: Path) -> None:
    """The node is as good as ever for all else."""
    assert disk_trouble(str(tmp_path), "full", 1 << 62, is_full=True).kind == "size"
    assert disk_trouble(str(tmp_path), "gone", 1 << 62).kind == "disk"


def test_what_can_never_fit_is_not_begun(tmp_path: Path) -> None:
    """It would fill the disk for all others meanwhile."""
    with pytest.raises(NodeTrouble, match="are needed") as caught, own_disk_errors(str(tmp_path), 1 << 62):
        pytest.fail("it has begun")
    assert (caught.value.kind, caught.value.is_full) == ("size", True)


def test_another_fault_is_said_with_its_file(tmp_path: Path) -> None:
    """Removing what the cache holds would not mend it."""
    with pytest.raises(NodeTrouble) as caught, own_disk_errors(str(tmp_path)):
        os.stat(tmp_path / "absent")
    assert str(caught.value) == f"{tmp_path}: {tmp_path}/absent: No such file or directory"
    assert not caught.value.is_full


def test_a_tools_words_for_a_full_disk_are_known() -> None:
    """In whatever sentence, as tools write them; others are the program's."""
    assert says_full("compile: writing output: write /w/_pkg_.a: no space left on device")
    assert says_full(f"cc1: error: {os.strerror(errno.EDQUOT)}")
    assert not says_full("main.go:3:1: syntax error")
