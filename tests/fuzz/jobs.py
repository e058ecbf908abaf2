"""Edit worlds in several processes."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from queue import Empty
from typing import Any

from .session import Options, Report, Session


def reports(options: Options, jobs: int, worlds: int) -> Iterator[Report]:
    context = multiprocessing.get_context("spawn")
    seeds, told = context.Queue(), context.Queue()
    ends, given, back = time.monotonic() + options.seconds, 0, 0
    processes = [
        context.Process(target=_work, args=(options, number, ends, seeds, told), daemon=False)
        for number in range(jobs)
    ]
    for process in processes:
        process.start()
    try:
        while True:
            while given - back < jobs and time.monotonic() < ends and (not worlds or given < worlds):
                seeds.put(options.seed + given)
                given += 1
            if given == back:
                return
            try:
                report = told.get(timeout=1.0)
            except Empty:
                if not any(process.is_alive() for process in processes):
                    raise SystemExit("the processes ended") from None
                continue
            back += 1
            yield report
    finally:
        for _ in processes:
            seeds.put(None)
        for process in processes:
            process.join()


def _work(options: Options, number: int, ends: float, seeds: Any, told: Any) -> None:
    session = Session(options, number, ends)
    try:
        while (seed := seeds.get()) is not None:
            told.put(session.world(seed))
    except KeyboardInterrupt:
        pass
    finally:
        session.close()
