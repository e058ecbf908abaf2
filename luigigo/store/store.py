"""The store as its users see it: records, content, plans and pins in one folder, local or shared."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from luigigo.errors import ContentDamaged, ContentMissing, StoreError
from luigigo.machine import node_name
from luigigo.model import ActionRecord, Digest, Output
from luigigo.store.contents import Contents
from luigigo.store.flaws import Flaw, flaw_of, make_folder, open_plain, patiently
from luigigo.store.layout import CONTENTS, PLANS, RECORDS, flat
from luigigo.store.pins import Pin
from luigigo.store.records import USE_RESOLUTION_SECONDS, Records
from luigigo.store.staging import Made, persistently, publish, remove_unchanged, store_errors
from luigigo.store.stathashes import StatHashes

_log = logging.getLogger(__name__)

LARGEST_PLAN_BYTES = 1 << 30
"""A larger plan is none; one of ten thousand packages has a fiftieth of it."""


class Store:
    """What was built, by key and by digest. Safe for threads and for any number of processes and nodes.

    Every write is staged and renamed, every read is checked; nothing is locked. A folder that cannot be
    written can still be read from.
    """

    def __init__(
        self,
        root: str,
        node_cache: str | None,
        stat_hashes: StatHashes,
        on_damage: Callable[[str], None],
        patience_seconds: float = 0.0,
    ) -> None:
        """Use `open_at`."""
        self.root = root
        self._patience_seconds = patience_seconds
        self._lost_patience = False
        self._on_damage = on_damage
        self._contents = Contents(f"{root}/{CONTENTS}", node_cache, stat_hashes, on_damage)
        self._records = Records(f"{root}/{RECORDS}", on_damage)

    @classmethod
    def open_at(
        cls,
        root: str,
        node_cache: str | None = None,
        stat_hashes: StatHashes | None = None,
        on_damage: Callable[[str], None] | None = None,
        patience_seconds: float = 0.0,
    ) -> Store:
        """Open the store in the folder `root`, which is made when absent. Raises `StoreError`.

        `patience_seconds`: how long to try to write to a share that is full, read-only or away.

        `node_cache`: a folder on a disk of this node, when `root` is shared with other nodes.
        `on_damage` is told of every damaged file, in a sentence; by default it is logged as a warning.
        """
        root = os.path.abspath(root)
        if not os.path.isdir(root):
            with store_errors("make the store", root):
                make_folder(root)
        cache = None if node_cache is None else os.path.abspath(node_cache)
        return cls(root, cache, stat_hashes or StatHashes(), on_damage or _log.warning, patience_seconds)

    def read_record(self, key: str, wait_seconds: float = 0.0) -> ActionRecord | None:
        """The record of an action key or content key, or None when there is no sound one.

        `wait_seconds`: how long to look for what another node is known to have published.
        """
        return self._records.read(key, wait_seconds)

    def read_records(self, keys: Iterable[str]) -> dict[str, ActionRecord]:
        """The records of those keys that have a sound one; cheaper than one by one."""
        return self._records.read_many(keys)

    def write_record(self, record: ActionRecord) -> None:
        """File a record, after the content that it names was published. Raises `StoreError`."""
        self._persistently(lambda: self._records.write(record))

    def publish_file(self, path: str, *, executable: bool = False) -> Output:
        """Move a finished file into the store; afterwards `path` is gone. Raises `StoreError`."""
        return self._persistently(lambda: self._contents.publish_file(path, executable=executable))

    def publish_bytes(self, content: bytes, *, executable: bool = False) -> Output:
        """Put content into the store. Raises `StoreError`."""
        return self._persistently(lambda: self._contents.publish_bytes(content, executable=executable))

    def open_content(self, output: Output, wait_seconds: float = 0.0) -> str:
        """The path of the content, on this node and checked; never modify it.

        `wait_seconds`: how long to look for what another node is known to have published. Raises
        `ContentMissing` when it is absent or damaged, and `StoreError`.
        """
        return self._contents.open(output, wait_seconds)

    def has_content(self, output: Output) -> bool:
        """Whether the store holds a file of this digest and size; its content is not looked at."""
        return self._contents.has(output)

    def write_plan(self, plan: bytes) -> Digest:
        """Store a plan; return the digest that it is read by. Raises `StoreError`."""
        digest = Digest(hashlib.sha256(plan).hexdigest())
        path = flat(f"{self.root}/{PLANS}", digest)

        def attempt() -> None:
            with store_errors("write", path):
                publish(path, plan, 0o644)

        self._persistently(attempt)
        return digest

    def has_plan(self, digest: Digest) -> bool:
        """Whether there is a plan of that digest; its content is not looked at."""
        return os.path.isfile(flat(f"{self.root}/{PLANS}", digest))

    def read_plan(self, digest: Digest, wait_seconds: float = 0.0) -> bytes:
        """The plan of that digest, checked. Raises `ContentMissing`, and `ContentDamaged` for a damaged one.

        `wait_seconds`: how long to look for what another node is known to have published.
        """
        path = flat(f"{self.root}/{PLANS}", digest)
        try:
            return patiently(lambda: _read_plan_once(path, digest), os.path.dirname(path), wait_seconds)
        except Flaw as flaw:
            if flaw.seen is not None:
                fate = "removed" if remove_unchanged(path, flaw.seen) else "left in place"
                self._on_damage(f"plan {path} is {flaw.what}; {fate}")
            kind = ContentMissing if flaw.seen is None else ContentDamaged
            raise kind(
                f"plan {path} is {flaw.what} on node {node_name()}{flaw.patience()}; "
                "run the build's command again"
            ) from flaw

    def begin_run(self, run_id: str, keys: Iterable[str], build: str = "") -> Pin:
        """Claim what a build needs, until the pin ends, its process does, or it lapses after ten minutes.

        `keys`: action keys, content keys and digests of content; `build`: what is built, for people.
        Raises `StoreError`, and `ValueError` for a run id that is no plain file name.
        """
        return self._persistently(lambda: Pin(self.root, run_id, keys, build))

    def _persistently(self, attempt: Callable[[], Made]) -> Made:
        """Attempt for as long as the store is patient: once it was in vain, no more, until it succeeds."""
        try:
            made = persistently(attempt, 0.0 if self._lost_patience else self._patience_seconds)
        except StoreError:
            self._lost_patience = True
            raise
        self._lost_patience = False
        return made


def _read_plan_once(path: str, digest: Digest) -> bytes:
    try:
        with open_plain(path) as file:
            stat = os.fstat(file.fileno())
            if stat.st_size > LARGEST_PLAN_BYTES:
                raise Flaw(f"no plan: {stat.st_size} bytes", seen=stat)
            plan = file.read()
    except OSError as error:
        raise flaw_of(error) from error
    if hashlib.sha256(plan).hexdigest() != digest:
        raise Flaw("truncated or corrupt", seen=stat)
    if time.time() - stat.st_mtime > USE_RESOLUTION_SECONDS:
        with suppress(OSError):
            os.utime(path)
    return plan
