"""The report of a run, for whoever follows a link from Luigi's page: made by a process of its own.

luigid's thread goes on meanwhile, and knows nothing of what is in a report.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import tornado.web

from luigigo.process import Command, Runner

PATH = r"/luigigo/report/([0-9A-Za-z][0-9A-Za-z-]*)"


class ReportPages:
    """Makes reports of the runs of one store, one at a time."""

    def __init__(self, shared: str) -> None:
        """`shared` is the store's folder."""
        self._shared = shared
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="report")

    async def page(self, run: str) -> tuple[int, bytes]:
        """The page of a run with the status of its answer: as it is now, or why there is none."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._make, run)

    def _make(self, run: str) -> tuple[int, bytes]:
        with tempfile.TemporaryDirectory(prefix="luigigo-report-") as folder:
            path = os.path.join(folder, "report.html")
            command = Command(
                (sys.executable, "-m", "luigigo", "report", run, "--html", path),
                folder,
                {**os.environ, "LUIGIGO_SHARED": self._shared},
                separate_stderr=True,
            )
            finished = Runner().run(command)
            if finished.exit_code != 0:
                return 404, finished.stderr
            with open(path, "rb") as file:
                return 200, file.read()


class ReportHandler(tornado.web.RequestHandler):
    """Answers with the report of a run."""

    def initialize(self, pages: ReportPages) -> None:
        """Know who makes them."""
        self._pages = pages

    async def get(self, run: str) -> None:
        """The page, or what is wrong as text."""
        status, content = await self._pages.page(run)
        self.set_status(status)
        self.set_header("Content-Type", f"text/{'html' if status == 200 else 'plain'}; charset=utf-8")
        self.finish(content)
