"""What a client of a stock luigid does beyond Luigi's own worker, all of it through stock RPCs.

A luigid outlives its clients and is shared by several: it remembers failures of earlier runs, and gives
tasks of ours to others.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from luigi.rpc import RPCError
from luigi.task_status import DISABLED, DONE, FAILED
from luigi.worker import _get_retry_policy_dict

FAREWELL_TIMEOUT_SECONDS = 1.0
"""For each call of a client that is about to leave; the answer changes nothing for it."""


class SharedScheduler:
    """One client's view of a luigid that others may use at the same time."""

    def __init__(self, scheduler: Any, worker_id: str) -> None:
        self._scheduler = scheduler
        self._worker_id = worker_id
        self._disabled: set[str] | None = None
        self._reclaimed: set[str] = set()

    def forgive(self, task_id: str) -> None:
        """Let a task run though it failed in an earlier run: luigid would refuse it for a day."""
        if self._disabled is None:
            self._disabled = self._list_disabled()
        if task_id in self._disabled:
            self._disabled.discard(task_id)
            self._scheduler.re_enable_task(task_id)

    def reclaim(self, candidates: Collection[str]) -> list[str]:
        """Of the candidates, those that failed under another client, or were lost with it: enabled again.

        Each is returned once, so that clients cannot hand a failing task to and fro for ever.
        """
        failed = (self._list_disabled() & set(candidates)) - self._reclaimed
        for task_id in failed:
            self._scheduler.re_enable_task(task_id)
        self._reclaimed |= failed
        return sorted(failed)

    def done(self, root_ids: Iterable[str]) -> set[str]:
        """Of the tasks under the roots, those that luigid knows to be done, whoever ran them."""
        done: set[str] = set()
        for root_id in root_ids:
            nodes = self._scheduler.dep_graph(root_id)
            done.update(task_id for task_id, node in nodes.items() if node["status"] == DONE)
        return done

    def hand_back(self, tasks: Iterable[Any]) -> None:
        """Report running tasks as failed: else luigid takes them to be running until it misses the client.

        A luigid that does not answer is left alone.
        """
        self._scheduler._rpc_retry_attempts = 1
        self._scheduler._connect_timeout = FAREWELL_TIMEOUT_SECONDS
        try:
            for task in tasks:
                self._scheduler.add_task(
                    worker=self._worker_id,
                    task_id=task.task_id,
                    status=FAILED,
                    expl=json.dumps("interrupted"),
                    runnable=None,
                    retry_policy_dict=_get_retry_policy_dict(task),
                )
        except (RPCError, OSError):
            pass

    def _list_disabled(self) -> set[str]:
        return set(self._scheduler.task_list(DISABLED, "", limit=False))
