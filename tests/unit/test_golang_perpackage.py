"""Which packages get which flags."""

from __future__ import annotations

import pytest

from luigigo.errors import UsageError
from luigigo.golang.packages import Module, Package
from luigigo.golang.perpackage import PerPackageFlags, matches_pattern

MAIN = Package(
    dir="/work/app",
    import_path="example.com/app",
    name="main",
    module=Module(path="example.com/app", main=True),
)
LIB = Package(
    dir="/work/app/lib", import_path="example.com/app/lib", dep_only=True, module=Module(path="m", main=True)
)
OTHER = Package(
    dir="/mod/x@v1.0.0", import_path="example.org/x", dep_only=True, module=Module(path="example.org/x")
)
FMT = Package(dir="/go/src/fmt", import_path="fmt", dep_only=True, standard=True)
CMD = Package(dir="/go/src/cmd/go", import_path="cmd/go", dep_only=True, standard=True)


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [
        ("", [MAIN]),
        ("all=", [MAIN, LIB, OTHER, FMT, CMD]),
        ("std=", [FMT, CMD]),
        ("cmd=", [CMD]),
        ("work=", [MAIN, LIB]),
        ("./...=", [MAIN, LIB]),
        ("./lib=", [LIB]),
        (".=", [MAIN]),
        ("./l...=", [LIB]),
        ("../...=", [MAIN, LIB]),
        ("example.com/...=", [MAIN, LIB]),
        ("example.org/x =", [OTHER]),
        ("nothing=", []),
    ],
)
def test_a_pattern_chooses_packages(pattern: str, matching: list[Package]) -> None:
    """Without a pattern the named packages get the flags; else those that it matches."""
    flags = PerPackageFlags("gcflags", (f"{pattern}-N -l",))
    for package in (MAIN, LIB, OTHER, FMT, CMD):
        expected = ["-N", "-l"] if package in matching else []
        assert flags.flags_for(package, "/work/app") == expected


def test_the_last_match_wins() -> None:
    """Flags of an earlier match are not added to; an empty value takes them away."""
    flags = PerPackageFlags("gcflags", ("all=-N", "-l", "fmt="))
    assert [flags.flags_for(p, "/") for p in (MAIN, LIB, FMT)] == [["-l"], ["-N"], []]
    assert PerPackageFlags("gcflags", ("-N", "")).flags_for(MAIN, "/") == []


@pytest.mark.parametrize("value", ["all", "=-N", "'all'=-N", "tool=-N", "-X 'open"])
def test_what_is_no_rule_is_refused(value: str) -> None:
    """A pattern without flags, flags without a pattern, quotes around both, and what luigigo cannot tell."""
    with pytest.raises(UsageError):
        PerPackageFlags("gcflags", (value,))


@pytest.mark.parametrize(
    ("pattern", "names", "others"),
    [
        ("...", "foo", ""),
        ("net", "net", "net/http"),
        ("net/http", "net/http", "net"),
        ("net...", "net net/http netchan", "not/http not/net/http"),
        ("net/...", "net net/http", "not/http not/net/http netchan"),
        ("./...", "./vendor ./mycode/vendor", "./vendor/foo ./mycode/vendor/foo"),
        ("./vendor/...", "./vendor/foo ./vendor/foo/vendor", "./vendor/foo/vendor/bar"),
        ("mycode/vendor/...", "mycode/vendor mycode/vendor/foo mycode/vendor/foo/vendor",
         "mycode/vendor/foo/vendor/bar"),
        ("x/vendor/y", "x/vendor/y", "x/vendor"),
        ("x/vendor/y/...", "x/vendor/y x/vendor/y/z x/vendor/y/vendor x/vendor/y/z/vendor",
         "x/vendor/y/vendor/z"),
        (".../vendor/...", "x/vendor/y x/vendor/y/z x/vendor/y/vendor x/vendor/y/z/vendor", ""),
        (".../bar/.../baz", "foo/bar/abc/baz", "bar/baz"),
        ("a+b/c.d", "a+b/c.d", "aab/c.d a+b/cxd"),
    ],
)  # fmt: skip
def test_patterns_match_as_in_gos_own_tests(pattern: str, names: str, others: str) -> None:
    """The table is that of cmd/internal/pkgpattern."""
    assert [name for name in names.split() if not matches_pattern(pattern, name)] == []
    assert [name for name in others.split() if matches_pattern(pattern, name)] == []
