"""A toolchain that changes under a running worker is found out, by what is in its files."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from luigigo.golang.run.toolcheck import ToolCheck
from luigigo.golang.toolchain import Toolchain, include_digest
from luigigo.store.stathashes import StatHashes


@pytest.fixture
def goroot(tmp_path: Path) -> Path:
    """A toolchain's files."""
    for name in ("pkg/tool/compile", "pkg/tool/link", "pkg/include/funcdata.h", "pkg/include/textflag.h"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.fixture
def check(goroot: Path) -> ToolCheck:
    """What looks at it."""
    hashes = StatHashes(None)
    tool_dir = goroot / "pkg" / "tool"
    tools = {name: hashes.digest(str(tool_dir / name)) for name in ("compile", "link")}
    include = include_digest(str(goroot), hashes)
    known = dict.fromkeys(Toolchain.__struct_fields__, msgspec.UNSET)
    read = {"goroot": str(goroot), "tool_dir": str(tool_dir), "tools": tools, "include": include}
    return ToolCheck(Toolchain(**known | read), hashes)


def test_what_has_not_changed_is_sound(check: ToolCheck, goroot: Path) -> None:
    """Also where a file was touched, or written again as it was."""
    assert check.changed() == ""
    os.utime(goroot / "pkg/tool/link")
    (goroot / "pkg/include/textflag.h").write_text("pkg/include/textflag.h")
    assert check.changed() == ""


@pytest.mark.parametrize("name", ["pkg/tool/compile", "pkg/tool/link"])
def test_a_tool_that_changed_is_named_until_it_is_restored(check: ToolCheck, goroot: Path, name: str) -> None:
    """By its path, each time that one looks."""
    assert check.changed() == ""
    before = (goroot / name).read_bytes()
    (goroot / name).write_bytes(before + b"\n")
    assert check.changed() == check.changed() == str(goroot / name)
    (goroot / name).write_bytes(before)
    assert check.changed() == ""


@pytest.mark.parametrize("change", ["edited", "added", "removed"])
def test_a_header_that_changed_is_found(check: ToolCheck, goroot: Path, change: str) -> None:
    """Their folder is named."""
    folder = goroot / "pkg" / "include"
    assert check.changed() == ""
    if change == "removed":
        (folder / "funcdata.h").unlink()
    else:
        (folder / ("new.h" if change == "added" else "funcdata.h")).write_text("other")
    assert check.changed() == str(folder)


def test_a_tool_that_is_gone_is_named(check: ToolCheck, goroot: Path) -> None:
    """As one that changed."""
    (goroot / "pkg/tool/compile").unlink()
    assert check.changed() == str(goroot / "pkg/tool/compile")
