"""Making the folders of a store ahead of what will be published into them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from luigigo.store.layout import CONTENTS, PLANS, RECORDS, RUNS
from luigigo.store.staging import store_errors
from luigigo.store.store import Store

_SHARDS = tuple(f"{number:02x}" for number in range(256))


def prepare_shared(root: str) -> None:
    """Make every folder that the store will ever publish into; harmless when they are there.

    A folder that one node makes while another has just looked for it is not seen there for seconds; one that
    was there before any worker started, is. Raises `StoreError`.
    """
    Store.open_at(root)
    with store_errors("make the store", root):
        for name in (PLANS, RUNS):
            os.makedirs(os.path.join(root, name), exist_ok=True)
    make_shards(os.path.join(root, kind) for kind in (CONTENTS, RECORDS))


def make_shards(folders: Iterable[str]) -> None:
    """Make the sub-folders of sharded folders. Raises `StoreError`."""
    missing = []
    for folder in folders:
        with store_errors("make", folder):
            os.makedirs(folder, exist_ok=True)
            there = set(os.listdir(folder))
        missing += [os.path.join(folder, shard) for shard in _SHARDS if shard not in there]
    if not missing:
        return
    # The time goes into waiting for the share's server, one round trip for each.
    with store_errors("make", os.path.dirname(missing[0])), ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda path: os.makedirs(path, exist_ok=True), missing))
