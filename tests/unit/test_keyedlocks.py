"""A lock for each key."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from luigigo.keyedlocks import KeyedLocks


def test_one_key_is_held_by_one_thread_at_a_time() -> None:
    """Eight threads that add to one count without another lock lose nothing."""
    locks, counts = KeyedLocks(), {"a": 0, "b": 0}

    def add(key: str) -> None:
        for _ in range(200):
            with locks.hold(key):
                before = counts[key]
                threading.Event().wait(0.00001)
                counts[key] = before + 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, "abababab"))
    assert counts == {"a": 800, "b": 800}


def test_another_key_is_not_waited_for() -> None:
    """While one key is held, a thread with another gets in."""
    locks = KeyedLocks()
    with locks.hold("slow"):
        other = threading.Thread(target=lambda: locks.hold("quick").__enter__(), daemon=True)
        other.start()
        other.join(5)
        assert not other.is_alive()


def test_a_key_that_nobody_holds_is_forgotten() -> None:
    """Also where the block raised."""
    locks = KeyedLocks()
    for key in range(1000):
        try:
            with locks.hold(key):
                assert len(locks) == 1
                raise ValueError
        except ValueError:
            pass
    assert len(locks) == 0
