"""Tasks that nodes cannot run for reasons of their own: a disk that is full, or a Go that has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from luigigo.errors import ExitCode
from luigigo.luigid.leases import Leases
from luigigo.luigid.peers import SUSPENDED_SECONDS, Peer
from luigigo.protocol.messages import Ended, Needs


class Refusals:
    """Others get such a task; when nobody is left, it fails with what each has said."""

    def __init__(self, peers: Mapping[str, Peer], leases: Leases) -> None:
        self._peers = peers
        self._leases = leases
        self._hopeless_since: dict[str, float] = {}
        """By task, since when only nodes that refused it are there."""

    def note(self, node: Peer, ended: Ended) -> str:
        """Do not give it to the node again. Returns why nobody can run it, or "" where somebody else may."""
        needs = self._leases.needs.get(ended.task_id)
        if needs is None:
            return ""
        node.capacity.refused[needs.key] = ended.explanation
        return "" if self._has_somebody(needs) else self._reasons(needs.key)

    def hopeless(self, now: float) -> list[tuple[Peer, Ended]]:
        """Tasks for which the other nodes went away and did not come back, as who refused them ends them."""
        refused = {key: peer for peer in self._peers.values() for key in peer.capacity.refused}
        left = {
            task_id: peer
            for key, peer in refused.items()
            if not self._leases.holder_of(key)
            for task_id in self._leases.tasks_of(key)
            if not self._has_somebody(self._leases.needs[task_id])
        }
        self._hopeless_since = {each: self._hopeless_since.get(each, now) for each in left}
        due = [each for each, since in self._hopeless_since.items() if now - since > SUSPENDED_SECONDS]
        return [(left[each], self._failed(each)) for each in due]

    def _failed(self, task_id: str) -> Ended:
        reasons = self._reasons(self._leases.needs[task_id].key)
        return Ended(task_id, 0, "failed", reasons, exit_code=ExitCode.STORE)

    def forget(self, task_ids: Iterable[str]) -> None:
        """These tasks are not wanted any more: if they are wanted again, they are tried again."""
        refusing = [peer.capacity.refused for peer in self._peers.values() if peer.capacity.refused]
        for needs in filter(None, map(self._leases.needs.get, task_ids if refusing else ())):
            for refused in refusing:
                refused.pop(needs.key, None)

    def _nodes(self) -> list[Peer]:
        return [peer for peer in self._peers.values() if peer.is_node and not peer.is_draining]

    def _has_somebody(self, needs: Needs) -> bool:
        nodes = [peer.capacity for peer in self._nodes()]
        joined = [peer.joined for peer in self._peers.values() if peer.joined is not None]
        return any(capacity.suits(needs) for capacity in [*nodes, *joined])

    def _reasons(self, key: str) -> str:
        reasons = [
            f"{peer.hello.node}: {peer.capacity.refused[key]}"
            for peer in sorted(self._nodes(), key=lambda peer: peer.hello.node)
            if key in peer.capacity.refused
        ]
        return "\n".join(["no node can run it", *reasons])
