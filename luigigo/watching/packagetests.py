"""The tests of the packages that a watch builds: run when what they test, or they themselves, changed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence

from luigigo.builds.watched import Tested, Watching
from luigigo.process import Command, Grouped, start_group
from luigigo.watching.programs import end

_TEST_FILE = "_test.go"


class PackageTests:
    """Runs `go test` for the packages that are not tested as they are now, one run at a time."""

    def __init__(self, grace_seconds: float, say: Callable[[str], None]) -> None:
        self._grace_seconds, self._say = grace_seconds, say
        self._keys: dict[str, str] = {}
        """Of the packages as they were when their tests began that went on to the end."""
        self._stale: set[str] = set()
        """Folders whose test files changed since."""
        self._group: Grouped | None = None
        self._running: dict[str, str] = {}
        self._ended = threading.Event()

    def before_build(self) -> None:
        """A build is about to begin: what is tested is out of date."""
        self.stop()

    def after_build(self, left: Watching, changed: Sequence[str]) -> None:
        """A build has succeeded."""
        self._stale |= {os.path.dirname(path) for path in changed if path.endswith(_TEST_FILE)}
        tested = left.tested
        if tested is None:
            return
        wanted = to_test(tested, self._keys, self._stale)
        if not wanted:
            return
        argv = (*tested.argv, *wanted)
        try:
            group = start_group(Command(argv, tested.folder, tested.environment))
        except OSError as error:
            self._say(f"luigigo: cannot run {argv[0]}: {error.strerror}")
            return
        self._ended.clear()
        self._group, self._running = group, {path: tested.keys[path] for path in wanted}
        self._stale -= {tested.folders[path] for path in wanted}
        threading.Thread(target=self._await, args=(group,), name="go test", daemon=True).start()

    def stop(self) -> None:
        """End the tests that run, and wait until they are gone."""
        group, self._group = self._group, None
        if group is not None and not self._ended.is_set():
            end(group, self._ended, self._grace_seconds)
            for path in self._running:
                self._keys.pop(path, None)

    def _await(self, group: Grouped) -> None:
        running = self._running
        group.wait()
        if self._group is group:
            self._keys.update(running)
        self._ended.set()


def to_test(tested: Tested, keys: dict[str, str], stale: set[str]) -> list[str]:
    """The packages whose action key or test files are others than when they were tested last."""
    return [
        path for path, key in tested.keys.items() if keys.get(path) != key or tested.folders[path] in stale
    ]
