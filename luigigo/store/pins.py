"""Pins: what a running build needs, so that collecting garbage leaves it alone.

A pin belongs to a process. It ends with its build, and counts for nothing once its process is certainly
dead, or it was not renewed for ten minutes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import msgspec

from luigigo.encoding import legible
from luigigo.store.layout import PIN, RUNS, folders_in, run_folder
from luigigo.store.owners import Owner, is_dead, this_process
from luigigo.store.staging import publish, store_errors

PIN_SECONDS = 600.0
"""A pin that was not renewed for this long is dead: its build crashed, or its node did."""


class PinRecord(msgspec.Struct, frozen=True):
    """What a pin's file holds."""

    host: str
    pid: int
    started: float
    """Seconds since 1970, by the clock of the host."""
    keys: tuple[str, ...]
    machine: str = ""
    born: str = ""
    """These two as an `Owner` has them."""
    build: str = ""
    """What is built, for people."""

    @property
    def owner(self) -> Owner:
        """Whose it is."""
        return Owner(self.host, self.pid, self.machine, self.born)


class LivePins(msgspec.Struct, frozen=True):
    """What all pins that are alive protect together."""

    keys: frozenset[str]
    oldest_start: float | None
    """Seconds since 1970; None when no pin is alive."""
    records: tuple[PinRecord, ...] = ()
    """Those that can be read, the oldest first."""


class Pin:
    """A running build's claim. Renew it every minute or so; a build that dies lets it lapse."""

    def __init__(
        self,
        root: str,
        run_id: str,
        keys: Iterable[str],
        build: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Publish the pin. Raises `StoreError`, and `ValueError` for an id that is no plain file name."""
        self.path = f"{run_folder(root, run_id)}/{PIN}"
        owner = this_process()
        self._record = PinRecord(
            owner.host, owner.pid, clock(), tuple(keys), owner.machine, owner.born, legible(build)
        )
        self._publish()

    def renew(self) -> None:
        """Say that the build is alive. Puts the pin back if it was taken for dead. Raises `StoreError`."""
        with store_errors("renew", self.path):
            try:
                os.utime(self.path)
                return
            except FileNotFoundError:
                pass
        self._publish()

    def end(self) -> None:
        """Give the claim up. Never fails: what cannot be removed lapses. A forked child gives up nothing."""
        if os.getpid() == self._record.pid:
            _remove(self.path)

    def _publish(self) -> None:
        with store_errors("write", self.path):
            publish(self.path, msgspec.json.encode(self._record), 0o644)


def live_pins(root: str, now: float) -> LivePins:
    """What the pins of living processes claim that were renewed within `PIN_SECONDS` before `now`.

    A live pin that cannot be read claims nothing by name, yet everything used since it was renewed.
    """
    records: list[PinRecord] = []
    starts: list[float] = []
    for path in _paths(root):
        found = _look(path, now)
        if isinstance(found, PinRecord):
            records.append(found)
            starts.append(found.started)
        elif found is not None:
            starts.append(found)
    records.sort(key=lambda record: record.started)
    keys = frozenset(key for record in records for key in record.keys)
    return LivePins(keys, min(starts, default=None), tuple(records))


def remove_dead_pins(root: str, now: float) -> int:
    """Remove the pins that lapsed or whose processes are dead; return how many."""
    return sum(_look(path, now) is None and _remove(path) for path in _paths(root))


def _paths(root: str) -> list[str]:
    return [f"{folder}/{PIN}" for folder in folders_in(f"{root}/{RUNS}")]


def _look(path: str, now: float) -> PinRecord | float | None:
    """A live pin; when it was renewed, where it cannot be read; None for a dead one."""
    try:
        renewed = os.stat(path).st_mtime
    except OSError:
        return None
    if now - renewed > PIN_SECONDS:
        return None
    try:
        with open(path, "rb") as file:
            record = msgspec.json.decode(file.read(), type=PinRecord)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return renewed
    return None if is_dead(record.owner) else record


def _remove(path: str) -> bool:
    """Remove a pin, and its run's folder where that holds nothing else; whether there was one."""
    try:
        os.unlink(path)
    except OSError:
        return False
    finally:
        with suppress(OSError):
            os.rmdir(os.path.dirname(path))
    return True
