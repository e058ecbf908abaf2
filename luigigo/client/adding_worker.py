"""Luigi's worker, as far as it checks tasks and tells the scheduler of them: each once, breadth first."""

from __future__ import annotations

import sys
import traceback
from collections import deque
from typing import Any

import luigi.worker
from luigi.event import Event
from luigi.worker import TaskException, TracebackWrapper

from luigigo.client import exit_codes
from luigigo.client.signals import interruptible
from luigigo.errors import LuigigoError
from luigigo.messages import for_user


class AddingWorker(luigi.worker.Worker):  # type: ignore[misc]
    """Adds tasks; what runs them is another's affair."""

    _first_task: str | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._roots: list[str] = []
        self._unscheduled: dict[str, LuigigoError] = {}
        """By task, the error that its `complete` raised."""
        self._reported: set[str] = set()

    def _stop_running(self) -> None:
        """End what runs: somebody interrupts."""
        raise NotImplementedError

    def add(self, task: Any, multiprocess: bool = False, processes: int = 0) -> bool:
        """Check a task and all that it needs, each once, and tell the scheduler of them, breadth first.

        Returns whether all could be checked. The arguments for a pool of processes are ignored.
        """
        if self._first_task is None and hasattr(task, "task_id"):
            self._first_task = task.task_id
        self.add_succeeded = True
        self._validate_task(task)
        with interruptible(self._stop_running):
            try:
                self._add_all(task)
            except TaskException:
                raise
            except Exception as error:
                self.add_succeeded = False
                formatted_traceback = traceback.format_exc()
                self._log_unexpected_error(task)
                task.trigger_event(Event.BROKEN_TASK, task, error)
                self._email_unexpected_error(task, formatted_traceback)
                raise
        self._roots.append(task.task_id)
        return bool(self.add_succeeded)

    def _add_all(self, root: Any) -> None:
        seen = {root.task_id}
        waiting = deque([root])
        while waiting:
            task = waiting.popleft()
            for dep in self._add(task, self._check_complete(task)):
                if dep.task_id not in seen:
                    self._validate_task(dep)
                    seen.add(dep.task_id)
                    waiting.append(dep)

    def _check_complete(self, task: Any) -> Any:
        """What Luigi's `_add` wants to know of a task: a truth value, or how asking for it failed."""
        try:
            return luigi.worker.check_complete_cached(task, self._task_completion_cache)
        except LuigigoError as error:
            self._unscheduled[task.task_id] = error
            return TracebackWrapper(str(error))
        except Exception:
            return TracebackWrapper(traceback.format_exc())

    def _log_complete_error(self, task: Any, tb: str) -> None:
        error = self._unscheduled.pop(task.task_id, None)
        if error is None:
            super()._log_complete_error(task, tb)
        else:
            self._note_error(error)

    def _log_dependency_error(self, task: Any, tb: str) -> None:
        # Luigi calls this while it handles what `requires` raised, but does not pass that on.
        error = sys.exc_info()[1]
        if isinstance(error, LuigigoError):
            self._note_error(error)
        else:
            super()._log_dependency_error(task, tb)

    def _note_error(self, error: LuigigoError) -> None:
        exit_codes.note(error)
        if str(error) not in self._reported:
            self._reported.add(str(error))
            self._report_error(error)

    def _report_error(self, error: LuigigoError) -> None:
        """Tell the user of an error in checking the tasks; called once for each text."""
        print(for_user(error), file=sys.stderr, flush=True)
