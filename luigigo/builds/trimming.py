"""Keep what a machine remembers of builds small: the store, and what lies beside it in the cache folder.

`hashes` and `timings` bound themselves; work folders go with their processes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress

from luigigo.config import STORE_BYTES, Config
from luigigo.errors import StoreError
from luigigo.store import trimming
from luigigo.store.garbage import GcReport, Limits, collect
from luigigo.store.layout import is_digest
from luigigo.store.nodecache import CacheKeeper
from luigigo.store.shareclock import agreed_time

UNUSED_SECONDS = 30 * 86_400.0
"""How long a kept plan stays that nobody uses, and an answer of a compiler at all: it is asked for again."""
ANSWERS = ("kept", "probes", "compilers")
"""Folders of a cache with one file for each question."""
COPIES = ("contents", "sources")
"""Folders of a cache with copies of what is in a shared store."""


def trim_if_clocks_agree(config: Config, host: float) -> None:
    """As `trim`, by the clock of the store's file system; nothing where this host's is far from it.

    `host`: this host's time, in seconds since 1970. Never raises for what cannot be removed.
    """
    if trimming.is_due(trimming.last_trimmed(config.store_root), host):
        with suppress(StoreError):
            trim(config, agreed_time(config.store_root, host))


def trim(config: Config, now: float) -> None:
    """Bring store and cache folder back below their bounds, if it is time to look. `now`: seconds since 1970.

    Never raises for what cannot be removed.
    """
    if not trimming.is_due(trimming.last_trimmed(config.store_root), now):
        return
    trimming.trim(config.store_root, config.store_bound_bytes, now)
    # Links last: what they lead to may go.
    for path in sorted(_answers(config.cache), key=os.path.islink):
        _forget(path, now)
    if config.shared:
        bound_bytes = config.store_bound_bytes or STORE_BYTES
        with suppress(OSError):
            CacheKeeper(_folders(config.cache, COPIES), bound_bytes).trim(now)


def clean(config: Config, now: float) -> GcReport:
    """Empty the store, and the cache folder of what rests on it, but for what running builds hold.

    While a build runs, copies of a shared store stay: it may read them. What is not luigigo's stays always.
    """
    report = collect(
        config.store_root,
        Limits(
            now,
            0,
            0.0,
            recent_seconds=0,
            unnamed_seconds=0,
            staging_seconds=60.0,
            plan_seconds=0,
            run_seconds=0.0,
            runs_kept=0,
        ),
    )
    trimming.forget_look(config.store_root)
    for path in _answers(config.cache):
        with suppress(OSError):
            os.unlink(path)
    if not report.kept:
        for path in _copies(config.cache):
            if os.path.isdir(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    os.unlink(path)
    return report


def _folders(cache: str, names: Iterable[str]) -> list[str]:
    return [os.path.join(cache, name) for name in names]


def _answers(cache: str) -> Iterator[str]:
    """The files of answers, also those that were never finished."""
    for folder in _folders(cache, ANSWERS):
        with suppress(OSError), os.scandir(folder) as entries:
            yield from [entry.path for entry in entries if is_digest(entry.name.partition(".")[0])]


def _copies(cache: str) -> Iterator[str]:
    for folder in _folders(cache, COPIES):
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if is_digest(entry.name):
                    yield entry.path
                elif len(entry.name) == 2 and entry.is_dir(follow_symlinks=False):
                    with os.scandir(entry.path) as shard:
                        yield from [each.path for each in shard if is_digest(each.name)]


def _forget(path: str, now: float) -> None:
    """Remove an answer that is old, and a command line's link to one that is gone."""
    with suppress(OSError):
        is_lost = os.path.islink(path) and not os.path.exists(path)
        is_old = not os.path.islink(path) and now - os.stat(path).st_mtime > UNUSED_SECONDS
        if is_lost or is_old:
            os.unlink(path)
