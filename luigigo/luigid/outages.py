"""Tells one silence of all nodes, or of luigid itself, from the loss of one worker. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from luigigo.luigid.peers import Peer
from luigigo.protocol.messages import LOST_SECONDS, RETURN_SECONDS

ASLEEP_SECONDS = 5.0
"""luigid looks at its clock once a second; who did not for this long was stopped, or its machine was."""
SILENT_SECONDS = LOST_SECONDS - 3.0
"""How long all nodes said nothing when the first of them counts as lost: signs of life come once a second."""


class Outages:
    """When luigid, or the network between it and all nodes, was away."""

    def __init__(self, now: float) -> None:
        """luigid begins."""
        self._awake_at = now
        self._returning_until = now

    def has_slept(self, now: float) -> bool:
        """Note that luigid runs; say whether it did not for so long that silence means nothing."""
        was_away = now - self._awake_at > ASLEEP_SECONDS
        self._awake_at = now
        if was_away:
            self._returning_until = now + RETURN_SECONDS
        return was_away

    def is_one(self, lost: Peer, nodes: Iterable[Peer], now: float) -> bool:
        """Whether a node is lost with all the others, by one event that is none of their tasks' fault."""
        silent = all(now - each.heard_at > SILENT_SECONDS for each in (lost, *nodes))
        return silent or now < self._returning_until
