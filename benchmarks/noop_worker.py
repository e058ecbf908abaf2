"""A worker of a cluster whose actions do nothing, or start /bin/true: all but the work is the real one.

python benchmarks/noop_worker.py HOST PORT TOKEN_FILE NODE SLOTS nothing|true|sleep
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from luigigo.model import Output, digest_of
from luigigo.process import Command, Runner
from luigigo.protocol.endpoint import Endpoint
from luigigo.store.nodecache import CacheKeeper
from luigigo.token import read_token
from luigigo.worker.worker import NodeWorker, WorkerOptions

SLEEP_SECONDS = 60.0
TRUE = Command(argv=("/bin/true",), cwd="/", env={})


class AnyAction:
    """A plan that has every action."""

    def get(self, name: str) -> object:
        return name


class NoopNodeContext:
    """Stands where a worker's context of its node stands."""

    def __init__(self, work: str) -> None:
        self.toolchain = SimpleNamespace(identity="noop", version="noop")
        timings = SimpleNamespace(gogc=lambda action: "")
        self.context: Any = SimpleNamespace(runner=Runner(), timings=timings)
        works: dict[str, Callable[[], object]] = {
            "nothing": lambda: None,
            "true": lambda: self.context.runner.run(TRUE),
            "sleep": lambda: time.sleep(SLEEP_SECONDS),
        }
        self._work = works[work]
        self.plan = SimpleNamespace(actions=AnyAction())

    def executor(self, digest: str) -> NoopNodeContext:
        return self

    def require_c(self, executor: object, action: object) -> None:
        """Nothing is compiled."""

    def reserve(self, action: str, peak_bytes: int) -> None:
        """They take no memory."""

    def learn(self, made: object) -> None:
        """Nothing is read."""

    def stage(self, action: str, *, probably_done: bool) -> None:
        """Nothing is read."""

    def fetch(self, action: str, dependency: str) -> None:
        """Nothing is read."""

    def perform(self, action: str, tools_ended: Callable[[], None]) -> Any:
        self._work()
        tools_ended()
        outputs = {role: Output(digest_of(action, role), 1000) for role in ("export", "object")}
        return SimpleNamespace(cpu_seconds=0.0, peak_bytes=0, said=(), outputs=outputs)

    def save(self) -> None:
        """Nothing is kept."""


def main() -> None:
    host, port, token_file, node, slots, work = sys.argv[1:]
    place = Endpoint(host, int(port), read_token(token_file))
    options = WorkerOptions(place, node, int(slots), 0)
    worker = NodeWorker(options, NoopNodeContext(work), CacheKeeper([], 1))  # type: ignore[arg-type]
    worker.run()
    os._exit(0)


if __name__ == "__main__":
    main()
