"""A workflow of many small tasks and a Go program, some of which wait until the test lets them go on."""

import time
from pathlib import Path

import luigi

from luigigo import BuildBinary

SMALL = 3000
SAID = '<b>half</b> of it & "more"'


class Small(luigi.Task):
    """One of many; those of the second half wait for the gate."""

    folder = luigi.Parameter()
    number = luigi.IntParameter()
    text = luigi.Parameter()

    def requires(self):
        return Gate(self.folder) if self.number >= SMALL // 2 else []

    def output(self):
        return luigi.LocalTarget(f"{self.folder}/{self.number}")

    def run(self):
        Path(self.output().path).touch()


class Gate(luigi.Task):
    """Says how far it is, and runs until there is a file `open`."""

    folder = luigi.Parameter()

    def output(self):
        return luigi.LocalTarget(f"{self.folder}/gate")

    def run(self):
        self.set_status_message(SAID)
        self.set_progress_percentage(50)
        while not Path(self.folder, "open").exists():
            time.sleep(0.05)
        Path(self.output().path).touch()


class Crowd(luigi.WrapperTask):
    """All of them, and the program."""

    folder = luigi.Parameter()
    project = luigi.Parameter()

    def requires(self):
        yield BuildBinary(project=self.project, output=f"{self.folder}/app")
        yield from (Small(self.folder, number, f"<i>{number}</i>") for number in range(SMALL))
