"""Starting and stopping a cluster's daemons on this node, where their files lie, and their logs.

State files and logs are on the node's own disk: a daemon must be able to log when the share is full or gone,
and must be found when luigid or the head was lost.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
import time
from collections.abc import Mapping

import msgspec

from luigigo.cluster import daemon
from luigigo.cluster.messages import (
    Clock,
    DaemonStarted,
    ForNode,
    LogText,
    Nothing,
    Reach,
    Reached,
    ReadLog,
    Start,
    Stop,
    Stopped,
)
from luigigo.clusterfile import ClusterDescription, parse_cluster, private_folder
from luigigo.errors import UsageError
from luigigo.execution.workdirs import remove_old_work

ROLES = ("worker", "scheduler")


def places_of(cluster: ClusterDescription, node: str, role: str) -> daemon.DaemonPaths:
    """The files of a daemon; clusters that share a node have different ones."""
    if role not in ROLES:
        raise UsageError(f"{role!r} is no daemon; there are {' and '.join(ROLES)}")
    name = f"{role}-{cluster.scheduler.host}_{cluster.scheduler.port}"
    folder = cluster.cache_of(node)
    return daemon.DaemonPaths(os.path.join(folder, f"{name}.json"), os.path.join(folder, f"{name}.log"))


def start(request: Start) -> DaemonStarted:
    """Start a daemon with a copy of the cluster's description; harmless when it runs."""
    cluster = _cluster(request.where)
    node = request.where.node
    private_folder(cluster.cache_of(node))
    places = places_of(cluster, node, request.role)
    copy = os.path.join(cluster.cache_of(node), f"{cluster.scheduler.host}_{cluster.scheduler.port}.json")
    _write(copy, msgspec.json.format(msgspec.json.encode(request.where.cluster)))
    argv = [sys.executable, "-m", "luigigo", request.role, "--cluster", copy]
    if request.role == "worker":
        argv += ["--node", node]
    return daemon.start(argv, places, environment(os.environ), request.limit_seconds)


def stop(request: Stop) -> Stopped:
    """Stop a daemon by its state file, and remove what it left, if it was killed, of what its tools made."""
    cluster, node = _cluster(request.where), request.where.node
    places = places_of(cluster, node, request.role)
    how = daemon.stop(places.state_path, request.grace_seconds, request.patience_seconds)
    remove_old_work(cluster.cache_of(node))
    return Stopped(how)


def read_log(request: ReadLog) -> LogText:
    """The end of a log, or what was added to it."""
    path = places_of(_cluster(request.where), request.where.node, request.role).log_path
    if request.offset < 0:
        text, offset = daemon.tail(path, request.lines)
    else:
        text, offset = daemon.text_from(path, request.offset)
    return LogText(text=text, offset=offset, path=path)


def clock(request: Nothing) -> Clock:
    """The time of day here."""
    return Clock(time.time())


def reach(request: Reach) -> Reached:
    """Connect to a port, and close at once."""
    try:
        socket.create_connection((request.host, request.port), request.limit_seconds).close()
    except OSError as error:
        return Reached(error.strerror or str(error))
    return Reached("")


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """What a daemon inherits: everything but the session that it was started from."""
    return {
        name: value for name, value in variables.items() if not name.startswith("SSH_") and name != "OLDPWD"
    }


def _cluster(where: ForNode) -> ClusterDescription:
    return parse_cluster(where.cluster, "the cluster's description")


def _write(path: str, content: bytes) -> None:
    staged = f"{path}.{secrets.token_hex(8)}"
    with open(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    os.replace(staged, path)
