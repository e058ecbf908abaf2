"""A lock for each key, there for as long as somebody holds it or waits for it."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class KeyedLocks:
    """Threads that name the same key take turns; those of different keys do not meet."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[Hashable, tuple[threading.Lock, set[int]]] = {}
        """With the threads that hold or await each."""

    def __len__(self) -> int:
        """How many keys are held or awaited."""
        return len(self._locks)

    @contextmanager
    def hold(self, key: Hashable) -> Iterator[None]:
        """Hold the key's lock within the block. Not reentrant."""
        thread = threading.get_ident()
        with self._guard:
            lock, threads = self._locks.setdefault(key, (threading.Lock(), set()))
            threads.add(thread)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                threads.discard(thread)
                if not threads:
                    del self._locks[key]
