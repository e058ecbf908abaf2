"""`luigigo cluster …` and `luigigo doctor`: parse, call, print.

Exit codes: 0 when the cluster does what was asked; 1 when no node works, when a node or luigid could not be
asked, or when `doctor` found anything wrong; 2 for a wrong argument or cluster file; 6 when the share cannot
be used.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from luigigo.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from luigigo.clusterfile import ClusterDescription

_CONTEXT = {"help_option_names": ["-h", "--help"]}
_FAILED = int(ExitCode.BUILD_FAILED)
_UP_VISIBILITY_SECONDS = 2.0


def _ssh_options(command: Any) -> Any:
    text = "Trust hosts that were never seen; changed keys are refused."
    return click.option("--accept-new-host-keys", is_flag=True, help=text)(command)


def _cluster_option(command: Any) -> Any:
    text = "The cluster's file; may be left out when only one is known."
    return click.option("--cluster", "file", default="", metavar="FILE", help=text)(command)


def _file_and_names(words: Sequence[str], file: str, names: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Tell FILE, which may be left out or be an option, from what must follow it."""
    extra = len(words) - len(names)
    if extra < 0:
        raise UsageError(f"{names[len(words)]} is missing: [FILE] {' '.join(names)}")
    if extra > 1 or (extra == 1 and file):
        raise UsageError(f"too many arguments: {' '.join(words)}")
    return (words[0], words[1:]) if extra else (file, words)


def _chosen(
    words: Sequence[str], file: str, names: Sequence[str] = ()
) -> tuple[ClusterDescription, Sequence[str]]:
    from luigigo.commands.choosing import choose

    file, rest = _file_and_names(words, file, names)
    return choose(file), rest


@click.group(context_settings=_CONTEXT)
def cluster() -> None:
    """Run builds on many nodes: start, look after and stop luigid and the workers.

    A cluster is described in a file; see workflows/cluster.yaml. Once it was started, FILE may be left out.
    """


@cluster.command()
@click.argument("file")
@click.option("--base", default="", metavar="PYTHON", help="What it stands on; every node must have it.")
@_ssh_options
def bootstrap(file: str, base: str, accept_new_host_keys: bool) -> None:
    """Put luigigo and Go into one virtual environment on the share, for all nodes; again to upgrade it."""
    from luigigo.cluster import bootstrap as environment
    from luigigo.cluster.survey import NodePool, PoolOptions
    from luigigo.cluster.tables import show_findings
    from luigigo.clusterfile import read_cluster

    described = read_cluster(file)
    if described.python:
        raise UsageError(
            f"{described.file} sets python: {described.python}; remove that line to use bootstrap"
        )
    environment.bootstrap(described, base, lambda line: click.echo(line, err=True))
    with NodePool(described, PoolOptions(accept_new_host_keys)) as pool:
        good = pool.greet()
    show_findings(pool.findings)
    click.echo(f"{described.interpreter} runs on {len(good)} of {len(described.nodes)} nodes")
    click.echo("daemons that run keep what they were started with, until luigigo cluster down and up")
    sys.exit(_FAILED if pool.findings else 0)


@cluster.command()
@click.argument("words", nargs=-1, metavar="[FILE]")
@_cluster_option
@click.option("--no-visibility", is_flag=True, help="Do not measure how soon nodes see each other's files.")
@_ssh_options
def up(words: tuple[str, ...], file: str, no_visibility: bool, accept_new_host_keys: bool) -> None:
    """Check the nodes, start luigid, and a worker on each good node. Twice is harmless.

    A node with a flaw is left out, with the reason; exit code 1 when none is left. Where the file lists no
    nodes, as under Slurm, only luigid is started.
    """
    from luigigo.cluster import starting, tables
    from luigigo.cluster.survey import PoolOptions

    described, _ = _chosen(words, file)
    measured = "none" if no_visibility else "head"
    options = PoolOptions(accept_new_host_keys, measured, _UP_VISIBILITY_SECONDS)
    outcome = starting.up(described, options)
    tables.show_outcome(described, outcome, options.visibility_seconds)
    connected = [entry for entry in described.nodes if entry.name in outcome.workers]
    sys.exit(0 if connected or not described.nodes else _FAILED)


@cluster.command()
@click.argument("words", nargs=-1, metavar="[FILE]")
@_cluster_option
def status(words: tuple[str, ...], file: str) -> None:
    """Show what runs on each node, the builds that wait, and how many tasks there are."""
    from luigigo.cluster import tables
    from luigigo.cluster.control import Control

    described, _ = _chosen(words, file)
    tables.show_status(Control(described).status(), described)


@cluster.command()
@click.argument("words", nargs=-1, metavar="[FILE] NODE")
@_cluster_option
@click.option("-n", "--lines", default=100, type=click.IntRange(min=1), help="How many of the last lines.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is added, until Ctrl-C.")
@click.option("--scheduler", is_flag=True, help="The log of luigid on NODE, not of the worker.")
@_ssh_options
def logs(words: tuple[str, ...], file: str, accept_new_host_keys: bool, **options: Any) -> None:
    """Show the log of the worker on NODE, or of luigid where NODE is only its host."""
    from luigigo.cluster import loggedtext

    described, (node,) = _chosen(words, file, ("NODE",))
    loggedtext.show_log(described, node, loggedtext.LogOptions(accept_new_host_keys, **options))


@cluster.command()
@click.argument("words", nargs=-1, metavar="[FILE] NODE")
@_cluster_option
def drain(words: tuple[str, ...], file: str) -> None:
    """Give NODE nothing more to do; its worker ends with what runs there. `up` starts another."""
    from luigigo.cluster.control import Control

    described, (node,) = _chosen(words, file, ("NODE",))
    drained = Control(described).drain(node)
    if not drained:
        # Workers that Slurm started have no entry; a name that nobody knows is a mistake.
        described.node(node)
    click.echo(
        f"{node} gets nothing more to do, and its worker ends"
        if drained
        else f"{node} has no worker connected"
    )
    sys.exit(0 if drained else _FAILED)


@cluster.command()
@click.argument("words", nargs=-1, metavar="[FILE]")
@_cluster_option
@_ssh_options
def down(words: tuple[str, ...], file: str, accept_new_host_keys: bool) -> None:
    """Stop the workers and luigid, whether luigid still answers or not.

    Exit code 1 when a node could not be asked; its worker ends by itself when it has been idle.
    """
    from luigigo.cluster import stopping, tables
    from luigigo.cluster.survey import PoolOptions

    described, _ = _chosen(words, file)
    ended = stopping.down(described, PoolOptions(accept_new_host_keys))
    tables.show_ended(ended, described)
    sys.exit(_FAILED if ended.findings else 0)


@click.command(context_settings=_CONTEXT)
@click.argument("words", nargs=-1, metavar="[FILE]")
@_cluster_option
@_ssh_options
def doctor(words: tuple[str, ...], file: str, accept_new_host_keys: bool) -> None:
    """Check every node of a cluster, and say what is wrong, where, and what to do. Starts nothing.

    Exit code 1 when anything is wrong.
    """
    from luigigo.cluster import starting, tables
    from luigigo.cluster.survey import PoolOptions

    described, _ = _chosen(words, file)
    options = PoolOptions(accept_new_host_keys, "all")
    outcome = starting.doctor(described, options)
    tables.show_outcome(described, outcome, options.visibility_seconds)
    tables.show_views(outcome.survey.views.values(), options.visibility_seconds)
    if not outcome.findings:
        click.echo("nothing is wrong")
    sys.exit(_FAILED if outcome.findings else 0)
