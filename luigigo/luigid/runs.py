"""Which tasks each client waits for, and which are of no use any more. Decides only.

A task is *doomed* for a run when something that it needs failed: it can't run any more. Actions that only
doomed tasks would have read are unneeded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator

from luigigo.protocol.messages import ASKED
from luigigo.scheduling.ready import ReadyQueue


class Run:
    """The tasks of one client, from its first offer to its end."""

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self.tasks: set[str] = set()
        self.unfinished: set[str] = set()
        """Those that may still end: neither done, nor failed, nor doomed."""
        self.failed: dict[str, None] = {}
        """Those that failed, in that order."""
        self.is_complete = False
        """Whether the client has offered all."""
        self.is_over = False
        self.features: set[str] = set()
        """What its tasks need."""
        self.wanted: set[frozenset[str]] = set()
        """The sets of what its tasks need of what nodes say that they have."""

    def note_features(self, features: tuple[str, ...]) -> None:
        """Learn what a task needs."""
        self.features.update(features)
        self.wanted.add(frozenset(each for each in features if not each.startswith(ASKED)))

    def is_spent(self) -> bool:
        """Whether nothing more of it can happen."""
        return self.is_complete and not self.unfinished and not self.is_over


class Runs:
    """All runs that clients wait for, and the ended ones whose tasks are still shown."""

    def __init__(self, queue: ReadyQueue) -> None:
        self._queue = queue
        self._live: dict[str, Run] = {}
        self._of_task: defaultdict[str, set[str]] = defaultdict(set)
        self._ended: list[set[str]] = []

    def __iter__(self) -> Iterator[Run]:
        return iter(tuple(self._live.values()))

    def get(self, client_id: str) -> Run | None:
        """The client's run, if it has one."""
        return self._live.get(client_id)

    def of(self, client_id: str) -> Run:
        """The client's run; a new one when it has none, or its last one is over."""
        run = self._live.get(client_id)
        if run is None:
            run = self._live[client_id] = Run(client_id)
        elif run.is_over:
            self.close(client_id)
            run = self._live[client_id] = Run(client_id)
        return run

    def clients_of(self, task_id: str) -> Collection[str]:
        """The clients that wait for a task."""
        return tuple(self._of_task.get(task_id, ()))

    def put(self, run: Run, task_id: str, *, is_open: bool) -> None:
        """Add a task to a run; `is_open` says whether it may still run."""
        run.tasks.add(task_id)
        self._of_task[task_id].add(run.client_id)
        if is_open:
            run.unfinished.add(task_id)
            run.failed.pop(task_id, None)
        else:
            run.unfinished.discard(task_id)

    def reopen(self, task_id: str) -> None:
        """A task that was over waits again."""
        for client_id in self._of_task.get(task_id, ()):
            self._live[client_id].unfinished.add(task_id)
            self._live[client_id].failed.pop(task_id, None)

    def finish(self, task_id: str) -> None:
        """A task is done."""
        for client_id in self._of_task.get(task_id, ()):
            self._live[client_id].unfinished.discard(task_id)

    def fail(self, task_id: str) -> None:
        """A task failed: with it, whatever waits for it is doomed."""
        for client_id in self._of_task.get(task_id, ()):
            self._live[client_id].failed[task_id] = None
        for doomed in self._closure([task_id]):
            self.finish(doomed)

    def drop(self, task_ids: Iterable[str]) -> None:
        """Forget tasks."""
        for task_id in task_ids:
            for client_id in self._of_task.pop(task_id, ()):
                run = self._live[client_id]
                run.tasks.discard(task_id)
                run.unfinished.discard(task_id)

    def close(self, client_id: str) -> None:
        """The client is gone; its tasks are kept to be shown until `forget_ended`."""
        run = self._live.pop(client_id, None)
        if run is None:
            return
        for task_id in run.tasks:
            clients = self._of_task.get(task_id)
            if clients is not None:
                clients.discard(client_id)
                if not clients:
                    del self._of_task[task_id]
        self._ended.append(run.tasks)

    def forget_ended(self, in_use: Callable[[str], bool]) -> list[str]:
        """The tasks of closed runs that no other run has; each is returned once, when it is not in use."""
        ended = {task_id for tasks in self._ended for task_id in tasks if task_id not in self._of_task}
        kept = {task_id for task_id in ended if in_use(task_id)}
        self._ended = [kept] if kept else []
        return sorted(ended - kept)

    def unneeded(self, actions: Iterable[str]) -> list[str]:
        """Those of the actions that no task still reads: every path up from them ends in a doomed one.

        A run waits no longer for those that only others need.
        """
        candidates = set(actions)
        needed: set[str] = set()
        for run in self._live.values():
            needed_here = self._needed_by(run, candidates)
            run.unfinished -= candidates - needed_here
            needed |= needed_here
        return sorted(candidates - needed)

    def _needed_by(self, run: Run, candidates: Collection[str]) -> set[str]:
        """The unfinished tasks that the run asked for, and all that they need."""
        waiting = [
            task_id
            for task_id in run.unfinished
            if task_id not in candidates or run.tasks.isdisjoint(self._queue.dependents(task_id))
        ]
        needed = set(waiting)
        while waiting:
            for dependency in self._queue.dependencies(waiting.pop()):
                if dependency not in needed:
                    needed.add(dependency)
                    waiting.append(dependency)
        return needed

    def _closure(self, roots: Iterable[str]) -> set[str]:
        """The tasks, and all that wait for them."""
        waiting = list(roots)
        found = set(waiting)
        while waiting:
            for dependent in self._queue.dependents(waiting.pop()):
                if dependent not in found:
                    found.add(dependent)
                    waiting.append(dependent)
        return found
