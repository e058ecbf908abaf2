"""Luigi's worker with slots: tasks run on threads that wait for processes, not in forked Pythons.

What a task goes through (statuses, events, the summary) is Luigi's; this module decides when it starts.
"""

from __future__ import annotations

import datetime
import logging
import queue
import signal
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import luigi.scheduler
import luigi.worker
from luigi.task_status import DONE, PENDING, SUSPENDED
from luigi.worker import WORKER_STATE_DISABLED, TaskStatusReporter

from luigigo.client.adding_worker import AddingWorker
from luigigo.client.signals import (
    call_at_end,
    check,
    deferred,
    interrupt_callbacks,
    interruptible,
)
from luigigo.client.slot_worker import (
    ForkedResults,
    ForkedTask,
    Moves,
    Results,
    SlotTask,
    SlotThreads,
    runs_in_slot,
)
from luigigo.client.slots import SlotLog
from luigigo.client.stock_luigid import SharedScheduler
from luigigo.scheduling import resting
from luigigo.scheduling.admission import Admission, Budget

logger = logging.getLogger("luigi-interface")

result_callbacks: list[Callable[[bool, bool], None]] = []
"""Called when a worker leaves, with whether all succeeded, and whether it was interrupted."""
run_callbacks: list[Callable[[int], None]] = []
"""Called when a worker begins to run what it was given, with the number of slots; 0 where nodes have them."""

HELD_LIMIT = 8
"""How many claimed tasks may wait for memory: claiming further ones looks for smaller work for idle slots."""
INTERRUPT_WAIT_SECONDS = 2.0
"""How long an interrupted worker waits for its slots."""
CHILDREN_WAIT_SECONDS = 2.0
"""How long a worker that leaves waits for forked tasks that have reported to end."""
PING_WAIT_SECONDS = 0.5
"""How long a worker that leaves waits for a ping under way."""


class SlotWorker(AddingWorker):
    """Luigi's worker, where a task that `runs_in_slot` runs on a thread, within a budget of memory.

    Other tasks run as Luigi runs them: forked when there is more than one process, else in-line. A task
    may say `predicted_peak_bytes` and `runs_alone`; `budget_bytes` of None sets no limit.
    """

    _task_result_queue: Any
    _keep_alive_thread: Any
    _idle_since: datetime.datetime | None

    def __init__(
        self,
        scheduler: Any = None,
        worker_id: str | None = None,
        worker_processes: int = 1,
        assistant: bool = False,
        budget_bytes: Budget = None,
        **kwargs: Any,
    ) -> None:
        self._on_usr1 = signal.getsignal(signal.SIGUSR1)
        super().__init__(scheduler, worker_id, worker_processes, assistant, **kwargs)
        self._admission = Admission(budget_bytes)
        forked_results = self._task_result_queue
        self._task_result_queue = self._make_results()
        self._forked_results = ForkedResults(forked_results, self._task_result_queue)
        self._moves = self._follow_moves()
        self._threads = SlotThreads(self._moves)
        self._slots = SlotLog(worker_processes, getattr(self._scheduler, "queue", None))
        self._away: set[str] = set()
        """Running tasks without a slot: they wait for what others make, or for a slot again."""
        self._returning: deque[str] = deque()
        self._keep_alive_thread = None
        remote = not isinstance(self._scheduler, luigi.scheduler.Scheduler)
        self._shared = SharedScheduler(self._scheduler, self._id) if remote else None
        self._taken: set[str] = set()
        """Every task that this worker ever ran or began to."""
        self._waits = False
        self._children: list[ForkedTask] = []

    def _make_results(self) -> Any:
        """The queue on which tasks that ran here report."""
        return Results()

    def _follow_moves(self) -> Moves | None:
        """Where running tasks say that they give up their slots; None where slots are another's affair."""
        return Moves(self._task_result_queue.wake)

    def __enter__(self) -> SlotWorker:
        resting.begin()
        # A scheduler in this process sees that the worker lives.
        if self._shared is not None:
            super().__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self._end()
        finally:
            has_failed = any(exception) or not (self.add_succeeded and self.run_succeeded)
            was_interrupted = isinstance(
                exception[1] if len(exception) > 1 else None, KeyboardInterrupt | SystemExit
            )
            for callback in result_callbacks:
                callback(not has_failed, was_interrupted)
            # Else Luigi sums up the run, which asks tasks, and closes the scheduler then.
            if any(exception):
                resting.end()

    def _end(self) -> None:
        if self._keep_alive_thread is not None:
            self._keep_alive_thread.stop()
            self._keep_alive_thread.join(PING_WAIT_SECONDS)
        if any(running.is_alive() for running in self._running_tasks.values()):
            self._stop_running()
        self._threads.close()
        self._forked_results.close()
        call_at_end()
        self._await_children()
        # Luigi leaves its handler, and with it this worker.
        if signal.getsignal(signal.SIGUSR1) == self.handle_interrupt:
            signal.signal(signal.SIGUSR1, self._on_usr1 or signal.SIG_DFL)

    def run(self) -> bool:
        """Run all that was added, as far as it can be; return whether every task that ran succeeded.

        Raises `SystemExit` on Ctrl-C and SIGTERM, after stopping what runs.
        """
        logger.info("Running Worker with %d processes", self.worker_processes)
        self.run_succeeded = True
        self._add_worker()
        for callback in run_callbacks:
            callback(self.worker_processes)
        with interruptible(self._stop_running):
            self._work()
            self._credit_others()
        return bool(self.run_succeeded)

    def on_interrupt(self) -> None:
        """Stop what the slots wait for: call every one of `interrupt_callbacks`."""
        for callback in list(interrupt_callbacks):
            try:
                callback()
            except Exception:
                logger.exception("Could not stop all that runs")

    def _add_task(self, *args: Any, **kwargs: Any) -> None:
        task_id, status, runnable = kwargs["task_id"], kwargs["status"], kwargs["runnable"]
        task = self._scheduled_tasks.get(task_id)
        if not runs_in_slot(task) or task_id in self._batch_running_tasks:
            super()._add_task(*args, **kwargs)
            return
        self._add_task_history.append((task, status, runnable))
        kwargs["owners"] = task._owner_list()
        if kwargs.get("params"):
            kwargs["param_visibilities"] = task._get_param_visibilities()
        if self._shared is not None and status == PENDING and runnable:
            self._shared.forgive(task_id)
            # luigid ignores PENDING for a task that was done seconds ago; SUSPENDED means PENDING to it,
            # and our task knows for itself that its outputs are gone.
            kwargs["status"] = SUSPENDED
        self._scheduler.add_task(*args, **kwargs)
        logger.debug("Informed scheduler that task   %s   has status   %s", task_id, status)

    def _work(self) -> None:
        sleeper = self._sleeper()
        while True:
            check()
            response = self._fill_slots()
            if self._running_tasks:
                self._handle_next_task()
                continue
            if response is None:
                response = self._get_work()
            self._log_remote_tasks(response)
            self._idle_since = self._idle_since or datetime.datetime.now()
            if not self._keep_alive(response):
                return
            next(sleeper)

    def _fill_slots(self) -> Any:
        """Claim tasks while there is a slot for one more; return the reply that had none, if it came to that.

        A task that waits for memory takes no slot.
        """
        self._move()
        while len(self._admission.held) < HELD_LIMIT:
            if not self._has_free_slot():
                break
            response = self._get_work()
            if response.worker_state == WORKER_STATE_DISABLED:
                self._start_phasing_out()
            if response.task_id is None:
                return response
            self._run_task(response.task_id)
        return None

    def _has_free_slot(self) -> bool:
        started = len(self._running_tasks) - len(self._admission.held) - len(self._away)
        return bool(started < self.worker_processes)

    def _move(self) -> None:
        """Take back the slots of tasks that wait for others, and give slots to those that want them again."""
        for task_id, leaves in self._moves.take() if self._moves is not None else ():
            if task_id not in self._running_tasks:
                continue
            if leaves:
                self._away.add(task_id)
                self._release(task_id)
            else:
                self._returning.append(task_id)
        while self._returning and self._has_free_slot():
            task_id = self._returning.popleft()
            if task_id in self._away:
                self._away.discard(task_id)
                self._claim(task_id, self._scheduled_tasks[task_id])

    def _claim(self, task_id: str, task: Any) -> None:
        """Start a task with a slot, now or when there is memory for it."""
        predicted_bytes = int(getattr(task, "predicted_peak_bytes", 0))
        if self._admission.claim(task_id, predicted_bytes, bool(getattr(task, "runs_alone", False))):
            self._start(task_id)

    def _release(self, task_id: str) -> None:
        """Give a task's memory to those that wait for some."""
        self._slots.give_back(task_id)
        for next_id in self._admission.release(task_id):
            self._start(next_id)

    def _run_task(self, task_id: str) -> None:
        if task_id in self._running_tasks:
            super()._run_task(task_id)
            return
        task = self._scheduled_tasks[task_id]
        self._taken.add(task_id)
        self._running_tasks[task_id] = self._create_task_process(task)
        self._slots.note_given(task_id)
        self._claim(task_id, task)

    def _start(self, task_id: str) -> None:
        process = self._running_tasks[task_id]
        turn = self._slots.take(task_id)
        if isinstance(process, SlotTask):
            process.turn = turn
            process.start()
        elif process.use_multiprocessing:
            with luigi.worker.fork_lock, deferred():
                process.start()
            self._children.append(process)
        else:
            process.run()

    def _create_task_process(self, task: Any) -> Any:
        if not runs_in_slot(task):
            return self._create_general_process(task)
        reporter = TaskStatusReporter(
            self._scheduler, task.task_id, self._id, queue.Queue() if task.accepts_messages else None
        )
        return SlotTask(task, self._id, self._task_result_queue, reporter, self._threads)

    def _create_general_process(self, task: Any) -> ForkedTask:
        stock = super()._create_task_process(task)
        return ForkedTask(
            self._config.task_process_context,
            task,
            self._id,
            self._forked_results.open() if stock.use_multiprocessing else self._task_result_queue,
            stock.status_reporter,
            use_multiprocessing=stock.use_multiprocessing,
            worker_timeout=self._config.timeout,
            check_unfulfilled_deps=self._config.check_unfulfilled_deps,
            check_complete_on_run=self._config.check_complete_on_run,
            task_completion_cache=self._task_completion_cache,
        )

    def _handle_next_task(self) -> None:
        before = set(self._running_tasks)
        super()._handle_next_task()
        for ended_id in before - self._running_tasks.keys():
            self._away.discard(ended_id)
            self._release(ended_id)

    def _keep_alive(self, get_work_response: Any) -> bool:
        if self._shared is None or self._config.keep_alive or self._assistant:
            return bool(super()._keep_alive(get_work_response))
        if self._stop_requesting_work:
            return False
        # Nothing of ours can run before a task that another client runs is done. Luigi's keep-alive would
        # also wait for a failed task to be due for its next try, a quarter of an hour later.
        if get_work_response.running_tasks:
            if not self._waits:
                count = len(get_work_response.running_tasks)
                logger.info("Waiting for %d tasks that other clients of luigid run", count)
            self._waits = True
            return True
        return self._reclaim()

    def _reclaim(self) -> bool:
        """Take over what failed or was lost under another client; say whether there was anything."""
        assert self._shared is not None
        candidates = [
            task_id
            for task_id, task in self._scheduled_tasks.items()
            if task_id not in self._taken and runs_in_slot(task)
        ]
        reclaimed = self._shared.reclaim(candidates)
        for task_id in reclaimed:
            self.add(self._scheduled_tasks[task_id])
        return bool(reclaimed)

    def _credit_others(self) -> None:
        """Count what other clients finished for us as done, where Luigi's summary counts it as missing."""
        missing = {
            task
            for task, status, runnable in self._add_task_history
            if status == PENDING and runnable and task.task_id not in self._taken
        }
        replies = self._get_work_response_history
        seen_elsewhere = any(r["worker"] != self._id for reply in replies for r in reply["running_tasks"])
        if self._shared is None or not (missing or seen_elsewhere):
            return
        done = self._shared.done(self._roots)
        self._add_task_history.extend((task, DONE, None) for task in missing if task.task_id in done)
        for reply in replies:
            reply["running_tasks"] = [r for r in reply["running_tasks"] if r["task_id"] not in done]

    def _await_children(self) -> None:
        """See the ends of forked tasks, which have reported before: else they stay as zombies."""
        deadline = time.monotonic() + CHILDREN_WAIT_SECONDS
        for child in self._children:
            child.join(max(0.0, deadline - time.monotonic()))
        self._children.clear()

    def _stop_running(self) -> None:
        """End what runs, waiting no longer than `INTERRUPT_WAIT_SECONDS` for slots."""
        deadline = time.monotonic() + INTERRUPT_WAIT_SECONDS
        self.on_interrupt()
        for process in self._running_tasks.values():
            if process.is_alive():
                process.terminate()
        for process in self._running_tasks.values():
            if isinstance(process, SlotTask):
                process.join(deadline - time.monotonic())
        if self._shared is not None:
            self._shared.hand_back(process.task for process in self._running_tasks.values())
        self._running_tasks.clear()
