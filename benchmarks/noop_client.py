"""A client with tasks that do nothing, for a luigid of luigigo's. Prints what it measured as JSON.

python benchmarks/noop_client.py PORT TOKEN_FILE TASKS TAG

With 0 tasks it offers one, and prints the task and its worker whenever that begins.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

sys.path.insert(0, str(Path(__file__).parent))

import luigi
from scheduling import import_graph

from luigigo.client.callbacks import ClientCallbacks
from luigigo.client.cluster_worker import ChannelScheduler, ChannelWorker
from luigigo.model import digest_of
from luigigo.protocol.endpoint import Endpoint
from luigigo.protocol.messages import Needs, Progress
from luigigo.token import read_token


class Noop(luigi.Task):
    """One node of the graph, of a family that the workers of the benchmark run."""

    runs_in_slot = True
    retry_count = 1
    import_path = luigi.Parameter()
    plan = luigi.Parameter()

    shared: ClassVar[dict[int, Noop]] = {}
    finished: ClassVar[set[str]] = set()
    count = 0

    @classmethod
    @cache
    def get_params(cls) -> list[tuple[str, luigi.Parameter]]:
        return super().get_params()

    @classmethod
    def at(cls, index: int, plan: str) -> Noop:
        if index not in cls.shared:
            cls.shared[index] = cls(import_path=str(index), plan=plan)
        return cls.shared[index]

    @property
    def needs(self) -> Needs:
        return Needs(key=digest_of(self.plan, self.import_path))

    def requires(self) -> list[Noop]:
        graph = import_graph(type(self).count)
        return [self.at(dep, self.plan) for dep in graph[int(self.import_path)]]

    def complete(self) -> bool:
        return self.task_id in self.finished


class Factory:
    """Makes a client's worker for a luigid that is known."""

    def __init__(self, place: Endpoint, callbacks: ClientCallbacks) -> None:
        self.place, self.callbacks = place, callbacks

    def create_remote_scheduler(self, url: str) -> ChannelScheduler:
        return ChannelScheduler(self.place, self.callbacks)

    def create_worker(self, scheduler: Any, worker_processes: int, assistant: bool = False) -> ChannelWorker:
        return ChannelWorker(scheduler, worker_processes=worker_processes)


def main() -> None:
    port, token_file, count, tag = sys.argv[1:]
    follows, count = count == "0", "1" if count == "0" else count
    Noop.count = int(count)
    import_graph(int(count))
    waits: list[float] = []

    def observe(task: Any, progress: Progress) -> None:
        if progress.status == "running" and follows:
            print(task.task_id, progress.worker_id, flush=True)
        elif progress.status == "done":
            waits.append(progress.attempt.queued_seconds)
            Noop.finished.add(task.task_id)

    place = Endpoint("127.0.0.1", int(port), read_token(token_file))
    callbacks = ClientCallbacks(
        "client", observe, lambda nodes, luigid: None, lambda: 0, lambda task: False, lambda: None
    )
    plan = hashlib.sha256(tag.encode()).hexdigest()
    started = time.perf_counter()
    root = Noop.at(0, plan)
    built = luigi.build(
        [root],
        worker_scheduler_factory=Factory(place, callbacks),
        scheduler_host="127.0.0.1",
        log_level="WARNING",
    )
    wall = time.perf_counter() - started
    if not built or not root.complete() or len(Noop.finished) != int(count):
        raise SystemExit(f"{len(Noop.finished)} of {count} tasks are done")
    measured = {
        "wall_ms": wall / int(count) * 1000,
        "dispatch_ms": statistics.median(waits) * 1000,
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
