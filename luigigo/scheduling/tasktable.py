"""Luigi's tasks and workers as luigid needs them: the one place that reaches into Luigi's state for it."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Any

from luigi.task_status import FAILED, RUNNING

from luigigo.scheduling.ready import ReadyQueue
from luigigo.scheduling.scheduler import ReadyScheduler


class TaskTable:
    """What Luigi knows of tasks, by id. Tasks are Luigi's own objects; only here are they changed."""

    def __init__(
        self, scheduler: ReadyScheduler, is_held: Callable[[str], bool] = lambda task_id: False
    ) -> None:
        """`is_held`: whether somebody looks after a running task, which then is not Luigi's to prune."""
        self._scheduler = scheduler
        self._state: Any = scheduler._state
        self._changes: deque[tuple[Any, str]] = deque()
        self._state.changes = self._changes
        self._state.is_held = is_held

    @property
    def queue(self) -> ReadyQueue:
        """The tasks that are ready."""
        return self._scheduler.queue

    @property
    def is_paused(self) -> bool:
        """Whether somebody paused all work, on Luigi's page."""
        return bool(self._scheduler._paused)

    def __contains__(self, task_id: str) -> bool:
        return bool(self._state.has_task(task_id))

    def get(self, task_id: str) -> Any:
        """A task, or None for one that is not known."""
        return self._state.get_task(task_id)

    def present(self, task_ids: Iterable[str]) -> list[Any]:
        """Those of the tasks that are known."""
        return [task for task in map(self._state.get_task, task_ids) if task is not None]

    def active(self, *statuses: str) -> Iterable[Any]:
        """The tasks of some statuses."""
        return self._state.get_active_tasks_by_status(*statuses)  # type: ignore[no-any-return]

    def counts(self) -> dict[str, int]:
        """How many tasks have which status."""
        return dict(Counter(task.status for task in self._state.get_active_tasks()))

    def take_changes(self) -> Iterable[Any]:
        """Each task whose status has changed since this was asked last, and is still that; also meanwhile."""
        while self._changes:
            task, status = self._changes.popleft()
            if task.status == status:
                yield task

    def add(self, call: dict[str, Any]) -> None:
        """Add a task, or bring it up to date, with the arguments of Luigi's `add_task`."""
        self._scheduler.add_task(**call)

    def start(self, task: Any, worker_id: str, node: str) -> None:
        """Show a task as running on a worker that was given it."""
        if task.status != RUNNING:
            self._scheduler.start(task, self._state.get_worker(worker_id), node)
        task.worker_running = worker_id

    def hold(self, task: Any, worker_id: str) -> None:
        """Show a task as running on a worker that was not given it: it runs an equal one, or did."""
        self._scheduler._update_worker(worker_id)
        self._state.set_status(task, RUNNING)
        task.worker_running = worker_id
        task.time_running = time.time()
        task.resources_running = {}

    def set_status(self, task: Any, status: str) -> None:
        """Change what a task is."""
        self._state.set_status(task, status)

    def end(self, task: Any, status: str) -> None:
        """A task has ended, done or failed: for its history, too, and for what Luigi does of failures."""
        self._scheduler._update_task_history(task, status)
        self._state.set_status(task, status, self._scheduler._config if status == FAILED else None)

    def re_enable(self, task: Any) -> None:
        """Let a task that failed be run again."""
        self._state.re_enable(task)

    def forget(self, task_ids: Iterable[str]) -> None:
        """Know nothing more of tasks."""
        present = self.present(task_ids)
        for task in present:
            for worker_id in task.workers:
                if worker_id in self._state._active_workers:
                    self._state.get_worker(worker_id).tasks.discard(task)
        self._state.inactivate_tasks([task.id for task in present])

    def inactivate_worker(self, worker_id: str) -> None:
        """A worker is gone."""
        if worker_id in self._state._active_workers:
            self._state.inactivate_workers([worker_id])

    def disabled_workers(self) -> set[str]:
        """Those that somebody disabled, on Luigi's page."""
        return {record.id for record in self._state.get_active_workers() if record.disabled}

    def has_resources(self, task: Any) -> bool:
        """Whether Luigi's own resources, which a task may name, are free for it."""
        used = self._scheduler._used_resources()
        return bool(self._scheduler._has_resources(task.resources, used))
