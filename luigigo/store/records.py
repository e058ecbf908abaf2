"""Records of actions by key. A record that is damaged is an absent one. Knows nothing of content.

A record's file is one line with the sha256 of the rest in hexadecimal, and the rest: the record as JSON.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress

import msgspec

from luigigo.encoding import Codec
from luigigo.model import ActionRecord
from luigigo.store.flaws import MISSING, Flaw, flaw_of, open_plain, patiently
from luigigo.store.layout import is_digest, sharded
from luigigo.store.staging import link, publish, remove_unchanged, store_errors

USE_RESOLUTION_SECONDS = 3600.0
"""A record's modification time is its last use, at most this much too early: reading rarely writes."""
LISTING_PAYS_FROM = 8
"""Keys asked for in one shard from which listing its folder is cheaper than trying every name.

Measured with a hundred records in each shard: 10,000 absent keys took 40 ms listed and 160 ms tried, present
ones the same either way, and with four keys a shard listing was the slower way.
"""
LARGEST_RECORD_BYTES = 64 << 20
"""The messages of a compiler are all in it that grows."""
_DIGEST_LINE_BYTES = 65

_codec = Codec[ActionRecord](msgspec.json, ActionRecord, order="deterministic")


class Records:
    """What is known of actions that were done. Safe for threads and for any number of processes and nodes."""

    def __init__(
        self, folder: str, on_damage: Callable[[str], None], clock: Callable[[], float] = time.time
    ) -> None:
        self._folder = folder
        self._on_damage = on_damage
        self._clock = clock

    def read(self, key: str, wait_seconds: float = 0.0) -> ActionRecord | None:
        """The record of `key`, or None. What is damaged is reported, removed and counts as absent.

        `wait_seconds`: how long to look for what another node is known to have published.
        """
        path = sharded(self._folder, key)
        try:
            return patiently(lambda: self._read_once(key, path), os.path.dirname(path), wait_seconds)
        except Flaw as flaw:
            if flaw.what != MISSING:
                removed = flaw.seen is not None and remove_unchanged(path, flaw.seen)
                self._on_damage(f"record {path} is {flaw.what}; {'removed' if removed else 'left in place'}")
            return None

    def read_many(self, keys: Iterable[str]) -> dict[str, ActionRecord]:
        """The records of those keys that have one, each as `read` gives it.

        A shard that is asked for many keys is listed once, which is cheaper than to ask for absent names.
        """
        shards: defaultdict[str, list[str]] = defaultdict(list)
        for key in keys:
            shards[os.path.dirname(sharded(self._folder, key))].append(key)
        found = {}
        for shard, wanted in shards.items():
            if len(wanted) >= LISTING_PAYS_FROM:
                present = _names_in(shard)
                wanted = [key for key in wanted if key in present]
            for key in wanted:
                record = self.read(key)
                if record is not None:
                    found[key] = record
        return found

    def write(self, record: ActionRecord) -> None:
        """File the record under its keys; its content must be published before. Raises `StoreError`."""
        path = sharded(self._folder, record.key)
        body = _codec.encode(record)
        content = hashlib.sha256(body).hexdigest().encode() + b"\n" + body
        with store_errors("write", path):
            publish(path, content, 0o644)
        if record.content_key:
            other = sharded(self._folder, record.content_key)
            with store_errors("write", other):
                try:
                    link(path, other)
                except OSError:
                    publish(other, content, 0o644)

    def _read_once(self, key: str, path: str) -> ActionRecord:
        try:
            with open_plain(path) as file:
                stat = os.fstat(file.fileno())
                if stat.st_size > LARGEST_RECORD_BYTES:
                    raise Flaw(f"no record: {stat.st_size} bytes", seen=stat)
                content = file.read()
        except OSError as error:
            raise flaw_of(error) from error
        record = parse_record(key, content)
        if isinstance(record, str):
            raise Flaw(record, seen=stat)
        if self._clock() - stat.st_mtime > USE_RESOLUTION_SECONDS:
            _note_use(path, content)
        return record


def _note_use(path: str, content: bytes) -> None:
    """Let the record's time be now. Best effort: a reader may not be allowed to."""
    with suppress(OSError):
        try:
            os.utime(path)
        except PermissionError:
            # It is another user's. Where anybody may publish, an equal record of one's own says as much.
            publish(path, content, 0o644)


def parse_record(key: str, content: bytes) -> ActionRecord | str:
    """The record in a file that is named `key`, or what is wrong with it."""
    if len(content) < _DIGEST_LINE_BYTES:
        return f"truncated: {len(content)} bytes"
    body = content[_DIGEST_LINE_BYTES:]
    if hashlib.sha256(body).hexdigest().encode() + b"\n" != content[:_DIGEST_LINE_BYTES]:
        return "truncated or corrupt: its first line is not the sha256 of the rest"
    try:
        record = _codec.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return f"malformed: {error}"
    if key not in (record.key, record.content_key):
        return f"misfiled: it is that of {record.key}"
    for role, output in record.outputs.items():
        if not is_digest(output.digest) or output.size_bytes < 0:
            return f"malformed: its output {role!r} has no proper digest and size"
    return record


def _names_in(folder: str) -> frozenset[str]:
    """The names in a folder that may be absent. On any other error too: reading each key will tell."""
    try:
        return frozenset(os.listdir(folder))
    except OSError:
        return frozenset()
