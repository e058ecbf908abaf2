"""Luigi's scheduler with a `get_work` whose cost does not grow with the graph.

Every RPC and everything that the visualizer shows stays Luigi's own. What this module adds is a
`ReadyQueue` kept in step with Luigi's state; where a case needs more than the queue knows, Luigi's own
`get_work` answers.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from typing import Any

import luigi.scheduler
from luigi.task_status import BATCH_RUNNING, DONE, FAILED, PENDING, RUNNING

from luigigo.scheduling import page, resting
from luigigo.scheduling.ready import ReadyQueue, Stage

PRUNE_INTERVAL_SECONDS = 60.0
"""Between prunings by `get_work`: one looks at every task, so not with each call. luigid does the same."""
IDLE_PRUNE_INTERVAL_SECONDS = 1.0
"""The same, when a worker finds nothing to do and would wait for a failure that is due for a retry."""

_STAGES = {PENDING: Stage.PENDING, DONE: Stage.DONE}


class ReadyTaskState(luigi.scheduler.SimpleTaskState):  # type: ignore[misc]
    """Luigi's state of tasks, which tells a `ReadyQueue` of every task and of every change of status."""

    def __init__(self, state_path: str, queue: ReadyQueue) -> None:
        super().__init__(state_path)
        self.queue = queue
        self.changes: deque[tuple[Any, str]] | None = None
        """Every task whose status changed, with the new one, for who reads that."""
        self.is_held: Callable[[str], bool] = lambda task_id: False
        """Whether somebody else looks after a running task: it is no business of Luigi's pruning."""

    def get_task(self, task_id: str, default: Any = None, setdefault: Any = None) -> Any:
        if not setdefault or task_id in self._tasks:
            return self._tasks.get(task_id, default)
        task = super().get_task(task_id, default, setdefault)
        self.report(task)
        return task

    def set_status(self, task: Any, new_status: str, config: Any = None) -> None:
        before = task.status
        super().set_status(task, new_status, config)
        if task.status != before:
            self.queue.move(task.id, _STAGES.get(task.status, Stage.OTHER))
            if self.changes is not None:
                self.changes.append((task, task.status))

    def fail_dead_worker_task(self, task: Any, config: Any, assistants: Any) -> None:
        if not self.is_held(task.id):
            super().fail_dead_worker_task(task, config, assistants)

    def inactivate_tasks(self, delete_tasks: Iterable[str]) -> None:
        deleted = list(delete_tasks)
        super().inactivate_tasks(deleted)
        for task_id in deleted:
            self.queue.discard(task_id)

    def load(self) -> None:
        super().load()
        for task in self.get_active_tasks():
            self.report(task)

    def report(self, task: Any) -> None:
        """Bring the queue up to date with one task."""
        self.queue.put(task.id, task.priority, task.time, task.deps)
        self.queue.move(task.id, _STAGES.get(task.status, Stage.OTHER))


class ReadyScheduler(luigi.scheduler.Scheduler):  # type: ignore[misc]
    """Luigi's scheduler, with `get_work` in O(log n) for all but paused, batched and resource-bound work.

    The replies are stock's, except that the counts of pending tasks in them are upper bounds while the
    caller has tasks running or is given one: only a worker with nothing to do decides by them.
    """

    _state: Any
    _make_task: Any

    def __init__(self, config: Any = None, resources: Any = None, **kwargs: Any) -> None:
        super().__init__(config, resources, **kwargs)
        self.queue = ReadyQueue()
        self.owner_thread: int | None = None
        """The one thread that may change anything; None allows all."""
        collector = self._state._metrics_collector
        self._state = ReadyTaskState(self._config.state_path, self.queue)
        self._state._metrics_collector = collector
        self._new_task = self._make_task
        self._make_task = self._find_or_make_task
        self._resource_users: set[str] = set()
        self._pruned_at_seconds = time.monotonic()

    def close(self) -> None:
        """The run that this scheduler was made for is over, and summed up."""
        resting.end()

    def add_task(self, task_id: str | None = None, *args: Any, **kwargs: Any) -> None:
        super().add_task(task_id, *args, **kwargs)
        task = self._state.get_task(task_id)
        if task is None:
            return
        self.queue.put(task.id, task.priority, task.time, task.deps)
        if task.resources:
            self._resource_users.add(task.id)
        else:
            self._resource_users.discard(task.id)

    def get_work(
        self,
        host: str | None = None,
        assistant: bool = False,
        current_tasks: Collection[str] | None = None,
        worker: str | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        # Before a prune, so that a worker that was busy for long is not taken for dead.
        record = self._update_worker(worker, worker_reference={"host": host}, get_work=True)
        self._prune_after(PRUNE_INTERVAL_SECONDS)
        if not (record.enabled and self._queue_suffices()):
            return super().get_work(  # type: ignore[no-any-return]
                host=host, assistant=assistant, current_tasks=current_tasks, worker=worker, **kwargs
            )
        if assistant:
            self.add_worker(worker, [("assistant", assistant)])
        task = self._lost_claim(record, current_tasks) or self._next_ready(record, assistant)
        if task is None and not current_tasks:
            self._prune_after(IDLE_PRUNE_INTERVAL_SECONDS)
            task = self._next_ready(record, assistant)
        if task is None:
            counts = self._rough_counts(record) if current_tasks else self.count_pending(worker)
            return {**counts, "task_id": None}
        return {**self._rough_counts(record, running=False), **self._grant(task, record, host)}

    def _serialize_task(self, task_id: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        task, shown = self._state.get_task(task_id), super()._serialize_task(task_id, *args, **kwargs)
        shown["params"] = page.row_params(task.public_params, task.hidden_params, task.status_message)
        return shown  # type: ignore[no-any-return]

    def _traverse_graph(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        graph: dict[str, Any] = super()._traverse_graph(*args, **kwargs)
        for task_id, node in graph.items():
            task = self._state.get_task(task_id)
            if task is None or not task.family:
                node["name"] = page.escaped(node["name"])
            else:
                node["name"] = page.node_name(task.family, task.public_params, task.hidden_params)
        return graph

    def get_task_status_message(self, task_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = super().get_task_status_message(task_id)
        return {**answer, "statusMessage": page.escaped(answer["statusMessage"])}

    def fetch_error(self, task_id: str, **kwargs: Any) -> dict[str, Any]:
        answer: dict[str, Any] = super().fetch_error(task_id, **kwargs)
        whole = self._whole_of(task_id)
        if whole is not None:
            # The page makes a command of it: an action runs as a part of what asked for it.
            params = page.given(whole.params)
            answer |= {"taskModule": whole.module, "taskFamily": whole.family, "taskParams": params}
        return answer

    def _whole_of(self, task_id: str) -> Any:
        """The task that an action belongs to, if it is an action."""
        waiting, seen = [task_id], {task_id}
        while waiting:
            task = self._state.get_task(waiting.pop())
            if task is not None and not task.hidden_params:
                return None if task.id == task_id else task
            for dependent in self.queue.dependents(task.id) if task is not None else ():
                if dependent not in seen:
                    seen.add(dependent)
                    waiting.append(dependent)
        return None

    def get_scheduler_message_response(self, task_id: str, message_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = super().get_scheduler_message_response(task_id, message_id)
        return {"response": page.escaped(answer["response"])}

    def _prune_after(self, interval_seconds: float) -> None:
        if time.monotonic() - self._pruned_at_seconds > interval_seconds:
            self.prune()

    def prune(self) -> None:
        # luigid answers readers in threads of their own, which must change nothing.
        if self.owner_thread is not None and threading.get_ident() != self.owner_thread:
            return
        super().prune()
        self._pruned_at_seconds = time.monotonic()
        self._resource_users = {task_id for task_id in self._resource_users if self._state.has_task(task_id)}

    def load(self) -> None:
        super().load()
        self._resource_users = {task.id for task in self._state.get_active_tasks() if task.resources}

    def _update_priority(self, task: Any, prio: float, worker: Any) -> None:
        super()._update_priority(task, prio, worker)
        self.queue.set_priority(task.id, task.priority)

    def _find_or_make_task(self, *, task_id: str, **kwargs: Any) -> Any:
        """`add_task` makes a `Task` for each dependency only to drop it where one is there already."""
        return self._state.get_task(task_id) or self._new_task(task_id=task_id, **kwargs)

    def _queue_suffices(self) -> bool:
        if self._paused or self._config.prune_on_get_work:
            return False
        if self._state._task_batchers or self._state._status_tasks[BATCH_RUNNING]:
            return False
        # Resources only matter between ready tasks: whoever needs none may take any of the others.
        return not any(self.queue.is_ready(task_id) for task_id in self._resource_users)

    def _lost_claim(self, record: Any, current_tasks: Collection[str] | None) -> Any:
        """The best task that was given to this worker though it knows nothing of it: a lost reply."""
        if current_tasks is None:
            return None
        known = set(current_tasks)
        lost = (
            task
            for task in self._state.get_active_tasks_by_status(RUNNING)
            if task.worker_running == record.id and task.id not in known
        )
        return max(lost, key=self._rank, default=None)

    def _next_ready(self, record: Any, assistant: bool) -> Any:
        def accept(task_id: str) -> bool:
            task = self._state.get_task(task_id)
            return (assistant and task.runnable) or record.id in task.workers

        task_id = self.queue.pop(accept)
        return None if task_id is None else self._state.get_task(task_id)

    def _grant(self, task: Any, record: Any, host: str | None) -> dict[str, Any]:
        """Give the task to the worker; the part of the reply that names it."""
        self.start(task, record, host)
        return {
            "task_id": task.id,
            "task_family": task.family,
            "task_module": getattr(task, "module", None),
            "task_params": task.params,
        }

    def start(self, task: Any, record: Any, host: str | None) -> None:
        """Mark a task as running on a worker."""
        self.update_metrics_task_started(task)
        self._state.set_status(task, RUNNING, self._config)
        task.worker_running = record.id
        task.resources_running = task.resources.copy()
        task.time_running = time.time()
        self._update_task_history(task, RUNNING, host=host)

    def _rough_counts(self, record: Any, running: bool = True) -> dict[str, Any]:
        """What `count_pending` replies, without its walk over the edges; counts are upper bounds."""
        pending = sum(self._state.get_active_task_count_for_status(status) for status in (PENDING, FAILED))
        running_tasks = []
        if running:
            for task in record.get_tasks(self._state, RUNNING):
                other = self._state.get_worker(task.worker_running)
                running_tasks.append({"task_id": task.id, "worker": str(other), **other.info})
        return {
            "n_pending_tasks": pending,
            "n_unique_pending": pending,
            "n_pending_last_scheduled": pending,
            "worker_state": record.state,
            "running_tasks": running_tasks,
        }
