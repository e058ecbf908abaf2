"""Edit worlds in several processes."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
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
        end_undisturbed()
        for _ in processes:
            seeds.put(None)
        for process in processes:
            process.join()


def _work(options: Options, number: int, ends: float, seeds: Any, told: Any) -> None:
    # Both signals end what was started: daemons have sessions of their own.
    end_by_signals()
    session = Session(options, number, ends)
    try:
        while (seed := _next(seeds)) is not None:
            told.put(session.world(seed))
    except KeyboardInterrupt:
        pass
    finally:
        end_undisturbed()
        session.close()


def end_by_signals() -> None:
    """Let SIGTERM do what Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def end_undisturbed() -> None:
    """From now on a second signal does not keep the process from cleaning up."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _next(seeds: Any) -> int | None:
    """The next seed; none when there is no more, or the process that gives them is gone."""
    parent = multiprocessing.parent_process()
    while parent is None or parent.is_alive():
        with suppress(Empty):
            seed: int | None = seeds.get(timeout=1.0)
            return seed
    return None
