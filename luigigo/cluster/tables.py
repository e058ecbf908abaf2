"""What the cluster's commands print. Text from nodes is shown without what a terminal would obey."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from luigigo.cluster.findings import Finding, Severity, View, latest_seconds, seconds_text
from luigigo.cluster.messages import Space
from luigigo.cluster.starting import StartOutcome
from luigigo.cluster.stopping import DaemonEnded
from luigigo.clusterfile import ClusterDescription
from luigigo.protocol.status import ClusterStatus, NodeStatus
from luigigo.units import size_text

_WIDTH_OF_FILES = 160
"""Where the output is no terminal, nothing is folded."""

_MOST_PAIRS = 60


def console() -> Console:
    """Where tables go."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else _WIDTH_OF_FILES, highlight=False)


def printable(text: str) -> str:
    """Text without control characters, but for line ends and tabs."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)


def show_outcome(cluster: ClusterDescription, outcome: StartOutcome, limit_seconds: float) -> None:
    """The table of `up` and `doctor`, and what is wrong below it."""
    table = _table(
        "node", "state", "slots", "memory", "Go", "C", "share free", "cache free", "clock", "seen after"
    )
    for entry in cluster.nodes:
        name = entry.name
        probe = outcome.survey.probes.get(name)
        state = _state(name, outcome)
        if probe is None:
            _row(table, name, state, *[""] * 8)
            continue
        clock = outcome.survey.clocks.get(name)
        _row(
            table,
            name,
            state,
            str(entry.slots or probe.cpus),
            size_text(entry.memory_bytes or probe.memory_bytes),
            probe.go.version.removeprefix("go") if probe.go else "-",
            probe.c_compiler or "-",
            _space(probe.share),
            _space(probe.cache),
            f"{clock.seconds:+.2f} s" if clock else "",
            _seen(name, outcome.survey.views, limit_seconds),
        )
    out = console()
    out.print(table)
    show_findings(outcome.findings)
    place = cluster.scheduler
    out.print(
        Text(printable(f"luigid at {place.host}:{place.port} {outcome.scheduler}; store {cluster.shared}"))
    )


def show_findings(findings: Iterable[Finding]) -> None:
    """What is wrong, the worst first."""
    out = console()
    for finding in sorted(findings, key=lambda each: each.severity is not Severity.BAD):
        label = "left out" if finding.severity is Severity.BAD else "warning"
        style = "bold red" if finding.severity is Severity.BAD else "yellow"
        remedy = f"\n    {finding.remedy}" if finding.remedy else ""
        text = Text(f"{finding.node}: {label}: ", style=style)
        out.print(text.append(printable(f"{finding.what}{remedy}"), style="default"), soft_wrap=True)


def show_views(views: Iterable[View], limit_seconds: float) -> None:
    """Each pair of nodes: how soon the one sees what the other wrote; of many, the slowest."""
    table = _table("reader", "writer", "new name", "name looked for before")

    def latest(view: View) -> float:
        return latest_seconds([view.fresh, view.awaited], limit_seconds)

    slowest = sorted(views, key=latest, reverse=True)[:_MOST_PAIRS]
    for view in sorted(slowest, key=lambda each: (each.reader, each.writer)):
        times = (latest_seconds([sighting], limit_seconds) for sighting in (view.fresh, view.awaited))
        _row(table, view.reader, view.writer, *(seconds_text(seconds, limit_seconds) for seconds in times))
    if table.row_count:
        console().print(table)


def show_status(status: ClusterStatus, cluster: ClusterDescription) -> None:
    """What luigid says runs where; nodes of the file that it does not know are listed, too."""
    table = _table(
        "node", "state", "running", "waiting", "slots", "memory", "cache", "done", "Go", "connected"
    )
    for node in sorted(status.nodes, key=lambda each: each.node):
        _row(table, *_status_cells(node))
    known = {node.node for node in status.nodes}
    for entry in cluster.nodes:
        if entry.name not in known:
            _row(table, entry.name, "not connected", *[""] * 8)
    out = console()
    out.print(table)
    for client in status.clients:
        out.print(Text(printable(f"build on {client.node or client.worker_id}: {client.tasks} tasks")))
    tasks = ", ".join(f"{count} {name.lower()}" for name, count in sorted(status.tasks.items()) if count)
    place = cluster.scheduler
    out.print(
        Text(printable(f"luigid {status.version} at {place.host}:{place.port}; tasks: {tasks or 'none'}"))
    )


def _status_cells(node: NodeStatus) -> Sequence[str]:
    state = f"{node.state}: {node.reason}" if node.reason else node.state
    memory = f"{size_text(node.granted_bytes)} of {size_text(node.memory_bytes)}"
    counts = (str(node.running), str(node.waiting), str(node.slots))
    since = span(node.connected_seconds)
    return node.node, state, *counts, memory, size_text(node.cache_bytes), str(node.done), node.go, since


def show_ended(ended: DaemonEnded, cluster: ClusterDescription) -> None:
    """What `down` did on each node."""
    table = _table("node", "worker")
    for entry in cluster.nodes:
        _row(table, entry.name, ended.workers.get(entry.name, "not asked"))
    out = console()
    out.print(table)
    show_findings(ended.findings)
    unheard = "" if ended.luigid == "told" else f" ({ended.luigid})"
    out.print(Text(printable(f"luigid on {cluster.scheduler.host}: {ended.scheduler}{unheard}")))


def span(seconds: float) -> str:
    """A time for people."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


def _state(name: str, outcome: StartOutcome) -> str:
    if name in outcome.bad_nodes:
        return "left out"
    worker = outcome.workers.get(name)
    return worker.state if worker is not None else "good"


def _seen(name: str, views: dict[tuple[str, str], View], limit_seconds: float) -> str:
    """The longest of a new name and of one looked for before, in all pairs with the node."""
    own = [view for pair, view in views.items() if name in pair]
    if not own:
        return ""
    fresh = latest_seconds([view.fresh for view in own], limit_seconds)
    awaited = latest_seconds([view.awaited for view in own], limit_seconds)
    return f"{seconds_text(fresh, limit_seconds)} / {seconds_text(awaited, limit_seconds)}"


def _space(space: Space | None) -> str:
    return size_text(space.free_bytes) if space is not None else "-"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _row(table: Table, *cells: str) -> None:
    table.add_row(*(Text(printable(cell)) for cell in cells))
