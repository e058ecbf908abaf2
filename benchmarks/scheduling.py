"""What scheduling costs, in milliseconds a task: tasks that do nothing, on a graph shaped like imports.

    python benchmarks/scheduling.py [--tasks 300 3000 10000] [--stock] [--slots 2]

Counts all of a run: making the tasks, adding them, choosing, starting, reporting, the summary.
"""

from __future__ import annotations

import argparse
import logging
import random
import time
from functools import cache
from typing import ClassVar

import luigi
import luigi.interface
import luigi.scheduler
import luigi.worker

from luigigo.client.factory import SlotFactory

DEPTH = 40
DEPS_PER_TASK = 7.6
STOCK_LIMIT = 1500
"""Stock Luigi takes minutes beyond that."""


@cache
def import_graph(task_count: int) -> list[list[int]]:
    """For each task the tasks it needs, all later in the list; layered, always the same for a count.

    The first task needs whatever no other does, as a program's link needs all of its packages.
    """
    chance = random.Random(task_count)
    layer_of = sorted(chance.randrange(DEPTH) for _ in range(task_count))
    first_below = {
        layer: next((i for i, at in enumerate(layer_of) if at > layer), task_count) for layer in layer_of
    }
    needs: list[list[int]] = []
    for index in range(task_count):
        below = range(first_below[layer_of[index]], task_count)
        count = min(len(below), round(chance.uniform(0, 2 * DEPS_PER_TASK)))
        # Most imports are near, in layers; some are of what nearly all import.
        needs.append(sorted({below[int(len(below) * chance.random() ** 3)] for _ in range(count)}))
    needed = {dep for deps in needs for dep in deps}
    needs[0] = sorted({*needs[0], *(i for i in range(1, task_count) if i not in needed)})
    return needs


class Noop(luigi.Task):
    """Does nothing but be done."""

    runs_in_slot = True
    retry_count = 1
    task_count = luigi.IntParameter()
    index = luigi.IntParameter()

    finished: ClassVar[set[int]] = set()
    shared: ClassVar[dict[int, Noop]] = {}

    @classmethod
    @cache
    def get_params(cls) -> list[tuple[str, luigi.Parameter]]:
        """Kept, as luigigo's own tasks keep it: Luigi looks at every attribute of the class each time."""
        return super().get_params()

    @classmethod
    def at(cls, task_count: int, index: int) -> Noop:
        """The one instance for an index, as luigigo's own tasks share theirs."""
        if index not in cls.shared:
            cls.shared[index] = cls(task_count=task_count, index=index)
        return cls.shared[index]

    def requires(self) -> list[Noop]:
        return [self.at(self.task_count, dep) for dep in import_graph(self.task_count)[self.index]]

    def complete(self) -> bool:
        return self.index in self.finished

    def run(self) -> None:
        self.finished.add(self.index)


class StockFactory:
    """Luigi's own scheduler and worker, whatever is hooked in."""

    def create_local_scheduler(self) -> luigi.scheduler.Scheduler:
        return luigi.scheduler.Scheduler(prune_on_get_work=True, record_task_history=False)

    def create_worker(self, scheduler, worker_processes, assistant=False) -> luigi.worker.Worker:  # type: ignore[no-untyped-def]
        return luigi.worker.Worker(
            scheduler=scheduler, worker_processes=worker_processes, assistant=assistant
        )


def measure(factory: object, task_count: int, slots: int) -> float:
    """Milliseconds a task of one run of all tasks."""
    import_graph(task_count)
    Noop.finished.clear()
    Noop.shared.clear()
    Noop.clear_instance_cache()
    start = time.perf_counter()
    built = luigi.build(
        [Noop.at(task_count, 0)],
        worker_scheduler_factory=factory,
        local_scheduler=True,
        workers=slots,
        log_level="WARNING",
    )
    seconds = time.perf_counter() - start
    if not built or len(Noop.finished) < task_count:
        raise SystemExit(f"{len(Noop.finished)} of {task_count} tasks ran")
    return seconds / task_count * 1000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=int, nargs="+", default=[300, 3000, 10000])
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--stock", action="store_true", help="measure stock Luigi's local scheduler as well")
    parser.add_argument("--stock-limit", type=int, default=STOCK_LIMIT, help="most tasks for stock Luigi")
    arguments = parser.parse_args()
    logging.getLogger("luigi.scheduler").setLevel(logging.WARNING)
    for task_count in arguments.tasks:
        edges = sum(map(len, import_graph(task_count)))
        line = f"{task_count:6} tasks, {edges / task_count:.1f} dependencies each: "
        line += f"luigigo {measure(SlotFactory(), task_count, arguments.slots):7.2f} ms a task"
        if arguments.stock and task_count <= arguments.stock_limit:
            # One process: stock runs tasks in-line, which is its cheapest way.
            line += f", stock {measure(StockFactory(), task_count, 1):7.2f} ms a task"
        print(line, flush=True)


if __name__ == "__main__":
    main()
