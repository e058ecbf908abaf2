"""What luigid says of itself to whoever asks for it: one schema for who writes it and who reads it."""

from __future__ import annotations

import msgspec


class NodeStatus(msgspec.Struct, frozen=True):
    """One connected worker."""

    node: str
    worker_id: str = ""
    state: str = "ready"
    """`ready`, `suspended` or `draining`."""
    reason: str = ""
    """Why it is suspended."""
    slots: int = 0
    running: int = 0
    publishing: int = 0
    """Tasks whose tools have ended, and that have no slot any more."""
    waiting: int = 0
    """Tasks that it was given and has not begun."""
    memory_bytes: int = 0
    granted_bytes: int = 0
    """What was set aside for what it holds."""
    go: str = ""
    connected_seconds: float = 0.0
    done: int = 0
    cache_bytes: int = 0


class ClientStatus(msgspec.Struct, frozen=True):
    """One client that waits for its tasks."""

    worker_id: str
    node: str = ""
    tasks: int = 0
    unfinished: int = 0


class ClusterStatus(msgspec.Struct, frozen=True):
    """Nodes, clients and tasks."""

    version: str
    epoch: str | int | float
    shared: str = ""
    nodes: tuple[NodeStatus, ...] = ()
    clients: tuple[ClientStatus, ...] = ()
    tasks: dict[str, int] = {}
    """How many tasks have which of Luigi's statuses."""
