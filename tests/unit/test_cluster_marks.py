"""Marks, by which nodes measure how soon they see each other's files."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from luigigo.cluster import marks
from luigigo.cluster.messages import ClusterError, Look, Marks


def test_a_mark_that_is_there_is_seen_at_once(tmp_path: Path) -> None:
    """The first look counts as no time; the listing shows it, too."""
    marks.write(Marks(str(tmp_path), ("a",)))
    seen = marks.look(Look(str(tmp_path), ("a",), 1.0)).seen
    assert (seen["a"].seconds, seen["a"].listed) == (0.0, True)


def test_a_mark_that_comes_later_is_timed(tmp_path: Path) -> None:
    """The time from the first look to the one that sees it."""
    late = threading.Timer(0.3, lambda: marks.write(Marks(str(tmp_path), ("a",))))
    late.start()
    seconds = marks.look(Look(str(tmp_path), ("a",), 5.0)).seen["a"].seconds
    late.join()
    assert seconds is not None and 0.2 < seconds < 3.0


def test_a_mark_that_never_comes_ends_the_look_in_time(tmp_path: Path) -> None:
    """Bounded, and neither seen nor listed."""
    started = time.monotonic()
    seen = marks.look(Look(str(tmp_path), ("a",), 0.2)).seen
    assert (seen["a"].seconds, seen["a"].listed) == (None, False)
    assert time.monotonic() - started < 3.0


def test_a_torn_mark_is_not_seen(tmp_path: Path) -> None:
    """The name alone is not enough: the content must be there."""
    (tmp_path / "a").write_text("")
    seen = marks.look(Look(str(tmp_path), ("a",), 0.1)).seen
    assert (seen["a"].seconds, seen["a"].listed) == (None, True)


def test_marks_are_removed_and_old_ones_swept(tmp_path: Path) -> None:
    """What an interrupted command left goes after an hour."""
    marks.write(Marks(str(tmp_path), ("a", "b", "c")))
    marks.remove(Marks(str(tmp_path), ("a", "missing")))
    os.utime(tmp_path / "b", (0, 0))
    marks.sweep(str(tmp_path), time.time())
    assert os.listdir(tmp_path) == ["c"]


@pytest.mark.parametrize("name", ["../a", "a/b", "", ".hidden", "a\n"])
def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """Names are checked on the node."""
    for act in (
        lambda: marks.write(Marks(str(tmp_path), (name,))),
        lambda: marks.remove(Marks("/", (name,))),
    ):
        with pytest.raises(ClusterError, match="cannot name a mark"):
            act()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """As on a share that is read-only."""
    with pytest.raises(ClusterError, match=r"cannot write in .*/absent: No such file"):
        marks.write(Marks(str(tmp_path / "absent"), ("a",)))
