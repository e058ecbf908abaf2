"""Collecting garbage: what a store can do without, the least recently used first.

First the whole store is looked at, then it is decided what goes (a pure function), then that is removed. A
record goes before its content, so that what remains names what exists. Builds may run meanwhile: leases
protect what they need, and what they miss all the same they make again.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress

import msgspec

from luigigo.store.layout import (
    CONTENTS,
    PLANS,
    RECORDS,
    RUNS,
    STAGING_PREFIX,
    files_in,
    files_in_shards,
    folders_in,
)
from luigigo.store.leases import LiveLeases, live_leases, remove_dead_leases
from luigigo.store.records import USE_RESOLUTION_SECONDS, parse_record
from luigigo.store.staging import remove_unchanged

YOUNG_SECONDS = 600.0
"""What was published or used this recently stays: its build may have no lease yet."""
UNNAMED_SECONDS = 3600.0
"""Content that no record names stays this long: its record may be on its way."""
STAGING_SECONDS = 3600.0
PLAN_SECONDS = 86_400.0


class GcReport(msgspec.Struct, frozen=True):
    """What was removed and what is left."""

    removed_records: int
    removed_contents: int
    removed_plans: int
    removed_staging: int
    freed_bytes: int
    left_bytes: int
    """Of records and contents."""
    protected_records: int
    """Kept whatever their age, for they are in use or young."""


class StoredFile(msgspec.Struct, frozen=True):
    """A file as it was when the store was looked at."""

    path: str
    name: str
    size_bytes: int
    modified: float
    """Seconds since 1970. Of a record and a plan: the last use."""
    names: tuple[str, ...] = ()
    """Of a record: the digests of its content."""


class Inventory(msgspec.Struct, frozen=True):
    """The records and contents of a store."""

    records: list[StoredFile]
    contents: dict[str, StoredFile]


class Limits(msgspec.Struct, frozen=True):
    """What may stay."""

    now: float
    """Seconds since 1970."""
    max_bytes: int | None = None
    max_age_seconds: float | None = None


def gc(root: str, max_bytes: int | None, max_age_seconds: float | None, now: float) -> GcReport:
    """Remove what was not used for `max_age_seconds`, then the least recently used down to `max_bytes`.

    Never what a live lease names, what was used since the oldest live lease began, nor what is younger than
    ten minutes; so more than `max_bytes` may be left. Content that no record names goes after an hour, a file
    that never got published likewise, a plan after a day without use. `now`: seconds since 1970.
    Never raises for a file that cannot be removed: it is left.
    """
    leases = live_leases(root, now)
    inventory = take_inventory(root)
    limits = Limits(now, max_bytes, max_age_seconds)
    records, protected = records_to_remove(inventory, leases, limits)
    gone_records = [record for record in records if _remove(record)]
    gone_names = {record.name for record in gone_records}
    left_records = [record for record in inventory.records if record.name not in gone_names]
    unneeded = contents_to_remove(inventory, left_records, leases, limits)
    gone_contents = [content for content in unneeded if _remove(content)]
    plans = _remove_all(_old_plans(root, leases, now))
    staging = _remove_all(_old_staging(root, now))
    remove_dead_leases(root, now)
    before = _bytes(inventory.records) + _bytes(inventory.contents.values())
    gone = _bytes(gone_records) + _bytes(gone_contents)
    return GcReport(
        removed_records=len(gone_records),
        removed_contents=len(gone_contents),
        removed_plans=len(plans),
        removed_staging=len(staging),
        freed_bytes=gone + _bytes(plans) + _bytes(staging),
        left_bytes=before - gone,
        protected_records=protected,
    )


def take_inventory(root: str) -> Inventory:
    """Look at every record and content. The records first: what they name was published before them."""
    records = []
    for file in _stored(files_in_shards(f"{root}/{RECORDS}")):
        with suppress(OSError), open(file.path, "rb") as opened:
            record = parse_record(file.name, opened.read())
            # A damaged record names nothing; it goes when its time comes, or when it is read.
            names = () if isinstance(record, str) else tuple(o.digest for o in record.outputs.values())
            records.append(msgspec.structs.replace(file, names=names))
    contents = {file.name: file for file in _stored(files_in_shards(f"{root}/{CONTENTS}"))}
    return Inventory(records, contents)


def records_to_remove(
    inventory: Inventory, leases: LiveLeases, limits: Limits
) -> tuple[list[StoredFile], int]:
    """Decide which records go, and count those that are protected. Pure."""
    free = [record for record in inventory.records if not _is_protected(record, leases, limits.now)]
    free.sort(key=lambda record: (record.modified, record.name))
    users = Counter(name for record in inventory.records for name in set(record.names))
    unnamed = [c for name, c in inventory.contents.items() if not users[name]]
    total = _bytes(inventory.records) + _bytes(inventory.contents.values())
    # What no record names goes anyway, if it is not protected, and makes room before any record has to.
    total -= _bytes(c for c in unnamed if _is_unneeded(c, leases, limits.now))
    doomed = []
    for record in free:
        too_old = limits.max_age_seconds is not None and limits.now - record.modified > limits.max_age_seconds
        too_much = limits.max_bytes is not None and total > limits.max_bytes
        if not too_old and not too_much:
            break
        doomed.append(record)
        total -= record.size_bytes
        for name in set(record.names):
            users[name] -= 1
            content = inventory.contents.get(name)
            if content and not users[name] and not _is_protected(content, leases, limits.now):
                total -= content.size_bytes
    return doomed, len(inventory.records) - len(free)


def contents_to_remove(
    inventory: Inventory, left_records: Iterable[StoredFile], leases: LiveLeases, limits: Limits
) -> list[StoredFile]:
    """Decide which contents go, when only `left_records` are left. Pure."""
    needed = {name for record in left_records for name in record.names}
    named_before = {name for record in inventory.records for name in record.names}
    doomed = []
    for name, content in inventory.contents.items():
        if name in needed:
            continue
        judge = _is_protected if name in named_before else _is_kept_unnamed
        if not judge(content, leases, limits.now):
            doomed.append(content)
    return doomed


def _is_protected(file: StoredFile, leases: LiveLeases, now: float) -> bool:
    if file.name in leases.keys or now - file.modified < YOUNG_SECONDS:
        return True
    # The time of the last use may be recorded too early by this much.
    return leases.oldest_start is not None and file.modified >= leases.oldest_start - USE_RESOLUTION_SECONDS


def _is_kept_unnamed(content: StoredFile, leases: LiveLeases, now: float) -> bool:
    return now - content.modified < UNNAMED_SECONDS or _is_protected(content, leases, now)


def _is_unneeded(content: StoredFile, leases: LiveLeases, now: float) -> bool:
    return not _is_kept_unnamed(content, leases, now)


def _old_plans(root: str, leases: LiveLeases, now: float) -> list[StoredFile]:
    cutoff = now - PLAN_SECONDS
    if leases.oldest_start is not None:
        cutoff = min(cutoff, leases.oldest_start - USE_RESOLUTION_SECONDS)
    return [plan for plan in _stored(files_in(f"{root}/{PLANS}")) if plan.modified < cutoff]


def _old_staging(root: str, now: float) -> list[StoredFile]:
    folders = [f"{root}/{PLANS}", *folders_in(f"{root}/{RUNS}")]
    for sharded_folder in (CONTENTS, RECORDS):
        folders += folders_in(f"{root}/{sharded_folder}")
    return [
        file
        for folder in folders
        for file in _stored(files_in(folder), staging=True)
        if now - file.modified > STAGING_SECONDS
    ]


def _stored(entries: Iterator[os.DirEntry[str]], *, staging: bool = False) -> Iterator[StoredFile]:
    """The files that are published, or those that are not."""
    for entry in entries:
        if entry.name.startswith(STAGING_PREFIX) == staging:
            with suppress(OSError):
                stat = entry.stat(follow_symlinks=False)
                yield StoredFile(entry.path, entry.name, stat.st_size, stat.st_mtime)


def _remove_all(files: Iterable[StoredFile]) -> list[StoredFile]:
    return [file for file in files if _remove(file)]


def _remove(file: StoredFile) -> bool:
    """Remove the file, unless it was used or replaced since the store was looked at."""
    try:
        seen = os.stat(file.path)
    except OSError:
        return False
    return seen.st_mtime == file.modified and remove_unchanged(file.path, seen)


def _bytes(files: Iterable[StoredFile]) -> int:
    return sum(file.size_bytes for file in files)
