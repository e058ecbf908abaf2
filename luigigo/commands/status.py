"""`luigigo status`: the builds that go on, from their records, and the nodes that luigid knows."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from luigigo.clusterfile import ClusterDescription, SchedulerPlace, find_local
from luigigo.clusterfile.known import known_clusters
from luigigo.errors import LuigigoError
from luigigo.protocol.status import NodeStatus
from luigigo.reports.live import VERSION, LiveRun, live_run
from luigigo.reports.pairing import latest_histories
from luigigo.reports.reading import store_root
from luigigo.reports.text import seconds_text
from luigigo.units import size_text, time_text

FOLLOW_SECONDS = 1.0
ANSWER_SECONDS = 2.0
"""How long a luigid may take to say how its nodes are."""
SHOWN = 20
"""How many running actions of one build are shown."""


def show_status(*, follow: bool, as_json: bool) -> None:
    """Print what goes on; with `follow` again and again, until nothing does."""
    if not follow:
        _print(_live(), _nodes(), as_json=as_json)
    elif as_json or not sys.stdout.isatty():
        _follow_by_lines(as_json=as_json)
    else:
        _follow_on_terminal()


def _live() -> list[LiveRun]:
    histories = latest_histories()
    return [
        live_run(history, [other for other in histories if other.run < history.run], time.time())
        for history in histories
        if history.record.outcome == "running"
    ]


def _nodes() -> list[NodeStatus]:
    """The nodes of this user's luigids whose store this is; of one that does not answer none."""
    from luigigo.cluster.control import Control

    root = store_root(None)
    local = find_local()
    found: dict[str, NodeStatus] = {}
    for known in dict.fromkeys([*([] if local is None else [local]), *known_clusters()]):
        if known.shared != root:
            continue
        place = SchedulerPlace(known.host, known.port, tls_ca=known.tls_ca)
        described = ClusterDescription(known.shared, place, (), token_file=known.token_path)
        with suppress(LuigigoError):
            nodes = Control(described, ANSWER_SECONDS).status().nodes
            found.update({node.worker_id: node for node in nodes})
    return sorted(found.values(), key=lambda node: node.node)


def _print(runs: list[LiveRun], nodes: list[NodeStatus], *, as_json: bool) -> None:
    if as_json:
        told = {"version": VERSION, "builds": runs, "nodes": nodes}
        print(json.dumps(msgspec.to_builtins(told)), flush=True)
    else:
        print("\n".join(status_lines(runs, nodes)), flush=True)


def status_lines(runs: Sequence[LiveRun], nodes: Sequence[NodeStatus]) -> list[str]:
    """What goes on, for people."""
    return [*_build_lines(runs), *([""] if nodes else []), *map(_node_line, nodes)]


def _node_line(node: NodeStatus) -> str:
    state = f"{node.state}, {node.reason}" if node.reason else node.state
    memory = f"{size_text(node.granted_bytes)} of {size_text(node.memory_bytes)}"
    publishing = f", {node.publishing} publishing" if node.publishing else ""
    return (
        f"node {node.node}: {state}, {node.running} of {node.slots} slots, {memory} given"
        f"{publishing}, {node.done} done"
    )


def _build_lines(runs: Sequence[LiveRun]) -> list[str]:
    if not runs:
        return ["no build goes on"]
    lines: list[str] = []
    for run in runs:
        lines += [*([""] if lines else []), *_run_lines(run)]
    return lines


def _run_lines(run: LiveRun) -> list[str]:
    nodes = f"{run.nodes} node{'' if run.nodes == 1 else 's'}"
    lines = [_summary(run), f"  {run.what} on {run.host}, {run.slots} slots of {nodes}"]
    for each in run.running[:SHOWN]:
        expected = f" of about {seconds_text(each.expected_seconds)}" if each.expected_seconds else ""
        lines.append(f"  {each.action} runs on {each.node} for {seconds_text(each.seconds)}{expected}")
    if len(run.running) > SHOWN:
        lines.append(f"  and {len(run.running) - SHOWN} more")
    lines.append(f"  {run.ready} wait for a slot or memory, {run.waiting} for other actions")
    return lines


def _summary(run: LiveRun) -> str:
    if not run.total:
        return f"run {run.run}: {run.phase}, {run.seconds:.0f} s"
    share = 100 * run.done // run.total
    failed = f", {run.failed} failed" if run.failed else ""
    left = f", about {time_text(run.left_seconds)} left" if run.left_seconds else ""
    return f"run {run.run}: {run.done}/{run.total} done, {share} %{failed}, {run.seconds:.0f} s{left}"


def how_far(run: LiveRun) -> tuple[object, ...]:
    """What is worth another line when it changes: time that goes by is not."""
    return run.run, run.phase, run.done, run.total, run.failed


def _follow_by_lines(*, as_json: bool) -> None:
    said: list[tuple[object, ...]] = []
    while runs := _live():
        told = [how_far(run) for run in runs]
        if as_json:
            _print(runs, _nodes(), as_json=True)
        elif told != said:
            print("; ".join(map(_summary, runs)), flush=True)
        said = told
        time.sleep(FOLLOW_SECONDS)
    _print([], _nodes(), as_json=as_json)


def _follow_on_terminal() -> None:
    from rich.live import Live
    from rich.text import Text

    with Live(refresh_per_second=4) as live:
        while runs := _live():
            live.update(Text("\n".join(status_lines(runs, _nodes()))))
            time.sleep(FOLLOW_SECONDS)
        live.update(Text("\n".join(status_lines([], _nodes()))))
