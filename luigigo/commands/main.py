"""`luigigo …`: parse, call, print."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from luigigo import __version__
from luigigo.errors import ExitCode, LuigigoError, UsageError
from luigigo.messages import for_user

_CONTEXT = {"help_option_names": ["-h", "--help"]}


class _Build(click.Command):
    """`luigigo build`, whose flags and packages are read as the go command reads its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        from luigigo.golang.buildflags import read_arguments

        if any(argument in ("-h", "-help", "--help") for argument in args) or ctx.resilient_parsing:
            return super().parse_args(ctx, [each for each in args if each in ("-h", "--help", "-help")])
        read = read_arguments(args)
        ctx.params = {**read.values, "packages": read.packages}
        return []

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from luigigo.commands.buildhelp import text

        formatter.write(text())


class _Watch(click.Command):
    """`luigigo watch`, which reads its flags itself: those of the build, and a command with its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        from luigigo.commands.watch import before_command

        asked = [each for each in before_command(args) if each in ("-h", "-help", "--help")]
        if asked or ctx.resilient_parsing:
            return super().parse_args(ctx, ["--help"] if asked else [])
        ctx.params = {"arguments": tuple(args)}
        return []


def _build_options() -> list[click.Parameter]:
    """The flags by name, for shells that complete them."""
    from luigigo.golang.buildflags import ALL_FLAGS

    return [
        click.Option(
            [f"-{flag.name}" if len(flag.name) == 1 else f"--{flag.name}", flag.field], help=flag.help
        )
        for flag in ALL_FLAGS
        if not flag.refusal
    ]


class _Interruptible(click.Group):
    """Commands that Ctrl-C and SIGTERM end at once: 130 and 143, and no traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "doctor"])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name == "doctor":
            doctor: click.Command = _cluster_commands().doctor
            return doctor
        return super().get_command(ctx, name)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        from luigigo.client.signals import interruptible

        with interruptible(_stop):
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        from luigigo.client.signals import interruptible

        with interruptible(_stop):
            return super().invoke(ctx)


def _stop() -> None:
    """End what a build runs, if there is one."""
    if "luigigo.builds.session" in sys.modules:
        from luigigo.builds import session

        session.stop()


@click.group(cls=_Interruptible, context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="luigigo")
def cli() -> None:
    """Build Go programs as Luigi tasks, byte-identical to go build."""


@cli.command(cls=_Build, context_settings=_CONTEXT, params=_build_options())
def build(packages: tuple[str, ...] = (), **options: Any) -> None:
    """Compile packages and their dependencies, and link programs, as go build does."""
    from luigigo.commands import build as build_command

    sys.exit(build_command.run(packages, build_command.Options(**options)))


@cli.command(cls=_Watch, context_settings=_CONTEXT)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[BUILD FLAGS] [DIR] [PACKAGES]...")
def watch(arguments: tuple[str, ...]) -> None:
    """Build, and build again whenever a source changes. Keys: r builds, q ends.

    \b
    --run [CMD...]   run CMD, or the binary, and replace it when its bytes changed; must be last
    --test           run go test for the packages whose sources or tests changed
    --stop-first     end it before each build, and not when the next one is ready
    --grace SECONDS  between SIGTERM and SIGKILL (5)
    """
    from luigigo.commands import watch as watch_command

    sys.exit(watch_command.run(arguments))


@cli.command("help", context_settings=_CONTEXT)
@click.argument("command", nargs=-1)
@click.pass_context
def show_help(ctx: click.Context, command: tuple[str, ...]) -> None:
    """Show the help of a command: luigigo help build."""
    above = ctx.parent
    assert above is not None
    for name in command:
        found = above.command.get_command(above, name) if isinstance(above.command, click.Group) else None
        if found is None:
            raise UsageError(f"luigigo: there is no command {name!r}; see luigigo help")
        above = click.Context(found, info_name=name, parent=above)
    click.echo(above.get_help())


@cli.command(context_settings=_CONTEXT)
@click.option("--cluster", default="", metavar="FILE", help="The cluster to work for.")
@click.option("--node", default="", help="What to call this node; by default its host's name in the file.")
@click.option("--slots", type=click.IntRange(min=1), default=None, help="Actions at once.")
@click.option("--memory", default="", help="What they may use together: 16G.")
@click.option("--cache", default="", help="A folder on this node's own disk.")
@click.option("--idle-exit", default=-1.0, metavar="SECONDS", help="End after so long without work.")
@click.option("--shared", default="", help="Without a file: the store's folder.")
@click.option("--scheduler-host", default="", help="Without a file: where luigid is.")
@click.option(
    "--scheduler-port", type=int, default=None, help="Its port, 8082 by default; alone: on this host."
)
@click.option("--token-file", default="", help="Without a file: the token.")
@click.option("--tls-ca", default="", help="Without a file: the certificates to trust.")
def worker(cluster: str, node: str, **options: Any) -> None:
    """Run actions on this node, in the foreground, for a cluster."""
    from luigigo.clusterfile import read_cluster
    from luigigo.commands import daemons
    from luigigo.units import parse_bytes

    if cluster:
        description = read_cluster(cluster)
    else:
        place = (options["scheduler_host"], options["scheduler_port"])
        description = daemons.describe(options["shared"], *place, options["token_file"], options["tls_ca"])
    memory_bytes = parse_bytes(options["memory"] or 0)
    if memory_bytes is None:
        raise UsageError(f"--memory {options['memory']}: wanted a size such as 500M or 16G")
    choice = daemons.WorkerChoice(
        node=node,
        slots=options["slots"] or 0,
        memory_bytes=memory_bytes,
        cache=options["cache"],
        idle_exit_seconds=options["idle_exit"],
    )
    sys.exit(daemons.run_worker(description, choice))


@cli.command(context_settings=_CONTEXT)
@click.option("--cluster", default="", metavar="FILE", help="The cluster to schedule for.")
@click.option("--bind", default="", help="The address to listen at; 127.0.0.1 without a cluster.")
@click.option("--port", default=0, help="The port; 8082 without a cluster.")
@click.option("--token-file", default="", help="The token; made when absent.")
def scheduler(cluster: str, bind: str, port: int, token_file: str) -> None:
    """Run luigid with a ready queue, in the foreground."""
    from luigigo.clusterfile import read_cluster
    from luigigo.commands import daemons

    description = read_cluster(cluster) if cluster else None
    sys.exit(daemons.run_scheduler(description, bind, port, token_file))


@cli.command(context_settings=_CONTEXT)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def runs(as_json: bool) -> None:
    """List the runs that have left a record in the store, the newest last."""
    from luigigo.commands import report as report_command

    report_command.show_runs(as_json=as_json)


@cli.command(context_settings=_CONTEXT)
@click.option("--follow", is_flag=True, help="Again and again, until nothing goes on.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def status(follow: bool, as_json: bool) -> None:
    """Say how far the builds are that go on, whoever started them, and when they will be done."""
    from luigigo.commands import status as status_command

    status_command.show_status(follow=follow, as_json=as_json)


@cli.command(context_settings=_CONTEXT)
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--html", default="", metavar="FILE", help="Write the report as one page for a browser.")
@click.option("--csv", default="", metavar="DIR", help="Write all frames there as CSV files.")
@click.option("--parquet", default="", metavar="DIR", help="The same as Parquet files.")
@click.option("--trace", default="", metavar="FILE", help="Write a trace for Perfetto; .gz packs it.")
@click.option("--actiongraph", default="", metavar="FILE", help="As go build -debug-actiongraph writes it.")
@click.option("--otlp", default="", metavar="URL", help="Send OpenTelemetry spans to a collector.")
@click.option("--against", default="", metavar="RUN", help="What became slower or faster since another run.")
@click.option("--scaling", is_flag=True, help="Hold runs on several numbers of nodes beside one another.")
@click.option("--go-build", default=0.0, metavar="SECONDS", help="With --scaling: go build on one such node.")
def report(runs: tuple[str, ...], scaling: bool, go_build: float, **options: str) -> None:
    """Say where a run's time went. RUN is an id, the start of one, or latest."""
    from luigigo.commands import report as report_command

    if scaling:
        report_command.show_scaling(runs, options["html"], go_build)
    elif len(runs) > 1:
        raise UsageError("a report is of one run; --scaling holds several beside one another")
    else:
        run = runs[0] if runs else "latest"
        report_command.show_report(run, report_command.ReportOptions(**options))


@cli.command(context_settings=_CONTEXT)
@click.argument("package", default="")
@click.option("--run", default="latest", metavar="RUN", help="The run to explain; the latest.")
@click.option("--against", default="", metavar="RUN", help="Another than the last of the same before it.")
@click.option("--imports", is_flag=True, help="Why the package is there at all, and what it costs.")
@click.option("--script", default="", metavar="DIR", help="Make a folder in which it can be repeated.")
def explain(package: str, **options: Any) -> None:
    """Say why things were built again: all of a run, or one package."""
    from luigigo.commands import explain as explain_command

    explain_command.explain(package, explain_command.ExplainOptions(**options))


@cli.command(context_settings=_CONTEXT)
@click.argument("run", default="latest")
@click.option("--nodes", default="1,2,4,8,16", show_default=True, help="Numbers of nodes.")
@click.option("--slots", type=click.IntRange(min=1), default=None, help="Of each; by default as in the run.")
@click.option("--memory", default="", help="Of each: 16G.")
@click.option("--speed", multiple=True, metavar="PACKAGE=0.5", help="As if it took so much of its time.")
def predict(run: str, nodes: str, slots: int | None, memory: str, speed: tuple[str, ...]) -> None:
    """Say how long a run would take on other nodes: luigid's own scheduling on a made-up clock."""
    from luigigo.commands import predict as predict_command

    options = predict_command.PredictOptions(nodes=nodes, slots=slots or 0, memory=memory, speed=speed)
    predict_command.predict(run, options)


class _Later(click.Group):
    """The commands of clusters, loaded when one of them is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_cluster_commands().cluster.list_commands(ctx))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        found: click.Command | None = _cluster_commands().cluster.get_command(ctx, name)
        return found


def _cluster_commands() -> Any:
    from luigigo.commands import cluster as cluster_commands

    return cluster_commands


@cli.group(cls=_Later)
def cluster() -> None:
    """Start, look at and stop the daemons of a cluster."""


@cli.group()
def store() -> None:
    """Look after the store."""


@store.command()
def stats() -> None:
    """Count what the store holds, and say who uses it."""
    from luigigo.commands import store as store_commands

    store_commands.show_stats()


@store.command()
def verify() -> None:
    """Check every content and record; remove what is broken. Exit code 1 if anything was."""
    from luigigo.commands import store as store_commands

    sys.exit(store_commands.verify())


@store.command()
@click.option("--max-size", default="", help="Keep at most this much: 500M, 20G.")
@click.option("--max-age", default="", help="Drop what was not used for this long: 12h, 30d.")
def gc(max_size: str, max_age: str) -> None:
    """Drop what was used least recently, and say what stays and why; never what a running build needs.

    Without a size or an age: down to the store's bound, [luigigo] store_bytes.
    """
    from luigigo.commands import store as store_commands

    store_commands.collect(max_size, max_age)


@store.command()
def clean() -> None:
    """Empty the store. What running builds hold stays, and makes the exit code 1."""
    from luigigo.commands import store as store_commands

    sys.exit(store_commands.clean())


def run(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit; an error that a user can mend is printed without a traceback."""
    try:
        cli.main(args=None if arguments is None else list(arguments), prog_name="luigigo")
    except LuigigoError as error:
        print(for_user(error), file=sys.stderr, flush=True)
        sys.exit(int(error.exit_code))
    except BrokenPipeError:
        # Whoever read our output has left; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(int(ExitCode.BUILD_FAILED))
