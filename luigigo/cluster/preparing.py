"""Making the share ready, once for the whole cluster: the store's folders and the cluster's own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from luigigo.access import make_token
from luigigo.cluster import marks
from luigigo.cluster.links import in_background
from luigigo.clusterfile import ClusterDescription, private_folder
from luigigo.errors import StoreError
from luigigo.store.layout import CONTENTS, PLANS, RECORDS, RUNS
from luigigo.store.staging import store_errors
from luigigo.store.store import Store

Made = TypeVar("Made")

_SHARDS = tuple(f"{number:02x}" for number in range(256))


def prepare_shared(root: str) -> None:
    """Make every folder that the store will ever publish into; harmless when they are there.

    A folder that one node makes while another has just looked for it is not seen there for seconds; one that
    was there before any worker started, is. Raises `StoreError`.
    """
    Store.open_at(root)
    missing = []
    with store_errors("make the store", root):
        for name in (PLANS, RUNS):
            os.makedirs(os.path.join(root, name), exist_ok=True)
        for kind in (CONTENTS, RECORDS):
            folder = os.path.join(root, kind)
            os.makedirs(folder, exist_ok=True)
            there = set(os.listdir(folder))
            missing += [os.path.join(folder, shard) for shard in _SHARDS if shard not in there]
        if missing:
            # The time goes into waiting for the share's server, one round trip for each.
            with ThreadPoolExecutor(16) as pool:
                list(pool.map(lambda path: os.makedirs(path, exist_ok=True), missing))


def prepare_within(work: Callable[[], Made], cluster: ClusterDescription, limit_seconds: float) -> Made:
    """Do something on the share, but do not wait for ever. Raises `StoreError` when it does not answer."""
    future = in_background(work)
    try:
        return future.result(limit_seconds)
    except TimeoutError as error:
        if future.done():
            raise
        raise StoreError(
            f"the share {cluster.shared} does not answer within {limit_seconds:.0f} s on this machine; "
            "see whether its server is up"
        ) from error


def prepare_state(cluster: ClusterDescription) -> str:
    """Make the cluster's private folder and the one of marks; return the latter.

    Raises `StoreError`, and `UsageError` when the folder is not this user's alone.
    """
    folder = os.path.join(cluster.state_dir, marks.FOLDER)
    with store_errors("make the cluster's folder", cluster.shared):
        os.makedirs(cluster.shared, exist_ok=True)
        for path in (cluster.state_dir, folder):
            # Another `up` may make it at the same moment.
            with suppress(FileExistsError):
                os.mkdir(path, 0o700)
    for path in (cluster.state_dir, folder):
        private_folder(path)
    marks.sweep(folder, time.time())
    return folder


def prepare_token(cluster: ClusterDescription) -> None:
    """Make the token when there is none. Raises `UsageError` and `StoreError`."""
    with store_errors("write", cluster.token_path):
        make_token(cluster.token_path)
