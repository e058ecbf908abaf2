"""`luigigo …`: parse, call, print."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from luigigo.errors import ExitCode, LuigigoError, for_user

_CONTEXT = {"help_option_names": ["-h", "--help"]}


class _GoFlags(click.Command):
    """A command that takes its long flags with one dash as well, as the go command does."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = {option for parameter in self.params for option in parameter.opts}
        # Before click can take `-overlay` for `-o verlay`.
        from luigigo.golang.request import refuse_flag

        for argument in args:
            refuse_flag(argument)
        return super().parse_args(ctx, [_with_dashes(argument, known) for argument in args])


def _with_dashes(argument: str, known: set[str]) -> str:
    name = argument.partition("=")[0]
    if len(name) > 2 and name[0] == "-" and name[1] != "-" and "-" + name in known:
        return "-" + argument
    return argument


class _Interruptible(click.Group):
    """Commands that Ctrl-C and SIGTERM end at once: 130 and 143, and no traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        from luigigo.scheduling.interrupts import interruptible

        with interruptible(_stop):
            return super().invoke(ctx)


def _stop() -> None:
    """End what a build runs, if there is one."""
    if "luigigo.session" in sys.modules:
        from luigigo import session

        session.stop()


@click.group(cls=_Interruptible, context_settings=_CONTEXT)
@click.version_option(package_name="luigigo")
def cli() -> None:
    """Build Go programs as Luigi tasks, byte-identical to go build."""


@cli.command(cls=_GoFlags, context_settings=_CONTEXT)
@click.argument("project")
@click.argument("packages", nargs=-1)
@click.option("-o", "--output", default="", help="The binary's file, or a folder for several.")
@click.option("--tags", default="", help="Build tags, comma-separated.")
@click.option("--ldflags", multiple=True, help="[pattern=]flags for the linker.")
@click.option("--gcflags", multiple=True, help="[pattern=]flags for the compiler.")
@click.option("--asmflags", multiple=True, help="[pattern=]flags for the assembler.")
@click.option("--race/--no-race", default=False, help="Detect data races.")
@click.option("--buildmode", default="default", help="exe or pie.")
@click.option("--pgo", default="auto", help="A CPU profile, auto (default.pgo) or off.")
@click.option("--mod", default="", help="readonly, vendor or mod.")
@click.option("--modfile", default="", help="Another go.mod to read.")
@click.option("--buildvcs", is_flag=False, flag_value="true", default="false", help="true, auto or false.")
@click.option("--goos", default="", help="The target's operating system, as GOOS.")
@click.option("--goarch", default="", help="The target's architecture, as GOARCH.")
@click.option("--cgo-enabled", default="", help="1 or 0, as CGO_ENABLED.")
@click.option("--trimpath", is_flag=True, default=True, hidden=True)
@click.option("-p", "--workers", type=click.IntRange(min=1), help="Slots; all usable CPUs by default.")
@click.option("-v", "--verbose", is_flag=True, help="Name packages as they are compiled.")
@click.option("-x", "--commands", is_flag=True, help="Print the commands.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line on stdout.")
@click.option("--scheduler-host", default="", help="Let the luigid on this host schedule.")
@click.option("--scheduler-port", default=8082, help="Its port.")
def build(project: str, packages: tuple[str, ...], **options: Any) -> None:
    """Build PROJECT, a folder or module/path@version, or PACKAGES in it."""
    from luigigo import building

    sys.exit(building.run(project, packages, building.Options(**options)))


@cli.group()
def store() -> None:
    """Look after the store."""


@store.command()
def stats() -> None:
    """Count what the store holds."""
    from luigigo import storekeeping

    storekeeping.show_stats()


@store.command()
def verify() -> None:
    """Check every content and record; remove what is broken. Exit code 1 if anything was."""
    from luigigo import storekeeping

    sys.exit(storekeeping.verify())


@store.command()
@click.option("--max-size", default="", help="Keep at most this much: 500M, 20G.")
@click.option("--max-age", default="", help="Drop what was not used for this long: 12h, 30d.")
def gc(max_size: str, max_age: str) -> None:
    """Drop what was used least recently; never what a running build needs."""
    from luigigo import storekeeping

    storekeeping.collect(max_size, max_age)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit; an error that a user can mend is printed without a traceback."""
    try:
        cli.main(args=None if arguments is None else list(arguments), prog_name="luigigo")
    except LuigigoError as error:
        print(for_user(error), file=sys.stderr, flush=True)
        sys.exit(int(error.exit_code))
    except KeyboardInterrupt:
        sys.exit(int(ExitCode.INTERRUPTED))
    except BrokenPipeError:
        # Whoever read our output has left; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(int(ExitCode.BUILD_FAILED))
