"""A workflow of thousands of tasks with a build among them, whose names and messages look like HTML."""

from __future__ import annotations

import os
import time
from pathlib import Path

import luigi

from luigigo import BuildBinary

COUNT = 3000
EVIL = "<img src=x onerror=\"document.title='taken'\">"


class Step(luigi.Task):
    """One of many; the last one waits until the test lets it end."""

    number = luigi.IntParameter()
    word = luigi.Parameter()

    def output(self) -> luigi.LocalTarget:
        """A file that says that it ran."""
        return luigi.LocalTarget(os.path.join(os.environ["CROWD"], f"{self.number}"))

    def run(self) -> None:
        """Do next to nothing."""
        if self.number == 0:
            self.set_status_message(EVIL)
            self.set_progress_percentage(40)
            while not Path(os.environ["CROWD"], "go on").exists():
                time.sleep(0.05)
        with self.output().open("w") as file:
            file.write("done")

    @property
    def priority(self) -> int:
        """Those that wait for nobody come first."""
        return self.number


class Crowd(luigi.WrapperTask):
    """All of them."""

    project = luigi.Parameter()

    def requires(self) -> list[luigi.Task]:
        """The steps and the build."""
        steps = [Step(number=number, word=EVIL) for number in range(COUNT)]
        return [BuildBinary(project=self.project, output=f"{self.project}.bin"), *steps]
