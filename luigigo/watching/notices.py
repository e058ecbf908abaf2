"""Hears of changes in folders as they happen, from the kernel; what it misses is found by looking.

watchdog's own observers count opening a file as an event and hold renames back, so this asks watchdog's
inotify(7) for what matters alone.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection
from contextlib import suppress

from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
)

_MASK = Mask(
    InotifyConstants.IN_MODIFY
    | InotifyConstants.IN_ATTRIB
    | InotifyConstants.IN_CLOSE_WRITE
    | InotifyConstants.IN_MOVE
    | InotifyConstants.IN_CREATE
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_DELETE_SELF
    | InotifyConstants.IN_MOVE_SELF
    | InotifyConstants.IN_ONLYDIR
)
_LIMITS = {
    errno.ENOSPC: "fs.inotify.max_user_watches",
    errno.EMFILE: "fs.inotify.max_user_instances",
}


class Notices:
    """Tells of entries that change in a set of folders: `on_change(folder, name)`, from a thread of its own.

    With "" for both, anything may have changed.
    """

    def __init__(self, on_change: Callable[[str, str], None]) -> None:
        self._on_change = on_change
        self._watches: dict[str, _Folder] = {}
        self._inotify: InotifyFD | None = None
        self.limit = ""
        """The setting that ran out, so that some folders are only looked at now and then."""

    def follow(self, folders: Collection[str]) -> None:
        """Hear of these folders from now on, and no others; instead of a missing one, of that around it."""
        wanted = dict.fromkeys(map(_nearest, folders))
        self.limit = ""
        for path in list(self._watches):
            if path not in wanted or self._watches[path].is_gone:
                self._end(self._watches.pop(path))
        for path in wanted:
            if path not in self._watches and not self.limit:
                self._begin(path)

    def close(self) -> None:
        """Hear of nothing any more."""
        self._watches.clear()
        if self._inotify is not None:
            self._inotify.stop()
            self._inotify.join()
            self._inotify = None

    def _begin(self, path: str) -> None:
        folder = _Folder(path, self._on_change)
        try:
            if self._inotify is None:
                self._inotify = InotifyFD()
                self._inotify.start()
            folder.descriptor = self._inotify.add_callback(os.fsencode(path), _MASK, folder, _id(folder))
        except OSError as error:
            self.limit = _LIMITS.get(error.errno or 0, "")
            return
        self._watches[path] = folder

    def _end(self, folder: _Folder) -> None:
        with suppress(OSError):
            if self._inotify is not None and not folder.is_gone:
                self._inotify.remove_callbacks([(folder.descriptor, _id(folder))])


class _Folder:
    """One folder that is listened to."""

    descriptor = WatchDescriptor(-1)
    is_gone = False

    def __init__(self, path: str, on_change: Callable[[str, str], None]) -> None:
        self._path, self._on_change = path, on_change

    def on_event(self, event: InotifyEvent) -> None:
        """An entry changed, or the folder was moved away."""
        if event.is_move_self:
            self.is_gone = True
            self._on_change("", "")
        else:
            self._on_change(self._path, os.fsdecode(event.name))

    def on_watch_deleted(self, descriptor: WatchDescriptor) -> None:
        """The folder is gone; another may be there by now."""
        self.is_gone = True
        self._on_change("", "")

    def on_queue_overflow(self) -> None:
        """The kernel dropped events."""
        self._on_change("", "")


def _id(folder: _Folder) -> CallbackId:
    return CallbackId(id(folder))


def _nearest(folder: str) -> str:
    while folder != "/" and not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder
