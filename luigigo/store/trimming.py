"""A store keeps itself small: rarely, quickly, and never what was used lately. As Trim in cmd/go's cache.go.

A store is looked at once a day. A mark's time says when, and it is set first, so that of several builds one
does it. Most looks end with one stat for each content: it is small enough. Else the records are read and the
least recently used go, records before their content: what is left after a crash is whole. A look for which
the time was too short is kept, and goes on at the end of the next build.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec

from luigigo.encoding import Codec
from luigigo.store.garbage import GcReport, Limits, collect, sweep
from luigigo.store.inventory import Inventory, IsTimeUp, content_bytes, take_inventory
from luigigo.store.layout import CONTENTS, folders_in
from luigigo.store.records import USE_RESOLUTION_SECONDS
from luigigo.store.staging import publish

EVERY_SECONDS = 86_400.0
LATELY_SECONDS = 86_400.0 + USE_RESOLUTION_SECONDS
"""What was used within this time stays, however much it is."""
LOOK_SECONDS = 0.25
"""How long the end of one build may take to sweep, and as long to see how large the store is."""
READ_SECONDS = 0.5
"""How long it may read records then, and as long remove."""
TRIM_TO = 0.9
"""Of the bound: how much stays when it was passed, so that it is not passed again at once."""
MARK = "trimmed"
LOOK = "trimming"


def last_trimmed(root: str) -> float | None:
    """When the store was looked at, in seconds since 1970; None for never."""
    try:
        return os.stat(f"{root}/{MARK}").st_mtime
    except OSError:
        return None


def is_due(trimmed: float | None, now: float) -> bool:
    """Whether it is time to look again. A mark from the future is that of a clock that was wrong."""
    return trimmed is None or not -USE_RESOLUTION_SECONDS < now - trimmed < EVERY_SECONDS


def trim(
    root: str, bound_bytes: int | None, now: float, clock: Callable[[], float] = time.monotonic
) -> GcReport | None:
    """Bring a store back below its bound, if it is time to look; say what was done, or None for nothing.

    Without a bound only what nobody misses goes: old plans, what never got published, dead pins. `now`:
    seconds since 1970; `clock` measures what each part takes. Never raises for what cannot be read.
    """
    if not is_due(last_trimmed(root), now) or not _mark(root, now):
        return None
    with suppress(OSError):
        sweep(root, now, _within(LOOK_SECONDS, clock))
        folders = folders_in(f"{root}/{CONTENTS}")
        if bound_bytes is None or content_bytes(folders, _within(LOOK_SECONDS, clock)) <= bound_bytes:
            forget_look(root)
            return None
        return _trim(root, Limits(now, int(bound_bytes * TRIM_TO), recent_seconds=LATELY_SECONDS), clock)
    return None


def _trim(root: str, limits: Limits, clock: Callable[[], float]) -> GcReport | None:
    inventory = take_inventory(root, _read_look(root), _within(READ_SECONDS, clock))
    if not inventory.is_complete:
        _go_on_next_time(root, inventory, limits.now)
        return None
    is_time_up = _within(READ_SECONDS, clock)
    report = collect(root, limits, inventory, is_time_up)
    if is_time_up():
        _go_on_next_time(root, inventory, limits.now)
    else:
        forget_look(root)
    return report


def _within(seconds: float, clock: Callable[[], float]) -> IsTimeUp:
    """Says when so much time has passed since it was first asked: each part gets on in any store."""
    deadline: list[float] = []

    def is_time_up() -> bool:
        if not deadline:
            deadline.append(clock() + seconds)
            return False
        return clock() >= deadline[0]

    return is_time_up


def forget_look(root: str) -> None:
    """Remove a look that was kept."""
    with suppress(OSError):
        os.unlink(f"{root}/{LOOK}")


def _mark(root: str, when: float) -> bool:
    path = f"{root}/{MARK}"
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666))
        os.utime(path, (when, when))
    except OSError:
        # Only who made the mark may set its time; and who can't write can't trim.
        return _replace_mark(path)
    return True


def _replace_mark(path: str) -> bool:
    try:
        publish(path, b"", 0o644)
    except OSError:
        return False
    return True


_codec = Codec[Inventory](msgspec.msgpack, Inventory)


def _go_on_next_time(root: str, look: Inventory, now: float) -> None:
    """Keep what was seen. Contents are cheap to see again."""
    with suppress(OSError):
        kept = msgspec.structs.replace(look, contents={})
        publish(f"{root}/{LOOK}", _codec.encode(kept), 0o644)
    _mark(root, now - EVERY_SECONDS)


def _read_look(root: str) -> Inventory | None:
    try:
        with open(f"{root}/{LOOK}", "rb") as file:
            return _codec.decode(file.read())
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
