"""What the layers above give to a client of a luigid."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec

from luigigo.attempts import NodeInfo
from luigigo.protocol.messages import Progress


class ClientCallbacks(msgspec.Struct, frozen=True):
    """What a client knows beside its tasks, from the layers above."""

    node: str
    observe: Callable[[Any, Progress], None]
    """Told what became of a task elsewhere."""
    note_nodes: Callable[[tuple[NodeInfo, ...], str], None]
    """Told who runs the actions, when that changes, and the `host:port` of the luigid that says so."""
    memory_bytes: Callable[[], int]
    """What its actions may take together, asked when the client has to take part itself."""
    publish_again: Callable[[Any], bool]
    """Put a task's plan and sources into the store again; say whether any was missing, now or moments ago.

    Raises `LuigigoError`s: where sources have changed, and where the store cannot be written.
    """
    renew: Callable[[], None]
    """Called now and then, whatever happens, to keep what the run needs in the store."""
    falls_back: bool = False
    """Whether it takes part when there is no worker."""
    fallback_seconds: float = 5.0
    """How long there may be none before it does."""
    luigid_away_seconds: float = math.inf
    """How long luigid may be away before the run ends without it."""
