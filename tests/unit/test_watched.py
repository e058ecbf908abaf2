"""What a build leaves for whoever watches it."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from luigigo.builds.progress import Tally
from luigigo.builds.watched import WatchFile, read_watching, watched_packages
from luigigo.golang.packages import Module, Package
from luigigo.golang.request import BuildRequest

MAIN = Module(path="example.com/app", main=True, dir="/work/app")
CACHED = Module(path="example.com/dep", version="v1.0.0", dir="/mod/example.com/dep@v1.0.0")
REQUEST = BuildRequest(project="/work/app")


def test_of_a_refused_build_the_settings_and_missing_packages_count() -> None:
    """What may mend it is looked at: its folders, modules, vendor, settings, and where a package would be."""
    packages = [
        Package(dir="/go/src/fmt", import_path="fmt", standard=True),
        Package(dir="/work/app", import_path="example.com/app", module=MAIN),
        Package(dir=CACHED.dir, import_path="example.com/dep", module=CACHED),
        Package(import_path="example.com/app/missing"),
    ]
    request = msgspec.structs.replace(REQUEST, modfile="other.mod")
    watched = watched_packages(packages, request, {"HOME": "/home/u", "GOENV": "/home/u/goenv"})
    files = set(watched.places.files)
    assert files >= {
        "/work/app/go.mod", "/work/app/go.sum", "/work/app/vendor/modules.txt", "/work/app/other.mod",
        "/work/go.work", "/home/u/goenv",
    }  # fmt: skip
    assert "/go/src/fmt" not in watched.places.folders
    assert watched.places.listings == ("/work/app/missing",)
    assert watched.closed == (CACHED.dir,)


def test_a_replaced_module_of_a_version_may_lie_in_a_folder_that_is_edited() -> None:
    """A module that a folder replaces is open; one that another version replaces is not."""
    for replace, closed in ((Module(path="../fork"), ()), (Module(path="x", version="v2.0.0"), ("/d",))):
        module = Module(path="example.com/dep", version="v1.0.0", dir="/d", replace=replace)
        packages = [Package(dir="/d", import_path="example.com/dep", module=module)]
        assert watched_packages(packages, REQUEST, {}).closed == closed


def test_what_cannot_be_left_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that was swept is made again; where nothing can be written, one line says so."""
    path = tmp_path / "swept" / "watched"
    WatchFile(str(path), {}).end(Tally())
    left = read_watching(str(path))
    assert left is not None and left.watched is None
    (tmp_path / "file").touch()
    WatchFile(os.path.join(tmp_path, "file", "watched"), {}).end(Tally())
    assert "cannot write" in capsys.readouterr().err
