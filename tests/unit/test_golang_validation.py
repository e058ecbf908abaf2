"""Plans that no planner makes are refused; what only a client's own machine should do is left to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from test_golang_plan import COMPILERS, World

from luigigo.errors import PlanRefused
from luigigo.golang.actions import Action, Kind, Plan, SourceFile
from luigigo.golang.cflags import parse_allowed_flags
from luigigo.golang.localonly import Trusted, why_local_only
from luigigo.golang.validation import require_sane
from luigigo.model import ActionId, Digest, Output, digest_of

COMPILE = "compile example.com/app/lib"
CGO = "cgo example.com/app/c"
LINK = "link example.com/app"
FLAGS = """
var validCompilerFlags = []*lazyregexp.Regexp{
	re(`-D([A-Za-z_][A-Za-z0-9_]*)(=[^@\\-]*)?`),
	re(`-I([^@\\-].*)`),
}
var validCompilerFlagsWithNextArg = []string{
	"-I",
}
var invalidLinkerFlags = []*lazyregexp.Regexp{
	re(`-Wl,--no-such`),
}
var validLinkerFlags = []*lazyregexp.Regexp{
	re(`-l([^@\\-].*)`),
	re(`-static([-a-z0-9+]*)`),
}
var validLinkerFlagsWithNextArg = []string{
	"-F",
}
var validPkgConfigFlags = []*lazyregexp.Regexp{
	re(`--static`),
}
"""
ALLOWED = parse_allowed_flags(FLAGS)


def changed(value: Any, **fields: Any) -> Any:
    """A record with fields replaced; `a__b` is field b of field a."""
    for path, new in fields.items():
        name, _, rest = path.partition("__")
        value = msgspec.structs.replace(
            value, **{name: changed(getattr(value, name), **{rest: new}) if rest else new}
        )
    return value


def world() -> World:
    """A small program with C in it."""
    made = World()
    made.change("runtime/cgo", name="cgo")
    return made


def plan_with(action_id: str, **fields: Any) -> Plan:
    """The plan of a small world with one action changed."""
    plan = world().plan()
    action = plan.actions[ActionId(action_id)]
    return msgspec.structs.replace(plan, actions={**plan.actions, action.id: changed(action, **fields)})


def file(name: str) -> SourceFile:
    """An input file."""
    return SourceFile(name, digest_of(name))


def environment(**variables: str) -> tuple[tuple[str, str], ...]:
    """As a spec has it."""
    return tuple(sorted(variables.items()))


def test_what_the_planner_makes_is_sane() -> None:
    """A plan with C, assembly, embedded files, object files and a profile passes, also after its journey."""
    lively = world()
    lively.change("example.com/app/lib", embed_files=("a.txt", "-odd/.hidden file.txt"), s_files=("a.s",))
    for included in ((), ("parts/a.inc",), ("../other/a.h",), ("../../outside.h",), ("/usr/include/a.h",)):
        lively.asm_includes["example.com/app/lib"] = included
        lively.asm_includes["runtime"] = ("../other/a.h", "cgo/abi.h")
        plan = lively.plan()
        require_sane(plan)
        require_sane(msgspec.msgpack.decode(msgspec.msgpack.encode(plan), type=Plan))


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        (COMPILE, {"id": "compile other"}),
        (COMPILE, {"kind": Kind.LINK}),
        (COMPILE, {"key": "../../etc"}),
        (COMPILE, {"own_digest": "0" * 63}),
        (COMPILE, {"imports": (("fmt", LINK),)}),
        (COMPILE, {"imports": (("fmt", COMPILE),)}),
        (COMPILE, {"imports": (("fmt", "compile absent"),)}),
        (COMPILE, {"imports": (("a\npackagefile b=/etc/passwd", "compile runtime"),)}),
        (COMPILE, {"cgo": "compile runtime"}),
        (COMPILE, {"label": "lib\x1b[2J"}),
        (COMPILE, {"sources__dir": "GOROOT/../../etc"}),
        (COMPILE, {"sources__dir": "relative"}),
        (COMPILE, {"sources__dir": "/a/../etc"}),
        (COMPILE, {"sources__bundle": Output(Digest("/etc"), 1)}),
        (COMPILE, {"sources__bundle": Output(Digest("../" * 21 + "x"), 1)}),
        (COMPILE, {"sources__bundle": Output(digest_of("x"), -1)}),
        (COMPILE, {"spec__go_files": (file("../up.go"),)}),
        (COMPILE, {"spec__go_files": (file("/etc/passwd"),)}),
        (COMPILE, {"spec__go_files": (file("sub/x.go"),)}),
        (COMPILE, {"spec__go_files": (file("-o"),)}),
        (COMPILE, {"spec__go_files": (file("@args"),)}),
        (COMPILE, {"spec__go_files": (file(""),)}),
        (COMPILE, {"spec__go_files": (file("nul\0.go"),)}),
        (COMPILE, {"spec__go_files": (SourceFile("x.go", Digest("0")),)}),
        (COMPILE, {"spec__s_files": (file("../x.s"),)}),
        (COMPILE, {"spec__h_files": (file("../x.h"),)}),
        (COMPILE, {"spec__syso_files": (file("../x.syso"),)}),
        (COMPILE, {"spec__included": (file("../x.h"),)}),
        (COMPILE, {"spec__included": (file("/etc/passwd"),)}),
        (COMPILE, {"spec__included": (file("../../../x.h"),), "sources__root": "/work/app"}),
        (COMPILE, {"spec__included": (SourceFile("x.h", Digest("0")),)}),
        (COMPILE, {"sources__root": "/work/other"}),
        (COMPILE, {"sources__root": "/work/app"}),
        (COMPILE, {"sources__root": "/work/app/../../etc"}),
        (COMPILE, {"sources__root": "/", "sources__bundle": Output(digest_of("x"), 1)}),
        (COMPILE, {"spec__embed_files": (file("a/../../x"),)}),
        (COMPILE, {"spec__embed_files": (file("/etc/shadow"),)}),
        (COMPILE, {"spec__environment": environment(PATH="/tmp")}),
        (COMPILE, {"spec__environment": environment(LD_PRELOAD="/tmp/x.so")}),
        (COMPILE, {"spec__environment": environment(GOROOT="/tmp")}),
        (COMPILE, {"spec__environment": environment(GOSSAFUNC="main")}),
        (COMPILE, {"spec__environment": environment(LD_LIBRARY_PATH="/tmp")}),
        (COMPILE, {"spec__environment": environment(GOOS="a\0b")}),
        (COMPILE, {"spec__compile_flags": ("-p", "a\0b")}),
        (COMPILE, {"spec__import_map": (("a", "b\nc"),)}),
        (COMPILE, {"spec__goos": "../x"}),
        (CGO, {"imports": (("runtime", "compile runtime"),)}),
        (CGO, {"spec__cgo_files": (file("../c.go"),)}),
        (CGO, {"spec__c_files": (file("-fplugin=x.c"),)}),
        (CGO, {"spec__cxx_files": (file("../x.cc"),)}),
        (CGO, {"sources__system_files": (file("relative.h"),)}),
        (CGO, {"sources__system_files": (file("/usr/../dev/zero"),)}),
        (CGO, {"spec__libraries": (file("/usr/../dev/zero"),)}),
        (CGO, {"spec__assembled": (file("relative.bin"),)}),
        (CGO, {"spec__units": (SourceFile("a.c", Digest("x")),)}),
        (CGO, {"spec__commands": "x"}),
        (LINK, {"spec__libraries": (file("libx.a"),)}),
        (LINK, {"spec__linker": "gcc"}),
        (CGO, {"spec__cgo_flags": ("-objdir=/tmp",)}),
        (CGO, {"spec__dynimport_flags": ("-dynout", "/tmp/x")}),
        (CGO, {"spec__package_name": "-dynout"}),
        (CGO, {"spec__environment": environment(CC="/tmp/evil", CXX="g++")}),
        (CGO, {"spec__environment": environment(CC="gcc", CXX="'")}),
        (CGO, {"spec__environment": environment(CC="gcc", CXX="g++", PATH="/tmp")}),
        (CGO, {"spec__compilers__cc": ()}),
        (CGO, {"spec__compilers__identity": "x"}),
        (CGO, {"spec__compilers__prefix_map_flag": "-fplugin"}),
        (CGO, {"spec__compilers__environment": environment(BASH_ENV="/tmp/x.sh")}),
        (CGO, {"sources__syso_paths": ("-fplugin=/tmp/x.so",)}),
        (CGO, {"sources__syso_paths": ("",)}),
        (CGO, {"sources__map_root": "GOROOT/.."}),
        (LINK, {"spec__import_path": "example.com/other"}),
        (LINK, {"spec__modinfo": "packagefile a=/etc/passwd"}),
        (LINK, {"spec__modinfo": 'modinfo "x"\npackagefile a=/etc/passwd'}),
        (LINK, {"spec__environment": environment(BASH_ENV="/tmp/x.sh")}),
        (LINK, {"spec__compilers": "gcc"}),
        (LINK, {"cgo": CGO}),
    ],
)  # fmt: skip
def test_what_leads_out_is_refused_by_name(action: str, fields: dict[str, Any]) -> None:
    """A name, folder, digest, variable or dependency that no planner writes: the plan is refused."""
    with pytest.raises(PlanRefused, match=f"the plan's {action!r} is none of luigigo's"):
        require_sane(plan_with(action, **fields))


def test_a_plan_ends_with_its_own_actions() -> None:
    """A root that is no action of the plan is refused."""
    plan = world().plan()
    with pytest.raises(PlanRefused, match="no action"):
        require_sane(changed(plan, roots=(changed(plan.roots[0], action="link other"),)))


def node(**fields: Any) -> Trusted:
    """A node without settings of its own."""
    return changed(Trusted(frozenset(), {}, lambda: ALLOWED), **fields)


def action_with(action_id: str, **fields: Any) -> Action:
    """One action of a small world, changed."""
    return plan_with(action_id, **fields).actions[ActionId(action_id)]


def test_a_usual_build_may_leave_home() -> None:
    """Every action of an ordinary plan runs on any node."""
    assert {why_local_only(action, node()) for action in world().plan().actions.values()} == {""}


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        *((COMPILE, {"spec__compile_flags": ("-p", "x", flag)}) for flag in (
            "-o=/tmp/x", "--o", "-linkobj=/tmp/x", "-cpuprofile=/tmp/x", "-memprofile", "-json=0,/tmp",
            "-embedcfg=/tmp/x", "@/tmp/arguments",
        )),
        (COMPILE, {"spec__asm_flags": ("-p", "x", "-o", "/tmp/x")}),
        (COMPILE, {"spec__asm_flags": ("-p", "x", "-I=/home/me/include")}),
        *((LINK, {"spec__link_flags": ("-buildmode=exe", *flags)}) for flags in (
            ("-o", "/tmp/x"), ("-extld=/tmp/evil",), ("-extld", "sh"), ("-extld",), ("-extld='",),
            ("-extld=gcc -fplugin=/tmp/x.so",), ("-extldflags=-fplugin=/tmp/x.so",), ("-extar=/tmp/x",),
            ("-tmpdir=/tmp",), ("-cpuprofile=/tmp/x",), ("@/tmp/arguments",),
        )),
        (LINK, {"spec__environment": environment(LD_LIBRARY_PATH="/tmp")}),
        (LINK, {"spec__environment": environment(LD_PRELOAD="/tmp/x.so")}),
        (CGO, {"spec__compilers__environment": environment(LD_PRELOAD="/tmp/x.so")}),
        (CGO, {"spec__compilers__environment": environment(GCC_EXEC_PREFIX="/tmp/")}),
        (CGO, {"spec__compilers__environment": environment(CCACHE_PREFIX="/tmp/x")}),
        *((CGO, {"spec__compilers__cc": argv}) for argv in (
            ("sh", "-c", "touch /tmp/x"), ("/tmp/gcc",), ("./gcc",), ("/usr/../tmp/gcc",), ("gcc", "-B/tmp"),
            ("ccache", "/tmp/gcc"), ("ccache",), ("gcc", "@/tmp/arguments"), ("env", "gcc"), (),
        )),
        (CGO, {"spec__compilers__cxx": ("python3",)}),
        (CGO, {"spec__compilers__cc_flags": ("-fPIC", "-fplugin=/tmp/x.so")}),
        (CGO, {"spec__compilers__environment": environment(COMPILER_PATH="/tmp")}),
        (CGO, {"spec__compilers__environment": environment(LD_LIBRARY_PATH="/tmp")}),
        (CGO, {"spec__cpp_flags": ("-wrapper", "/tmp/x")}),
        (CGO, {"spec__c_flags": ("-fplugin=/tmp/x.so",)}),
        (CGO, {"spec__c_flags": ("-specs=/tmp/x",)}),
        (CGO, {"spec__cxx_flags": ("-fplugin=/tmp/x.so",)}),
        (CGO, {"spec__ld_flags": ("-fuse-ld=/tmp/x",)}),
    ],
)  # fmt: skip
def test_foreign_programs_stay_at_home(action: str, fields: dict[str, Any]) -> None:
    """Programs, plug-ins and files that a node does not trust are left to the client, with a reason."""
    assert why_local_only(action_with(action, **fields), node()) != ""


@pytest.mark.parametrize(
    "argv",
    [
        ("gcc-12",),
        ("clang++",),
        ("x86_64-linux-gnu-gcc",),
        ("/usr/bin/cc",),
        ("ccache", "gcc"),
        ("gcc", "-m32"),
    ],
)
def test_compilers_by_their_names_are_nobodys_secret(argv: tuple[str, ...]) -> None:
    """A C compiler that a node finds by itself may be asked who it is."""
    compilers = changed(COMPILERS, cc=argv)
    assert why_local_only(action_with(CGO, spec__compilers=compilers), node()) == ""


@pytest.mark.parametrize(
    ("fields", "trust"),
    [
        ({"spec__compilers__cc": ("/home/me/gcc", "-B/x")},
         lambda: node(compilers=frozenset({("/home/me/gcc", "-B/x")}))),
        ({"spec__compilers__environment": environment(LD_LIBRARY_PATH="/site/lib")},
         lambda: node(variables={"LD_LIBRARY_PATH": "/site/lib"})),
        ({"spec__c_flags": ("-fplugin=x",)}, lambda: node(variables={"CGO_CFLAGS_ALLOW": "-fplugin=.*"})),
    ],
)  # fmt: skip
def test_a_node_may_be_told_to_trust(fields: dict[str, Any], trust: Callable[[], Trusted]) -> None:
    """What the worker's own environment says as well is no stranger's."""
    assert why_local_only(action_with(CGO, **fields), node()) != ""
    assert why_local_only(action_with(CGO, **fields), trust()) == ""


def test_static_programs_link_anywhere() -> None:
    """Flags for the external linker that the go command takes from anybody are fine."""
    flags = ("-linkmode=external", "-extldflags", "-static", "-X", "main.version=1", "-extld=gcc")
    assert why_local_only(action_with(LINK, spec__link_flags=flags), node()) == ""
