"""The state of a cluster as luigid sees it, for `luigigo cluster status`."""

from __future__ import annotations

from luigigo.luigid.dispatcher import Dispatcher
from luigigo.luigid.peers import Peer
from luigigo.protocol.status import ClientStatus, ClusterStatus, NodeStatus


def status_of(dispatcher: Dispatcher, version: str, shared: str) -> ClusterStatus:
    """Everything about nodes, clients and tasks that a user may ask for."""
    peers = sorted(dispatcher.peers.values(), key=lambda peer: (peer.hello.node, peer.id))
    return ClusterStatus(
        version=version,
        epoch=dispatcher.epoch,
        shared=shared,
        nodes=nodes_of(dispatcher),
        clients=tuple(_client(dispatcher, peer) for peer in peers if not peer.is_node),
        tasks=dispatcher.tasks.counts(),
    )


def nodes_of(dispatcher: Dispatcher) -> tuple[NodeStatus, ...]:
    """The connected workers, by name."""
    peers = sorted(dispatcher.peers.values(), key=lambda peer: (peer.hello.node, peer.id))
    now = dispatcher.now()
    return tuple(_node(peer, now) for peer in peers if peer.is_node)


def _node(peer: Peer, now: float) -> NodeStatus:
    started = sum(lease.has_started for lease in peer.leases.values())
    publishing = sum(lease.is_publishing for lease in peer.leases.values())
    return NodeStatus(
        node=peer.hello.node,
        worker_id=peer.id,
        state=peer.availability,
        reason=peer.fault,
        slots=peer.hello.slots,
        running=started - publishing,
        publishing=publishing,
        waiting=len(peer.leases) - started,
        memory_bytes=peer.hello.memory_bytes,
        granted_bytes=peer.capacity.given_bytes,
        go=peer.hello.go,
        connected_seconds=round(now - peer.connected_at, 1),
        done=peer.done,
        cache_bytes=peer.state.cache_bytes,
    )


def _client(dispatcher: Dispatcher, peer: Peer) -> ClientStatus:
    run = dispatcher.runs.get(peer.id)
    return ClientStatus(
        worker_id=peer.id,
        node=peer.hello.node,
        tasks=0 if run is None else len(run.tasks),
        unfinished=0 if run is None else len(run.unfinished),
    )
