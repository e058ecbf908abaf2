"""Tells clients what became of their tasks, and who can run them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping

from luigigo.attempts import Attempt
from luigigo.luigid.leases import StoppedAttempt
from luigigo.luigid.peers import Peer
from luigigo.luigid.runs import Runs
from luigigo.protocol import messages
from luigigo.protocol.messages import Ended, Progress
from luigigo.units import time_text

REMIND_SECONDS = 20.0
"""How old what a client knows of the nodes may be."""


class ClientNotifier:
    """What is to be said to clients. It is put with the peers, and sent when they are flushed."""

    def __init__(
        self, peers: Mapping[str, Peer], runs: Runs, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._peers = peers
        self._runs = runs
        self.news: dict[str, tuple[Peer, Ended]] = {}
        """By task, the result that its clients were not told of yet, and whose it is."""

    def say(self, client_id: str, message: messages.FromServer) -> None:
        """Say something to a client, if it is there."""
        peer = self._peers.get(client_id)
        if peer is not None:
            peer.outbox.append(message)

    def tell(self, task_id: str, message: messages.FromServer) -> None:
        """Say something to all clients that wait for a task."""
        for client_id in self._runs.clients_of(task_id):
            self.say(client_id, message)

    def tell_start(self, task_id: str, peer: Peer) -> None:
        """Say that a task runs."""
        node = peer.hello.node
        self.tell(
            task_id,
            Progress(task_id, "running", node=node, worker_id=peer.id),
        )

    def tell_wait(self, task_id: str, stop: StoppedAttempt) -> None:
        """Say that a task waits again, so that nobody looks for it where it ran, and how it stopped there."""
        progress = Progress(task_id, "pending", node=stop.node, explanation=stop.cause, attempt=stop.attempt)
        self.tell(task_id, progress)

    def tell_end(self, task_id: str, status: str) -> None:
        """Say how a task ended."""
        peer, ended = self.news.get(task_id, (None, None))
        if status == "done":
            self.news.pop(task_id, None)
        self.tell(
            task_id,
            Progress(
                task_id,
                status,
                node=peer.hello.node if peer is not None else "",
                worker_id=peer.id if peer is not None else "",
                explanation=ended.explanation if ended is not None else "",
                exit_code=ended.exit_code if ended is not None else 0,
                usage=ended.usage if ended is not None else None,
                attempt=ended.attempt if ended is not None else Attempt(),
            ),
        )

    def notify_all(self, text: str) -> None:
        """Tell the clients with a run under way who can run their actions, and something more."""
        for peer in self._peers.values():
            run = self._runs.get(peer.id)
            if not peer.is_node and run is not None and run.is_complete and not run.is_over:
                self.notify(peer, text)

    def notify(self, client: Peer, text: str) -> None:
        """Tell a client how many nodes can run any of its actions, and by name those that can't, and why."""
        wanted = self._runs.of(client.id).wanted
        nodes = [peer for peer in self._peers.values() if peer.is_node]
        open_nodes = [peer.capacity.features for peer in nodes if peer.capacity.is_open]
        # Where a toolchain is on no node, its actions wait, however many can run the others.
        able = min((sum(each <= node for node in open_nodes) for each in wanted), default=0)
        others = [f"{peer.hello.node} has {peer.hello.go}" for peer in nodes if not _can_any(peer, wanted)]
        if wanted and others:
            text = "; ".join([*([text] if text else []), *others]) + ", not this build's Go: left out"
        why = () if able else tuple(sorted(self._why_unable(peer, wanted) for peer in nodes))
        client.told_idle_at = -math.inf if able else self._clock()
        client.outbox.append(messages.Notice(text, able, why))
        infos = tuple(sorted((peer.info for peer in nodes), key=lambda info: info.name))
        if client.told_nodes != infos:
            client.told_nodes = infos
            client.outbox.append(messages.Nodes(infos))

    def remind(self, now: float) -> None:
        """Tell clients again, now and then, why no node can run their actions."""
        for run in self._runs:
            client = self._peers.get(run.client_id)
            if (
                client is not None
                and not run.is_over
                and REMIND_SECONDS <= now - client.told_idle_at < math.inf
            ):
                self.notify(client, "")

    def _why_unable(self, node: Peer, wanted: Collection[frozenset[str]]) -> str:
        if node.is_draining:
            reason = "is drained: luigigo cluster up starts it again"
        elif node.suspended_until:
            reason = f"is unable for {time_text(self._clock() - node.suspended_at)}: {node.fault}"
        elif not _can_any(node, wanted):
            reason = f"has {node.hello.go}, not this build's Go"
        else:
            reason = f"has only {node.hello.go}, and this build wants {len(wanted)} toolchains"
        return f"{node.hello.node} {reason}"


def _can_any(node: Peer, wanted: Collection[frozenset[str]]) -> bool:
    """Whether the node has all that some of the tasks need."""
    return any(each <= node.capacity.features for each in wanted)
