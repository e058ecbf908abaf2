"""Fetches to a node what an action will read that it was not given yet, and may never be given."""

from __future__ import annotations

import logging
import queue
import threading

from luigigo.errors import LuigigoError
from luigigo.protocol.messages import Prefetch
from luigigo.worker.assignment import TaskRefused, action_of, sound
from luigigo.worker.node import NodeContext

_log = logging.getLogger("luigigo.worker")


class Fetcher:
    """One thread that fetches one thing at a time; it ends with the process."""

    def __init__(self, node_context: NodeContext) -> None:
        self._node_context = node_context
        self._expected: queue.SimpleQueue[Prefetch] = queue.SimpleQueue()
        self._latest: object = None

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._serve, name="fetching", daemon=True).start()

    def expect(self, message: Prefetch) -> None:
        """Fetch what a task will read of those that are done.

        Whatever goes wrong is found out again, and told, when the task is staged.
        """
        self._expected.put(message)

    def _serve(self) -> None:
        while True:
            try:
                self._fetch(self._expected.get())
            except (LuigigoError, TaskRefused, OSError) as error:
                _log.info("not fetched ahead: %s", error)
            except Exception:
                _log.exception("fetching ahead")

    def _fetch(self, message: Prefetch) -> None:
        plan, action = action_of(message.task.family, message.task.params)
        if (plan, action) != self._latest:
            self._latest = plan, action
            _log.info("fetching ahead for %s", action)
        executor = self._node_context.executor(plan)
        executor.learn(sound(message.made))
        for each in message.done:
            executor.fetch(action, action_of(each.family, each.params)[1])
