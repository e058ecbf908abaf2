"""Make the plan of a request: run the go command, read what it named, and hand all of it to the pure plan.

The one place that knows in which order things are read. Knows nothing of Luigi.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import msgspec

from luigigo.config import Config
from luigigo.errors import LuigigoError, UsageError
from luigigo.golang import cgoplan, listing
from luigigo.golang import plan as planner
from luigigo.golang.actions import CgoSpec, CToolchain, Files, Plan, SourceFile
from luigigo.golang.asmincludes import included_files
from luigigo.golang.cflags import AllowedFlags, FlagCheck, prefers_external, read_allowed_flags, require_valid
from luigigo.golang.cgo import go_assembly_files
from luigigo.golang.ctoolchain import CProbe
from luigigo.golang.environment import GoEnv, check_environment
from luigigo.golang.packages import Package
from luigigo.golang.quoted import split
from luigigo.golang.releases import release_of
from luigigo.golang.request import BuildRequest, check, with_goflags
from luigigo.golang.toolchain import GoCommand, find_go, read_toolchain, run_env
from luigigo.golang.toolprograms import refuse_stamped_programs
from luigigo.model import Digest, digest_of
from luigigo.process import Interrupted, Runner
from luigigo.store.stathashes import StatHashes


class Desk(msgspec.Struct, frozen=True):
    """What planning works with: the process' surroundings, as arguments."""

    config: Config
    variables: dict[str, str]
    runner: Runner
    hashes: StatHashes
    say: Callable[[str], None]
    """Gets one line for the user at a time."""
    scratch_dir: str
    """A folder of this process, for what is made on the way."""


class Planned(msgspec.Struct, frozen=True):
    """A plan and what it was made from, so that it can be kept while none of that changes."""

    plan: Plan
    go: GoCommand
    env: GoEnv
    packages: tuple[Package, ...]
    request: BuildRequest
    """With GOFLAGS filled in."""
    keepable: bool
    """False when something took part whose state cannot be seen in a file's stat."""
    c_programs: tuple[str, ...] = ()
    """The C compilers and what they call, by absolute path, where there is C."""


def make_plan(request: BuildRequest, desk: Desk) -> Planned:
    """Plan a build. Raises `UsageError`, `ToolchainError` or `PlanError`, each with its whole message."""
    check(request)
    go = find_go(desk.config.go, desk.variables)
    project, request, keepable = _open_project(go, request, desk)
    with ThreadPoolExecutor(1) as pool:
        reading_env = pool.submit(run_env, go, project.dir, project.environment, desk.runner)
        warming = pool.submit(lambda: _warm_caches(reading_env.result(), project, desk))
        try:
            packages = listing.list_packages(project, request, desk.runner, desk.say)
        except Exception:
            # A missing or unfit toolchain explains a failed listing; it is the better message.
            _check_env(reading_env.result(), request, desk)
            raise
        env = reading_env.result()
        warming.cancel()
    request = _check_env(env, request, desk)
    reading = _Reading(request, env, project, tuple(packages), desk)
    plan = planner.make_plan(reading.inputs())
    keepable = keepable and request.buildvcs == "false" and not reading.used_pkg_config
    return Planned(plan, go, env, tuple(packages), request, keepable, reading.c_programs)


def _warm_caches(env: GoEnv, project: listing.GoProject, desk: Desk) -> None:
    """Ask the compilers and hash the tools while the packages are listed; the answers are cached.

    What fails here fails again where it is needed, and is reported there.
    """
    with suppress(LuigigoError, OSError, Interrupted):
        read_toolchain(env, desk.hashes)
        release, _ = release_of(env.goversion)
        if env.cgo_enabled == "1":
            _probe_of(project, desk).toolchain(env, release, needs_cxx=False)


def _probe_of(project: listing.GoProject, desk: Desk) -> CProbe:
    folder = os.path.join(desk.config.cache, "probes")
    os.makedirs(folder, exist_ok=True)
    return CProbe(desk.runner, desk.hashes, folder, project.environment)


def _open_project(
    go: GoCommand, request: BuildRequest, desk: Desk
) -> tuple[listing.GoProject, BuildRequest, bool]:
    """The folder to run the go command in; made for the purpose when a module version is asked for."""
    environment = go.environment({**desk.variables, **request.environment()})
    if request.is_remote_module:
        folder = os.path.join(desk.scratch_dir, f"install-{digest_of(request.project)[:16]}")
        place = listing.GoProject(go, folder, environment)
        project, request = listing.prepare_remote_module(place, request, desk.runner, desk.say)
        return project, request, False
    folder = listing.project_folder(request.project)
    return listing.GoProject(go, folder, {**environment, "PWD": folder}), request, True


def _check_env(env: GoEnv, request: BuildRequest, desk: Desk) -> BuildRequest:
    _, warning = release_of(env.goversion)
    if warning:
        desk.say(f"luigigo: {warning}")
    request = with_goflags(request, env.goflags)
    check_environment(env, desk.variables, race=request.race)
    if request.buildmode == "pie" and request.race and not env.default_is_pie:
        raise UsageError(f"-buildmode=pie not supported when -race is enabled on {env.goos}/{env.goarch}")
    return request


class _Reading:
    """Reads everything that one plan needs."""

    def __init__(
        self,
        request: BuildRequest,
        env: GoEnv,
        project: listing.GoProject,
        packages: tuple[Package, ...],
        desk: Desk,
    ) -> None:
        self._request, self._env, self._release = request, env, release_of(env.goversion)[0]
        self._project, self._packages, self._desk = project, packages, desk
        self._probe = _probe_of(project, desk)
        self.used_pkg_config = any(package.cgo_pkg_config for package in packages)

    @property
    def c_programs(self) -> tuple[str, ...]:
        """The C compilers that were asked, and what they call."""
        return tuple(dict.fromkeys(self._probe.programs))

    def inputs(self) -> planner.PlanInputs:
        """Read it all and return it as one record."""
        mains = [
            package.import_path for package in self._packages if package.is_main and not package.dep_only
        ]
        named = [package for package in self._packages if not package.dep_only]
        refuse_stamped_programs(self._packages, _content)
        closures = {}
        if len(named) > 1 and mains:
            closures = listing.list_closures(self._project, self._request, self._desk.runner, mains)
        modinfo = {}
        if self._request.buildvcs != "false":
            modinfo = listing.stamped_modinfo(self._project, self._request, self._desk.runner, self._desk.say)
        compilers, specs = self._c_parts()
        request = self._resolved_request()
        return planner.PlanInputs(
            request=request,
            env=self._env,
            release=self._release,
            toolchain=read_toolchain(self._env, self._desk.hashes),
            project_dir=self._project.dir,
            packages=self._packages,
            digest=self._digest,
            size=_size,
            cgo_specs=specs,
            compilers=compilers,
            closures=closures,
            profiles=self._profiles(request),
            modinfo=modinfo,
            asm_includes=self._asm_includes(),
        )

    def _asm_includes(self) -> dict[str, tuple[str, ...]]:
        """For each package with Go assembly that includes other files than its own, their names."""
        found = {}
        for package in self._packages:
            assembly = go_assembly_files(package)
            if assembly:
                own = (*assembly, *package.h_files)
                names = included_files(own, partial(_readable, package))
                if names:
                    found[package.import_path] = names
        return found

    def _resolved_request(self) -> BuildRequest:
        """An explicit profile by its absolute path."""
        pgo = self._request.pgo
        if pgo in ("auto", "off"):
            return self._request
        return msgspec.structs.replace(self._request, pgo=os.path.join(self._project.dir, pgo))

    def _profiles(self, request: BuildRequest) -> dict[str, SourceFile]:
        paths = planner.profile_paths(request, self._packages, os.path.isfile)
        found = {}
        for path in set(paths.values()):
            try:
                found[path] = SourceFile(os.path.basename(path), self._desk.hashes.digest(path))
            except OSError as error:
                raise UsageError(f"-pgo={path}: {error.strerror}") from error
        return found

    def _digest(self, package: Package, name: str) -> Digest:
        """A versioned module's file is known by the module's sum; any other by its content."""
        if package.module is not None and planner.is_versioned(package):
            source = package.module.replace or package.module
            inside = os.path.relpath(os.path.join(package.dir, name), package.module.dir)
            if not inside.startswith("../"):
                return digest_of("module", source.path, source.version, source.sum, inside)
        return self._desk.hashes.digest(os.path.join(package.dir, name))

    def _c_parts(self) -> tuple[CToolchain | None, dict[str, CgoSpec]]:
        """The C toolchain, where any package has C in it, and each such package's C part."""
        with_c = [package for package in self._packages if package.uses_cgo]
        if not with_c:
            return None, {}
        needs_cxx = any(package.cxx_files for package in self._packages)
        compilers = self._probe.toolchain(self._env, self._release, needs_cxx=needs_cxx)
        allowed = read_allowed_flags(self._env.goroot)
        imports = {
            package.import_path: (
                *package.imports,
                *planner.implicit_imports(package, self._release, self._env.goarch),
            )
            for package in self._packages
        }

        def spec_of(package: Package) -> CgoSpec:
            spec = cgoplan.cgo_spec(
                package,
                self._env,
                self._release,
                self._flags(package, compilers, allowed),
                self._files_of(package),
            )
            syso = cgoplan.syso_of_closure(self._packages, package, imports)
            return msgspec.structs.replace(
                spec,
                syso_files=tuple(SourceFile(path, self._desk.hashes.digest(path)) for path in syso),
                headers=self._probe.headers(spec, package.dir),
            )

        with ThreadPoolExecutor(8) as pool:
            specs = pool.map(spec_of, with_c)
            return compilers, {package.import_path: spec for package, spec in zip(with_c, specs, strict=True)}

    def _files_of(self, package: Package) -> Callable[[Iterable[str]], Files]:
        return lambda names: tuple(SourceFile(name, self._digest(package, name)) for name in names)

    def _flags(self, package: Package, compilers: CToolchain, allowed: AllowedFlags) -> cgoplan.CgoFlags:
        """The package's C flags, checked as the go command checks them."""
        given = {
            "CPPFLAGS": (self._env.cgo_cppflags, package.cgo_cppflags),
            "CFLAGS": (self._env.cgo_cflags, package.cgo_cflags),
            "CXXFLAGS": (self._env.cgo_cxxflags, package.cgo_cxxflags),
            "LDFLAGS": (self._env.cgo_ldflags, package.cgo_ldflags),
        }
        flags = {}
        for name, (user, own) in given.items():
            flag_check = FlagCheck(name, f"#cgo {name}", own)
            require_valid(flag_check, allowed, self._project.environment, package.import_path)
            flags[name] = (*split(user), *own)
        pkg_c, pkg_ld = self._probe.pkg_config(package, self._env, allowed)
        ld_flags = (*flags["LDFLAGS"], *pkg_ld)
        release = self._release
        return cgoplan.CgoFlags(
            compilers=compilers,
            cpp=(*flags["CPPFLAGS"], *pkg_c),
            c=flags["CFLAGS"],
            cxx=flags["CXXFLAGS"],
            ld=ld_flags,
            prefer_external=prefers_external(
                [flags["CFLAGS"], flags["CXXFLAGS"]],
                ld_flags if release.static_ldflags_prefer_external else None,
                allowed,
                static_too=release.static_cflags_prefer_external,
            ),
        )


def _size(package: Package, name: str) -> int:
    try:
        return os.stat(os.path.join(package.dir, name)).st_size
    except OSError:
        return 0


def _readable(package: Package, name: str) -> bytes | None:
    try:
        return _content(package, name)
    except (OSError, ValueError):
        return None


def _content(package: Package, name: str) -> bytes:
    with open(os.path.join(package.dir, name), "rb") as file:
        return file.read()


def describe_go(planned: Planned) -> str:
    """The line that says which toolchain builds."""
    env = planned.env
    return f"luigigo: {env.goversion} {env.goos}/{env.goarch} at {env.goroot} ({planned.go.origin})"
