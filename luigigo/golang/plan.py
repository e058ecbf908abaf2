"""Turn listed packages into a plan of actions with keys. Pure: whatever it needs was read before.

The graph is that of cmd/go/internal/work/action.go, with one difference: a package's C part is an action
of its own that waits for nothing.
"""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterable, Sequence

import msgspec

from luigigo.errors import PlanError, UsageError
from luigigo.golang import buildinfo, cgo, compile, keys, link, quoted
from luigigo.golang.actions import (
    Action,
    CgoSpec,
    CompileSpec,
    Files,
    Kind,
    LinkSpec,
    Plan,
    PreprofileSpec,
    Root,
    SourceFile,
    Sources,
    Spec,
)
from luigigo.golang.asmincludes import common_folder
from luigigo.golang.environment import GoEnv
from luigigo.golang.localonly import reads_by_flags
from luigigo.golang.packages import Package
from luigigo.golang.perpackage import PerPackageFlags
from luigigo.golang.releases import Release
from luigigo.golang.request import BuildRequest, split_tags
from luigigo.golang.toolchain import Toolchain
from luigigo.model import ActionId, ActionKey, Digest, ImportPath


class PlanInputs(msgspec.Struct, frozen=True):
    """Everything that was read for one plan."""

    request: BuildRequest
    env: GoEnv
    release: Release
    toolchain: Toolchain
    project_dir: str
    packages: tuple[Package, ...]
    """Dependencies first, as `go list -deps` gives them."""
    digest: Callable[[Package, str], Digest]
    """Digest of one input file of a package."""
    size: Callable[[Package, str], int]
    """Its size in bytes."""
    cgo_specs: dict[str, CgoSpec]
    """By import path, for every package with cgo files."""
    closures: dict[str, frozenset[str]]
    """By program, what is linked into it, where there are several programs."""
    profiles: dict[str, SourceFile]
    """By path, the CPU profiles that take part."""
    modinfo: dict[str, str]
    """By program, the build information of a stamped build, as the go command made it."""
    asm_includes: dict[str, tuple[str, ...]] = {}
    """By import path, what assembly includes besides the package's own files (`asmincludes`)."""
    system_files: dict[str, Files] = {}
    """By import path, what a package's C reads outside of its folder."""
    links: dict[str, link.CLink] = {}
    """By program, the C linker of each that may be linked by one."""
    nonce: str = ""
    """A word that no other plan has: for what no tool tells all inputs of."""


def make_plan(inputs: PlanInputs) -> Plan:
    """Make the plan of one build. Raises `PlanError` or `UsageError` for what cannot be built."""
    return _Planner(inputs).plan()


def profile_paths(
    request: BuildRequest, packages: Iterable[Package], exists: Callable[[str], bool]
) -> dict[str, str]:
    """By named package, the CPU profile that it is compiled with (load.setPGOProfilePath).

    With an explicit -pgo all have that one; with `auto`, a `default.pgo` beside its main file.
    """
    if request.pgo == "off":
        return {}
    named = [package for package in packages if not package.dep_only]
    if request.pgo != "auto":
        return {package.import_path: request.pgo for package in named}
    found = {p.import_path: os.path.join(p.dir, "default.pgo") for p in named if p.is_main}
    return {path: profile for path, profile in found.items() if exists(profile)}


def implicit_imports(package: Package, release: Release, goarch: str) -> list[str]:
    """Imports that the go command adds without listing them (load/pkg.go, Package.load)."""
    added: list[str] = []
    path = package.import_path
    if package.uses_cgo:
        if not package.standard or path != "runtime/cgo":
            added.append("runtime/cgo")
        if not package.standard or path not in _WITHOUT_SYSCALL:
            added.append("syscall")
    if release.simd_bridge and "simd" in package.imports and goarch in ("wasm", "amd64", "arm64"):
        added.append("simd/internal/bridge")
    return added


_PSEUDO = ("unsafe", "C")
_WITHOUT_SYSCALL = ("runtime/cgo", "runtime/race", "runtime/msan", "runtime/asan")


_NO_C_LINK = link.CLink()


def _is_passed_over(package: Package) -> bool:
    """Whether a package of tests alone was found by a wildcard (omitTestOnly in build.go)."""
    return not (package.go_files or package.cgo_files) and all(map(_is_wildcard, package.match))


def _is_wildcard(pattern: str) -> bool:
    return "..." in pattern or pattern in ("all", "std", "cmd", "tool", "work")


class _Planner:
    """One plan in the making."""

    def __init__(self, inputs: PlanInputs) -> None:
        self._in = inputs
        request = inputs.request
        self._mode = compile.mode_of(inputs.env, request.buildmode, race=request.race)
        self._packages = {package.import_path: package for package in inputs.packages}
        self._gcflags = PerPackageFlags("gcflags", request.gcflags)
        self._asmflags = PerPackageFlags("asmflags", request.asmflags)
        self._ldflags = PerPackageFlags("ldflags", request.ldflags)
        self._tool_environment = tuple(sorted(inputs.env.tool_environment().items()))
        self._actions: dict[ActionId, Action] = {}
        self._keys: dict[ActionId, ActionKey] = {}
        self._profiles = profile_paths(request, inputs.packages, lambda path: path in inputs.profiles)

    def plan(self) -> Plan:
        inputs = self._in
        all_named = [package for package in inputs.packages if not package.dep_only]
        named = [package for package in all_named if not _is_passed_over(package)]
        for package in inputs.packages:
            _require_supported(package)
        split = inputs.request.pgo == "auto" and len(named) > 1
        passed_over = {package.import_path for package in all_named} - {p.import_path for p in named}
        everyone = [p for p in inputs.packages if p.import_path not in {*_PSEUDO, *passed_over}]
        only_programs = inputs.request.buildmode == "exe"
        if only_programs:
            named = [package for package in named if package.is_main]
            # Without closures one package was named: all is its own, if it is a program.
            linked = {package.import_path for package in named}.union(*inputs.closures.values())
            everyone = [p for p in everyone if p.import_path in linked or (named and not inputs.closures)]
        shared = "" if split else next(iter(self._profiles.values()), "")
        for package in everyone:
            if not (split and package.import_path in self._profiles):
                self._add_package(package, shared, "")
        for main, profile in self._profiles.items() if split else ():
            for package in everyone:
                if package.import_path == main or package.import_path in inputs.closures[main]:
                    self._add_package(package, profile, main)
        roots = tuple(
            self._add_root(package, split) for package in named if package.import_path not in _PSEUDO
        )
        return Plan(
            toolchain=inputs.toolchain,
            project_dir=inputs.project_dir,
            actions=self._actions,
            roots=roots,
            named_count=len(all_named),
            built_count=len(named),
            is_one_program=only_programs,
            asm_takes_std=inputs.release.asm_takes_std,
            quoted_response_files=inputs.release.quoted_response_files,
        )

    def _add(
        self, action_id: ActionId, kind: Kind, package: Package, spec: Spec, **fields: object
    ) -> ActionId:
        own = keys.own_digest(spec, self._in.toolchain, self._in.nonce if self._in.request.rebuild else "")
        action = Action(
            id=action_id,
            kind=kind,
            package=ImportPath(package.import_path),
            key=ActionKey(""),
            own_digest=own,
            spec=spec,
            **fields,  # type: ignore[arg-type]
        )
        key = keys.action_key(own, action.dependencies, self._keys)
        self._actions[action_id] = msgspec.structs.replace(action, key=key)
        self._keys[action_id] = key
        return action_id

    def _add_package(self, package: Package, profile: str, program: str) -> None:
        """Add the compile of one package, its C part and its profile.

        `program` is set where programs have profiles of their own, and so packages of their own.
        """
        action_id = _compile_id(package.import_path, program)
        if action_id in self._actions:
            return
        imports = self._direct_imports(package)
        self._add(
            action_id,
            Kind.COMPILE,
            package,
            self._compile_spec(package),
            label=action_id.removeprefix("compile "),
            imports=tuple((ImportPath(path), _compile_id(path, program)) for path in imports),
            cgo=self._add_cgo(package) if package.uses_cgo else None,
            profile=self._add_profile(profile) if profile else None,
            sources=self._sources(package),
        )

    def _included(self, package: Package) -> tuple[str, ...]:
        return self._in.asm_includes.get(package.import_path, ())

    def _direct_imports(self, package: Package) -> list[str]:
        implicit = implicit_imports(package, self._in.release, self._in.env.goarch)
        wanted = dict.fromkeys([*package.imports, *implicit])
        return sorted(path for path in wanted if path not in _PSEUDO and path in self._packages)

    def _compile_spec(self, package: Package) -> CompileSpec:
        inputs = self._in
        go_assembly = cgo.go_assembly_files(package)
        asm_flags: tuple[str, ...] = ()
        if go_assembly:
            user_flags = self._user_flags(self._asmflags, package)
            asm_flags = compile.asm_flags(package, inputs.env, self._mode, inputs.release, user_flags)
        compile_flags = compile.compile_flags(
            package, inputs.env, self._mode, self._user_flags(self._gcflags, package)
        )
        return CompileSpec(
            import_path=ImportPath(package.import_path),
            trim_to=_trimmed_name(package),
            compile_flags=compile_flags,
            asm_flags=asm_flags,
            environment=self._tool_environment,
            go_files=self._files(package, package.go_files),
            s_files=self._files(package, go_assembly),
            h_files=self._files(package, package.h_files if go_assembly else ()),
            syso_files=self._files(package, package.syso_files),
            embed_files=self._files(package, package.embed_files),
            embed_patterns=package.embed_patterns,
            import_map=tuple(sorted(package.import_map.items())),
            goos=inputs.env.goos,
            goarch=inputs.env.goarch,
            has_excluded=bool(package.ignored_go_files) and not (package.go_files or package.cgo_files),
            included=self._files(package, self._included(package)),
            bound_to=package.dir if self._outer_root(package) else "",
            untold=self._untold(reads_by_flags("compile", compile_flags), reads_by_flags("asm", asm_flags)),
        )

    def _untold(self, *reasons: str) -> str:
        """The first reason why an action reads what no tool tells, made unlike that of any other plan."""
        reason = next((reason for reason in reasons if reason), "")
        return f"{reason} ({self._in.nonce})" if reason else ""

    def _user_flags(self, flags: PerPackageFlags, package: Package) -> list[str]:
        return flags.flags_for(package, self._in.project_dir)

    def _files(self, package: Package, names: Iterable[str]) -> Files:
        return tuple(SourceFile(name, self._in.digest(package, name)) for name in names)

    def _sources(self, package: Package) -> Sources:
        names = (*package.go_files, *package.cgo_files)
        return Sources(
            dir=self._portable(package.dir),
            root=self._portable(self._outer_root(package)),
            go_bytes=sum(self._in.size(package, name) for name in names),
        )

    def _outer_root(self, package: Package) -> str:
        """The folder with all that a package reads, when it reads of others; `/` when of other modules.

        Also where -trimpath, whose folders stand between semicolons, does not find the package's: then
        outputs have its name as it is.
        """
        if ";" in package.dir:
            return "/"
        root = common_folder(package.dir, self._included(package))
        if root == os.path.normpath(package.dir):
            return ""
        module = _module_folder(package)
        return root if root == module or root.startswith(module + "/") else "/"

    def _portable(self, folder: str) -> str:
        """Folders of the toolchain are named from GOROOT, which differs from node to node."""
        goroot = self._in.env.goroot
        return "GOROOT" + folder.removeprefix(goroot) if folder.startswith(goroot + "/") else folder

    def _add_cgo(self, package: Package) -> ActionId:
        action_id = ActionId(f"cgo {package.import_path}")
        if action_id in self._actions:
            return action_id
        spec = self._in.cgo_specs[package.import_path]
        spec = msgspec.structs.replace(spec, untold=self._untold(spec.untold))
        map_root, _ = cgo.root_mapping(package, self._in.env.goos)
        c_files = (*package.c_files, *package.cxx_files, *package.s_files)
        sources = Sources(
            dir=self._portable(package.dir),
            system_files=self._in.system_files.get(package.import_path, ()),
            map_root="GOROOT" if map_root == self._in.env.goroot else map_root,
            syso_paths=tuple(self._portable(file.name) for file in spec.syso_files),
            go_bytes=sum(self._in.size(package, name) for name in c_files),
        )
        return self._add(action_id, Kind.CGO, package, spec, label=package.import_path, sources=sources)

    def _add_profile(self, path: str) -> ActionId:
        action_id = ActionId(f"preprofile {path}")
        if action_id not in self._actions:
            spec = PreprofileSpec(SourceFile("profile", self._in.profiles[path].digest))
            package = Package(import_path=os.path.basename(path))
            self._add(
                action_id, Kind.PREPROFILE, package, spec, label=path, sources=Sources(profile_path=path)
            )
        return action_id

    def _add_root(self, package: Package, split: bool) -> Root:
        path = ImportPath(package.import_path)
        if not package.is_main:
            return Root(_compile_id(path, ""), path, "")
        closure = self._in.closures.get(path)
        linked = [p for p in self._packages.values() if p.import_path not in _PSEUDO]
        if closure is not None:
            linked = [p for p in linked if p.import_path in closure or p is package]
        program = path if split and path in self._profiles else ""
        imports = tuple(
            (ImportPath(p.import_path), _compile_id(p.import_path, program))
            for p in sorted(linked, key=lambda p: p.import_path)
        )
        action_id = self._add(
            ActionId(f"link {path}"),
            Kind.LINK,
            package,
            self._link_spec(package, linked),
            label=path,
            imports=imports,
            sources=Sources(system_files=self._c_link(path).libraries),
        )
        return Root(action_id, path, executable_name(package, self._in.env.goos))

    def _link_spec(self, main: Package, linked: Sequence[Package]) -> LinkSpec:
        inputs = self._in
        others = [package for package in linked if package is not main]
        has_cxx = any(package.cxx_files for package in linked)
        compiler = quoted.split(inputs.env.cxx if has_cxx else inputs.env.cc)
        c_link = self._c_link(main.import_path)
        info = inputs.modinfo.get(main.import_path)
        if info is None:
            info = buildinfo.build_info(main, others, self._settings(main))
        flags = link.link_flags(main, self._mode, self._user_flags(self._ldflags, main), compiler or ["gcc"])
        return LinkSpec(
            import_path=ImportPath(main.import_path),
            link_flags=flags,
            modinfo=buildinfo.modinfo_line(info),
            environment=self._tool_environment + c_link.environment,
            compilers=c_link.compilers,
            linker=c_link.linker,
            libraries=c_link.libraries,
            untold=self._untold(c_link.untold, reads_by_flags("link", flags)),
        )

    def _c_link(self, program: str) -> link.CLink:
        return self._in.links.get(program, _NO_C_LINK)

    def _settings(self, main: Package) -> list[tuple[str, str]]:
        request = self._in.request
        flags = [("-tags", ",".join(split_tags(request.tags)))]
        if request.buildmode != "default":
            flags.append(("-buildmode", request.buildmode))
        flags += [("-asmflags", value) for value in request.asmflags[-1:]]
        flags += [("-gcflags", value) for value in request.gcflags[-1:]]
        profile = self._profiles.get(main.import_path, "")
        return link.build_settings(
            main, self._in.env, flags, race=request.race, pgo_profile=os.path.basename(profile)
        )


def executable_name(package: Package, goos: str) -> str:
    """What `go build` calls the program when no -o is given (load.DefaultExecName)."""
    if package.from_command_line_files:
        name = (*package.go_files, *package.cgo_files)[0].removesuffix(".go")
    else:
        head, _, name = package.import_path.rpartition("/")
        if head and name[:1] == "v" and name[1:].isdigit() and name not in ("v0", "v1") and name[1] != "0":
            name = head.rpartition("/")[2]
    return name + (".exe" if goos == "windows" else "")


def _compile_id(path: str, program: str) -> ActionId:
    """A program with a profile of its own has its own packages, but only one main package."""
    return ActionId(f"compile {path} [{program}]" if program and program != path else f"compile {path}")


def _trimmed_name(package: Package) -> str:
    """What the package's folder is called inside outputs under -trimpath (Action.trimpath)."""
    module = package.module
    if package.from_command_line_files:
        return "."
    if module is not None and module.version:
        return f"{module.path}@{module.version}{package.import_path.removeprefix(module.path)}"
    return package.import_path


def _module_folder(package: Package) -> str:
    """The folder of a package's module; of a vendored one, its part of the vendor folder."""
    module = package.module
    if module is None:
        return package.root or package.dir
    vendor = package.dir.removesuffix("/" + package.import_path)
    return module.dir or (f"{vendor}/{module.path}" if vendor != package.dir else package.dir)


def _require_supported(package: Package) -> None:
    if package.error is not None:
        raise PlanError(package.error.err)
    for files, what in (
        (package.swig_files or package.swig_cxx_files, "SWIG files"),
        (package.f_files, "Fortran files"),
        (package.m_files, "Objective-C files"),
    ):
        if files:
            raise UsageError(
                f"{package.import_path} has {what} ({files[0]}), which luigigo does not support: use go build"
            )
