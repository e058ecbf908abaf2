"""`up` and `doctor`: from a cluster's description to daemons that run, and to what is wrong.

Knows neither SSH nor tables. Whatever is wrong with one node is a finding, and the others go on; only what
concerns all of them is raised.
"""

from __future__ import annotations

import os
import time
from functools import partial

import msgspec

from luigigo.cluster.control import Control, NoLuigid
from luigigo.cluster.findings import Finding, Severity
from luigigo.cluster.links import in_background
from luigigo.cluster.messages import ClusterError, DaemonStarted, LogText, Reach, Reached, ReadLog, Start
from luigigo.cluster.preparing import prepare_state, prepare_token, prepare_within
from luigigo.cluster.survey import NodePool, PoolOptions, Survey, survey
from luigigo.clusterfile import ClusterDescription, remember
from luigigo.protocol.status import ClusterStatus, NodeStatus
from luigigo.store.preparing import prepare_shared

_SHARE_LIMIT_SECONDS = 20.0
_START_LIMIT_SECONDS = 30.0
_CONNECT_LIMIT_SECONDS = 15.0
_REACH_LIMIT_SECONDS = 3.0
_DRAINED_LIMIT_SECONDS = 3.0
_LOOK_SECONDS = 0.05
_TAIL_LINES = 5


class StartOutcome(msgspec.Struct, frozen=True):
    """What came of `up` or `doctor`."""

    survey: Survey
    findings: tuple[Finding, ...]
    workers: dict[str, NodeStatus]
    """Connected workers, by node."""
    scheduler: str
    """What luigid does: `started`, `ran already`, `does not run`, or what is wrong."""

    @property
    def bad_nodes(self) -> frozenset[str]:
        """Who is left out."""
        return frozenset(finding.node for finding in self.findings if finding.severity is Severity.BAD)


def up(cluster: ClusterDescription, options: PoolOptions) -> StartOutcome:
    """Check all nodes, start luigid, and a worker on each good node; harmless for what runs already.

    Raises `LuigigoError` when the share, the token or luigid itself is at fault.
    """
    marks_folder = prepare_within(partial(_prepare, cluster), cluster, _SHARE_LIMIT_SECONDS)
    remember(cluster)
    with NodePool(cluster, options) as pool, NodePool(cluster, options) as starter:
        # Luigid takes as long to start as nodes take to answer.
        starting = in_background(partial(start_scheduler, starter))
        found = survey(pool, marks_folder)
        scheduler = starting.result()
        check_reach(pool)
        workers = start_workers(pool)
        return StartOutcome(found, tuple(pool.findings), workers, scheduler)


def _prepare(cluster: ClusterDescription) -> str:
    marks_folder = prepare_state(cluster)
    prepare_shared(cluster.shared)
    prepare_token(cluster)
    return marks_folder


def doctor(cluster: ClusterDescription, options: PoolOptions) -> StartOutcome:
    """Check all nodes and start nothing. Raises `LuigigoError` when this machine cannot use the share."""
    marks_folder = prepare_within(partial(prepare_state, cluster), cluster, _SHARE_LIMIT_SECONDS)
    with NodePool(cluster, options) as pool:
        found = survey(pool, marks_folder)
        workers: dict[str, NodeStatus] = {}
        try:
            status = Control(cluster).status() if os.path.exists(cluster.token_path) else None
        except NoLuigid:
            status = None
        except ClusterError as error:
            pool.findings.append(Finding(cluster.scheduler.host, Severity.BAD, str(error)))
            status = None
        if status is not None:
            check_reach(pool)
            workers = {node.node: node for node in status.nodes}
        running = "runs" if status is not None else "does not run"
        return StartOutcome(found, tuple(pool.findings), workers, running)


def start_scheduler(pool: NodePool) -> str:
    """Start luigid on its host unless it answers already; return what was done. Raises `ClusterError`."""
    cluster, control = pool.cluster, Control(pool.cluster)
    try:
        _require_same_share(control.status(), cluster)
        return "ran already"
    except NoLuigid:
        pass
    name = pool.connect_scheduler()
    where = pool.for_node(cluster.scheduler.host)
    request = Start(where=where, role="scheduler", limit_seconds=_START_LIMIT_SECONDS)
    started = pool.ask({name: ("start", request)}, DaemonStarted, _START_LIMIT_SECONDS + 5.0).get(name)
    if started is None:
        reason = pool.findings[-1]
        raise ClusterError(
            f"luigid cannot be started on {cluster.scheduler.host}: {reason.what} {reason.remedy}"
        )
    _require_same_share(control.status(), cluster)
    return "ran already" if started.already else "started"


def _require_same_share(status: ClusterStatus, cluster: ClusterDescription) -> None:
    if status.shared and os.path.realpath(status.shared) != os.path.realpath(cluster.shared):
        raise ClusterError(
            f"luigid at {cluster.scheduler.host}:{cluster.scheduler.port} serves {status.shared}, not "
            f"{cluster.shared}; set another scheduler.port, or run luigigo cluster down for that one"
        )


def check_reach(pool: NodePool) -> None:
    """Leave out the nodes from which luigid's port cannot be connected to."""
    place = pool.cluster.scheduler
    request = Reach(place.host, place.port, _REACH_LIMIT_SECONDS)
    names = [entry.name for entry in pool.cluster.nodes if entry.name in pool.links]
    answers = pool.ask(dict.fromkeys(names, ("reach", request)), Reached, 2 * _REACH_LIMIT_SECONDS + 4.0)
    for name, answer in answers.items():
        if answer.flaw:
            pool.leave_out(
                name,
                f"luigid at {place.host}:{place.port} cannot be reached from there: {answer.flaw}",
                "open the port in firewalls, and let scheduler.bind be an address that nodes reach",
            )


def start_workers(pool: NodePool) -> dict[str, NodeStatus]:
    """Start a worker on every node that has none, and wait until luigid knows them; return those, by node."""
    control = Control(pool.cluster)
    connected = _connected(control)
    wanted = [entry.name for entry in pool.cluster.nodes if entry.name in pool.links]
    requests = {
        name: ("start", Start(where=pool.for_node(name), role="worker", limit_seconds=_START_LIMIT_SECONDS))
        for name in wanted
        if name not in connected
    }
    pool.ask(requests, DaemonStarted, _START_LIMIT_SECONDS + 5.0)
    running = [name for name in wanted if name in pool.links]
    nodes = _wait_until_connected(control, running)
    for name in running:
        if name in nodes and nodes[name].state == "draining":
            what = "it was drained, and still finishes what runs there"
            pool.findings.append(Finding(name, Severity.WARNING, what, "run luigigo cluster up again later"))
    silent = [name for name in running if name not in nodes]
    for name, said in _ends_of_logs(pool, silent).items():
        pool.leave_out(
            name,
            f"its worker did not connect to luigid within {_CONNECT_LIMIT_SECONDS:.0f} s; it says:\n{said}",
        )
    return nodes


def _connected(control: Control) -> set[str]:
    """The nodes that have a worker; one that was drained and has nothing left to do is about to end."""
    deadline = time.monotonic() + _DRAINED_LIMIT_SECONDS
    while True:
        nodes = control.status().nodes
        leaving = [node.node for node in nodes if node.state == "draining" and not node.running]
        if not leaving or time.monotonic() > deadline:
            return {node.node for node in nodes}
        time.sleep(_LOOK_SECONDS)


def _wait_until_connected(control: Control, names: list[str]) -> dict[str, NodeStatus]:
    deadline = time.monotonic() + _CONNECT_LIMIT_SECONDS
    while True:
        nodes = {node.node: node for node in control.status().nodes}
        if all(name in nodes for name in names) or time.monotonic() > deadline:
            return nodes
        time.sleep(_LOOK_SECONDS)


def _ends_of_logs(pool: NodePool, names: list[str]) -> dict[str, str]:
    requests = {
        name: ("log", ReadLog(where=pool.for_node(name), role="worker", lines=_TAIL_LINES)) for name in names
    }
    return {name: log.text for name, log in pool.ask(requests, LogText, _REACH_LIMIT_SECONDS).items()}
