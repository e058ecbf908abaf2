"""What lies in a store: its records and contents, looked at in as many goes as there is time for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

import msgspec

from luigigo.store.layout import CONTENTS, RECORDS, STAGING_PREFIX, files_in, files_in_shards, is_digest
from luigigo.store.records import parse_record

IsTimeUp = Callable[[], bool]
"""Whether to stop and leave the rest for another time."""


def never() -> bool:
    """There is all the time that it takes."""
    return False


class StoredFile(msgspec.Struct, frozen=True):
    """A file as it was when the store was looked at."""

    path: str
    name: str
    size_bytes: int
    modified: float
    """Seconds since 1970. Of a record and a plan: the last use."""
    names: tuple[str, ...] = ()
    """Of a record: the digests of its content."""
    action: str = ""
    """Of a record: the action key, by which pins name it; it lies under its content key as well."""


class Inventory(msgspec.Struct, frozen=True):
    """The records and contents of a store."""

    records: list[StoredFile]
    contents: dict[str, StoredFile]
    is_complete: bool = True
    """Whether all was looked at."""


def take_inventory(root: str, known: Inventory | None = None, is_time_up: IsTimeUp = never) -> Inventory:
    """Look at every record and content. The records first: what they name was published before them.

    `known` is an earlier look: records that are as they were then are not read again. When time is up while
    records are read, those that were not read are left out.
    """
    before = {record.name: record for record in known.records} if known is not None else {}
    records: list[StoredFile] = []
    is_complete = True
    for file in stored(files_in_shards(f"{root}/{RECORDS}")):
        same = before.get(file.name)
        if same is not None and (same.modified, same.size_bytes) == (file.modified, file.size_bytes):
            # Its place is where it was just seen: anybody may have written what is known.
            records.append(msgspec.structs.replace(file, names=same.names, action=same.action))
            continue
        is_complete = is_complete and not is_time_up()
        if is_complete:
            with suppress(OSError):
                records.append(_read(file))
    if not is_complete:
        return Inventory(records, {}, is_complete)
    contents = {file.name: file for file in stored(files_in_shards(f"{root}/{CONTENTS}"))}
    return Inventory(records, contents)


def _read(file: StoredFile) -> StoredFile:
    with open(file.path, "rb") as opened:
        record = parse_record(file.name, opened.read())
    if isinstance(record, str):
        # A damaged record names nothing; it goes when its time comes, or when it is read.
        return file
    names = tuple(output.digest for output in record.outputs.values())
    return msgspec.structs.replace(file, names=names, action=record.key)


def stored(entries: Iterator[os.DirEntry[str]], *, staging: bool = False) -> Iterator[StoredFile]:
    """The files that are published, or those that are not; never one that is not the store's own."""
    for entry in entries:
        if entry.name.startswith(STAGING_PREFIX) if staging else is_digest(entry.name):
            with suppress(OSError):
                stat = entry.stat(follow_symlinks=False)
                yield StoredFile(entry.path, entry.name, stat.st_size, stat.st_mtime)


def content_bytes(folders: Iterable[str], is_time_up: IsTimeUp) -> int:
    """What the files in the folders of a store's contents take together; one stat each, and no more.

    When time is up the rest is taken to be as what was seen: digests spread evenly over the folders.
    """
    waiting = list(folders)
    total = 0
    for seen, folder in enumerate(waiting):
        if seen and is_time_up():
            return total * len(waiting) // seen
        total += sum(file.size_bytes for file in stored(files_in(folder)))
    return total
