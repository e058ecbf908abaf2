"""Make the plan of a request: run the go command, read what it named, and hand all of it to the pure plan.

The one place that knows in which order things are read. Knows nothing of Luigi.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import msgspec

from luigigo.config import Config
from luigigo.errors import LuigigoError, PlanError, UsageError
from luigigo.footprint import Places, Trusts
from luigigo.golang import listing
from luigigo.golang import plan as planner
from luigigo.golang.actions import Plan, SourceFile
from luigigo.golang.answers import Answers
from luigigo.golang.asmincludes import include_folders, included_files
from luigigo.golang.cgo import go_assembly_files
from luigigo.golang.compile import generic_header_name, mode_of
from luigigo.golang.cparts import Asking, CParts, Program, Question, read_c_parts
from luigigo.golang.ctoolchain import CProbe
from luigigo.golang.embed import lies_in_embedded_folder
from luigigo.golang.environment import GoEnv, check_environment
from luigigo.golang.localmodules import LocalModule, local_modules
from luigigo.golang.packages import Package
from luigigo.golang.perpackage import PerPackageFlags
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
    trusts: Trusts
    """Whose files' times carry each change (`filesystems`)."""
    enter: Callable[[str], None] = lambda phase: None
    """Told what is done from now on, for the run's record."""


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
    read_places: Places = Places()
    """What compilers, linkers and the assembler's includes say that the plan rests on."""
    modules: tuple[LocalModule, ...] = ()
    """The main modules and those that replace others by folder, also where they give no packages."""


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
            _checked(reading_env.result(), request, desk)
            raise
        env = reading_env.result()
        warming.cancel()
    desk.enter("plan")
    request, env = _checked(env, request, desk)
    reading = _Reading(request, env, project, tuple(packages), desk)
    try:
        plan = planner.make_plan(reading.inputs())
    except OSError as error:
        # It was there when the go command listed it.
        raise PlanError(f"open {error.filename}: {(error.strerror or '').lower()}") from error
    is_steady = request.buildvcs == "false" and not any(map(listing.has_unreadable, packages))
    keepable = keepable and is_steady and not request.rebuild and reading.is_all_told
    modules = local_modules(project, env, request, packages, desk.runner) if keepable else None
    return Planned(
        plan=plan,
        go=go,
        env=env,
        packages=tuple(packages),
        request=request,
        keepable=modules is not None,
        c_programs=reading.c_programs,
        read_places=reading.places,
        modules=modules or (),
    )


def refused_packages(request: BuildRequest, desk: Desk) -> list[Package]:
    """The packages of a request that cannot be planned, as far as the go command tells of them."""
    with suppress(LuigigoError):
        project, request, _ = _open_project(find_go(desk.config.go, desk.variables), request, desk)
        return listing.list_refused(project, request, desk.runner)
    return []


def _warm_caches(env: GoEnv, project: listing.GoProject, desk: Desk) -> None:
    """Ask the compilers and hash the tools while the packages are listed; the answers are cached.

    What fails here fails again where it is needed, and is reported there.
    """
    with suppress(LuigigoError, OSError, Interrupted):
        read_toolchain(env, desk.hashes)
        release, _ = release_of(env.goversion)
        if env.cgo_enabled == "1":
            _asking(desk).probe.toolchain(env, release, needs_cxx=False)


def _asking(desk: Desk) -> Asking:
    folder = os.path.join(desk.config.cache, "probes")
    os.makedirs(folder, exist_ok=True)
    return Asking(
        runner=desk.runner,
        probe=CProbe(desk.runner, desk.hashes, folder, desk.variables),
        answers=Answers(folder, desk.trusts),
        scratch_dir=desk.scratch_dir,
        variables=desk.variables,
        digest=desk.hashes.digest,
    )


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


def _checked(env: GoEnv, request: BuildRequest, desk: Desk) -> tuple[BuildRequest, GoEnv]:
    _, warning = release_of(env.goversion)
    if warning:
        desk.say(f"luigigo: {warning}")
    request = with_goflags(request, env.goflags)
    env = env.with_variables(desk.variables)
    check_environment(env, desk.variables, race=request.race)
    if request.buildmode == "pie" and request.race and not env.default_is_pie:
        raise UsageError(f"-buildmode=pie not supported when -race is enabled on {env.goos}/{env.goarch}")
    return request, env


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
        self._asking = _asking(desk)
        self._c = CParts()
        self._looked_for: dict[str, None] = {}

    @property
    def c_programs(self) -> tuple[str, ...]:
        """The C compilers that were asked, and what they call."""
        return tuple(dict.fromkeys(self._asking.probe.programs))

    @property
    def is_all_told(self) -> bool:
        """Whether all that was read is known, so that its stats tell whether the plan still holds."""
        used_pkg_config = any(package.cgo_pkg_config for package in self._packages)
        return not used_pkg_config and not self._c.untold

    @property
    def places(self) -> Places:
        """What compilers, linkers and the assembler's includes rest on."""
        return self._c.places | Places(files=tuple(self._looked_for))

    def inputs(self) -> planner.PlanInputs:
        """Read it all and return it as one record."""
        mains = [
            package.import_path for package in self._packages if package.is_main and not package.dep_only
        ]
        named = [package for package in self._packages if not package.dep_only]
        refuse_stamped_programs(self._packages, _content)
        self._refuse_embedded_links()
        closures = {}
        if len(named) > 1 and mains:
            closures = listing.list_closures(self._project, self._request, self._desk.runner, mains)
        modinfo = {}
        if self._request.buildvcs != "false":
            modinfo = listing.stamped_modinfo(self._project, self._request, self._desk.runner, self._desk.say)
        request = self._resolved_request()
        self._c = self._c_parts(closures)
        return planner.PlanInputs(
            request=request,
            env=self._env,
            release=self._release,
            toolchain=read_toolchain(self._env, self._desk.hashes),
            project_dir=self._project.dir,
            packages=self._packages,
            digest=self._digest,
            size=_size,
            cgo_specs=self._c.specs,
            closures=closures,
            profiles=self._profiles(request),
            modinfo=modinfo,
            asm_includes=self._asm_includes(),
            system_files=self._c.system_files,
            links=self._c.links,
            nonce=uuid.uuid4().hex,
        )

    def _asm_includes(self) -> dict[str, tuple[str, ...]]:
        """For each package with Go assembly that includes other files than its own, their names."""
        flags = PerPackageFlags("asmflags", self._request.asmflags)
        provided = {"go_asm.h", *os.listdir(os.path.join(self._env.goroot, "pkg", "include"))}
        found = {}
        for package in self._packages:
            assembly = go_assembly_files(package)
            if assembly:
                generic = (
                    generic_header_name(name, self._env.goos, self._env.goarch) for name in package.h_files
                )
                included = included_files(
                    (*assembly, *package.h_files),
                    partial(_readable, package),
                    include_folders(flags.flags_for(package, self._project.dir)),
                    provided | {name for name in generic if name},
                    partial(_spots, package.dir),
                )
                found[package.import_path] = included.names
                paths = (os.path.join(package.dir, name) for name in (*included.names, *included.looked_for))
                self._looked_for.update((os.path.normpath(path), None) for path in paths)
        return {path: names for path, names in found.items() if names}

    def _refuse_embedded_links(self) -> None:
        """Refuse a link that one pattern embeds and another passes over: a plan does not know links."""
        if "embedfollowsymlinks=1" not in self._project.environment.get("GODEBUG", ""):
            return
        for package in self._packages:
            for name in package.embed_files:
                is_link = os.path.islink(os.path.join(package.dir, name))
                if is_link and lies_in_embedded_folder(package.embed_patterns, name):
                    raise UsageError(
                        f"{package.import_path} embeds {name}, a symbolic link, and the folder it is in: "
                        "luigigo does not support that, use go build"
                    )

    def _resolved_request(self) -> BuildRequest:
        """An explicit profile by its absolute path."""
        pgo = self._request.pgo
        if pgo in ("auto", "off"):
            return self._request
        return msgspec.structs.replace(self._request, pgo=os.path.join(self._project.dir, pgo))

    def _profiles(self, request: BuildRequest) -> dict[str, SourceFile]:
        paths = planner.profile_paths(request, self._packages, os.path.exists)
        found = {}
        for path in set(paths.values()):
            try:
                found[path] = SourceFile(os.path.basename(path), self._desk.hashes.digest(path))
            except IsADirectoryError:
                # The tool that reads it will say so.
                found[path] = SourceFile(os.path.basename(path), digest_of("folder"))
            except OSError as error:
                raise UsageError(f"-pgo={path}: {error.strerror}") from error
        return found

    def _digest(self, package: Package, name: str) -> Digest:
        return self._desk.hashes.digest(os.path.join(package.dir, name))

    def _c_parts(self, closures: Mapping[str, frozenset[str]]) -> CParts:
        """The C toolchain, where anything may need one, and all that it reads."""
        request, packages = self._request, self._packages
        ldflags = PerPackageFlags("ldflags", request.ldflags)
        programs = tuple(
            Program(
                main,
                tuple(p for p in packages if p is main or p.import_path in closures.get(main.import_path, ()))
                if closures
                else packages,
                tuple(ldflags.flags_for(main, self._project.dir)),
            )
            for main in packages
            if main.is_main and not main.dep_only
        )
        question = Question(
            env=self._env,
            release=self._release,
            packages=packages,
            imports={
                package.import_path: (
                    *package.imports,
                    *planner.implicit_imports(package, self._release, self._env.goarch),
                )
                for package in packages
            },
            programs=programs,
            project_dir=self._project.dir,
            mode=mode_of(self._env, request.buildmode, race=request.race),
            package_digest=self._digest,
        )
        return read_c_parts(question, self._asking)


def _size(package: Package, name: str) -> int:
    try:
        return os.stat(os.path.join(package.dir, name)).st_size
    except OSError:
        return 0


def _spots(folder: str, name: str) -> tuple[str, ...]:
    """Where a name leads from a package's folder: as it stands, and with its `..` cleaned away.

    Whole paths where these are different folders, as where the package's is a link.
    """
    if ".." not in name:
        return (name,)
    opened = os.path.join(folder, name)
    cleaned = os.path.normpath(opened)
    if os.path.realpath(os.path.dirname(opened)) == os.path.realpath(os.path.dirname(cleaned)):
        return tuple(dict.fromkeys((name, os.path.normpath(name))))
    return os.path.join(os.path.realpath(os.path.dirname(opened)), os.path.basename(opened)), cleaned


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
    is_cross = (env.goos, env.goarch) != (env.gohostos, env.gohostarch)
    target = f" for {env.goos}/{env.goarch}" if is_cross else ""
    return f"luigigo: {env.goversion} at {env.goroot} ({planned.go.origin}){target}"
