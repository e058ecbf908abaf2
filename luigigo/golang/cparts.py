"""The C in a build when it is planned: packages' C parts and programs' C links, with all that they read.

Asks compilers and linkers by the modules beside it; decides nothing itself but whom to ask what.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

import msgspec

from luigigo.errors import ToolchainError
from luigigo.footprint import Places, is_settled
from luigigo.golang import cgo, cgoplan
from luigigo.golang.actions import CgoSpec, CToolchain, Files, SourceFile
from luigigo.golang.answers import Answers
from luigigo.golang.cflags import FlagCheck, prefers_external, read_allowed_flags, require_valid
from luigigo.golang.clibraries import LibraryReader
from luigigo.golang.compile import Mode
from luigigo.golang.ctoolchain import CProbe
from luigigo.golang.cunits import UnitReader
from luigigo.golang.environment import GoEnv
from luigigo.golang.link import CLink, given_linker, may_call_c_linker
from luigigo.golang.packages import Package
from luigigo.golang.pkgconfig import PkgConfig
from luigigo.golang.quoted import split
from luigigo.golang.releases import Release
from luigigo.golang.variables import LOCALE
from luigigo.model import Digest
from luigigo.process import Runner

_THREADS = 8
_TRIES = 3
_REST_SECONDS = 0.03


class Asking(msgspec.Struct, frozen=True):
    """What questions to C compilers need of the process' surroundings."""

    runner: Runner
    probe: CProbe
    answers: Answers
    scratch_dir: str
    variables: Mapping[str, str]
    """The user's environment."""
    digest: Callable[[str], Digest]
    """The digest of a file."""


class CParts(msgspec.Struct, frozen=True):
    """The C of one build."""

    compilers: CToolchain | None = None
    """None where nothing in the build may need any."""
    specs: dict[str, CgoSpec] = {}
    """By import path, for every package with cgo files."""
    system_files: dict[str, Files] = {}
    """By import path, what is read outside of the package's folder."""
    links: dict[str, CLink] = {}
    """By program, for each that may be linked by a C compiler."""
    places: Places = Places()
    """What all of it rests on."""
    untold: str = ""
    """Why that is not all."""


class Program(msgspec.Struct, frozen=True):
    """One program that is to be linked."""

    main: Package
    linked: tuple[Package, ...]
    """Itself and all that it imports."""
    ldflags: tuple[str, ...]


class Question(msgspec.Struct, frozen=True):
    """The build whose C is asked about."""

    env: GoEnv
    release: Release
    packages: tuple[Package, ...]
    imports: Mapping[str, Sequence[str]]
    """By import path, those that the go command adds without listing them among them."""
    programs: tuple[Program, ...]
    project_dir: str
    mode: Mode
    package_digest: Callable[[Package, str], Digest]


def read_c_parts(question: Question, asking: Asking) -> CParts:
    """Find out everything about the C of a build.

    Raises `ToolchainError` without a compiler for a package that needs one, and `PlanError` for flags that
    the go command refuses.
    """
    with_c = [package for package in question.packages if package.uses_cgo]
    wanted = [program for program in question.programs if _may_link_c(program, question)]
    if not with_c and not wanted:
        return CParts()
    try:
        needs_cxx = any(package.cxx_files for package in question.packages)
        compilers = asking.probe.toolchain(question.env, question.release, needs_cxx=needs_cxx)
    except ToolchainError as error:
        if with_c:
            raise
        # The linker will say it, if it comes to that.
        untold = {each.main.import_path: CLink(untold=str(error)) for each in wanted}
        return CParts(links=untold, untold=str(error))
    reading = _Reading(question, asking, compilers)
    with ThreadPoolExecutor(_THREADS) as packages, ThreadPoolExecutor(_THREADS) as units:
        parts = list(packages.map(lambda package: reading.part(package, units), with_c))
        links = list(packages.map(reading.link, wanted))
    return _joined(
        compilers, parts, dict(zip([each.main.import_path for each in wanted], links, strict=True))
    )


def _may_link_c(program: Program, question: Question) -> bool:
    has_c = any(package.uses_cgo for package in program.linked)
    return has_c or may_call_c_linker(program.ldflags, question.mode, question.env)


class _Part(msgspec.Struct, frozen=True):
    """One package's C, and what its answers rest on."""

    spec: CgoSpec
    system_files: Files
    places: Places


class _Reading:
    """The questions about one build whose compilers are known."""

    def __init__(self, question: Question, asking: Asking, compilers: CToolchain) -> None:
        env, variables = question.env, asking.variables
        self._question, self._asking, self._compilers = question, asking, compilers
        self._allowed = read_allowed_flags(env.goroot)
        self._pkg_config = PkgConfig(asking.runner, env, self._allowed, variables)
        readers = (asking.runner, asking.answers, asking.scratch_dir, variables)
        self._units = UnitReader(*readers, env.goroot)
        self._libraries = LibraryReader(*readers)
        self._identity = (compilers, [variables.get(name, "") for name in ("PATH", *LOCALE)])

    def part(self, package: Package, threads: Executor) -> _Part:
        """One package's C part, of files that were at rest while they were read."""
        for _ in range(_TRIES):
            started_ns = time.time_ns()
            part = self._read_part(package, threads)
            if all(_is_at_rest(file.name, started_ns) for file in part.system_files):
                return part
            time.sleep(_REST_SECONDS)
        spec = msgspec.structs.replace(
            part.spec, untold="files that its C reads changed while they were read"
        )
        return msgspec.structs.replace(part, spec=spec)

    def _read_part(self, package: Package, threads: Executor) -> _Part:
        question, digest = self._question, self._asking.digest
        spec = cgoplan.cgo_spec(
            package, question.env, question.release, self._flags(package), self._files_of(package)
        )
        syso = cgoplan.syso_of_closure(question.packages, package, question.imports)
        map_root, _ = cgo.root_mapping(package, question.env.goos)
        units = self._units.units(spec, package.dir, map_root, threads)
        driver = (*self._compilers.cc, *self._compilers.cc_flags)
        if spec.cxx_files:
            driver = (*self._compilers.cxx, *self._compilers.cxx_flags)
        linked = self._libraries.libraries(driver, self._identity, spec.ld_flags, question.project_dir)
        libraries, assembled = _digests(linked.files, digest), _digests(units.assembled, digest)
        spec = msgspec.structs.replace(
            spec,
            syso_files=_digests(syso, digest),
            units=units.texts,
            commands=units.commands,
            assembled=assembled,
            libraries=libraries,
            untold=units.untold or linked.untold,
        )
        system_files = (*_digests(units.read, digest), *assembled, *libraries)
        return _Part(spec, system_files, units.places | linked.places)

    def link(self, program: Program) -> CLink:
        """What a program's C linker is and reads."""
        env, compilers = self._question.env, self._compilers
        has_cxx = any(package.cxx_files for package in program.linked)
        given = given_linker(program.ldflags)
        driver: tuple[str, ...] = compilers.cxx if has_cxx else compilers.cc
        identity, is_known = compilers.identity, not compilers.everything
        if given.command:
            driver = given.command
            try:
                found = self._asking.probe.identify(driver)
            except ToolchainError as error:
                return CLink(untold=str(error))
            identity, is_known = found.identity, found.is_known
        ld_flags = [
            flag for package in program.linked if package.uses_cgo for flag in self._flags(package).ld
        ]
        driver = (*driver, *cgo.arch_flags(env, self._question.release))
        about = (identity, self._identity)
        read = self._libraries.libraries(driver, about, (*ld_flags, *given.flags), self._question.project_dir)
        unknown = "" if is_known else f"{driver[0]} is no C compiler that luigigo knows"
        return CLink(
            compilers=compilers.identity,
            linker=identity,
            environment=compilers.environment,
            libraries=_digests(read.files, self._asking.digest),
            places=read.places,
            untold=unknown or read.untold,
        )

    def _files_of(self, package: Package) -> Callable[[Iterable[str]], Files]:
        digest = self._question.package_digest
        return lambda names: tuple(SourceFile(name, digest(package, name)) for name in names)

    def _flags(self, package: Package) -> cgoplan.CgoFlags:
        """The package's C flags, checked as the go command checks them."""
        env, release = self._question.env, self._question.release
        given = {
            "CPPFLAGS": (env.cgo_cppflags, package.cgo_cppflags),
            "CFLAGS": (env.cgo_cflags, package.cgo_cflags),
            "CXXFLAGS": (env.cgo_cxxflags, package.cgo_cxxflags),
            "LDFLAGS": (env.cgo_ldflags, package.cgo_ldflags),
        }
        flags = {}
        for name, (user, own) in given.items():
            flag_check = FlagCheck(name, f"#cgo {name}", own)
            require_valid(flag_check, self._allowed, env.flag_rules, package.import_path)
            flags[name] = (*split(user), *own)
        pkg_c, pkg_ld = self._pkg_config.flags(package)
        ld_flags = (*flags["LDFLAGS"], *pkg_ld)
        return cgoplan.CgoFlags(
            compilers=self._compilers,
            cpp=(*flags["CPPFLAGS"], *pkg_c),
            c=flags["CFLAGS"],
            cxx=flags["CXXFLAGS"],
            ld=ld_flags,
            prefer_external=prefers_external(
                [flags["CFLAGS"], flags["CXXFLAGS"]],
                ld_flags if release.static_ldflags_prefer_external else None,
                self._allowed,
                static_too=release.static_cflags_prefer_external,
            ),
        )


def _joined(compilers: CToolchain, parts: Sequence[_Part], links: dict[str, CLink]) -> CParts:
    places = Places()
    for each in (*(part.places for part in parts), *(each.places for each in links.values())):
        places |= each
    reasons = [part.spec.untold for part in parts] + [each.untold for each in links.values()]
    unknown = f"{compilers.cc[0]} is no C compiler that luigigo knows" if compilers.everything else ""
    return CParts(
        compilers=compilers,
        specs={part.spec.import_path: part.spec for part in parts},
        system_files={part.spec.import_path: part.system_files for part in parts},
        links=links,
        places=places,
        untold=unknown or next((reason for reason in reasons if reason), ""),
    )


def _is_at_rest(path: str, since_ns: int) -> bool:
    try:
        return is_settled(os.stat(path).st_ctime_ns, since_ns)
    except OSError:
        return False


def _digests(paths: Iterable[str], digest: Callable[[str], Digest]) -> Files:
    return tuple(SourceFile(path, digest(path)) for path in paths)
