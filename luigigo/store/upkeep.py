"""Looking after a store: what it holds, and whether it is sound. Collecting garbage is in garbage.py."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import msgspec

from luigigo.machine import usable_cpus
from luigigo.model import ActionRecord
from luigigo.store.garbage import GcReport, gc
from luigigo.store.layout import (
    CONTENTS,
    PLANS,
    RECORDS,
    STAGING_PREFIX,
    files_in,
    files_in_shards,
    is_digest,
    sharded,
)
from luigigo.store.records import parse_record
from luigigo.store.staging import remove_unchanged
from luigigo.store.stathashes import sha256_of

__all__ = ["GcReport", "KindStats", "StoreStats", "VerifyReport", "gc", "stats", "verify"]


class KindStats(msgspec.Struct, frozen=True):
    """The records of one kind of action."""

    records: int
    output_bytes: int
    """Of all outputs that they name; a content that several name counts for each."""


class StoreStats(msgspec.Struct, frozen=True):
    """What a store holds."""

    contents: int
    content_bytes: int
    records: int
    record_bytes: int
    plans: int
    plan_bytes: int
    staging_files: int
    """Being published at this moment, or left by a process that died."""
    staging_bytes: int
    by_kind: dict[str, KindStats]
    oldest_use: float | None = None
    """Of the record that was used longest ago, in seconds since 1970, at most an hour too early."""


class VerifyReport(msgspec.Struct, frozen=True):
    """What was looked at and what was wrong with it."""

    contents: int
    records: int
    plans: int
    damage: tuple[str, ...]
    """One sentence for each file that was broken, in the order of their paths."""
    removed: int
    """How many of the broken files could be removed."""


def stats(root: str) -> StoreStats:
    """Count what is in the store; every record is read. Damaged records count, under the kind `damaged`."""
    contents = _sizes(files_in_shards(f"{root}/{CONTENTS}"))
    plans = _sizes(files_in(f"{root}/{PLANS}"))
    staging = contents[2] + plans[2]
    records = record_bytes = 0
    by_kind: dict[str, KindStats] = {}
    oldest_use: float | None = None
    for entry in files_in_shards(f"{root}/{RECORDS}"):
        if entry.name.startswith(STAGING_PREFIX):
            staging.append(entry.stat().st_size)
            continue
        record = _read_record(entry.path, entry.name)
        kind, size = ("damaged", 0) if isinstance(record, str) else (record.kind, _output_bytes(record))
        before = by_kind.get(kind, KindStats(0, 0))
        by_kind[kind] = KindStats(before.records + 1, before.output_bytes + size)
        with suppress(OSError):
            stat = entry.stat()
            record_bytes += stat.st_size
            oldest_use = stat.st_mtime if oldest_use is None else min(oldest_use, stat.st_mtime)
        records += 1
    return StoreStats(
        contents=contents[0],
        content_bytes=contents[1],
        records=records,
        record_bytes=record_bytes,
        plans=plans[0],
        plan_bytes=plans[1],
        staging_files=len(staging),
        staging_bytes=sum(staging),
        by_kind=dict(sorted(by_kind.items())),
        oldest_use=oldest_use,
    )


def verify(root: str, on_damage: Callable[[str], None]) -> VerifyReport:
    """Read everything again and check it; remove and report what is broken.

    A record is broken, too, when a content that it names is absent. Files that do not belong in a store are
    reported and left alone. A running build that misses something removed makes it again.
    """
    damage: list[str] = []
    removed = 0
    counts = []
    for check, folder, files in (
        (_check_content, CONTENTS, files_in_shards),
        # After the contents, so that a record whose content was just removed goes as well.
        (_check_record, RECORDS, files_in_shards),
        (_check_content, PLANS, files_in),
    ):
        paths = sorted(e.path for e in files(f"{root}/{folder}") if not e.name.startswith(STAGING_PREFIX))
        counts.append(len(paths))
        with ThreadPoolExecutor(usable_cpus()) as pool:
            for path, (what, seen) in zip(paths, pool.map(check, paths), strict=True):
                if what is None:
                    continue
                gone = seen is not None and remove_unchanged(path, seen)
                removed += gone
                damage.append(f"{path} is {what}; {'removed' if gone else 'left in place'}")
                on_damage(damage[-1])
    return VerifyReport(counts[0], counts[1], counts[2], tuple(damage), removed)


_Verdict = tuple[str | None, os.stat_result | None]
"""What is wrong, and with which file, if it is one to remove."""


def _check_content(path: str) -> _Verdict:
    name = os.path.basename(path)
    if not is_digest(name):
        return "not a file of the store", None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            seen = os.fstat(descriptor)
            digest = sha256_of(descriptor)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return None, None
    except OSError as error:
        return f"unreadable: {error.strerror}", None
    return (None, None) if digest == name else (f"truncated or corrupt: its sha256 is {digest}", seen)


def _check_record(path: str) -> _Verdict:
    name = os.path.basename(path)
    if not is_digest(name):
        return "not a file of the store", None
    try:
        seen = os.stat(path)
    except OSError as error:
        return (None, None) if isinstance(error, FileNotFoundError) else (str(error), None)
    record = _read_record(path, name)
    if isinstance(record, str):
        return record, seen
    root = path.rsplit("/", 3)[0]
    for role, output in sorted(record.outputs.items()):
        content = sharded(f"{root}/{CONTENTS}", output.digest)
        try:
            size = os.stat(content).st_size
        except OSError:
            return f"without its {role}: content {output.digest} is absent", seen
        if size != output.size_bytes:
            return f"wrong about its {role}: {size} bytes, not {output.size_bytes}", seen
    return None, None


def _read_record(path: str, name: str) -> ActionRecord | str:
    try:
        with open(path, "rb") as file:
            return parse_record(name, file.read())
    except OSError as error:
        return f"unreadable: {error.strerror}"


def _output_bytes(record: ActionRecord) -> int:
    return sum(output.size_bytes for output in record.outputs.values())


def _sizes(entries: Iterator[os.DirEntry[str]]) -> tuple[int, int, list[int]]:
    """How many published files, their bytes, and the sizes of those that are not published yet."""
    count = total = 0
    staging = []
    for entry in entries:
        try:
            size = entry.stat().st_size
        except FileNotFoundError:
            continue
        if entry.name.startswith(STAGING_PREFIX):
            staging.append(size)
        else:
            count += 1
            total += size
    return count, total, staging
