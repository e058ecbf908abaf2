"""`luigigo build`: the shortest way to a binary that is there, Luigi for one that is not."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING

import msgspec

from luigigo.builds import uptodate
from luigigo.config import Config, luigids_folder, read_config
from luigigo.currentfolder import change_folder, folder_or_none
from luigigo.errors import ExitCode, LuigigoError
from luigigo.golang.buildarguments import project_and_packages
from luigigo.golang.request import BuildFlags, BuildRequest, absolute_output, absolute_project, check
from luigigo.messages import for_user

if TYPE_CHECKING:
    from luigigo.builds.session import Session


class Options(BuildFlags, frozen=True):
    """The flags of `luigigo build`."""

    change_dir: str = ""
    output: str = ""
    trimpath: bool = True
    dry_run: bool = False
    plan_only: bool = False
    keep_work: bool = False
    workers: int | None = None
    verbose: bool = False
    commands: bool = False
    as_json: bool = False
    scheduler_host: str = ""
    scheduler_port: int | None = None
    cluster: str = ""
    fallback: str = ""

    def request(self, packages: Sequence[str]) -> BuildRequest:
        """The build that the flags ask for, of what was typed behind them."""
        flags = {name: getattr(self, name) for name in BuildFlags.__struct_fields__}
        project, named = project_and_packages(packages, folder_or_none(), os.environ)
        return BuildRequest(project=absolute_project(project), packages=named, **flags)


def run(packages: Sequence[str], options: Options) -> int:
    """Build; return the exit code. Raises `LuigigoError`s for what the user can mend."""
    # By the folder in which it was typed: there the next command line like it looks.
    command = uptodate.place_of_command(sys.argv[1:], folder_or_none(), read_config(os.environ), os.environ)
    if options.change_dir:
        change_folder(options.change_dir)
    request = check(options.request(packages))
    output = absolute_output(options.output)
    with _words_apart(output):
        if options.dry_run:
            return _show(request, output, options)
        if options.plan_only:
            return _show_outlook(request, output, options)
        return _run_unless_current(request, output, options, command)


@contextmanager
def _words_apart(output: str) -> Iterator[None]:
    """Print to the other stream what would be printed to the one that the binary is written to."""
    with ExitStack() as stack:
        if _is_same_file(output, 1):
            stack.enter_context(redirect_stdout(sys.stderr))
        elif _is_same_file(output, 2):
            stack.enter_context(redirect_stderr(sys.stdout))
        yield


def _is_same_file(output: str, descriptor: int) -> bool:
    try:
        # Nothing is written to the null device.
        return output != os.devnull and os.path.samestat(os.stat(output), os.fstat(descriptor))
    except OSError:
        return False


def _show(request: BuildRequest, output: str, options: Options) -> int:
    """Print the commands of what is to be done."""
    from luigigo.builds import dryrun, session

    here = session.open_with(read_config(os.environ))
    try:
        dryrun.show(here.builds.plan(request, output), here.builds.context, sys.stderr)
    finally:
        here.close()
    return int(ExitCode.OK)


def _show_outlook(request: BuildRequest, output: str, options: Options) -> int:
    """Say what would be built, and how long it would take; nothing is."""
    from luigigo.builds import session
    from luigigo.commands.planonly import outlook_lines

    config, options = _with_cluster(read_config(os.environ), options)
    here = session.open_with(config)
    try:
        lines = outlook_lines(here.builds.plan(request, output), request, here, options.workers or 0)
    finally:
        here.close()
    print("\n".join(lines))
    return int(ExitCode.OK)


def _run_unless_current(request: BuildRequest, output: str, options: Options, command: uptodate.Place) -> int:
    config, options = _with_cluster(read_config(os.environ), options)
    watch_path = os.environ.pop(uptodate.WATCHED_VARIABLE, "")
    if watch_path:
        return _run(request, output, options, config, watch_path)
    place = uptodate.place_of(request, output, config, os.environ)
    up_to_date = uptodate.current_build(place)
    if up_to_date is not None:
        uptodate.note_use(place, up_to_date, config.store_root, time.time())
        _say_up_to_date(up_to_date, options)
        if not options.as_json:
            uptodate.link(command, place)
        return int(ExitCode.OK)
    code = _run(request, output, options, config)
    if code == ExitCode.OK and not options.as_json:
        uptodate.link(command, place)
    return code


def _with_cluster(config: Config, options: Options) -> tuple[Config, Options]:
    """The settings and flags of a build on the cluster that the flags name, where they name one."""
    if options.fallback:
        config = msgspec.structs.replace(config, fallback=options.fallback)
    if options.cluster:
        from luigigo.clusterfile import read_cluster, remember

        cluster = read_cluster(options.cluster)
        host, port = cluster.scheduler.host, cluster.scheduler.port
        options = msgspec.structs.replace(options, scheduler_host=host, scheduler_port=port)
        # So that the connection finds token and certificates, whoever ran `cluster up`.
        remember(cluster)
        return msgspec.structs.replace(config, shared=cluster.shared), options
    if options.scheduler_host or options.scheduler_port is not None:
        return _with_luigid(config, options)
    if not _has_luigid():
        return config, options
    from luigigo.clusterfile import find_local

    local = find_local()
    if local is None or local.shared != config.store_root:
        return config, options
    return _with_luigid(config, msgspec.structs.replace(options, scheduler_port=local.port))


def _has_luigid() -> bool:
    """Whether this user may run a luigid."""
    try:
        return bool(os.listdir(luigids_folder(os.environ)))
    except OSError:
        return False


def _with_luigid(config: Config, options: Options) -> tuple[Config, Options]:
    """The settings and flags of a build that a luigid schedules, with the store of its workers."""
    from luigigo.clusterfile import find_access, find_local
    from luigigo.clusterfile.description import DEFAULT_PORT

    host = options.scheduler_host or "localhost"
    port = DEFAULT_PORT if options.scheduler_port is None else options.scheduler_port
    known = find_access(host, port)
    # A luigid of one's own names the user's own store: workers may have been given another.
    is_given = known is not None and bool(config.shared) and known == find_local(port)
    if known is not None and known.shared and not is_given:
        config = msgspec.structs.replace(config, shared=known.shared)
    return config, msgspec.structs.replace(options, scheduler_host=host, scheduler_port=port)


def _run(request: BuildRequest, output: str, options: Options, config: Config, watch_path: str = "") -> int:
    from luigigo.builds import session
    from luigigo.builds.phases import Phases
    from luigigo.builds.reporters import choose_reporter
    from luigigo.machine import process_began

    here = session.open_with(config)
    here.wants_commands = options.commands
    here.keeps_work = options.keep_work
    here.is_on_cluster = bool(options.scheduler_host and config.shared)
    here.is_verbose = options.verbose
    here.phases = Phases(process_began())
    if watch_path:
        from luigigo.builds.watched import WatchFile

        here.watch = WatchFile(watch_path, here.variables)
    reporter = choose_reporter(
        sys.stderr, verbose=options.verbose, commands=options.commands, as_json=options.as_json
    )
    here.add_observer(reporter)
    # Luigi takes a tenth of a second to import, and planning waits for the go command meanwhile.
    loading = threading.Thread(target=_load_scheduling, name="import luigi", daemon=True)
    loading.start()
    code, outcome, error = int(ExitCode.BUILD_FAILED), "failed", ""
    try:
        code = _build(request, output, options, here)
        outcome = "ok" if code == ExitCode.OK else "failed"
        return code
    except LuigigoError as fault:
        code, error = int(fault.exit_code), for_user(fault)
        raise
    except (KeyboardInterrupt, SystemExit) as end:
        outcome = "interrupted"
        code = end.code if isinstance(end, SystemExit) and isinstance(end.code, int) else ExitCode.INTERRUPTED
        raise
    finally:
        here.phases.enter("end")
        # Whoever watches says in one line what changed and what that led to.
        reporter.close("watched" if here.watch is not None and outcome == "ok" else outcome, error)
        here.close()
        run_id = here.end_record(outcome, int(code), error)
        if here.watch is not None:
            here.watch.end(reporter.tally)
        elif outcome == "ok" and reporter.tally.is_busy and not options.as_json:
            _say_run(run_id)
        # An interpreter that ends in the middle of an import may crash.
        loading.join()


def _say_run(run_id: str) -> None:
    """Name the run, and how to look at it, where it was recorded."""
    if run_id:
        print(f"luigigo: run {run_id}: luigigo report says where the time went", file=sys.stderr, flush=True)


def _load_scheduling() -> None:
    import luigigo.tasks.build  # noqa: F401


def _say_up_to_date(up_to_date: uptodate.Kept, options: Options) -> None:
    if not options.as_json:
        print(up_to_date.text, file=sys.stderr, flush=True)
        return
    import json

    from luigigo.builds.jsonlines import build_event

    said = up_to_date.words
    print(said, end="", file=sys.stderr, flush=True)
    paths = [state.path for state in up_to_date.outputs]
    counts, seconds = {"hit": up_to_date.actions}, (0.0, up_to_date.seconds)
    event = build_event("up-to-date", paths, counts, seconds, [said] if said else [])
    print(json.dumps(event), flush=True)


def _build(request: BuildRequest, output: str, options: Options, here: Session) -> int:
    from luigigo.builds import delivery

    build = here.builds.plan(request, output)
    if any(True for _ in build.needed()):
        return _schedule(request, output, options)
    delivery.finish(build, output, here)
    return int(ExitCode.OK)


def _schedule(request: BuildRequest, output: str, options: Options) -> int:
    """Let Luigi run the build's task; return the exit code."""
    import luigi

    from luigigo.client import exit_codes, hints
    from luigigo.tasks.build import BuildBinary

    hints.typed(hints.TypedCommand.BUILD)
    task = BuildBinary.of(request, output)
    environment = {"log_level": "WARNING", "local_scheduler": not options.scheduler_host}
    if options.workers:
        environment["workers"] = options.workers
    if options.scheduler_host:
        environment |= {"scheduler_host": options.scheduler_host, "scheduler_port": options.scheduler_port}
    result = luigi.build([task], detailed_summary=True, **environment)
    if result.scheduling_succeeded:
        return int(ExitCode.OK)
    return int(exit_codes.noted() or ExitCode.BUILD_FAILED)
