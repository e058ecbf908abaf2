"""What time it is where a store lies: the age of its files is told by the clock that gave them their times.

On a network file system that is the server's, and a host whose own clock is hours ahead would take for old
what was made a moment ago.
"""

from __future__ import annotations

import os

from luigigo.errors import StoreError
from luigigo.store.layout import PLANS, staging_path

LARGEST_DIFFERENCE_SECONDS = 180.0
"""Between the clocks of a host and of a store's file system: the pins of builds bear the hosts' times."""


def share_time(folder: str) -> float:
    """The time by the clock of the file system that a folder lies on, in seconds since 1970.

    Raises `OSError` where no file can be made in it.
    """
    probe = staging_path(folder)
    descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        return os.fstat(descriptor).st_mtime
    finally:
        os.close(descriptor)
        os.unlink(probe)


def agreed_time(root: str, host: float) -> float:
    """The time by the clock of a store's file system, which `host`, the time of this host, is near to.

    Both in seconds since 1970. Raises `StoreError` where they differ by more than
    `LARGEST_DIFFERENCE_SECONDS`, or no file can be made.
    """
    try:
        # There what a process that was killed leaves is removed in time.
        now = share_time(f"{root}/{PLANS}")
    except OSError as error:
        raise StoreError(f"luigigo: {root}: {error.strerror}") from error
    if abs(host - now) > LARGEST_DIFFERENCE_SECONDS:
        way = "ahead of" if host > now else "behind"
        raise StoreError(
            f"luigigo: nothing was removed: this host's clock is {_span(abs(host - now))} {way} that of the "
            f"file system of {root}, so what is old cannot be told; set it right, or use another host"
        )
    return now


def _span(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 5400 else f"{seconds / 60:.0f} minutes"
