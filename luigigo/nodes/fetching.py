"""Fetches to a node what an action will read that it does not have yet, and may never get."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

from luigigo.errors import LuigigoError
from luigigo.nodes.errand import NotOurs, action_of
from luigigo.nodes.site import Site
from luigigo.scheduling.protocol import Expect

_log = logging.getLogger("luigigo.worker")


class Fetcher:
    """One thread that fetches, one thing at a time, behind the back of what runs."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._latest: object = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fetching")

    def expect(self, message: Expect) -> None:
        """Fetch what a task will read of those that are done. Whatever goes wrong is found out again when
        it is staged.
        """
        self._thread.submit(self._fetch, message)

    def close(self) -> None:
        """Leave the rest."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _fetch(self, message: Expect) -> None:
        try:
            plan, action = action_of(message.task.family, message.task.params)
            if (plan, action) != self._latest:
                self._latest = plan, action
                _log.info("fetching ahead for %s", action)
            workshop = self._site.workshop(plan)
            for each in message.done:
                workshop.fetch(action, action_of(each.family, each.params)[1])
        except (LuigigoError, NotOurs, OSError) as error:
            _log.info("not fetched ahead: %s", error)
        except Exception:
            _log.exception("fetching ahead")
