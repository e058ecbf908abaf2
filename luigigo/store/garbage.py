"""Collecting garbage: what a store can do without, the least recently used first.

First the whole store is looked at, then it is decided what goes (a pure function), then that is removed. A
record goes before its content, so that what remains names what exists. Builds may run meanwhile: pins
protect what they need, and what they miss all the same they make again.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable

import msgspec

from luigigo.runrecords.retention import RUN_SECONDS, RUNS_KEPT, old_runs, plans_kept
from luigigo.runrecords.writing import remove_record
from luigigo.store import inventory as looking
from luigigo.store.inventory import Inventory, IsTimeUp, StoredFile, never, stored
from luigigo.store.layout import CONTENTS, PLANS, RECORDS, RUNS, files_in, folders_in
from luigigo.store.pins import LivePins, PinRecord, live_pins, remove_dead_pins
from luigigo.store.records import USE_RESOLUTION_SECONDS
from luigigo.store.staging import remove_unchanged

YOUNG_SECONDS = 600.0
"""What was published or used this recently stays: its build may have no pin yet."""


class KeptPart(msgspec.Struct, frozen=True):
    """Records that stay for one reason, with the content that none before them in the report names."""

    reason: str
    records: int
    size_bytes: int


class GcReport(msgspec.Struct, frozen=True):
    """What was removed and what is left."""

    removed_records: int
    removed_contents: int
    removed_plans: int
    removed_staging: int
    freed_bytes: int
    left_bytes: int
    """Of records and contents."""
    kept: tuple[KeptPart, ...]
    """What is left, by why: the strongest reason first."""


class Limits(msgspec.Struct, frozen=True):
    """What may stay."""

    now: float
    """Seconds since 1970."""
    max_bytes: int | None = None
    max_age_seconds: float | None = None
    recent_seconds: float = YOUNG_SECONDS
    """What was used within this time stays, whatever the size."""
    unnamed_seconds: float = 3600.0
    """Content that no record names stays this long: its record may be on its way."""
    staging_seconds: float = 3600.0
    plan_seconds: float = 86_400.0
    run_seconds: float = RUN_SECONDS
    runs_kept: int = RUNS_KEPT
    """The newest runs keep their records, and their plans."""


def gc(root: str, max_bytes: int | None, max_age_seconds: float | None, now: float) -> GcReport:
    """Remove what was not used for `max_age_seconds`, then the least recently used down to `max_bytes`.

    Never what a live pin names, what was used since the oldest live pin began, nor what is younger than
    ten minutes; so more than `max_bytes` may be left. Content that no record names goes after an hour, a file
    that never got published likewise, a plan after a day without use, a run's record after 30 days or
    `max_age_seconds`; the last 20 runs keep theirs, and their plans. `now`: seconds since 1970.
    Never raises for a file that cannot be removed: it is left.
    """
    run_seconds = RUN_SECONDS if max_age_seconds is None else min(RUN_SECONDS, max_age_seconds)
    return collect(root, Limits(now, max_bytes, max_age_seconds, run_seconds=run_seconds))


def collect(
    root: str, limits: Limits, inventory: Inventory | None = None, is_time_up: IsTimeUp = never
) -> GcReport:
    """Remove what the limits do not let stay, as `gc` does; what time is too short for, another time.

    `inventory` is a look at the store that was just taken.
    """
    pins = live_pins(root, limits.now)
    if inventory is None:
        inventory = looking.take_inventory(root)
    gone_records = _remove_all(records_to_remove(inventory, pins, limits), is_time_up)
    gone_names = {record.name for record in gone_records}
    left_records = [record for record in inventory.records if record.name not in gone_names]
    gone_contents = _remove_all(contents_to_remove(inventory, left_records, pins, limits), is_time_up)
    plans = _remove_all(_old_plans(root, pins, limits))
    staging = _remove_all(_old_staging(root, limits))
    remove_dead_pins(root, limits.now)
    _remove_old_runs(root, limits)
    before = _bytes(inventory.records) + _bytes(inventory.contents.values())
    gone = _bytes(gone_records) + _bytes(gone_contents)
    lost = {content.name for content in gone_contents}
    left_contents = {name: each for name, each in inventory.contents.items() if name not in lost}
    return GcReport(
        removed_records=len(gone_records),
        removed_contents=len(gone_contents),
        removed_plans=len(plans),
        removed_staging=len(staging),
        freed_bytes=gone + _bytes(plans) + _bytes(staging),
        left_bytes=before - gone,
        kept=kept_parts(Inventory(left_records, left_contents), pins, limits),
    )


def sweep(root: str, now: float, is_time_up: IsTimeUp = never) -> None:
    """Remove old plans and runs, dead pins and what never got published: what needs no look at records."""
    limits = Limits(now)
    pins = live_pins(root, now)
    remove_dead_pins(root, now)
    _remove_old_runs(root, limits)
    _remove_all(_old_plans(root, pins, limits), is_time_up)
    _remove_all(_old_staging(root, limits, is_time_up), is_time_up)


def records_to_remove(inventory: Inventory, pins: LivePins, limits: Limits) -> list[StoredFile]:
    """Decide which records go. Pure."""
    free = [record for record in inventory.records if not _is_protected(record, pins, limits)]
    free.sort(key=lambda record: (record.modified, record.name))
    users = Counter(name for record in inventory.records for name in set(record.names))
    unnamed = [c for name, c in inventory.contents.items() if not users[name]]
    total = _bytes(inventory.records) + _bytes(inventory.contents.values())
    # What no record names goes anyway, if it is not protected, and makes room before any record has to.
    total -= _bytes(c for c in unnamed if _is_unneeded(c, pins, limits))
    doomed: list[StoredFile] = []
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
            if content and not users[name] and not _is_protected(content, pins, limits):
                total -= content.size_bytes
    return doomed


def contents_to_remove(
    inventory: Inventory, left_records: Iterable[StoredFile], pins: LivePins, limits: Limits
) -> list[StoredFile]:
    """Decide which contents go, when only `left_records` are left. Pure."""
    needed = {name for record in left_records for name in record.names}
    named_before = {name for record in inventory.records for name in record.names}
    doomed = []
    for name, content in inventory.contents.items():
        if name in needed:
            continue
        judge = _is_protected if name in named_before else _is_kept_unnamed
        if not judge(content, pins, limits):
            doomed.append(content)
    return doomed


def kept_parts(left: Inventory, pins: LivePins, limits: Limits) -> tuple[KeptPart, ...]:
    """Why what is left in a store was left, the strongest reason first. Pure."""
    holders = [(in_use_by(record), frozenset(record.keys)) for record in pins.records]
    recent = f"used within the last {_span(limits.recent_seconds)}"
    since = "used or made since the oldest running build began"
    rest = "within the limits"
    reasons = [*dict.fromkeys(reason for reason, _ in holders), since, recent, rest]
    parts: dict[str, list[StoredFile]] = {reason: [] for reason in reasons}
    for record in left.records:
        held = next((why for why, keys in holders if record.name in keys or record.action in keys), None)
        parts[held or _since_or_recent(record, pins, limits, (since, recent, rest))].append(record)
    unseen = dict(left.contents)
    found = []
    for reason, records in parts.items():
        named = [unseen.pop(name) for record in records for name in record.names if name in unseen]
        if records:
            found.append(KeptPart(reason, len(records), _bytes(records) + _bytes(named)))
    if unseen:
        reason = "sources in use, or content whose record may be on its way"
        found.append(KeptPart(reason, 0, _bytes(unseen.values())))
    return tuple(found)


def in_use_by(pin: PinRecord) -> str:
    """Which running build a pin is of, for people."""
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(pin.started))
    build = f"of {pin.build} " if pin.build else ""
    return f"in use by the build {build}(process {pin.pid} on {pin.host}, since {since})"


def _since_or_recent(file: StoredFile, pins: LivePins, limits: Limits, words: tuple[str, str, str]) -> str:
    since, recent, rest = words
    if _is_used_since(file, pins):
        return since
    return recent if _is_recent(file, limits) else rest


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.0f} hours"


def _is_protected(file: StoredFile, pins: LivePins, limits: Limits) -> bool:
    if file.name in pins.keys or file.action in pins.keys:
        return True
    return _is_recent(file, limits) or _is_used_since(file, pins)


def _is_recent(file: StoredFile, limits: Limits) -> bool:
    return limits.recent_seconds > 0 and limits.now - file.modified < limits.recent_seconds


def _is_used_since(file: StoredFile, pins: LivePins) -> bool:
    # The time of the last use may be recorded too early by this much.
    return pins.oldest_start is not None and file.modified >= pins.oldest_start - USE_RESOLUTION_SECONDS


def _is_kept_unnamed(content: StoredFile, pins: LivePins, limits: Limits) -> bool:
    is_young = limits.unnamed_seconds > 0 and limits.now - content.modified < limits.unnamed_seconds
    return is_young or _is_protected(content, pins, limits)


def _is_unneeded(content: StoredFile, pins: LivePins, limits: Limits) -> bool:
    return not _is_kept_unnamed(content, pins, limits)


def _old_plans(root: str, pins: LivePins, limits: Limits) -> list[StoredFile]:
    cutoff = limits.now - limits.plan_seconds if limits.plan_seconds else float("inf")
    if pins.oldest_start is not None:
        cutoff = min(cutoff, pins.oldest_start - USE_RESOLUTION_SECONDS)
    old = [plan for plan in stored(files_in(f"{root}/{PLANS}")) if plan.modified < cutoff]
    kept = plans_kept(root, limits.runs_kept) if old else frozenset()
    return [plan for plan in old if plan.name not in kept]


def _remove_old_runs(root: str, limits: Limits) -> None:
    for run_id in old_runs(root, limits.now, limits.run_seconds, limits.runs_kept):
        remove_record(root, run_id)


def _old_staging(root: str, limits: Limits, is_time_up: IsTimeUp = never) -> list[StoredFile]:
    folders = [f"{root}/{PLANS}", *folders_in(f"{root}/{RUNS}")]
    for sharded_folder in (CONTENTS, RECORDS):
        folders += folders_in(f"{root}/{sharded_folder}")
    return [
        file
        for folder in folders
        if not is_time_up()
        for file in stored(files_in(folder), staging=True)
        if limits.now - file.modified > limits.staging_seconds
    ]


def _remove_all(files: Iterable[StoredFile], is_time_up: IsTimeUp = never) -> list[StoredFile]:
    gone = []
    for file in files:
        if is_time_up():
            break
        if _remove(file):
            gone.append(file)
    return gone


def _remove(file: StoredFile) -> bool:
    """Remove the file, unless it was used or replaced since the store was looked at."""
    try:
        seen = os.stat(file.path)
    except OSError:
        return False
    return seen.st_mtime == file.modified and remove_unchanged(file.path, seen)


def _bytes(files: Iterable[StoredFile]) -> int:
    return sum(file.size_bytes for file in files)
