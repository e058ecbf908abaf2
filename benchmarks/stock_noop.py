"""A stock Luigi worker with tasks that do nothing, for a stock luigid.

python benchmarks/stock_noop.py PORT TASKS client|assistant
"""

from __future__ import annotations

import os
import sys
import tempfile
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import luigi
import luigi.interface
import luigi.rpc
import luigi.worker
from scheduling import import_graph

FOLDER = Path(tempfile.gettempdir())


class StockNoop(luigi.Task):
    """Done when its mark is there."""

    port = luigi.Parameter()
    count = luigi.IntParameter()
    index = luigi.IntParameter()

    @classmethod
    @cache
    def get_params(cls) -> list[tuple[str, luigi.Parameter]]:
        return super().get_params()

    def requires(self) -> list[StockNoop]:
        graph = import_graph(self.count)
        return [StockNoop(port=self.port, count=self.count, index=dep) for dep in graph[self.index]]

    def complete(self) -> bool:
        return os.path.exists(self._mark())

    def run(self) -> None:
        Path(self._mark()).touch()

    def _mark(self) -> str:
        return str(FOLDER / f"stock-noop-{self.port}" / str(self.index))


def main() -> None:
    port, count, role = sys.argv[1:]
    marks = FOLDER / f"stock-noop-{port}"
    marks.mkdir(exist_ok=True)
    scheduler = luigi.rpc.RemoteScheduler(f"http://127.0.0.1:{port}")
    if role == "assistant":
        # As `luigi --assistant` runs it; it asks for work once a second when there is none.
        options = {"assistant": True, "keep_alive": True, "wait_interval": 0.2, "wait_jitter": 0.1}
        with luigi.worker.Worker(scheduler=scheduler, worker_processes=1, **options) as worker:
            worker.run()
        return
    options = {"keep_alive": True, "wait_interval": 0.2, "wait_jitter": 0.1}
    with luigi.worker.Worker(scheduler=scheduler, worker_processes=1, **options) as worker:
        worker.add(StockNoop(port=port, count=int(count), index=0))
        worker.run()
    missing = int(count) - len(list(marks.iterdir()))
    for mark in marks.iterdir():
        mark.unlink()
    marks.rmdir()
    if missing:
        raise SystemExit(f"{missing} tasks did not run")


if __name__ == "__main__":
    main()
