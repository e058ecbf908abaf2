"""`logs`: a daemon's log on its node, once or as it grows."""

from __future__ import annotations

import sys
import time

import msgspec

from luigigo.cluster.messages import ClusterError, LogText, ReadLog
from luigigo.cluster.survey import NodePool, PoolOptions
from luigigo.cluster.tables import printable
from luigigo.clusterfile import ClusterDescription

_LIMIT_SECONDS = 15.0
_FOLLOW_SECONDS = 0.5


class LogOptions(msgspec.Struct, frozen=True):
    """What to read."""

    accept_new_host_keys: bool
    lines: int
    follow: bool
    scheduler: bool


def show_log(cluster: ClusterDescription, node: str, options: LogOptions) -> None:
    """Print a log. Raises `UsageError` for a node that is none, `ClusterError` when it cannot be asked."""
    is_node = any(entry.name == node for entry in cluster.nodes)
    of_scheduler = options.scheduler or (not is_node and node == cluster.scheduler.host)
    with NodePool(cluster, PoolOptions(options.accept_new_host_keys)) as pool:
        if of_scheduler and node == cluster.scheduler.host:
            name = pool.connect_scheduler()
        else:
            name = cluster.node(node).name
            pool.connect([cluster.node(node)])
        request = ReadLog(pool.for_node(node), "scheduler" if of_scheduler else "worker", options.lines)
        log = _ask(pool, name, request)
        _print(log.text or f"(nothing in {log.path} on {node})\n")
        while options.follow:
            time.sleep(_FOLLOW_SECONDS)
            log = _ask(pool, name, msgspec.structs.replace(request, offset=log.offset))
            _print(log.text)


def _ask(pool: NodePool, name: str, request: ReadLog) -> LogText:
    answer = pool.ask({name: ("log", request)}, LogText, _LIMIT_SECONDS).get(name)
    if answer is None:
        raise ClusterError(f"{name}: {pool.findings[-1].what}")
    return answer


def _print(text: str) -> None:
    sys.stdout.write(printable(text))
    sys.stdout.flush()
