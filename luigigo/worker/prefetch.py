"""Fetches to a node what a task will read that it was not given yet, and may never be given."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Mapping

from luigigo.errors import LuigigoError
from luigigo.protocol.messages import Prefetch
from luigigo.worker.families import Family, TaskRefused

_log = logging.getLogger("luigigo.worker")


class Fetcher:
    """One thread that fetches one thing at a time; it ends with the process."""

    def __init__(self, families: Mapping[str, Family]) -> None:
        self._families = families
        self._expected: queue.SimpleQueue[Prefetch] = queue.SimpleQueue()

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
            message = self._expected.get()
            try:
                family = self._families.get(message.task.family)
                if family is not None:
                    family.fetch(message)
            except (LuigigoError, TaskRefused, OSError) as error:
                _log.info("not fetched ahead: %s", error)
            except Exception:
                _log.exception("fetching ahead")
