"""What can be wrong with a file of the store, and waiting for what other nodes published.

A file that one node renamed may be invisible on another for seconds: NFS and MooseFS remember that a name was
absent. So who knows that a file exists looks again, for a bounded time, before it believes otherwise.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, TypeVar

from luigigo.store.layout import staging_path

MISSING = "missing"
AWAY = frozenset(
    (errno.ESTALE, errno.EIO, errno.ENOTCONN, errno.ETIMEDOUT, errno.ECONNABORTED, errno.ECONNRESET)
)
"""What calls on a share fail with that is away for a moment."""
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.5
LISTING_SECONDS = 1.0
"""How long listing a folder is tried alone, which changes nothing on the share."""
MOST_LOOKS = 4
"""Each look shows what was made up to then, and others go on making folders."""

Found = TypeVar("Found")


class Flaw(Exception):
    """A file cannot be used. Never leaves the store: its users get a `StoreError` or None."""

    def __init__(self, what: str, *, passing: bool = False, seen: os.stat_result | None = None) -> None:
        """`passing`: waiting may mend it. `seen`: the file that is damaged and had better be removed."""
        super().__init__(what)
        self.what = what
        self.passing = passing
        self.seen = seen
        self.waited_seconds = 0.0

    def patience(self) -> str:
        """How long was waited, for the end of a message; empty when hardly at all."""
        return f" after {self.waited_seconds:.1f} s" if self.waited_seconds >= FIRST_PAUSE_SECONDS else ""


def flaw_of(error: OSError) -> Flaw:
    """What a failed call says of a file."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return Flaw(MISSING, passing=True)
    # Not to be removed: it may be sound, and a share that is away for a moment answers like this too.
    return Flaw(f"unreadable: {error.strerror}", passing=error.errno in AWAY)


def open_plain(path: str) -> BinaryIO:
    """Open a plain file to read. Raises `Flaw` for anything else, such as a pipe that would never answer."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    seen = os.fstat(descriptor)
    if not stat.S_ISREG(seen.st_mode):
        os.close(descriptor)
        raise Flaw("no plain file", seen=seen)
    return open(descriptor, "rb", buffering=0)


def patiently(attempt: Callable[[], Found], folder: str, wait_seconds: float) -> Found:
    """Attempt until it succeeds. Raises its `Flaw` when waiting does not mend it or the time is over.

    `folder` is where the file lies on the share.
    """
    started = time.monotonic()
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            return attempt()
        except Flaw as flaw:
            flaw.waited_seconds = waited_seconds = time.monotonic() - started
            remaining = wait_seconds - waited_seconds
            if not flaw.passing or remaining <= 0:
                raise
        time.sleep(min(pause, remaining))
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        if waited_seconds > LISTING_SECONDS:
            leave_a_mark(folder)
        look_afresh(folder)


def look_afresh(folder: str) -> None:
    """Have this node forget which names it takes to be absent in a folder, by listing it.

    A folder that is not seen may be such a name itself: then what is above it is listed first.
    """
    try:
        os.listdir(folder)
    except FileNotFoundError:
        above = os.path.dirname(folder)
        if above != folder:
            look_afresh(above)
            with suppress(OSError):
                os.listdir(folder)
    except OSError:
        pass


def leave_a_mark(folder: str) -> None:
    """Have this node ask the share's server about a folder, by making a name there that is removed at once.

    An NFS client answers listings, and which names are absent, from what it knows for as long as it takes
    the folder to be unchanged (nfs(5), acdirmin: 30 s). With the answer to a change of its own it gets the
    folder's times, sees that others changed it as well, and forgets all of that. A folder that is not seen
    may be such a name itself: then the mark is made above it.
    """
    for place in (folder, os.path.dirname(folder)):
        mark = staging_path(place)
        with suppress(OSError):
            os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            os.unlink(mark)
            return


def make_folder(folder: str) -> None:
    """Make a folder, and those above it. Raises `OSError`.

    One that another node made is good as well, also where this node looked for it too early and misses it.
    """
    for _ in range(MOST_LOOKS):
        with suppress(FileExistsError, FileNotFoundError):
            os.makedirs(folder, exist_ok=True)
            return
        look_afresh(folder)
        # Not left to makedirs: its attempt has some file systems forget again what the listing showed.
        if os.path.isdir(folder):
            return
    os.makedirs(folder, exist_ok=True)
