"""Leases: what a running build needs, so that collecting garbage leaves it alone."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import msgspec

from luigigo.machine import node_name
from luigigo.store.layout import LEASE, RUNS, folders_in, run_folder
from luigigo.store.staging import publish, store_errors

LEASE_SECONDS = 600.0
"""A lease that was not renewed for this long is dead: its build crashed, or its node did."""


class LeaseRecord(msgspec.Struct, frozen=True):
    """What a lease's file holds."""

    host: str
    pid: int
    started: float
    """Seconds since 1970, by the clock of the host."""
    keys: tuple[str, ...]


class LiveLeases(msgspec.Struct, frozen=True):
    """What all leases that are alive protect together."""

    keys: frozenset[str]
    oldest_start: float | None
    """Seconds since 1970; None when no lease is alive."""


class Lease:
    """A running build's claim. Renew it every minute or so; a build that dies lets it lapse."""

    def __init__(
        self, root: str, run_id: str, keys: Iterable[str], clock: Callable[[], float] = time.time
    ) -> None:
        """Publish the lease. Raises `StoreError`, and `ValueError` for an id that is no plain file name."""
        self.path = f"{run_folder(root, run_id)}/{LEASE}"
        self._record = LeaseRecord(node_name(), os.getpid(), clock(), tuple(keys))
        self._publish()

    def renew(self) -> None:
        """Say that the build is alive. Puts the lease back if it was taken for dead. Raises `StoreError`."""
        with store_errors("renew", self.path):
            try:
                os.utime(self.path)
                return
            except FileNotFoundError:
                pass
        self._publish()

    def end(self) -> None:
        """Give the claim up. Never fails: what cannot be removed lapses."""
        with suppress(OSError):
            os.unlink(self.path)
        # Only succeeds when the run left nothing else to read.
        with suppress(OSError):
            os.rmdir(os.path.dirname(self.path))

    def _publish(self) -> None:
        with store_errors("write", self.path):
            publish(self.path, msgspec.json.encode(self._record), 0o644)


def live_leases(root: str, now: float) -> LiveLeases:
    """What the leases renewed within `LEASE_SECONDS` before `now` claim.

    A live lease that cannot be read claims nothing by name, yet everything used since it was renewed.
    """
    keys: set[str] = set()
    starts: list[float] = []
    for folder in folders_in(f"{root}/{RUNS}"):
        path = f"{folder}/{LEASE}"
        try:
            renewed = os.stat(path).st_mtime
        except OSError:
            continue
        if now - renewed > LEASE_SECONDS:
            continue
        try:
            with open(path, "rb") as file:
                record = msgspec.json.decode(file.read(), type=LeaseRecord)
        except FileNotFoundError:
            continue
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            starts.append(renewed)
            continue
        keys.update(record.keys)
        starts.append(record.started)
    return LiveLeases(frozenset(keys), min(starts, default=None))


def remove_dead_leases(root: str, now: float) -> int:
    """Remove the leases that lapsed; return how many."""
    removed = 0
    for folder in folders_in(f"{root}/{RUNS}"):
        path = f"{folder}/{LEASE}"
        with suppress(OSError):
            if now - os.stat(path).st_mtime > LEASE_SECONDS:
                os.unlink(path)
                removed += 1
                os.rmdir(folder)
    return removed
