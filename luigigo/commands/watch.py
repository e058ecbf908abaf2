"""`luigigo watch`: a build that is made again while its sources are edited."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from itertools import takewhile

import msgspec

from luigigo.commands.build import Options as BuildOptions
from luigigo.currentfolder import change_folder
from luigigo.errors import ExitCode, UsageError
from luigigo.golang.buildflags import read_arguments
from luigigo.golang.listing import project_folder
from luigigo.golang.moduleplaces import above
from luigigo.golang.request import check
from luigigo.watching.keys import keys
from luigigo.watching.packagetests import PackageTests
from luigigo.watching.programs import Manner, ServedProgram
from luigigo.watching.watch import Follower, Watch, WatchRequest

GRACE_SECONDS = 5.0


class WatchOptions(msgspec.Struct, frozen=True):
    """The flags of `luigigo watch` itself."""

    build: tuple[str, ...]
    """What `luigigo build` is given."""
    command: tuple[str, ...] | None = None
    """What is run; empty for the binary, None for nothing."""
    tests: bool = False
    """Whether go test is."""
    grace_seconds: float = GRACE_SECONDS
    stops_first: bool = False


def before_command(arguments: Sequence[str]) -> list[str]:
    """The arguments in front of `--run`: all behind it is for the command."""
    return list(takewhile(lambda each: each.split("=")[0] not in ("-run", "--run"), arguments))


def read_options(arguments: Sequence[str]) -> WatchOptions:
    """Tell the watch's own flags from those of the build. Raises `UsageError`."""
    build: list[str] = []
    options = WatchOptions(())
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        name, _, value = argument.partition("=")
        flag = name.lstrip("-") if argument.startswith("-") else ""
        if flag == "run":
            words = waiting[1:] if waiting[:1] == ["--"] and not value else waiting
            command = (*([value] if value else ()), *words)
            options, waiting = msgspec.structs.replace(options, command=command), []
        elif flag == "test":
            options = msgspec.structs.replace(options, tests=True)
        elif flag == "stop-first":
            options = msgspec.structs.replace(options, stops_first=True)
        elif flag == "grace":
            text = value or (waiting.pop(0) if waiting else "")
            options = msgspec.structs.replace(options, grace_seconds=_seconds(text))
        else:
            build.append(argument)
    return msgspec.structs.replace(options, build=tuple(build))


def run(arguments: Sequence[str]) -> int:
    """Watch until the user has had enough; return the exit code. Raises `UsageError`."""
    options = read_options(arguments)
    read = read_arguments(options.build)
    project = _check(BuildOptions(**read.values), read.packages)  # type: ignore[arg-type]
    if options.command and shutil.which(options.command[0]) is None:
        raise UsageError(f"--run: there is no command {options.command[0]}")
    if options.command is not None and options.tests:
        raise UsageError("luigigo watch either runs a program or tests: leave out --run or --test")
    with tempfile.TemporaryDirectory(prefix="luigigo-watch-") as folder:
        left, here = os.path.join(folder, "watched"), os.getcwd()
        request = WatchRequest(options.build, left, dict(os.environ), here, (project, here))
        watch = Watch(request, _follower(options, lambda: watch.end(ExitCode.INTERRUPTED)), sys.stderr)
        actions = {"r": watch.ask, "q": watch.end}
        with keys(0, lambda key: actions.get(key, _nothing)()):
            return watch.run()


def _follower(options: WatchOptions, on_interrupt: Callable[[], None]) -> Follower | None:
    if options.tests:
        return PackageTests(options.grace_seconds, _say)
    if options.command is None:
        return None
    manner = Manner(options.command, options.grace_seconds, options.stops_first)
    return ServedProgram(manner, dict(os.environ), _say, on_interrupt)


def _nothing() -> None:
    """Of other keys."""


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _check(flags: BuildOptions, packages: tuple[str, ...]) -> str:
    """Return the project's folder; what cannot be watched is named before anything is built."""
    for field, name in (("dry_run", "-n"), ("plan_only", "-plan-only"), ("as_json", "-json")):
        if getattr(flags, field):
            raise UsageError(f"luigigo watch builds: {name} is for luigigo build")
    here = os.getcwd()
    if flags.change_dir:
        change_folder(flags.change_dir)
    request = check(flags.request(packages))
    if request.is_remote_module:
        raise UsageError(f"{request.project}: a version of a module never changes; use luigigo build")
    folder = project_folder(request.project)
    for package in request.packages:
        is_path = package.startswith(("/", "./", "../")) and "..." not in package
        if is_path and not os.path.exists(os.path.join(folder, package)):
            raise UsageError(f"{package} does not exist: give a folder inside a Go module")
    if not any(map(os.path.exists, above(folder))):
        raise UsageError(f"{folder} is in no Go module: there is no go.mod in it, nor in a folder above it")
    change_folder(here)
    return folder


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(f"--grace {text}: wanted a number of seconds")
    return seconds
