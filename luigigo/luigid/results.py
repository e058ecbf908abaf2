"""What becomes of a task that a peer says is over: done, failed, or another's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
from luigi.task_status import DONE, FAILED

from luigigo.luigid.leases import Leases, StoppedAttempt
from luigigo.luigid.notifier import ClientNotifier
from luigigo.luigid.peers import Peer
from luigigo.luigid.placement import enlarged
from luigigo.luigid.prefetch import Prefetcher
from luigigo.luigid.recovery import Recovery
from luigigo.luigid.refusals import Refusals
from luigigo.luigid.republishing import Republishing
from luigigo.luigid.tally import ResultCounts
from luigigo.protocol.messages import Ended, Usage
from luigigo.scheduling import page
from luigigo.scheduling.tasktable import TaskTable

MOST_LOSSES = 5
"""A task that took so many workers with it fails."""
MOST_KILLS = 6
"""A task that was killed so often, each time with more memory, fails."""


@dataclass(frozen=True)
class LuigidParts:
    """What a result may concern."""

    tasks: TaskTable
    peers: Mapping[str, Peer]
    leases: Leases
    recovery: Recovery
    republishing: Republishing
    refusals: Refusals
    notifier: ClientNotifier
    prefetcher: Prefetcher
    tally: ResultCounts
    clock: Callable[[], float]


class ResultTaker:
    """Takes results. Conclusions are drawn from what changes by them when luigid settles."""

    def __init__(self, parts: LuigidParts) -> None:
        self._parts = parts

    def show(self, task_id: str, what: str | None) -> None:
        """Let Luigi's page say what an action does or did."""
        task = self._parts.tasks.get(task_id)
        if task is not None and task_id in self._parts.leases.needs:
            task.status_message = what

    def take(self, peer: Peer, ended: Ended) -> None:
        """A peer says how a task ended."""
        task_id = ended.task_id
        lease = peer.leases.get(task_id)
        if lease is None or lease.number != ended.lease:
            if not self._parts.recovery.take_stray(peer, ended):
                return
            attempt = msgspec.structs.replace(ended.attempt, made=ended.made)
        else:
            attempt = lease.attempt(ended.attempt, ended.made)
            self._parts.leases.release(peer, task_id)
        ended = msgspec.structs.replace(ended, attempt=attempt)
        task = self._parts.tasks.get(task_id)
        if task is None:
            return
        if ended.status in ("done", "failed"):
            took = ended.usage or Usage(ended.status)
            self.show(task_id, page.did(took.outcome, took.seconds, peer.hello.node))
            if peer.is_node:
                self._parts.tally.note_end(task.family, took.outcome, took.seconds)
        else:
            self.show(task_id, None)
            self._parts.tally.note_stop(ended.status)
        if ended.status == "done":
            peer.done += 1
            peer.ended_at, peer.suspended_at = self._parts.clock(), 0.0
            self._parts.prefetcher.note_place(task_id, peer)
            self._parts.leases.note_made(task_id, ended.made)
            self._parts.notifier.news[task_id] = (peer, ended)
            self._parts.tasks.end(task, DONE)
        elif ended.status == "killed" and self._give_more(peer, ended):
            self._parts.leases.requeue(task_id, _stop_of(peer, ended))
        elif ended.status in ("failed", "killed"):
            self.fail_as(peer, ended)
        else:
            self._take_back(peer, task_id, ended)

    def _take_back(self, peer: Peer, task_id: str, ended: Ended) -> None:
        """A node did not do a task, for reasons of its own: another shall."""
        if ended.status == "local-only":
            self._parts.leases.bind(task_id)
            self._parts.tasks.get(task_id).runnable = False
        elif not peer.is_node:
            self._take_answer(ended)
        elif ended.status == "sourceless":
            self._parts.leases.refusals[task_id] += 1
            if self._parts.leases.mishaps(task_id) < MOST_LOSSES and self._parts.republishing.ask(
                peer, ended
            ):
                return
        elif ended.status == "unable":
            despair = self._note_unable(peer, ended)
            if despair:
                self.fail_as(peer, msgspec.structs.replace(ended, explanation=despair))
                return
        if self._parts.leases.mishaps(task_id) >= MOST_LOSSES:
            self.fail_as(peer, ended)
        else:
            self._parts.leases.requeue(task_id, _stop_of(peer, ended))

    def _note_unable(self, peer: Peer, ended: Ended) -> str:
        """A node cannot run a task. Returns why no other can either, or ""."""
        despair = ""
        if ended.lacks:
            peer.capacity.lacks.add(ended.lacks)
        elif ended.trouble:
            despair = self._parts.refusals.note(peer, ended)
        else:
            self._parts.leases.refusals[ended.task_id] += 1
        if not ended.lacks and ended.trouble != "size":
            self._suspend(peer, ended.explanation)
        else:
            self._parts.notifier.notify_all(f"node {peer.hello.node}: {ended.explanation}")
        return despair

    def _take_answer(self, ended: Ended) -> None:
        """A client has looked after what a node did not see in the store."""
        blamed = self._parts.republishing.take_answer(ended)
        if blamed is None:
            return
        node, explanation = blamed
        if node is not None:
            self._suspend(node, explanation)

    def _suspend(self, node: Peer, explanation: str) -> None:
        node.suspend(explanation, self._parts.clock())
        self._parts.notifier.notify_all(f"node {node.hello.node}: {explanation}")

    def _give_more(self, peer: Peer, ended: Ended) -> bool:
        """A task was killed for memory: have it ask for more, if a node has more to give."""
        needs = self._parts.leases.needs.get(ended.task_id)
        nodes = [
            each.capacity for each in self._parts.peers.values() if each.is_node and not each.is_draining
        ]
        if needs is None or self._parts.leases.kills[ended.task_id] >= MOST_KILLS:
            return False
        larger = enlarged(needs, ended.attempt.peak_bytes, nodes)
        if larger is None:
            return False
        self._parts.leases.enlarge(larger)
        what = ended.explanation.partition("\n")[0].removeprefix("# ")
        room = f"{larger.peak_bytes >> 20} MB" + (", alone" if larger.runs_alone else "")
        self._parts.notifier.notify_all(
            f"node {peer.hello.node}: {what} was killed for memory and is given {room}"
        )
        return True

    def fail_as(self, peer: Peer, ended: Ended) -> None:
        """A task has failed for good, as a peer says."""
        self._parts.notifier.news[ended.task_id] = (peer, ended)
        self.fail(peer, ended.task_id, ended.explanation)

    def fail(self, peer: Peer, task_id: str, explanation: str) -> None:
        """A task has failed for good, with a peer to name and the reason."""
        task = self._parts.tasks.get(task_id)
        if task is None:
            return
        task.expl = json.dumps(explanation)
        self._parts.notifier.news.setdefault(task_id, (peer, Ended(task_id, 0, "failed", explanation)))
        self._parts.tasks.end(task, FAILED)


def _stop_of(peer: Peer, ended: Ended) -> StoppedAttempt:
    """How an attempt stopped, by what its peer said."""
    said = ended.explanation.partition("\n")[0][:200]
    return StoppedAttempt(peer.hello.node, f"{ended.status}: {said}" if said else ended.status, ended.attempt)
