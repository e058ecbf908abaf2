"""A worker of a cluster whose tasks do nothing, or start /bin/true: all but the work is the real one.

python benchmarks/noop_worker.py HOST PORT TOKEN_FILE NODE SLOTS nothing|true|sleep
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from luigigo.model import Output, digest_of
from luigigo.process import Command, Runner
from luigigo.protocol.endpoint import Endpoint
from luigigo.protocol.messages import Grant, Usage
from luigigo.token import read_token
from luigigo.worker.families import Took
from luigigo.worker.worker import NodeWorker, WorkerOptions

SLEEP_SECONDS = 60.0
TRUE = Command(argv=("/bin/true",), cwd="/", env={})


class Noop:
    """The family of tasks that do nothing, or next to nothing."""

    def __init__(self, work: str, runner: Runner) -> None:
        works: dict[str, Callable[[], object]] = {
            "nothing": lambda: None,
            "true": lambda: runner.run(TRUE),
            "sleep": lambda: time.sleep(SLEEP_SECONDS),
        }
        self._work = works[work]

    def parse(self, grant: Grant) -> str:
        return grant.task_id

    def stage(self, name: str) -> None:
        """Nothing is read."""

    def run(self, name: str, tools_ended: Callable[[], None]) -> Took:
        self._work()
        tools_ended()
        return Took(
            Usage("ran"), {role: Output(digest_of(name, role), 1000) for role in ("export", "object")}
        )

    fetch = save = stage


def main() -> None:
    host, port, token_file, node, slots, work = sys.argv[1:]
    place = Endpoint(host, int(port), read_token(token_file))
    runner = Runner()
    worker = NodeWorker(WorkerOptions(place, node, int(slots), 0), {"Noop": Noop(work, runner)}, runner)
    worker.run()
    os._exit(0)


if __name__ == "__main__":
    main()
