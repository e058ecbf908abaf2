"""How one task runs: on a thread of this process (a slot), or forked as Luigi does it.

Knows one task at a time; which task runs when is the worker's affair.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing.popen_fork import Popen
from typing import Any

from luigi.event import Event
from luigi.task_status import DONE, FAILED, PENDING
from luigi.worker import ContextManagedTaskProcess, TaskProcess, TaskStatusReporter, check_complete_cached

from luigigo.attempts import AT_ONCE, SlotTurn
from luigigo.client import exit_codes
from luigigo.client.signals import call_at_end
from luigigo.errors import ExitCode, LuigigoError
from luigigo.scheduling import resting

CLOSE_WAIT_SECONDS = 0.5
"""How long to wait for a reader that must not see its pipe closed by the end of the process."""
ABANDONED_CHECK_SECONDS = 0.1
"""How often a task that waits for a slot looks whether it still gets one."""

logger = logging.getLogger("luigi-interface")


def runs_in_slot(task: Any) -> bool:
    """Whether a task is one for a slot: its class sets `runs_in_slot = True`.

    Such a task's `run` waits for processes of its own rather than computing, is safe on a thread, and may
    run again at any time; its retry_count is 1. It reports a `LuigigoError` itself before raising it.
    """
    return getattr(task, "runs_in_slot", False) is True


_here = threading.local()
"""The task that runs on this thread, if one for a slot does."""


def leave_slot() -> Callable[[], None]:
    """Give up this thread's slot and its task's memory while it waits for what others make.

    What is returned waits until the task has both again. Where a worker does not follow this, as on a
    cluster, and where no slot is, the task keeps what it has.
    """
    task: SlotTask | None = getattr(_here, "task", None)
    return (lambda: None) if task is None else task.leave()


def current_turn() -> SlotTurn:
    """How the task of this thread came to its slot."""
    task: SlotTask | None = getattr(_here, "task", None)
    return AT_ONCE if task is None else task.turn


class Moves:
    """Which running tasks give up their slots, and which want one again; the worker's thread looks."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """`wake` makes the worker look."""
        self._wake = wake
        self._moves: deque[tuple[str, bool]] = deque()

    def put(self, task_id: str, *, leaves: bool) -> None:
        """A task gives up its slot, or wants one again; from any thread."""
        self._moves.append((task_id, leaves))
        self._wake()

    def take(self) -> Iterator[tuple[str, bool]]:
        """What was put since the last time: the task, and whether it leaves."""
        while self._moves:
            yield self._moves.popleft()


class Results:
    """The queue of a worker's results, which can also just wake who waits for one."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def put(self, item: Any) -> None:
        """A result of Luigi's, a tuple."""
        self._items.put(item)

    def wake(self) -> None:
        """Let one `get` end."""
        self._items.put(None)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """The next result. Raises `queue.Empty` after the timeout (seconds), or when woken."""
        item = self._items.get(block, timeout)
        if item is None:
            raise queue.Empty
        return item


class SlotThreads:
    """Threads that are kept for the next task: starting one costs as much as all else about a small task."""

    def __init__(self, moves: Moves | None = None) -> None:
        """`moves` hears which tasks give up their slots; without it none does."""
        self.moves = moves
        self._runs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._count = 0

    def start(self, run: Callable[[], None]) -> None:
        """Call `run`, which must not raise, on a thread, at once."""
        if not self._idle.acquire(blocking=False):
            self._count += 1
            # Never waited for at the end of the process: what it does then, nobody needs.
            threading.Thread(target=self._serve, name=f"slot {self._count}", daemon=True).start()
        self._runs.put(run)

    def close(self) -> None:
        """Let every thread end, once it is done with what it runs."""
        for _ in range(self._count):
            self._runs.put(None)

    def _serve(self) -> None:
        while (run := self._runs.get()) is not None:
            run()
            self._idle.release()


class SlotTask:
    """One run of a task on a thread, in the shape that Luigi's worker expects of a `TaskProcess`.

    The result reaches the worker's queue as Luigi's tuple, once. The dependencies are not checked again:
    the scheduler gave the task out because they are done. Of time limits only the task's own
    `worker_timeout` (seconds) counts.
    """

    use_multiprocessing = True
    exitcode = None
    """A thread has none; a worker that finds one here would report a dead process."""
    forward_reporter_attributes = TaskProcess.forward_reporter_attributes
    check_complete = staticmethod(check_complete_cached)

    def __init__(
        self,
        task: Any,
        worker_id: str,
        results: Any,
        reporter: TaskStatusReporter,
        threads: SlotThreads,
    ) -> None:
        self.task = task
        self.turn = AT_ONCE
        self.worker_id = worker_id
        self.status_reporter = reporter
        self.pid = os.getpid()
        self.worker_timeout = task.worker_timeout or 0
        self.timeout_time: float | None = None
        self._results = results
        self._abandoned = False
        self._threads = threads
        self._started = False
        self._ended = threading.Event()
        self._moves = threads.moves
        self._has_slot = threading.Event()

    def start(self) -> None:
        """Run on a thread, from now on; go on, if it left its slot and wants one again."""
        self._has_slot.set()
        if self._started:
            return
        if self.worker_timeout:
            self.timeout_time = time.time() + self.worker_timeout
        self._started = True
        self._threads.start(self.run)

    def leave(self) -> Callable[[], None]:
        """Give up the slot, from the task's own thread; what is returned waits for another one."""
        if self._moves is None:
            return lambda: None
        self._has_slot.clear()
        self._moves.put(self.task.task_id, leaves=True)
        return self._come_back

    def _come_back(self) -> None:
        assert self._moves is not None
        self._moves.put(self.task.task_id, leaves=False)
        while not self._has_slot.wait(ABANDONED_CHECK_SECONDS):
            if self._abandoned:
                return

    def is_alive(self) -> bool:
        """Whether it was started and has not ended."""
        return self._started and not self._ended.is_set()

    def join(self, timeout_seconds: float) -> None:
        """Wait for the end of the run, no longer than the timeout."""
        if self._started:
            self._ended.wait(max(0.0, timeout_seconds))

    def terminate(self) -> None:
        """Report nothing more, and call the task's `cancel()` where it has one: a thread can't be killed."""
        self._abandoned = True
        cancel = getattr(self.task, "cancel", None)
        if cancel is not None:
            cancel()

    def run(self) -> None:
        """Run the task here; put one result on the queue."""
        status, explanation, new_deps = FAILED, None, None
        _here.task = self
        try:
            self.task.trigger_event(Event.START, self.task)
            start = time.time()
            with TaskProcess._forward_attributes(self):
                new_deps = TaskProcess._run_get_new_deps(self)
            if new_deps:
                status = PENDING
            else:
                self.task.trigger_event(Event.PROCESSING_TIME, self.task, time.time() - start)
                explanation = self.task.on_success()
                status = DONE
                self.task.trigger_event(Event.SUCCESS, self.task)
        except LuigigoError as error:
            exit_codes.note(error)
            status, explanation = FAILED, str(error)
            self.task.trigger_event(Event.FAILURE, self.task, error)
        except BaseException as error:
            status, explanation = FAILED, self._explain(error)
        finally:
            _here.task = None
            self._ended.set()
            if not self._abandoned:
                self._results.put((self.task.task_id, status, explanation, [], new_deps or []))

    def _explain(self, error: BaseException) -> Any:
        logger.exception("[pid %s] Worker %s failed    %s", self.pid, self.worker_id, self.task)
        self.task.trigger_event(Event.FAILURE, self.task, error)
        return self.task.on_failure(error)


class ForkedTask(ContextManagedTaskProcess):  # type: ignore[misc]
    """Luigi's own forked run of a general task, which ends quietly on Ctrl-C and SIGTERM."""

    def run(self) -> None:
        if not self.use_multiprocessing:
            super().run()
            return
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            super().run()
        except KeyboardInterrupt:
            sys.exit(int(ExitCode.INTERRUPTED))
        finally:
            call_at_end()
            resting.rest()

    @staticmethod
    def _Popen(process: Any) -> Any:
        """Fork, also where Python's default is another: a task finds what its process has loaded."""
        return Popen(process)


class ForkedResults:
    """Brings what forked tasks report to the worker's own queue.

    A queue between processes costs a lock, a pipe and a pickle for each result; slots need none of that.
    """

    def __init__(self, shared: Any, results: Any) -> None:
        """`shared` is a `multiprocessing.Queue`; nothing reads it before the first `open`."""
        self._shared = shared
        self._results = results
        self._thread: threading.Thread | None = None

    def open(self) -> Any:
        """The queue for a forked task to report on."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._forward, name="forked results", daemon=True)
            self._thread.start()
        return self._shared

    def report(self, said: object) -> None:
        """Bring something else of a forked task's, said in its process, to the worker's queue."""
        self._shared.put(said)

    def close(self) -> None:
        """Stop forwarding; what is under way is dropped."""
        if self._thread is None:
            self._shared.close()
            return
        # A child that was killed while it reported holds the lock that this needs: don't wait for ever.
        self._shared.cancel_join_thread()
        self._shared.put(None)
        self._thread.join(CLOSE_WAIT_SECONDS)
        feeder = getattr(self._shared, "_thread", None)
        if feeder is not None:
            feeder.join(CLOSE_WAIT_SECONDS)

    def _forward(self) -> None:
        while (result := self._shared.get()) is not None:
            self._results.put(result)
        self._shared.close()
