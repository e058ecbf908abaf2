"""The build information inside programs."""

from __future__ import annotations

from luigigo.golang.buildinfo import build_info, modinfo_line
from luigigo.golang.packages import Module, Package

MAIN = Package(import_path="example.com/p", name="main", module=Module(path="example.com/p", main=True))


def package(module: Module | None) -> Package:
    """A package of a module."""
    return Package(import_path="x", module=module)


def test_the_main_module_has_no_version() -> None:
    """Without a version it is (devel), without a sum; the standard library has no module."""
    assert build_info(MAIN, [package(None)], []) == "path\texample.com/p\nmod\texample.com/p\t(devel)\t\n"


def test_a_package_without_module_has_no_mod_line() -> None:
    """Files named on the command line, and the toolchain's programs, belong to no module."""
    main = Package(import_path="command-line-arguments", name="main")
    assert build_info(main, [package(MAIN.module)], []) == (
        "path\tcommand-line-arguments\ndep\texample.com/p\t(devel)\t\n"
    )


def test_modules_are_listed_once_in_order() -> None:
    """Each module but the main one has one line, sorted by path, with its sum."""
    b = Module(path="example.org/b", version="v1.0.0", sum="h1:b=")
    a = Module(path="example.org/a", version="v2.0.0", sum="h1:a=")
    lines = build_info(MAIN, [package(b), package(a), package(b), package(MAIN.module)], []).splitlines()
    assert lines[2:] == ["dep\texample.org/a\tv2.0.0\th1:a=", "dep\texample.org/b\tv1.0.0\th1:b="]


def test_a_replaced_module_is_followed_by_its_replacement_and_an_empty_line() -> None:
    """Its own sum is left out; the replacement's is there, and a line is left empty."""
    local = Module(path="example.org/l", version="v1.0.0", sum="h1:no=", replace=Module(path="./local"))
    fork = Module(path="example.com/fork", version="v0.1.0", sum="h1:f=")
    other = Module(path="example.org/o", version="v1.0.0", replace=fork)
    assert build_info(MAIN, [package(local), package(other)], [("-compiler", "gc")]).split("\n")[2:] == [
        "dep\texample.org/l\tv1.0.0",
        "=>\t./local\t(devel)\t",
        "",
        "dep\texample.org/o\tv1.0.0",
        "=>\texample.com/fork\tv0.1.0\th1:f=",
        "",
        "build\t-compiler=gc",
        "",
    ]


def test_settings_are_quoted_where_go_quotes_them() -> None:
    """Values with blanks or quotes are Go strings; a line break becomes a blank; an equals sign is fine."""
    settings = [("-gcflags", "all=-N -l"), ("-tags", "a,b"), ("-asmflags", ""), ("k", 'x"y'), ("n", "a\nb")]
    assert build_info(Package(import_path="p"), [], settings).splitlines()[1:] == [
        'build\t-gcflags="all=-N -l"',
        "build\t-tags=a,b",
        "build\t-asmflags=",
        r"build" + "\t" + r'k="x\"y"',
        'build\tn="a b"',
    ]


def test_modinfo_is_between_the_markers() -> None:
    """The linker's line holds the text between two 16-byte markers, quoted as Go quotes bytes."""
    assert modinfo_line("path\tp\n") == (
        r'modinfo "0w\xaf\f\x92t\b\x02A\xe1\xc1\a\xe6\xd6\x18\xe6path\tp\n'
        r'\xf92C1\x86\x18 r\x00\x82B\x10A\x16\xd8\xf2"'
    )
