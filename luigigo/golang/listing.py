"""Ask the go command for the packages of a build. Runs `go list`; knows nothing of actions."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import msgspec

from luigigo.errors import PlanError, UsageError
from luigigo.golang import exactlist, quoted
from luigigo.golang.packages import LIST_FIELDS, Package, parse_list_output
from luigigo.golang.request import BuildRequest
from luigigo.golang.toolchain import GoCommand, no_entry, with_index
from luigigo.messages import renamed
from luigigo.process import Command, Finished, Runner

_MODINFO = re.compile(rb'^modinfo ("(?:[^"\\]|\\.)*")$', re.M)
_MARKER_BYTES = 16
_INDEX_PATIENCE_NS = 2_000_000_000
"""The index takes in no file that was modified so recently (modindex.modTimeCutoff)."""
_DOWNLOADING = "go: downloading "
_PACKAGE_CLAUSE = re.compile(rb"^(?:.*\*/)?\s*package\s+\w", re.MULTILINE)


class GoProject(msgspec.Struct, frozen=True):
    """A folder in which the go command is run, and how."""

    go: GoCommand
    dir: str
    environment: dict[str, str]

    def command(self, *arguments: str) -> Command:
        """One run of the go command; its messages are kept apart from what it prints."""
        return Command(
            argv=(self.go.path, *arguments), cwd=self.dir, env=self.environment, separate_stderr=True
        )


def project_folder(project: str) -> str:
    """Check that the project is a folder that can be entered.

    Raises `UsageError` with what to do, and `PlanError` with the go command's words for one that is closed
    to this user (`go build -C`).
    """
    try:
        is_folder = stat.S_ISDIR(os.stat(project).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        kind = "does not exist"
    except OSError as error:
        raise no_entry(project, error) from error
    else:
        if is_folder and not os.access(project, os.X_OK):
            raise no_entry(project, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
        if is_folder:
            return project
        kind = "is a file, not a folder"
    raise UsageError(f"{project} {kind}: give a folder inside a Go module, or module/path@version")


def list_packages(
    project: GoProject, request: BuildRequest, runner: Runner, say: Callable[[str], None]
) -> list[Package]:
    """List the request's packages and all that they import, dependencies first.

    The go command's own messages go to `say`. Raises `PlanError` with what `go build` says when it refuses.
    """
    arguments = ("-deps", *request.list_flags(), "--", *request.packages)
    try:
        packages = _list(project, runner, say, arguments)
    except PlanError as error:
        packages = _list_by_index(project, request, runner, error, arguments)
    if any(map(has_unreadable, packages)):
        _require_index(project, request, runner)
    if not any(not package.dep_only for package in packages):
        raise PlanError(f"no packages match {' '.join(request.packages)} in {project.dir}")
    return packages


def list_refused(project: GoProject, request: BuildRequest, runner: Runner) -> list[Package]:
    """What can be told of packages that were refused: those that can be found, with their errors.

    Raises `PlanError` where the go command tells nothing at all.
    """
    arguments = ("-e", "-deps", *request.list_flags(), "--", *request.packages)
    return _list(project, runner, lambda text: None, arguments)


def has_unreadable(package: Package) -> bool:
    """Whether a file that its name keeps out has no package clause: the index reads it, the list does not.

    What `go build` says of it depends on how long ago it was written.
    """
    if package.standard:
        return False
    for name in package.ignored_go_files:
        with suppress(OSError), open(os.path.join(package.dir, name), "rb") as file:
            if not _PACKAGE_CLAUSE.search(file.read()):
                return True
    return False


def _require_index(project: GoProject, request: BuildRequest, runner: Runner) -> None:
    """Raise `PlanError` with what `go build` says, if it refuses the packages by its index of them."""
    finished = _ask_everybodys(project, request, runner)
    if finished.exit_code != 0:
        raise PlanError(_words(finished, project))


def _ask_everybodys(project: GoProject, request: BuildRequest, runner: Runner) -> Finished:
    """What `go build` finds before it compiles, as it looks at packages for everybody: by its index."""
    everybodys = msgspec.structs.replace(project, environment=with_index(project.environment))
    return _finish(everybodys, runner, ("build", "-n", *request.build_flags(), "--", *request.packages))


def _list_by_index(
    project: GoProject, request: BuildRequest, runner: Runner, error: PlanError, arguments: Sequence[str]
) -> list[Package]:
    """List what was refused once more, as the go command lists for everybody: by its index of packages.

    A folder whose only Go files begin with `_` holds a package or none, as it is looked at without the index
    or with it (modload.dirInModule). What the index says counts where it cannot be stale. Raises `PlanError`
    with all that `go build` says, where `go list` ends with the first refusal.
    """
    finished = _ask_everybodys(project, request, runner)
    said = _words(finished, project)
    if finished.exit_code != 0:
        raise PlanError(said) if said else error
    everybodys = msgspec.structs.replace(project, environment=with_index(project.environment))
    packages = _list(everybodys, runner, lambda text: None, arguments)
    if any(_has_set_times(package.dir) for package in packages if not package.standard):
        raise error
    return packages


def _has_set_times(folder: str) -> bool:
    """Whether a file's modification time was set: the index may have it as it was when it had that time."""
    try:
        with os.scandir(folder) as entries:
            stats = [entry.stat() for entry in entries if entry.is_file()]
    except OSError:
        # It vanished meanwhile.
        return True
    return any(stat.st_ctime_ns - stat.st_mtime_ns > _INDEX_PATIENCE_NS for stat in stats)


def list_closures(
    project: GoProject, request: BuildRequest, runner: Runner, mains: Sequence[str]
) -> dict[str, frozenset[str]]:
    """By program, everything that is linked into it. Raises `PlanError`."""
    arguments = ("list", "-json=ImportPath,Deps", *request.list_flags(), "--", *mains)
    packages = parse_list_output(_run(project, runner, lambda text: None, arguments))
    return {package.import_path: frozenset(package.deps) for package in packages}


def stamped_modinfo(
    project: GoProject, request: BuildRequest, runner: Runner, say: Callable[[str], None]
) -> dict[str, str]:
    """By program, the build information with the version control's state, as the go command makes it.

    It is read off a dry run of `go build`, which writes the linker's importcfg to its output.
    """
    arguments = (
        "build",
        "-n",
        *request.build_flags(),
        "-o",
        os.devnull + ".luigigo/",
        "--",
        *request.packages,
    )
    finished = _finish(project, runner, arguments)
    if finished.exit_code != 0:
        raise PlanError(_words(finished, project))
    found = {}
    for match in _MODINFO.finditer(finished.stderr):
        data = os.fsdecode(quoted.go_unquote(match[1])[_MARKER_BYTES:-_MARKER_BYTES])
        found[data.split("\n", 1)[0].removeprefix("path\t")] = data
    return found


def ask(project: GoProject, runner: Runner, arguments: Sequence[str]) -> bytes:
    """What the go command prints for the arguments; its messages are dropped. Raises `PlanError`."""
    return _run(project, runner, lambda text: None, arguments)


def prepare_remote_module(
    place: GoProject, request: BuildRequest, runner: Runner, say: Callable[[str], None]
) -> tuple[GoProject, BuildRequest]:
    """Make a module in the place's folder that requires `module/path@version` alone, as go install has it.

    Its go version is that of the module, or 1.20 where it has none (load/godebug.go), for the GODEBUG
    defaults follow it. Returns the project and the request for the package in it. Raises `PlanError` with
    the go command's words, and for a module that go install refuses.
    """
    path, _, version = request.project.partition("@")
    if not path or not version:
        raise UsageError(f"{request.project}: wanted module/path@version")
    environment = {**place.environment, "GOWORK": "off", "GOFLAGS": _without_mod(place.environment)}
    project = msgspec.structs.replace(place, environment=environment)
    shutil.rmtree(place.dir, ignore_errors=True)
    os.makedirs(place.dir)
    _run(project, runner, lambda text: None, ("mod", "init", "luigigo.invalid/install"))
    _run(project, runner, say, ("get", f"{path}@{version}"))
    module = _list(project, runner, say, (path,))[0].module
    if module is not None and module.go_mod:
        _refuse_directives(
            request.project, _run(project, runner, say, ("mod", "edit", "-json", module.go_mod))
        )
    go_version = (module.go_version if module is not None else "") or "1.20"
    _run(project, runner, say, ("mod", "edit", f"-go={go_version}", "-toolchain=none"))
    packages = (path,) if request.packages == (".",) else request.packages
    return project, msgspec.structs.replace(request, project=place.dir, packages=packages, mod="mod")


def _refuse_directives(wanted: str, go_mod: bytes) -> None:
    """A main module may replace and exclude others; one that is installed by its version may not."""
    found = msgspec.json.decode(go_mod, type=dict[str, object])
    used = [name.lower() for name in ("Replace", "Exclude") if found.get(name)]
    if used:
        raise PlanError(
            f"go: {wanted}: the module's go.mod has {' and '.join(used)} directives, and go install refuses "
            "those: get its source and build the folder"
        )


def _without_mod(environment: Mapping[str, str]) -> str:
    flags = quoted.split(environment.get("GOFLAGS", ""))
    return quoted.join([flag for flag in flags if not flag.lstrip("-").startswith("mod")])


def _list(
    project: GoProject, runner: Runner, say: Callable[[str], None], arguments: Sequence[str]
) -> list[Package]:
    """Run `go list`; ask once more, for each byte, where JSON cannot say what it found."""
    output = _run(project, runner, say, ("list", f"-json={LIST_FIELDS}", *arguments))
    if not exactlist.has_lost_bytes(output):
        return parse_list_output(output)
    again = ("list", "-f", exactlist.template(), *arguments)
    return exactlist.parse(_run(project, runner, lambda text: None, again))


def _run(project: GoProject, runner: Runner, say: Callable[[str], None], arguments: Sequence[str]) -> bytes:
    """Run the go command; return what it printed, raise what it refused.

    Downloads are passed on as they begin, for they take long; the rest of what it said at its end.
    """

    def say_download(line: str) -> None:
        if line.startswith(_DOWNLOADING):
            say(line)

    finished = _finish(project, runner, arguments, say_download)
    text = _words(finished, project)
    if finished.exit_code != 0:
        raise PlanError(text or f"go {arguments[0]} failed")
    if text:
        say(text)
    return finished.output


def _words(finished: Finished, project: GoProject) -> str:
    """What the go command said, but for the downloads that were told as they began.

    It ran in the project's folder; files have the names that they would have where luigigo runs.
    """
    said = os.fsdecode(finished.stderr).split("\n")
    text = "\n".join(line for line in said if not line.startswith(_DOWNLOADING)).strip("\n")
    return renamed(text, project.dir)


def _finish(
    project: GoProject,
    runner: Runner,
    arguments: Sequence[str],
    on_stderr: Callable[[str], None] | None = None,
) -> Finished:
    """Run the go command in the project's folder, which may vanish at any time."""
    try:
        return runner.run(project.command(*arguments), on_stderr=on_stderr)
    except OSError as error:
        raise no_entry(project.dir, error) from error
