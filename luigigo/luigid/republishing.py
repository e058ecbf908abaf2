"""Tasks whose sources are gone from the store, while their clients put them there again."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from luigigo.luigid.leases import Leases
from luigigo.luigid.peers import Peer
from luigigo.luigid.runs import Runs
from luigigo.protocol import messages
from luigigo.protocol.messages import Ended, Held


class _Asked(msgspec.Struct, frozen=True):
    """Who missed something, and in which words."""

    node_id: str
    explanation: str


class Republishing:
    """A client holds such a task until it has published; then a node gets it again."""

    def __init__(self, peers: Mapping[str, Peer], runs: Runs, leases: Leases) -> None:
        self._peers = peers
        self._runs = runs
        self._leases = leases
        self._asked: dict[str, _Asked] = {}

    def ask(self, node: Peer, ended: Ended) -> bool:
        """Have a client of the task publish again what a node misses; False where none is here."""
        present = (self._peers.get(client_id) for client_id in self._runs.clients_of(ended.task_id))
        client = next((peer for peer in present if peer is not None), None)
        if client is None:
            return False
        lease = self._leases.give(ended.task_id, client)
        client.outbox.append(messages.Republish((Held(ended.task_id, lease.number),)))
        self._asked[ended.task_id] = _Asked(node.id, ended.explanation)
        return True

    def take_answer(self, ended: Ended) -> tuple[Peer | None, str] | None:
        """Take a client's answer: the node to blame, if it is here still, with what it said; None for nobody.

        Where nothing was missing the node does not see what is there.
        """
        asked = self._asked.pop(ended.task_id, None)
        if asked is None or ended.status != "unable":
            return None
        return self._peers.get(asked.node_id), asked.explanation

    def forget(self, task_id: str) -> None:
        """A task is not wanted any more."""
        self._asked.pop(task_id, None)
