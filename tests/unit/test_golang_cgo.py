"""How the C part of a package is built."""

from __future__ import annotations

import msgspec
import pytest

from luigigo.golang import cgo
from luigigo.golang.actions import CgoSpec, CToolchain, SourceFile
from luigigo.golang.compile import Layout
from luigigo.golang.environment import GoEnv
from luigigo.golang.ldflags import unplanned_flags
from luigigo.golang.packages import Module, Package
from luigigo.golang.releases import release_of
from luigigo.model import Digest, ImportPath

OLD, NEW = release_of("go1.26.8")[0], release_of("go1.27.3")[0]
ENV = GoEnv("/go", "go1.27.3", "/go/tool", "linux", "amd64", "linux", "amd64")
GCC = frozenset(cgo.PROBED_FLAGS) - {"-fno-caret-diagnostics", "-Qunused-arguments"}
LAYOUT = Layout("/go/tool", "/go", "/src", "/work")


def file(name: str) -> SourceFile:
    """A file by name."""
    return SourceFile(name, Digest(""))


SPEC = CgoSpec(
    import_path=ImportPath("example.com/p"),
    package_name="p",
    cgo_flags=(),
    cpp_flags=("-DX",),
    c_flags=("-O2",),
    cxx_flags=("-O1",),
    ld_flags=("-lm", "-L/a b"),
    prefer_external=False,
    map_root_to="/_/example.com",
    dynimport_flags=(),
    compilers=CToolchain(
        ("gcc", "-v"), ("g++",), Digest(""), cgo.common_flags(ENV, NEW, GCC), ("-fPIC", "-fmessage-length=0"),
        "-ffile-prefix-map", True, (),
    ),
    environment=(),
    cgo_files=(file("a.go"),),
    c_files=(file("x.c"),),
    cxx_files=(file("y.cc"),),
    s_files=(file("z.S"),),
)  # fmt: skip


def test_common_flags_are_in_gos_order() -> None:
    """gcc and clang get what they were found to take."""
    assert cgo.common_flags(ENV, NEW, GCC) == (
        "-fPIC", "-m64", "-pthread", "-Wl,--no-gc-sections", "-fmessage-length=0", "-gno-record-gcc-switches",
    )  # fmt: skip
    assert cgo.common_flags(ENV, NEW, frozenset()) == ("-fPIC", "-m64", "-pthread", "-fmessage-length=0")


@pytest.mark.parametrize(
    ("goos", "goarch", "changes", "flags"),
    [
        ("windows", "amd64", {}, ("-m64", "-pthread", "-fmessage-length=0")),
        ("darwin", "arm64", {}, ("-fPIC", "-arch", "arm64", "-pthread", "-fmessage-length=0", "-fno-common")),
        ("linux", "386", {}, ("-fPIC", "-m32", "-pthread", "-fmessage-length=0")),
        ("linux", "arm", {}, ("-fPIC", "-marm", "-pthread", "-fmessage-length=0")),
        ("linux", "arm64", {}, ("-fPIC", "-pthread", "-fmessage-length=0")),
        ("linux", "loong64", {}, ("-fPIC", "-mabi=lp64d", "-mno-relax", "-pthread", "-fmessage-length=0")),
        ("linux", "mips64le", {"gomips64": "softfloat"},
         ("-fPIC", "-mabi=64", "-msoft-float", "-pthread", "-fmessage-length=0")),
    ],
)  # fmt: skip
def test_common_flags_follow_the_target(
    goos: str, goarch: str, changes: dict[str, str], flags: tuple[str, ...]
) -> None:
    """Architecture, threads and position independence."""
    env = msgspec.structs.replace(ENV, goos=goos, goarch=goarch, **changes)
    assert cgo.common_flags(env, NEW, frozenset()) == flags


def test_windows_threads_differ_between_releases() -> None:
    """1.26 says -mthreads, 1.27 -pthread."""
    env = msgspec.structs.replace(ENV, goos="windows")
    assert "-mthreads" in cgo.common_flags(env, OLD, frozenset())
    assert "-mthreads" not in cgo.common_flags(env, NEW, frozenset())


def test_folders_are_hidden_by_the_best_flag_there_is() -> None:
    """-ffile-prefix-map, the older -fdebug-prefix-map, or none."""
    assert cgo.prefix_map_flag(GCC) == "-ffile-prefix-map"
    assert cgo.prefix_map_flag(frozenset({"-fdebug-prefix-map=a=b"})) == "-fdebug-prefix-map"
    assert cgo.prefix_map_flag(frozenset()) == ""


@pytest.mark.parametrize(
    ("package", "mapping"),
    [
        (Package(import_path="net", root="/go", goroot=True), ("/go", "/_/GOROOT")),
        (Package(import_path="x", dir="/d"), ("/d", "/_/x")),
        (Package(import_path="m/p", dir="/m/p", module=Module(path="m", dir="/m")), ("/m", "/_/m")),
        (Package(import_path="m/p", module=Module(path="m", version="v1", dir="/c")), ("/c", "/_/m@v1")),
        (Package(import_path="m/p", dir="/a/vendor/m/p", module=Module(path="m", version="v1.0.0")),
         ("/a/vendor", "/_/vendor")),
    ],
)  # fmt: skip
def test_objects_name_the_module_in_place_of_its_folder(package: Package, mapping: tuple[str, str]) -> None:
    """GOROOT and the vendor folder have names of their own; on Windows it is a network path."""
    assert cgo.root_mapping(package, "linux") == mapping
    windows = "\\\\_\\_" + mapping[1].removeprefix("/_").replace("/", "\\")
    assert cgo.root_mapping(package, "windows") == (mapping[0], windows)


def test_the_cgo_command() -> None:
    """Flags for the linker are Go strings in one argument; files are named by their paths."""
    assert cgo.cgo_argv(SPEC, LAYOUT) == (
        "/go/tool/cgo", "-objdir", "/work/", "-importpath", "example.com/p", '-ldflags="-lm" "-L/a b"', "--",
        "-DX", "-I", "/work/", "-O2", "/src/a.go",
    )  # fmt: skip
    assert cgo.cgo_tool_flags(Package(import_path="runtime/cgo", standard=True)) == (
        "-import_runtime_cgo=false", "-import_syscall=false",
    )  # fmt: skip
    assert cgo.cgo_tool_flags(Package(import_path="runtime/cgo")) == ()


def test_c_files_are_compiled_in_gos_order() -> None:
    """Generated ones first, then assembly, C and C++."""
    assert cgo.c_compilations(SPEC, LAYOUT) == [
        ("/work/_cgo_export.c", False), ("/work/a.cgo2.c", False), ("/src/z.S", False), ("/src/x.c", False),
        ("/src/y.cc", True),
    ]  # fmt: skip
    assert cgo.generated_go_files(SPEC) == ["_cgo_gotypes.go", "a.cgo1.go"]


def test_the_c_compilers_command() -> None:
    """The work folder and the module's get constant names, and the random seed is constant."""
    assert cgo.cc_argv(SPEC, LAYOUT, ("/m", "/_/m"), ("/src/x.c", False), "/work/_x001.o") == (
        "gcc", "-v", "-I", "/src", "-fPIC", "-m64", "-pthread", "-Wl,--no-gc-sections", "-fmessage-length=0",
        "-ffile-prefix-map=/work=/tmp/go-build", "-gno-record-gcc-switches", "-DX", "-I", "/work/", "-O2",
        "-ffile-prefix-map=/m=/_/m", "-ffile-prefix-map=/work=/tmp/go-build", "-frandom-seed=luigigo",
        "-o", "/work/_x001.o", "-c", "x.c",
    )  # fmt: skip
    cxx = cgo.cc_argv(SPEC, LAYOUT, ("/m", "/_/m"), ("/src/y.cc", True), "/o")
    assert cxx[0] == "g++"
    assert "-O1" in cxx


def test_the_trial_link() -> None:
    """A package with C++ is linked by its compiler; on linux/arm statically linked programs are no PIE."""
    spec = msgspec.structs.replace(SPEC, ld_flags=("-static", "-lm"))
    assert cgo.test_link_argv(spec, LAYOUT, ["a.o"], pie=False)[-5:] == (
        "-o", "/work/_cgo_.o", "a.o", "-static", "-lm",
    )  # fmt: skip
    assert cgo.test_link_argv(spec, LAYOUT, ["a.o"], pie=True)[-3:] == ("a.o", "-lm", "-pie")
    no_pie = msgspec.structs.replace(SPEC, ld_flags=("-no-pie",))
    assert cgo.test_link_argv(no_pie, LAYOUT, [], pie=True)[-1] == "-no-pie"
    assert cgo.test_link_argv(SPEC, LAYOUT, [], pie=False)[0] == "g++"


def test_generated_files_are_shared_between_checkouts() -> None:
    """The package's folder in //line comments becomes a token, and another checkout's folder again."""
    text = b'//line /src/a.go:1:1\nvar s = "/src/a.go"\n'
    hidden = cgo.hide_source(text, "/src")
    assert b"//line /src/" not in hidden
    assert cgo.reveal_source(hidden, "/elsewhere") == text.replace(b"//line /src/", b"//line /elsewhere/")


def test_flags_for_the_linker_in_generated_files_are_found() -> None:
    """Those that were planned are taken off once; what is left was put there by somebody else."""
    source = b'package p\n//go:cgo_ldflag "-lm"\n//go:cgo_ldflag "-L/a b"\n'
    assert unplanned_flags([source], SPEC.ld_flags) == ()
    assert unplanned_flags([source, source], SPEC.ld_flags) == SPEC.ld_flags
    assert unplanned_flags([b'x := 1 //go:cgo_ldflag "-evil"'], ()) == ("-evil",)
    assert unplanned_flags([b'// says //go:cgo_ldflag "-x"', b"//go:cgo_ldflag"], ()) == ("",)
    assert unplanned_flags([b"package p"], ("-lm",)) == ()
