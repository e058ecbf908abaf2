"""Flags and commands of compiler, assembler and linker."""

from __future__ import annotations

import pytest

from luigigo.golang import compile, link
from luigigo.golang.compile import Layout, Mode, compile_flags, mode_of
from luigigo.golang.environment import GoEnv
from luigigo.golang.packages import Module, Package
from luigigo.golang.releases import release_of

OLD, NEW = release_of("go1.26.8")[0], release_of("go1.27.3")[0]
LAYOUT = Layout("/go/tool", "/go", "/src/p", "/work/b1", "example.com/p")
EXE = Mode((), (), "", "exe")


def env(**changes: str) -> GoEnv:
    """A linux/amd64 build of 1.27.3, changed."""
    values = {
        "goroot": "/go", "goversion": "go1.27.3", "gotooldir": "/go/tool", "goos": "linux", "goarch": "amd64",
        "gohostos": "linux", "gohostarch": "amd64", "goamd64": "v1", "cgo_enabled": "1",
    }  # fmt: skip
    return GoEnv(**{**values, **changes})


@pytest.mark.parametrize(
    ("goos", "buildmode", "race", "mode"),
    [
        ("linux", "default", False, EXE),
        ("linux", "exe", False, EXE),
        ("linux", "pie", False, Mode(("-shared",), (), "shared", "pie")),
        ("linux", "default", True, Mode((), ("-race",), "race", "exe")),
        ("darwin", "default", False, Mode(("-shared",), (), "", "pie")),
        ("darwin", "pie", False, Mode(("-shared",), (), "shared", "pie")),
        ("darwin", "pie", True, Mode(("-shared",), ("-race",), "race_shared", "pie")),
        ("darwin", "exe", False, EXE),
        ("windows", "default", False, Mode((), (), "", "pie")),
        ("windows", "default", True, Mode((), ("-race",), "race", "exe")),
        ("windows", "pie", False, Mode((), (), "", "pie")),
    ],
)
def test_build_mode_and_race_decide_codegen(goos: str, buildmode: str, race: bool, mode: Mode) -> None:
    """Position-independent code is -shared but on Windows; a default mode leaves -installsuffix alone."""
    assert mode_of(env(goos=goos), buildmode, race=race) == mode


@pytest.mark.parametrize(
    ("go_version", "language"),
    [("1.21", "go1.21"), ("1.21.5", "go1.21"), ("", "go1.16"), ("1.27rc1", "go1.27"), ("1.99", "go1.27")],
)
def test_the_language_is_the_modules(go_version: str, language: str) -> None:
    """A module without a go line has 1.16; one that is too new the toolchain's own."""
    package = Package(import_path="x", module=Module(path="x", go_version=go_version))
    assert f"-lang={language}" in compile_flags(package, env(), EXE, [])


def test_packages_without_module_have_the_toolchains_language() -> None:
    """The standard library and command-line files do; the former is compiled with -std."""
    assert compile_flags(Package(import_path="fmt", standard=True), env(), EXE, ["-N"]) == (
        "-p", "fmt", "-lang=go1.27", "-std", "-complete", "-goversion", "go1.27.3", "-N",
    )  # fmt: skip
    main = Package(import_path="command-line-arguments", name="main")
    assert compile_flags(main, env(), EXE, [])[:3] == ("-p", "main", "-lang=go1.27")


@pytest.mark.parametrize(
    "package",
    [
        Package(import_path="x", s_files=("a.s",)),
        Package(import_path="x", cgo_files=("a.go",)),
        Package(import_path="x", c_files=("a.c",)),
        Package(import_path="x", cxx_files=("a.cc",)),
        Package(import_path="x", syso_files=("a.syso",)),
        Package(import_path="time", standard=True),
        Package(import_path="sync", standard=True),
    ],
)
def test_packages_with_bodies_elsewhere_are_not_complete(package: Package) -> None:
    """-complete is left out for other languages' files, and for ten packages of the standard library."""
    assert "-complete" not in compile_flags(package, env(), EXE, [])
    assert "-complete" in compile_flags(Package(import_path="x/time", h_files=("a.h",)), env(), EXE, [])


def test_mode_flags_come_before_the_users() -> None:
    """So a user's flag can override them."""
    mode = Mode(("-shared",), ("-race",), "race_shared", "pie")
    flags = compile_flags(Package(import_path="x"), env(), mode, ["-race=false"])
    assert flags[-3:] == ("-shared", "-race", "-race=false")
    assert flags[flags.index("-installsuffix") + 1] == "race_shared"


@pytest.mark.parametrize(
    ("changes", "defines"),
    [
        ({}, ["GOAMD64_v1"]),
        ({"goarch": "386", "go386": "sse2"}, ["GO386_sse2"]),
        ({"goarch": "arm", "goarm": "7,hardfloat"}, ["GOARM_7", "GOARM_6", "GOARM_5"]),
        ({"goarch": "arm", "goarm": "5"}, ["GOARM_5"]),
        ({"goarch": "arm64", "goarm64": "v8.0"}, []),
        ({"goarch": "arm64", "goarm64": "v8.0,lse"}, ["GOARM64_LSE"]),
        ({"goarch": "arm64", "goarm64": "v8.1"}, ["GOARM64_LSE"]),
        ({"goarch": "arm64", "goarm64": "v9.0,crypto"}, ["GOARM64_LSE"]),
        ({"goarch": "mips", "gomips": "softfloat"}, ["GOMIPS_softfloat"]),
        ({"goarch": "mips64le", "gomips64": "hardfloat"}, ["GOMIPS64_hardfloat"]),
        ({"goarch": "ppc64le", "goppc64": "power9"}, ["GOPPC64_power9", "GOPPC64_power8"]),
        ({"goarch": "ppc64", "goppc64": "power10"}, ["GOPPC64_power10", "GOPPC64_power9", "GOPPC64_power8"]),
        ({"goarch": "riscv64", "goriscv64": "rva22u64"}, ["GORISCV64_rva22u64"]),
        ({"goarch": "s390x"}, []),
    ],
)
def test_the_assembler_knows_the_level_of_the_architecture(
    changes: dict[str, str], defines: list[str]
) -> None:
    """Each level implies the lower ones."""
    flags = compile.asm_flags(Package(import_path="x"), env(**changes), EXE, NEW, [])
    names = [flag for flag in flags if flag != "-D"]
    assert names[2:] == [f"GOOS_{env().goos}", f"GOARCH_{changes.get('goarch', 'amd64')}", *defines]


def test_the_assembler_is_told_of_std_by_releases_that_take_it() -> None:
    """1.26's assembler refuses the flag."""
    package = Package(import_path="math", standard=True)
    assert "-std" in compile.asm_flags(package, env(), EXE, NEW, [])
    assert "-std" not in compile.asm_flags(package, env(), EXE, OLD, [])


def test_commands_name_the_folders() -> None:
    """The compiler splits export data from the object, and calls folders by public names."""
    argv = compile.compile_argv(LAYOUT, ("-p", "x"), {"-c": "2", "-symabis": "/s"}, ["/src/p/a.go"])
    assert argv == (
        "/go/tool/compile", "-o", "/work/b1/_pkg_.x", "-linkobj", "/work/b1/_pkg_.a",
        "-trimpath", "/src/p=>example.com/p;/work/b1=>", "-c=2", "-symabis", "/s", "-p", "x",
        "-nolocalimports", "-importcfg", "/work/b1/importcfg", "-pack", "/src/p/a.go",
    )  # fmt: skip
    assert compile.asm_argv(LAYOUT, ("-p", "x", "-D", "A"), "/o", ["/s.s"], symabis=True) == (
        "/go/tool/asm", "-p", "x", "-trimpath", LAYOUT.trimpath, "-I", "/work/b1/", "-I", "/go/pkg/include",
        "-D", "A", "-gensymabis", "-o", "/o", "/s.s",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "generic"),
    [
        ("defs_linux_amd64.h", "defs_GOOS_GOARCH.h"),
        ("defs_amd64.h", "defs_GOARCH.h"),
        ("defs_linux.h", "defs_GOOS.h"),
        ("defs_linux.tab.h", "defs_GOOS.tab.h"),
        ("defs.h", None),
        ("defs_windows.h", None),
    ],
)
def test_headers_for_the_platform_have_generic_names(name: str, generic: str | None) -> None:
    """`#include "defs_GOOS_GOARCH.h"` finds the header of the target."""
    assert compile.generic_header_name(name, "linux", "amd64") == generic


def test_importcfgs_list_what_may_be_read() -> None:
    """The compiler's has renamed imports; the linker's ends with the build information."""
    assert compile.importcfg([("a", "vendor/a")], [("fmt", "/x")]) == (
        "# import config\nimportmap a=vendor/a\npackagefile fmt=/x\n"
    )
    assert compile.link_importcfg([("fmt", "/a")], 'modinfo "i"') == 'packagefile fmt=/a\nmodinfo "i"\n'


def test_link_flags_are_in_gos_order() -> None:
    """The user's flags come last but for the C compiler, which a user's -extld replaces."""
    main = Package(import_path="x", name="main", default_godebug="a=1,b=0")
    mode = Mode(("-shared",), ("-race",), "race_shared", "pie")
    assert link.link_flags(main, mode, ["-s"], ["gcc", "-m64"]) == (
        "-installsuffix", "race_shared", "-X=runtime.godebugDefault=a=1,b=0", "-buildmode=pie", "-race", "-s",
        "-extld=gcc -m64",
    )  # fmt: skip
    assert link.link_flags(Package(), EXE, ["-extld=clang"], ["gcc"]) == ("-buildmode=exe", "-extld=clang")


def test_build_settings_are_in_gos_order() -> None:
    """Flags, then variables; all sorted once a profile takes part."""
    main = Package(import_path="x", name="main", default_godebug="a=1")
    given = [("-tags", "a,b"), ("-gcflags", "-N"), ("-asmflags", ""), ("-buildmode", "pie")]
    settings = link.build_settings(main, env(goexperiment="x"), given, race=True, pgo_profile="")
    assert [name for name, _ in settings] == [
        "-asmflags", "-buildmode", "-compiler", "-gcflags", "-race", "-tags", "-trimpath", "DefaultGODEBUG",
        "CGO_ENABLED", "GOARCH", "GOEXPERIMENT", "GOOS", "GOAMD64",
    ]  # fmt: skip
    with_profile = link.build_settings(main, env(), [], race=False, pgo_profile="default.pgo")
    assert with_profile == sorted(with_profile)
    assert ("-pgo", "default.pgo") in with_profile
    assert ("-buildmode", "exe") in with_profile


@pytest.mark.parametrize(
    ("folder", "rewrites"),
    [
        ("/src/p/.cache/b1", "/src/p/.cache/b1=>;/src/p=>example.com/p"),
        ("/src/p-cache/b1", "/src/p=>example.com/p;/src/p-cache/b1=>"),
    ],
)
def test_a_work_folder_inside_the_packages_has_no_name_either(folder: str, rewrites: str) -> None:
    """The first rewrite that fits wins, by whole parts of a path."""
    assert Layout("/go/tool", "/go", "/src/p", folder, "example.com/p").trimpath == rewrites
