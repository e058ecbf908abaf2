"""`down`: luigid and every worker end, whether luigid still answers or not."""

from __future__ import annotations

import os

import msgspec

from luigigo.cluster.control import Control
from luigigo.cluster.findings import Finding
from luigigo.cluster.messages import Stop, Stopped
from luigigo.cluster.survey import NodePool, PoolOptions
from luigigo.clusterfile import ClusterDescription
from luigigo.errors import LuigigoError

PATIENCE_SECONDS = 10.0
GRACE_SECONDS = 10.0
_LIMIT_SECONDS = 2 * PATIENCE_SECONDS + GRACE_SECONDS


class DaemonEnded(msgspec.Struct, frozen=True):
    """What `down` did."""

    luigid: str
    """What luigid said: `told`, or why it could not be told."""
    workers: dict[str, str]
    """By node: `stopped`, `killed` or `not running`."""
    scheduler: str
    findings: tuple[Finding, ...]


def down(cluster: ClusterDescription, options: PoolOptions) -> DaemonEnded:
    """Tell luigid to end everything, then see to it on every node, by the state files there.

    What was started by hand is ended by luigid alone; what luigid does not know any more, by the state files.
    """
    told, connected = _tell(cluster)
    patience_seconds = PATIENCE_SECONDS if told == "told" else 0.0
    with NodePool(cluster, options) as pool, NodePool(cluster, options) as other:
        pool.connect(cluster.nodes)
        names = [entry.name for entry in cluster.nodes if entry.name in pool.links]
        stops = {
            name: ("stop", Stop(pool.for_node(name), "worker", patience_seconds, GRACE_SECONDS))
            for name in names
        }
        workers = pool.ask(stops, Stopped, _LIMIT_SECONDS)
        host = other.connect_scheduler()
        stop = Stop(other.for_node(cluster.scheduler.host), "scheduler", patience_seconds, GRACE_SECONDS)
        scheduler = other.ask({host: ("stop", stop)}, Stopped, _LIMIT_SECONDS).get(host)
        return DaemonEnded(
            luigid=told,
            workers={name: _how(answer, name in connected) for name, answer in workers.items()},
            scheduler=_how(scheduler, told == "told") if scheduler is not None else "cannot be asked",
            findings=(*pool.findings, *other.findings),
        )


def _how(answer: Stopped, ran: bool) -> str:
    """What became of a daemon; one that luigid's word has ended already was running before."""
    return "stopped" if ran and answer.how == "not running" else answer.how


def _tell(cluster: ClusterDescription) -> tuple[str, frozenset[str]]:
    """Tell luigid to end; return `told`, or why that failed, and the nodes that were connected."""
    if not os.path.exists(cluster.token_path):
        return "there is no token", frozenset()
    control = Control(cluster)
    try:
        connected = frozenset(node.node for node in control.status().nodes)
        control.stop()
    except LuigigoError as error:
        return str(error), frozenset()
    return "told", connected
