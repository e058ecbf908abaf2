"""What each release can do, and what the toolchain's own programs may not."""

from __future__ import annotations

import os
import re

import pytest

from luigigo.errors import ToolchainError, UsageError
from luigigo.golang.cflags import SOURCE, FlagCheck, find_invalid, read_allowed_flags
from luigigo.golang.environment import GoEnv, check_environment
from luigigo.golang.packages import Package, parse_list_output
from luigigo.golang.releases import release_of
from luigigo.golang.toolchain import find_go
from luigigo.golang.toolprograms import refuse_stamped_programs


@pytest.mark.parametrize("version", ["go1.26", "go1.26.8", "go1.26rc1", "go1.27.3", "go1.27.3 X:nodwarf5"])
def test_known_releases_are_found_without_a_warning(version: str) -> None:
    """Any patch level of a release in the table belongs to it."""
    release, warning = release_of(version)
    assert not warning
    assert version.startswith("go{}.{}".format(*release.number))


def test_a_newer_release_is_built_as_the_newest_known_with_a_warning() -> None:
    """Its flags may differ, and the user is told."""
    release, warning = release_of("go1.28.1")
    assert release.number == (1, 27)
    assert "go1.28.1 is newer than luigigo knows" in warning


@pytest.mark.parametrize("version", ["go1.25.9", "go1.4", "devel go1.28-abcdef", ""])
def test_older_and_unnumbered_toolchains_are_refused(version: str) -> None:
    """The message says which releases are supported."""
    with pytest.raises(ToolchainError, match=r"supported are Go 1\.26 to 1\.27"):
        release_of(version)


ENV = GoEnv("/go", "go1.27.3", "/go/tool", "linux", "amd64", "linux", "amd64", cgo_enabled="1")


@pytest.mark.parametrize("name", ["GOSSAFUNC", "GOSSADIR", "GOCLOBBERDEADHASH", "GOCOMPILEDEBUG"])
def test_debugging_switches_of_the_compiler_are_refused(name: str) -> None:
    """They change what it writes, and no key would see them."""
    with pytest.raises(UsageError, match=f"{name} is set; luigigo does not support it"):
        check_environment(ENV, {name: "1"}, race=False)
    check_environment(ENV, {name: ""}, race=True)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"gofips140": "v1.0.0"}, "GOFIPS140=v1.0.0"),
        ({"go111module": "off"}, "GO111MODULE=off"),
        ({"goos": "js", "goarch": "wasm"}, "js/wasm"),
        ({"goos": "plan9"}, "plan9/amd64"),
        ({"goos": "android"}, "GOOS=android"),
        ({"cgo_enabled": "0"}, "-race requires cgo"),
    ],
)
def test_environments_that_luigigo_does_not_build_for_are_refused(
    changes: dict[str, str], named: str
) -> None:
    """By name, before anything runs."""
    values = {field: getattr(ENV, field) for field in GoEnv.__struct_fields__}
    with pytest.raises(UsageError, match=named):
        check_environment(GoEnv(**{**values, **changes}), {}, race=True)


def test_listed_packages_are_decoded_one_after_the_other() -> None:
    """go list prints objects without commas; fields with odd names arrive."""
    text = b'{\n\t"ImportPath": "a",\n\t"CgoCFLAGS": ["-x"]\n}\n'
    text += b'{\n\t"ImportPath": "b",\n\t"CXXFiles": ["b.cc"]\n}\n'
    a, b = parse_list_output(text)
    assert (a.import_path, a.cgo_cflags, b.import_path, b.cxx_files) == ("a", ("-x",), "b", ("b.cc",))
    assert parse_list_output(b"") == []


OBJABI = "cmd/internal/objabi"
TOOL = Package(import_path="cmd/nm", name="main", goroot=True, imports=(OBJABI,), go_files=("a.go",))


def test_a_program_that_holds_its_build_id_is_refused() -> None:
    """The go command writes an ID of its own making into it; the message names who reads it."""
    reader = Package(
        import_path="cmd/x/flags", goroot=True, dep_only=True, imports=(OBJABI,), go_files=("f.go",)
    )
    with pytest.raises(UsageError, match=r"cmd/x/flags puts the go command's own build ID"):
        refuse_stamped_programs(
            [reader, TOOL], lambda p, name: b"objabi.AddVersionFlag()" if p is reader else b""
        )
    refuse_stamped_programs([TOOL], lambda p, name: b"objabi.Flagcount")
    other = Package(import_path="example.com/p", name="main")
    refuse_stamped_programs([other], lambda p, name: pytest.fail("nothing is read"))


def _goroots() -> list[str]:
    named = [os.environ.get("LUIGIGO_TEST_GO126", ""), "/usr/local/go/bin/go"]
    try:
        named.append(find_go("", os.environ).path)
    except ToolchainError:
        pass
    roots = [os.path.dirname(os.path.dirname(os.path.realpath(path))) for path in named if path]
    return sorted({root for root in roots if os.path.isdir(os.path.join(root, "src"))})


@pytest.mark.parametrize("goroot", _goroots())
def test_the_lists_of_an_installed_toolchain_pass_gos_own_tests(goroot: str) -> None:
    """The real security.go has all six lists, and they mean what security_test.go beside it says."""
    allowed = read_allowed_flags(goroot)
    assert all(getattr(allowed, name) for name in allowed.__struct_fields__)
    with open(os.path.join(goroot, SOURCE.replace(".go", "_test.go")), encoding="utf-8") as file:
        table = dict(re.findall(r"^var (\w+) = \[\]\[\]string\{\n(.*?)^\}", file.read(), re.M | re.S))
    for name, kind in (("CompilerFlags", "CFLAGS"), ("LinkerFlags", "LDFLAGS")):
        for quality in ("good", "bad"):
            lines = re.findall(r"^\t\{(.*)\},", table[quality + name], re.M)
            assert len(lines) > 20
            for line in lines:
                flags = tuple(re.findall(r"[\"`]([^\"`]*)[\"`]", line))
                reason = find_invalid(FlagCheck(kind, "test", flags), allowed, {})
                assert bool(reason) == (quality == "bad"), flags


def test_a_toolchain_without_the_lists_is_refused(tmp_path: os.PathLike[str]) -> None:
    """The message names the file."""
    with pytest.raises(ToolchainError, match=r"security\.go"):
        read_allowed_flags(str(tmp_path))
