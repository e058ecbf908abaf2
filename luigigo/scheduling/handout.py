"""Gives ready tasks to the peers that have room for them, and evens out what waits."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from luigigo.scheduling import protocol
from luigigo.scheduling.leases import NO_NEEDS, Leases, remember
from luigigo.scheduling.peers import Peer
from luigigo.scheduling.placement import Capacity, choose, overfull
from luigigo.scheduling.protocol import Grant
from luigigo.scheduling.scheduler import ReadyScheduler

PATIENCE = 64
"""How many ready tasks that nobody can take are passed in looking for one that somebody can."""


class HandOut:
    """Chooses who runs what. Grants are put with the peers, who are told when they are flushed."""

    def __init__(self, scheduler: ReadyScheduler, peers: Mapping[str, Peer], leases: Leases) -> None:
        self._scheduler = scheduler
        self._peers = peers
        self._leases = leases
        self._recent_keys: OrderedDict[str, None] = OrderedDict()

    def note_done(self, key: str) -> None:
        """A task with this key was done just now."""
        remember(self._recent_keys, key, None)

    def run(self) -> None:
        """Give out what can be given out."""
        queue = self._scheduler.queue
        if not len(queue):
            self._even_out()
            return
        nodes = {id(peer.capacity): peer for peer in self._peers.values() if peer.is_node}
        capacities = [peer.capacity for peer in nodes.values()]
        clients = [peer for peer in self._peers.values() if not peer.is_node]
        while len(queue):
            chosen: list[Peer] = []

            def accept(task_id: str, chosen: list[Peer] = chosen) -> bool:
                peer = self._place(task_id, capacities, nodes, clients)
                if peer is not None:
                    chosen.append(peer)
                return peer is not None

            task_id = queue.pop(accept, PATIENCE)
            if task_id is None:
                return
            self._grant(task_id, chosen[0])
        self._even_out()

    def _place(
        self, task_id: str, capacities: list[Capacity], nodes: dict[int, Peer], clients: list[Peer]
    ) -> Peer | None:
        needs = self._leases.needs.get(task_id)
        owners = self._scheduler._state.get_task(task_id).workers
        if needs is not None and needs.anywhere:
            joined = [peer for peer in clients if peer.joined is not None and peer.id in owners]
            best = choose(
                [*capacities, *(peer.joined for peer in joined if peer.joined is not None)], task_id, needs
            )
            if best is None:
                return None
            return nodes.get(id(best)) or next(peer for peer in joined if peer.joined is best)
        for peer in clients:
            if peer.id in owners and peer.capacity.free_slots > 0:
                return peer
        return None

    def _grant(self, task_id: str, peer: Peer) -> None:
        task = self._scheduler._state.get_task(task_id)
        lease = self._leases.give(task_id, peer)
        needs = self._leases.needs.get(task_id, NO_NEEDS)
        peer.grants.append(
            Grant(
                task_id,
                lease.number,
                task.family,
                task.params,
                needs.peak_bytes,
                needs.runs_alone,
                needs.key in self._recent_keys,
                needs.wants_commands,
            )
        )

    def _even_out(self) -> None:
        """Take back what waits on one node while another has a free slot."""
        nodes = [peer for peer in self._peers.values() if peer.is_node]
        if not any(peer.capacity.free_slots > 0 and peer.capacity.is_open for peer in nodes):
            return
        fullest = overfull(peer.capacity for peer in nodes)
        if fullest is None:
            return
        peer = next(peer for peer in nodes if peer.capacity is fullest)
        waiting = [lease for lease in peer.leases.values() if not (lease.has_started or lease.is_revoked)]
        revoked = sum(lease.is_revoked for lease in peer.leases.values())
        for lease in waiting[-(-fullest.free_slots - revoked) :] if -fullest.free_slots > revoked else []:
            lease.is_revoked = True
            peer.outbox.append(protocol.Revoke((lease.number,)))
