"""What the packages on a command line mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from luigigo.golang.buildarguments import project_and_packages


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A module with a module inside, another module beside it, and a folder of none."""
    for name in ("app", "app/nested", "other", "member"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "go.mod").write_text(f"module example.com/{name}\n")
    (tmp_path / "app" / "cmd" / "a").mkdir(parents=True)
    (tmp_path / "plain").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [["./..."], ["./cmd/a", "./cmd/b"], ["main.go"], ["std"], ["cmd/a"], ["example.com/app"]],
)
def test_packages_mean_what_they_mean_to_go(root: Path, arguments: list[str]) -> None:
    """The go command runs in the current folder."""
    here = str(root / "app")
    assert project_and_packages(arguments, here, {}) == (here, tuple(arguments))
    below = str(root / "app" / "cmd")
    assert project_and_packages(arguments, below, {}) == (below, tuple(arguments))


def test_nothing_is_the_current_package(root: Path) -> None:
    assert project_and_packages([], str(root), {}) == (str(root), (".",))


@pytest.mark.parametrize(
    ("here", "argument"), [("app", "../other"), ("app", "nested"), ("plain", "../app"), (".", "app")]
)
def test_a_folder_of_another_module_is_a_project(root: Path, here: str, argument: str) -> None:
    """What follows are packages in it."""
    folder = str(root / here)
    assert project_and_packages([argument], folder, {}) == (argument, (".",))
    assert project_and_packages([argument, "./cmd/..."], folder, {}) == (argument, ("./cmd/...",))


def test_a_member_of_the_workspace_is_no_other_module(root: Path) -> None:
    """Unless the workspace is switched off; in a block or on a line of its own, with comments."""
    work = "go 1.26\n\nuse ./app // this one\nuse (\n\t./member // and this\n\t// ./other\n)\n"
    (root / "go.work").write_text(work)
    here = str(root / "app")
    assert project_and_packages(["../member"], here, {}) == (here, ("../member",))
    assert project_and_packages(["../other"], here, {}) == ("../other", (".",))
    assert project_and_packages(["../member"], here, {"GOWORK": "off"}) == ("../member", (".",))
    (root / "go.work").rename(root / "plain" / "go.work")
    named = {"GOWORK": str(root / "plain" / "go.work")}
    (root / "plain" / "go.work").write_text("go 1.26\n\nuse ../app\nuse ../member\n")
    assert project_and_packages(["../member"], here, named) == (here, ("../member",))


def test_a_module_by_its_version_is_a_project(root: Path) -> None:
    """Unless there is a folder of that name."""
    here = str(root)
    assert project_and_packages(["example.com/x@v1.0.0"], here, {}) == ("example.com/x@v1.0.0", (".",))
    assert project_and_packages(["./x@v1"], here, {}) == (here, ("./x@v1",))
