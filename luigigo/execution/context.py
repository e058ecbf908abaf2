"""What a node works with, whatever the plan."""

from __future__ import annotations

import msgspec

from luigigo.execution.claims import Claims
from luigigo.execution.events import Observer
from luigigo.execution.timings import Timings
from luigigo.process import Runner
from luigigo.store import Store
from luigigo.store.nodecache import CacheKeeper
from luigigo.store.stathashes import StatHashes


class ExecutionContext(msgspec.Struct, frozen=True):
    """What a node works with, whatever the plan."""

    store: Store
    runner: Runner
    hashes: StatHashes
    timings: Timings
    work_dir: str
    """A folder of this process, on the disk of the store where that is local."""
    sources_dir: str
    """Where this process' node unpacks source bundles."""
    node: str
    cpus: int
    budget_bytes: int
    """What all actions running here at once may take."""
    variables: dict[str, str]
    """The user's environment; tools see only what they need of it."""
    observe: Observer
    wait_seconds: float = 0.0
    """How long to look for what another node is known to have published."""
    keeps_work: bool = False
    """Whether the folders in which tools ran stay."""
    claims: Claims = Claims()
    """What builds on this machine make at this moment; of a node's worker none, for luigid tells it."""
    keeper: CacheKeeper = CacheKeeper()
    """Of the folders of a node's cache; of a client, whose store is no cache, of none."""
    has_projects: bool = True
    """Whether the folders that plans name are on this node; else only bundles and the toolchain are."""
