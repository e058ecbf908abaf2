"""Where the go command would find more or other packages, modules and embedded files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from luigigo.golang.embedplaces import embed_places, may_embed
from luigigo.golang.environment import GoEnv
from luigigo.golang.localmodules import LocalModule
from luigigo.golang.moduleplaces import Homes, above, folders_by_module, module_files
from luigigo.golang.packages import Module, Package
from luigigo.golang.patternplaces import pattern_places
from luigigo.golang.request import BuildRequest

ENV = GoEnv(
    goroot="/goroot",
    goversion="go1.27",
    gotooldir="/tools",
    goos="linux",
    goarch="amd64",
    gohostos="linux",
    gohostarch="amd64",
    gomod="/w/app/go.mod",
    gomodcache="/home/go/pkg/mod",
)
APP = LocalModule("example.com/app", "/w/app", "/w/app/go.mod", is_main=True)
DEP = LocalModule("example.com/app/dep", "/w/dep", "/w/dep/go.mod")


def below(top: Path, paths: tuple[str, ...]) -> set[str]:
    """Paths from a folder."""
    return {os.path.relpath(path, top) for path in paths}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Folders with files in some of them."""
    for name in ("a/b/c", "a/.hidden", "x1/deep", "x2", "y", "a/.git/objects", "a/module"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("a/b/f.go", "a/b/c/f.txt", "x1/f", "f.txt", "a/module/go.mod"):
        (tmp_path / name).write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "folders"),
    [
        ("f.txt", {"."}),
        ("a", {".", "a", "a/b", "a/b/c", "a/.hidden", "a/module"}),
        ("all:a/b", {".", "a", "a/b", "a/b/c"}),
        ("x*", {".", "x1", "x1/deep", "x2"}),
        ("x*/f", {".", "x1", "x2"}),
        ("x?/d[a-f]ep", {".", "x1", "x2", "x1/deep"}),
        ("*.txt", {"."}),
    ],
)
def test_a_pattern_is_looked_for_in_folders(tree: Path, pattern: str, folders: set[str]) -> None:
    """Where its elements match, and in all that lies below what the whole of it matches."""
    places = embed_places(str(tree), (pattern,))
    assert below(tree, places.folders) == folders
    assert (places.files, places.listings) == ((), ())


def test_an_output_may_be_embedded() -> None:
    """By the first element of a pattern, which is all that counts in the package's folder."""
    assert may_embed(("all:app*",), "app")
    assert may_embed(("texts", "a[a-q]*"), "app")
    assert not may_embed(("*.txt", "texts/app"), "app")


def test_files_are_looked_for_up_to_the_root() -> None:
    """go.work and go.mod, in every folder."""
    assert list(above("/a/b"))[:2] == ["/a/b/go.work", "/a/b/go.mod"]
    assert list(above("/a/b"))[-2:] == ["/go.work", "/go.mod"]


def test_modules_count_by_their_files() -> None:
    """Of main modules and replacements, also those without packages; of versioned ones what is downloaded."""
    cache = "/home/go/pkg/mod/cache/download/example.com/v/@v/v1.0.0"
    packages = [Package(module=Module(path="example.com/v", go_mod=f"{cache}.mod")), Package()]
    request = BuildRequest(project="/w/app", modfile="other.mod")
    places = module_files(ENV, request, "/w/app", (APP, DEP), packages)
    assert set(places.files) == {
        "/w/app/go.mod", "/w/app/go.sum", "/w/dep/go.mod", "/w/dep/go.sum", "/w/app/vendor/modules.txt",
        "/w/app/other.mod", "/w/app/other.sum", f"{cache}.mod", f"{cache}.ziphash", "/home/go/go.mod",
    }  # fmt: skip
    assert places.listings == ("/w/app",)


def test_a_package_may_have_another_home() -> None:
    """In modules whose paths begin like its own, in GOROOT and vendor folders; go.mod files cut it off."""
    package = Package(
        dir="/w/dep/sub/x",
        import_path="example.com/app/dep/sub/x",
        module=Module(path="example.com/app/dep", dir="/w/dep"),
    )
    homes = Homes("/goroot", (APP, DEP), (package,), ("/w/app/vendor",))
    places = homes.places(package)
    assert set(places.listings) == {"/w/app/dep/sub/x", "/w/app/vendor/example.com/app/dep/sub/x"}
    assert set(places.files) == {
        "/w/dep/sub/x/go.mod", "/w/dep/sub/go.mod",
        "/w/app/dep/sub/x/go.mod", "/w/app/dep/sub/go.mod", "/w/app/dep/go.mod",
    }  # fmt: skip
    plain = Package(dir="/w/app/x", import_path="app/x", module=Module(path="app", dir="/w/app"))
    assert Homes("/goroot", (), (plain,), ()).places(plain).listings == ("/goroot/src/app/x",)


def test_a_pattern_is_matched_in_trees(tree: Path) -> None:
    """Of the folder or of modules; by stats where Go files are, and not below another module's go.mod."""
    modules = {str(tree / "a"): "example.com/a", str(tree / "y"): "example.com/y"}

    def trees(*patterns: str) -> tuple[set[str], set[str]]:
        places = pattern_places(patterns, str(tree), modules, str(tree / "goroot"))
        return below(tree, places.folders), below(tree, places.listings)

    a_listings = {"a", "a/b/c", "a/module"}
    assert trees("./a/...") == ({"a/b"}, a_listings)
    assert trees("./...") == ({"a/b"}, a_listings | {".", "x1", "x1/deep", "x2", "y"})
    assert trees("example.com/a/...") == ({"a/b"}, a_listings)
    assert trees("example.com/a/b...") == ({"a/b"}, a_listings)
    assert trees("all") == ({"a/b"}, a_listings | {"y"})
    assert trees("./a/b", "example.com/a/b") == (set(), set())


def test_modules_are_known_by_folder() -> None:
    """Those of packages and those without."""
    package = Package(module=Module(path="example.com/v", dir="/cache/v"))
    assert folders_by_module((DEP,), (package, Package())) == {
        "/w/dep": "example.com/app/dep",
        "/cache/v": "example.com/v",
    }
