"""Tasks that nodes cannot run for reasons of their own: a disk that is full, or a Go that has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from luigigo.scheduling.leases import Leases
from luigigo.scheduling.peers import Peer
from luigigo.scheduling.protocol import Ended


class Refusals:
    """Others get such a task; when nobody is left, it fails with what each has said."""

    def __init__(self, peers: Mapping[str, Peer], leases: Leases) -> None:
        self._peers = peers
        self._leases = leases

    def note(self, node: Peer, ended: Ended) -> str:
        """Do not give it to the node again. Returns why nobody can run it, or "" where somebody else may."""
        needs = self._leases.needs.get(ended.task_id)
        if needs is None:
            return ""
        node.capacity.refused[needs.key] = ended.explanation
        nodes = [peer for peer in self._peers.values() if peer.is_node and not peer.is_draining]
        joined = [peer.joined for peer in self._peers.values() if peer.joined is not None]
        if any(capacity.suits(needs) for capacity in [*(peer.capacity for peer in nodes), *joined]):
            return ""
        reasons = [
            f"{peer.hello.node}: {peer.capacity.refused[needs.key]}"
            for peer in sorted(nodes, key=lambda peer: peer.hello.node)
            if needs.key in peer.capacity.refused
        ]
        return "\n".join(["no node can run it", *reasons])

    def forget(self, task_ids: Iterable[str]) -> None:
        """These tasks are not wanted any more: if they are wanted again, they are tried again."""
        refusing = [peer.capacity.refused for peer in self._peers.values() if peer.capacity.refused]
        for needs in filter(None, map(self._leases.needs.get, task_ids if refusing else ())):
            for refused in refusing:
                refused.pop(needs.key, None)
