"""Paths that start from a current folder which may be gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from luigigo.currentfolder import absolute, current_folder
from luigigo.errors import PlanError
from luigigo.golang.request import absolute_output, absolute_project


@pytest.fixture
def gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A current folder that somebody removed."""
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()


@pytest.mark.usefixtures("gone")
def test_whole_paths_need_no_current_folder() -> None:
    """They are what they are, without what leads back and forth."""
    assert absolute("/a/../b/./c\udce9") == "/b/c\udce9"
    assert absolute_project("/a") == "/a"
    assert absolute_output("/a/") == "/a/"


@pytest.mark.usefixtures("gone")
def test_relative_paths_are_refused_with_gos_words() -> None:
    """Also where no output is named, for it would lie in the current folder."""
    for asked in (
        current_folder,
        lambda: absolute("a"),
        lambda: absolute_project("."),
        lambda: absolute_output(""),
    ):
        with pytest.raises(
            PlanError, match=r"^cannot determine current directory: getwd: no such file or dir"
        ):
            asked()


def test_relative_paths_start_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it is there."""
    monkeypatch.chdir(tmp_path)
    assert absolute("a/../b") == f"{tmp_path}/b"
    assert current_folder() == str(tmp_path)
