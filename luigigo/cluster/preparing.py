"""Making the cluster's own folder and token on the share, once for all nodes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from luigigo.cluster import marks
from luigigo.cluster.links import in_background
from luigigo.clusterfile import ClusterDescription, private_folder
from luigigo.errors import StoreError
from luigigo.store.staging import store_errors
from luigigo.token import make_token

Made = TypeVar("Made")


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
