"""The folder in which the go command is run, and what is said when it is none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from luigigo.errors import PlanError, UsageError
from luigigo.golang.listing import GoProject, list_packages, project_folder
from luigigo.golang.request import BuildRequest
from luigigo.golang.toolchain import GoCommand, run_env
from luigigo.process import Runner


def test_a_project_is_a_folder(tmp_path: Path) -> None:
    """Of any name; what is none is an argument that is wrong."""
    odd, file = tmp_path / "caf\udce9", tmp_path / "file"
    odd.mkdir()
    file.touch()
    assert project_folder(str(odd)) == str(odd)
    for path, what in (
        (file, "is a file"),
        (tmp_path / "no", "does not exist"),
        (file / "x", "does not exist"),
    ):
        with pytest.raises(UsageError, match=what):
            project_folder(str(path))


def test_a_folder_that_vanishes_is_told_with_gos_words(tmp_path: Path) -> None:
    """Whichever run of the go command finds it gone; the toolchain is not blamed."""
    folder = tmp_path / "project"
    folder.mkdir()
    go = GoCommand(shutil.which("true") or "/bin/true", "PATH")
    project = GoProject(go, project_folder(str(folder)), {})
    folder.rmdir()
    request = BuildRequest(project=str(folder))
    with pytest.raises(PlanError, match=rf"^go: chdir {folder}: no such file or directory$"):
        list_packages(project, request, Runner(), print)
    with pytest.raises(PlanError, match=rf"^go: chdir {folder}: no such file or directory$"):
        run_env(go, str(folder), {}, Runner())
