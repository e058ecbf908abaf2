"""Plans of small hand-made packages, and what changes their keys."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from luigigo.errors import PlanError, UsageError
from luigigo.golang import cgo
from luigigo.golang.actions import (
    Action,
    CgoSpec,
    CompileSpec,
    CToolchain,
    Kind,
    LinkSpec,
    Plan,
    PreprofileSpec,
    SourceFile,
)
from luigigo.golang.cgoplan import CgoFlags, cgo_spec, syso_of_closure
from luigigo.golang.environment import GoEnv
from luigigo.golang.keys import action_key, content_key, own_digest, role_read
from luigigo.golang.link import CLink
from luigigo.golang.packages import Module, Package, PackageError
from luigigo.golang.plan import (
    PlanInputs,
    executable_name,
    implicit_imports,
    make_plan,
    profile_paths,
)
from luigigo.golang.releases import release_of
from luigigo.golang.request import BuildRequest
from luigigo.golang.toolchain import Toolchain
from luigigo.model import ActionId, ActionKey, Digest, digest_of

NEW = release_of("go1.27.3")[0]
ENV = GoEnv(
    "/go", "go1.27.3", "/go/tool", "linux", "amd64", "linux", "amd64", cgo_enabled="1", goamd64="v1",
    cc="gcc", cxx="g++",
)  # fmt: skip
TOOLS = {name: digest_of(name) for name in ("compile", "asm", "link", "cgo", "preprofile")}
TOOLCHAIN = Toolchain("go1.27.3", "/go", "/go/tool", TOOLS, digest_of("include"))
COMPILERS = CToolchain(("gcc",), ("g++",), digest_of("gcc"), ("-fPIC", "-fmessage-length=0"),
                       ("-fPIC", "-fmessage-length=0"), "-ffile-prefix-map", True, ())  # fmt: skip


class World:
    """The inputs of a plan, to be changed before it is made."""

    def __init__(self, at: str = "/work/app", goroot: str = "/go") -> None:
        module = Module(path="example.com/app", main=True, dir=at, go_version="1.26")
        self.contents: dict[tuple[str, str], str] = {}
        self.request = BuildRequest(project=at)
        self.env = msgspec.structs.replace(ENV, goroot=goroot, gotooldir=f"{goroot}/tool")
        self.toolchain = msgspec.structs.replace(TOOLCHAIN, goroot=goroot, tool_dir=f"{goroot}/tool")
        self.compilers = COMPILERS
        self.profiles: dict[str, SourceFile] = {}
        self.closures: dict[str, frozenset[str]] = {}
        self.asm_includes: dict[str, tuple[str, ...]] = {"runtime": ("cgo/abi.h",)}
        self.cgo_flags = CgoFlags(COMPILERS, (), ("-O2",), ("-O2",), (), False)
        self.texts = digest_of("preprocessed")
        self.library = SourceFile("/usr/lib/libc.a", digest_of("libc"))
        self.untold = ""
        self.nonce = "first"
        std = {"standard": True, "goroot": True, "dep_only": True, "root": goroot}
        self.packages = [
            Package(dir=f"{goroot}/src/unsafe", import_path="unsafe", **std),
            Package(dir=f"{goroot}/src/runtime", import_path="runtime", go_files=("r.go",), s_files=("r.s",),
                    h_files=("r.h",), imports=("unsafe",), **std),
            Package(dir=f"{goroot}/src/syscall", import_path="syscall", go_files=("s.go",),
                    imports=("runtime",), **std),
            Package(dir=f"{goroot}/src/runtime/cgo", import_path="runtime/cgo", cgo_files=("cgo.go",),
                    s_files=("asm.s", "gcc_amd64.s"), imports=("C", "runtime"), **std),
            Package(dir=f"{at}/lib", import_path="example.com/app/lib", name="lib", go_files=("lib.go",),
                    embed_patterns=("*.txt",), embed_files=("a.txt",), imports=("runtime",), dep_only=True,
                    module=module),
            Package(dir=f"{at}/c", import_path="example.com/app/c", name="c", go_files=("g.go",),
                    cgo_files=("c.go",), c_files=("x.c",), h_files=("x.h",), syso_files=("x.syso",),
                    imports=("C", "unsafe"), dep_only=True, module=module),
            Package(dir=at, import_path="example.com/app", name="main", go_files=("main.go",),
                    imports=("example.com/app/lib", "example.com/app/c"), module=module),
        ]  # fmt: skip

    def change(self, path: str, **fields: object) -> None:
        """Replace fields of one package."""
        self.packages = [
            msgspec.structs.replace(p, **fields) if p.import_path == path else p for p in self.packages
        ]

    def digest(self, package: Package, name: str) -> Digest:
        """A file's content is its package and name, unless changed."""
        return digest_of(self.contents.get((package.import_path, name), (package.import_path, name)))

    def inputs(self) -> PlanInputs:
        """What make_plan takes."""
        specs = {
            p.import_path: msgspec.structs.replace(
                cgo_spec(
                    p, self.env, NEW, self.cgo_flags,
                    lambda names, p=p: tuple(SourceFile(name, self.digest(p, name)) for name in names),
                ),
                units=(SourceFile(p.cgo_files[0], self.texts),), commands=digest_of("-###"),
                libraries=(self.library,), untold=self.untold,
            )
            for p in self.packages
            if p.uses_cgo
        }  # fmt: skip
        c_link = CLink(
            compilers=self.compilers.identity, linker=self.compilers.identity, libraries=(self.library,)
        )
        return PlanInputs(
            request=self.request, env=self.env, release=NEW, toolchain=self.toolchain,
            project_dir=self.request.project, packages=tuple(self.packages), digest=self.digest,
            size=lambda package, name: 1000, cgo_specs=specs, links={"example.com/app": c_link},
            closures=self.closures, profiles=self.profiles, modinfo={}, asm_includes=self.asm_includes,
            nonce=self.nonce,
        )  # fmt: skip

    def plan(self) -> Plan:
        """The plan."""
        return make_plan(self.inputs())


def keys_of(plan: Plan) -> dict[str, str]:
    """The key of every action."""
    return {action_id: action.key for action_id, action in plan.actions.items()}


def action(plan: Plan, action_id: str) -> Action:
    """One action."""
    return plan.actions[ActionId(action_id)]


def test_the_graph_is_that_of_go_build_but_for_the_c_parts() -> None:
    """A package waits for its imports, the linker for all, and the C part of a package for nothing."""
    plan = World().plan()
    assert list(plan.actions) == [
        "compile runtime", "compile syscall", "cgo runtime/cgo", "compile runtime/cgo",
        "compile example.com/app/lib", "cgo example.com/app/c", "compile example.com/app/c",
        "compile example.com/app", "link example.com/app",
    ]  # fmt: skip
    assert action(plan, "cgo example.com/app/c").dependencies == ()
    assert action(plan, "compile example.com/app/c").dependencies == (
        "compile runtime/cgo", "compile syscall", "cgo example.com/app/c",
    )  # fmt: skip
    assert action(plan, "compile runtime/cgo").dependencies == ("compile runtime", "cgo runtime/cgo")
    assert [path for path, _ in action(plan, "link example.com/app").imports] == [
        "example.com/app", "example.com/app/c", "example.com/app/lib", "runtime", "runtime/cgo", "syscall",
    ]  # fmt: skip
    assert [(root.action, root.executable) for root in plan.roots] == [("link example.com/app", "app")]


def test_a_cgo_packages_assembly_goes_to_the_c_compiler() -> None:
    """But for runtime/cgo, whose gcc_ files alone do."""
    spec = action(World().plan(), "cgo runtime/cgo").spec
    assert [file.name for file in spec.s_files] == ["gcc_amd64.s"]
    assert [file.name for file in action(World().plan(), "compile runtime/cgo").spec.s_files] == ["asm.s"]
    package = Package(import_path="x", cgo_files=("a.go",), s_files=("gcc_a.s", "b.s"))
    assert cgo.c_assembly_files(package) == ("gcc_a.s", "b.s")
    assert cgo.go_assembly_files(package) == ()


def test_checkouts_and_toolchains_at_other_paths_share_every_key() -> None:
    """No folder enters a key: not the project's, not GOROOT's."""
    assert keys_of(World("/home/me/app", "/opt/go").plan()) == keys_of(World().plan())


def test_the_toolchains_folders_are_named_from_goroot() -> None:
    """A plan can be carried out where the toolchain lies elsewhere."""
    plan = World().plan()
    assert action(plan, "compile runtime").sources.dir == "GOROOT/src/runtime"
    assert action(plan, "cgo runtime/cgo").sources.map_root == "GOROOT"
    assert action(plan, "compile example.com/app/lib").sources.dir == "/work/app/lib"


def _edit(path: str, name: str) -> Callable[[World], None]:
    return lambda world: world.contents.update({(path, name): "edited"})


def _request(**fields: object) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.request = msgspec.structs.replace(world.request, **fields)

    return change


def _env(**fields: object) -> Callable[[World], None]:
    def change(world: World) -> None:
        world.env = msgspec.structs.replace(world.env, **fields)

    return change


def _tool(name: str) -> Callable[[World], None]:
    def change(world: World) -> None:
        tools = {**world.toolchain.tools, name: digest_of("patched")}
        world.toolchain = msgspec.structs.replace(world.toolchain, tools=tools)

    return change


def _include(world: World) -> None:
    world.toolchain = msgspec.structs.replace(world.toolchain, include=digest_of("patched"))


def _compilers(world: World) -> None:
    world.compilers = msgspec.structs.replace(COMPILERS, identity=digest_of("clang"))
    world.cgo_flags = msgspec.structs.replace(world.cgo_flags, compilers=world.compilers)


def _headers(world: World) -> None:
    world.texts = digest_of("preprocessed with another header")


def _library(world: World) -> None:
    world.library = SourceFile("/usr/lib/libc.a", digest_of("another libc"))


def _c_flags(world: World) -> None:
    world.cgo_flags = msgspec.structs.replace(world.cgo_flags, c=("-O1",))


def _package(path: str, **fields: object) -> Callable[[World], None]:
    return lambda world: world.change(path, **fields)


APP, LIB, C = "example.com/app", "example.com/app/lib", "example.com/app/c"
EVERYTHING = set(World().plan().actions)
COMPILES = {name for name in EVERYTHING if name.startswith("compile ")}
END = {f"compile {APP}", f"link {APP}"}
WITH_RUNTIME = EVERYTHING - {f"cgo {C}", "cgo runtime/cgo"}

CHANGES = {
    "source of the main package": (_edit(APP, "main.go"), END),
    "source of a library": (_edit(LIB, "lib.go"), {f"compile {LIB}", *END}),
    "embedded file": (_edit(LIB, "a.txt"), {f"compile {LIB}", *END}),
    "assembly": (_edit("runtime", "r.s"), WITH_RUNTIME),
    "header of assembly": (_edit("runtime", "r.h"), WITH_RUNTIME),
    "file that assembly includes": (_edit("runtime", "cgo/abi.h"), WITH_RUNTIME),
    "C file": (_edit(C, "x.c"), {f"cgo {C}", f"compile {C}", *END}),
    "C header": (_edit(C, "x.h"), {f"cgo {C}", f"compile {C}", *END}),
    "cgo file": (_edit(C, "c.go"), {f"cgo {C}", f"compile {C}", *END}),
    "object file": (_edit(C, "x.syso"), {f"compile {C}", *END}),
    "name of a file": (_package(LIB, go_files=("lib2.go",)), {f"compile {LIB}", *END}),
    "one file less": (_package(LIB, embed_files=()), {f"compile {LIB}", *END}),
    "order of files": (_package(LIB, embed_patterns=("a*", "*.txt")), {f"compile {LIB}", *END}),
    "-gcflags": (_request(gcflags=("-N",)), END),
    "-gcflags=all=": (_request(gcflags=("all=-N",)), WITH_RUNTIME),
    "-gcflags for one": (_request(gcflags=(f"{LIB}=-N",)), {f"compile {LIB}", *END}),
    "-asmflags=all=": (_request(asmflags=("all=-D=X",)), WITH_RUNTIME),
    "-ldflags": (_request(ldflags=("-s",)), {f"link {APP}"}),
    "-tags in the build information": (_request(tags="x"), {f"link {APP}"}),
    "-race": (_request(race=True), WITH_RUNTIME),
    "-buildmode=pie": (_request(buildmode="pie"), WITH_RUNTIME),
    "-buildmode=exe": (_request(buildmode="exe"), set()),
    "GOAMD64": (_env(goamd64="v3"), EVERYTHING),
    "GOEXPERIMENT": (_env(goexperiment="x"), EVERYTHING),
    "GOOS": (_env(goos="freebsd"), EVERYTHING),
    "CC": (_env(cc="clang"), {"cgo runtime/cgo", f"cgo {C}", "compile runtime/cgo", f"compile {C}", *END}),
    "GOGC, GOFLAGS, GOMODCACHE": (_env(goflags="-p=3", gomodcache="/x", goenv="/y"), set()),
    "go version": (_env(goversion="go1.27.4"), WITH_RUNTIME),
    "compile": (_tool("compile"), WITH_RUNTIME),
    "asm": (_tool("asm"), WITH_RUNTIME),
    "pkg/include": (_include, WITH_RUNTIME),
    "link": (_tool("link"), {f"link {APP}"}),
    "cgo": (_tool("cgo"), {"cgo runtime/cgo", f"cgo {C}", "compile runtime/cgo", f"compile {C}", *END}),
    "preprofile": (_tool("preprofile"), set()),
    "C compiler": (_compilers, {"cgo runtime/cgo", f"cgo {C}", "compile runtime/cgo", f"compile {C}", *END}),
    "what a header says": (
        _headers, {"cgo runtime/cgo", f"cgo {C}", "compile runtime/cgo", f"compile {C}", *END}
    ),
    "C library": (_library, {"cgo runtime/cgo", f"cgo {C}", "compile runtime/cgo", f"compile {C}", *END}),
    "GO_EXTLINK_ENABLED": (_env(go_extlink_enabled="1"), EVERYTHING),
    "GODEBUG": (_env(godebug="x=1"), EVERYTHING),
    "C flags": (_c_flags, {"cgo runtime/cgo", f"cgo {C}", "compile runtime/cgo", f"compile {C}", *END}),
    "-lang": (_package(LIB, module=Module(path=APP, main=True, go_version="1.21")),
              {f"compile {LIB}", *END}),
    "DefaultGODEBUG": (_package(APP, default_godebug="a=1"), {f"link {APP}"}),
    "renamed import": (_package(LIB, import_map={"a": "vendor/a"}), {f"compile {LIB}", *END}),
    "one import less": (_package(APP, imports=(LIB,)), END),
    "-pgo": (_request(pgo="/p.pgo"), WITH_RUNTIME),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_changes_the_keys_of_what_it_can_change_and_no_others(name: str) -> None:
    """The changed actions and whatever is built of them get new keys; everything else keeps its own."""
    change, expected = CHANGES[name]
    world = World()
    world.profiles = {"/p.pgo": SourceFile("p.pgo", digest_of("profile"))}
    before = keys_of(world.plan())
    change(world)
    after = keys_of(world.plan())
    assert {action_id for action_id in before if after[action_id] != before[action_id]} == expected


@pytest.mark.parametrize(
    "record", [CompileSpec, CgoSpec, LinkSpec, PreprofileSpec, CToolchain], ids=lambda record: record.__name__
)
def test_every_field_of_a_spec_is_in_the_key(record: type[msgspec.Struct]) -> None:
    """Whatever a spec holds, another value of it is another key."""
    whole = msgspec.structs.replace
    specs = {type(each.spec): each.spec for each in World().plan().actions.values()}
    specs[PreprofileSpec] = PreprofileSpec(SourceFile("profile", digest_of("profile")))
    spec = specs[CgoSpec if record is CToolchain else record]
    before = own_digest(spec, TOOLCHAIN)
    for field in record.__struct_fields__:
        part = spec.compilers if record is CToolchain else spec
        value = getattr(part, field)
        other = (
            not value if isinstance(value, bool) else (*value, "x") if isinstance(value, tuple) else "other"
        )
        part = whole(part, **{field: other})
        changed = whole(spec, compilers=part) if record is CToolchain else part
        assert own_digest(changed, TOOLCHAIN) != before, field


def test_what_no_tool_tells_runs_again_with_each_plan() -> None:
    """Such an action has another key in each plan, and so has what is made of it; nothing else has."""
    world = World()
    world.untold = "nothing tells what it reads"
    before = keys_of(world.plan())
    world.nonce = "second"
    after = keys_of(world.plan())
    changed = {"cgo runtime/cgo", f"cgo {C}", "compile runtime/cgo", f"compile {C}", *END}
    assert {action_id for action_id in before if after[action_id] != before[action_id]} == changed
    world.untold = ""
    again = keys_of(world.plan())
    world.nonce = "third"
    assert keys_of(world.plan()) == again


@pytest.mark.parametrize(
    ("fields", "action_id"),
    [
        ({"gcflags": ("-pgoprofile=/x",)}, f"compile {APP}"),
        ({"ldflags": ("-libgcc=/x",)}, f"link {APP}"),
        ({"ldflags": ("-extar /x",)}, f"link {APP}"),
    ],
)
def test_flags_that_name_files_are_not_trusted(fields: dict[str, tuple[str, ...]], action_id: str) -> None:
    """What a tool reads because a flag names it shows nowhere: the action runs each time."""
    world = World()
    _request(**fields)(world)
    assert action(world.plan(), action_id).is_untold
    assert not action(World().plan(), action_id).is_untold


def test_the_object_file_of_a_cgo_package_takes_part_in_its_trial_link() -> None:
    """Object files of everything that it imports do, each once, in order of their paths."""
    packages = [
        Package(dir="/b", import_path="b", syso_files=("b.syso",)),
        Package(dir="/a", import_path="a", syso_files=("z.syso", "a.syso")),
        Package(dir="/x", import_path="x", syso_files=("x.syso",)),
        Package(dir="/c", import_path="c", cgo_files=("c.go",)),
    ]
    imports = {"c": ("a", "C", "b"), "a": ("b",), "b": ("a",), "x": ()}
    assert syso_of_closure(packages, packages[3], imports) == ["/a/a.syso", "/a/z.syso", "/b/b.syso"]


def test_files_of_the_command_line_lie_in_the_current_folder() -> None:
    """The package has no name of its own: its folder is called `.`, as go build calls it."""
    world = World()
    world.change(APP, import_path="command-line-arguments", module=None)
    plan = world.plan()
    assert action(plan, "compile command-line-arguments").spec.trim_to == "."
    assert [root.executable for root in plan.roots] == ["main"]


def test_a_versioned_modules_folder_is_named_with_its_version() -> None:
    """Also where it is replaced by a folder."""
    world = World()
    replaced = Module(path="example.com", version="v1.2.0", dir="/x", replace=Module(path="../x"))
    world.change(LIB, module=replaced)
    assert action(world.plan(), f"compile {LIB}").spec.trim_to == "example.com@v1.2.0/app/lib"


@pytest.mark.parametrize(
    ("path", "goos", "name"),
    [
        ("example.com/app", "linux", "app"),
        ("example.com/app/v2", "linux", "app"),
        ("example.com/app/v1", "linux", "v1"),
        ("example.com/app/v02", "linux", "v02"),
        ("example.com/app/v2", "windows", "app.exe"),
        ("v2", "linux", "v2"),
        ("gopkg.in/x.v3", "linux", "x.v3"),
        ("command-line-arguments", "linux", "tool.x"),
    ],
)
def test_programs_are_called_as_go_build_calls_them(path: str, goos: str, name: str) -> None:
    """By the last element that is no major version, or by the first file."""
    assert executable_name(Package(import_path=path, go_files=("tool.x.go", "b.go")), goos) == name


def test_a_package_that_is_no_program_ends_with_its_compile() -> None:
    """Nothing is linked."""
    world = World()
    world.change(APP, name="app")
    plan = world.plan()
    assert [(root.action, root.executable) for root in plan.roots] == [(f"compile {APP}", "")]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"swig_files": ("a.swig",)}, "SWIG"),
        ({"swig_cxx_files": ("a.swigcxx",)}, "SWIG"),
        ({"f_files": ("a.f90",)}, "Fortran"),
        ({"m_files": ("a.m",)}, "Objective-C"),
    ],
)
def test_other_languages_are_refused_by_name(fields: dict[str, object], named: str) -> None:
    """The message names the package and the first such file."""
    world = World()
    world.change(C, **fields)
    with pytest.raises(UsageError, match=rf"{C} has {named} files \(a\."):
        world.plan()


def test_a_package_that_could_not_be_loaded_ends_planning() -> None:
    """In the go command's words."""
    world = World()
    world.change(LIB, error=PackageError(err="no such thing"))
    with pytest.raises(PlanError, match="no such thing"):
        world.plan()


def _two_programs() -> World:
    world = World()
    second = next(p for p in world.packages if p.import_path == APP)
    world.packages.append(
        msgspec.structs.replace(second, import_path=f"{APP}/two", dir="/work/app/two", imports=(LIB,))
    )
    world.closures = {
        APP: frozenset(p.import_path for p in world.packages if p.import_path not in (APP, f"{APP}/two")),
        f"{APP}/two": frozenset(("runtime", LIB, "unsafe")),
    }
    return world


def test_programs_share_their_packages() -> None:
    """Each is linked of what it imports alone."""
    plan = _two_programs().plan()
    assert [path for path, _ in action(plan, f"link {APP}/two").imports] == [LIB, f"{APP}/two", "runtime"]
    assert len([name for name in plan.actions if name.startswith(f"compile {LIB}")]) == 1


def test_a_program_with_a_profile_has_packages_of_its_own() -> None:
    """With `auto` and several programs the library is compiled twice; with a file named, once."""
    world = _two_programs()
    profile = "/work/app/two/default.pgo"
    world.profiles = {profile: SourceFile("default.pgo", digest_of("profile"))}
    plan = world.plan()
    own = action(plan, f"compile {LIB} [{APP}/two]")
    assert own.profile == f"preprofile {profile}"
    assert action(plan, f"compile {LIB}").profile is None
    assert (f"{APP}/two", f"compile {APP}/two") in action(plan, f"link {APP}/two").imports
    assert (LIB, own.id) in action(plan, f"link {APP}/two").imports
    world.request = msgspec.structs.replace(world.request, pgo=profile)
    assert all(each.profile for each in world.plan().actions.values() if each.kind is Kind.COMPILE)


def test_profiles_are_found_beside_main_packages() -> None:
    """`off` finds none; a named one serves every named package."""
    main, lib = Package(dir="/m", import_path="m", name="main"), Package(dir="/l", import_path="l", name="l")
    packages = [main, lib]
    automatic = BuildRequest(project="/")
    assert profile_paths(automatic, packages, lambda path: True) == {"m": "/m/default.pgo"}
    assert profile_paths(automatic, packages, lambda path: False) == {}
    assert profile_paths(BuildRequest(project="/", pgo="off"), packages, lambda path: True) == {}
    given = BuildRequest(project="/", pgo="/x")
    assert profile_paths(given, packages, lambda path: True) == {"m": "/x", "l": "/x"}


@pytest.mark.parametrize(
    ("package", "imports"),
    [
        (Package(import_path="x"), []),
        (Package(import_path="x", cgo_files=("a.go",)), ["runtime/cgo", "syscall"]),
        (Package(import_path="net", standard=True, cgo_files=("a.go",)), ["runtime/cgo", "syscall"]),
        (Package(import_path="runtime/cgo", standard=True, cgo_files=("a.go",)), []),
        (Package(import_path="runtime/race", standard=True, cgo_files=("a.go",)), ["runtime/cgo"]),
        (Package(import_path="x", imports=("simd",)), ["simd/internal/bridge"]),
    ],
)
def test_some_imports_are_added_without_being_listed(package: Package, imports: list[str]) -> None:
    """What cgo's output needs, and a bridge of 1.27's simd."""
    assert implicit_imports(package, NEW, "amd64") == imports


def test_keys_count_dependencies_in_their_order() -> None:
    """The action key counts their keys, the content key what is read of them; the two never meet."""
    own, keys = digest_of("own"), {ActionId("a"): ActionKey("1"), ActionId("b"): ActionKey("2")}
    a, b = ActionId("a"), ActionId("b")
    assert action_key(own, [a, b], keys) != action_key(own, [b, a], keys)
    assert action_key(own, [a], keys) != content_key(own, [("a", Digest("1"))])
    assert content_key(own, [("a", Digest("1"))]) != content_key(own, [("b", Digest("1"))])
    assert (role_read(Kind.COMPILE), role_read(Kind.LINK)) == ("export", "object")


@pytest.mark.parametrize(
    ("module_dir", "folder", "names", "root"),
    [
        ("/m", "/m/a/b", ("parts/x.h",), ""),
        ("/m", "/m/a/b", ("../x.h", "y.h"), "/m/a"),
        ("/m", "/m/a/b", ("../../c/x.h",), "/m"),
        ("/m", "/m/a/b", ("../../../x.h",), "/"),
        ("/m", "/m/a/b", ("/m/x.h",), "/"),
        ("", "/w/vendor/example.com/app/lib", ("../x.h",), "/w/vendor/example.com/app"),
        ("", "/w/vendor/example.com/app/lib", ("../../x.h",), "/"),
    ],
)
def test_the_folder_of_all_that_assembly_includes(
    module_dir: str, folder: str, names: tuple[str, ...], root: str
) -> None:
    """It is named where it is above the package's; outside of the module it is none that could travel."""
    world = World()
    world.change(LIB, dir=folder, module=Module(path=APP, dir=module_dir), s_files=("a.s",))
    world.asm_includes = {LIB: names}
    found = action(world.plan(), f"compile {LIB}")
    assert found.sources.root == root
    assert found.spec.bound_to == (folder if root else "")
    assert [file.name for file in found.spec.included] == list(names)


def test_checkouts_share_what_includes_nothing_from_outside_its_package() -> None:
    """Else the folder may be in the output, and is in the key."""

    def keys(*names: str) -> set[str]:
        found = set()
        for at in ("/one", "/two"):
            world = World(at)
            world.asm_includes = {LIB: names}
            found.add(keys_of(world.plan())[f"compile {LIB}"])
        return found

    assert len(keys("parts/x.h")) == 1
    assert len(keys("../x.h")) == 2


def test_a_package_whose_folder_trimpath_does_not_find_is_bound_to_it() -> None:
    """Its outputs name the folder: no checkout shares them, and no other node makes them."""
    found = action(World("/a;b").plan(), f"compile {LIB}")
    assert (found.spec.bound_to, found.sources.root) == ("/a;b/lib", "/")
    for folder in ("/a=>b", "/a\udce9", "/a\nb"):
        found = action(World(folder).plan(), f"compile {LIB}")
        assert (found.spec.bound_to, found.sources.root) == ("", "")


def test_the_toolchains_own_assembly_is_named_from_goroot() -> None:
    """Whatever folder of it a package includes from: each node has it elsewhere."""
    world = World()
    world.asm_includes = {"runtime": ("../other/x.h",)}
    assert action(world.plan(), "compile runtime").sources.root == "GOROOT/src"
