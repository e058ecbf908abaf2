"""The state of a cluster as luigid sees it, for `luigigo cluster status`."""

from __future__ import annotations

from typing import Any

from luigigo.luigid.dispatcher import Dispatcher
from luigigo.luigid.peers import Peer


def overview(dispatcher: Dispatcher, version: str, shared: str) -> dict[str, Any]:
    """Everything about nodes, clients and tasks that a user may ask for, as JSON."""
    peers = sorted(dispatcher.peers.values(), key=lambda peer: (peer.hello.node, peer.id))
    now = dispatcher.now()
    return {
        "version": version,
        "epoch": dispatcher.epoch,
        "shared": shared,
        "nodes": [_node(peer, now) for peer in peers if peer.is_node],
        "clients": [_client(dispatcher, peer) for peer in peers if not peer.is_node],
        "tasks": dispatcher.tasks.counts(),
    }


def _node(peer: Peer, now: float) -> dict[str, Any]:
    started = sum(lease.has_started for lease in peer.leases.values())
    publishing = sum(lease.is_publishing for lease in peer.leases.values())
    return {
        "node": peer.hello.node,
        "worker_id": peer.id,
        "state": peer.availability,
        "reason": peer.fault,
        "slots": peer.hello.slots,
        "running": started - publishing,
        "publishing": publishing,
        "waiting": len(peer.leases) - started,
        "memory_bytes": peer.hello.memory_bytes,
        "granted_bytes": peer.capacity.given_bytes,
        "go": peer.hello.go,
        "connected_seconds": round(now - peer.connected_at, 1),
        "done": peer.done,
        "cache_bytes": peer.state.cache_bytes,
    }


def _client(dispatcher: Dispatcher, peer: Peer) -> dict[str, Any]:
    run = dispatcher.runs.get(peer.id)
    return {
        "worker_id": peer.id,
        "node": peer.hello.node,
        "tasks": 0 if run is None else len(run.tasks),
        "unfinished": 0 if run is None else len(run.unfinished),
    }
