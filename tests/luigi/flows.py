"""Small workflows for the tests of scheduling. `luigi --module flows …` uses luigigo's pieces with them.

Every task writes its output into the folder that the environment names, and says there when it ran.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import luigi

from luigigo.client import hooks, signals
from luigigo.errors import ActionError, PlanError, StoreError

hooks.install()

LONGEST_WAIT_SECONDS = 60.0
interrupted = threading.Event()
signals.interrupt_callbacks.append(interrupted.set)


def folder() -> Path:
    """Where this run's outputs are."""
    return Path(os.environ["FLOWS_FOLDER"])


def wait_for(path: Path) -> None:
    """Return once the test has made the file."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while not path.exists():
        if interrupted.wait(0.01):
            raise ActionError("stopped")
        if time.monotonic() > deadline:
            raise TimeoutError(path)


class Step(luigi.Task):
    """What all have in common: an output by name, and a log of every run."""

    name = luigi.Parameter(default="root")
    retry_count = 1

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(str(folder() / f"{self.task_family}-{self.name}"))

    def run(self) -> None:
        with open(folder() / "log", "a") as log:
            log.write(f"{self.task_family}-{self.name} {os.getpid()}\n")
        Path(self.output().path).write_text("")


class Slot(Step):
    """A task for a slot."""

    runs_in_slot = True


class Chain(Slot):
    """Slot tasks of which each needs the next."""

    length = luigi.IntParameter(default=5)

    def requires(self) -> list[Chain]:
        return [self.clone(length=self.length - 1)] if self.length else []

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(str(folder() / f"Chain-{self.name}-{self.length}"))


class Fan(Slot):
    """A slot task that needs several."""

    width = luigi.IntParameter(default=20)

    def requires(self) -> list[Slot]:
        return [Slot(name=str(index)) for index in range(self.width)]


class Waits(Slot):
    """Runs until the test makes the file `go-NAME`; says so by the file `waiting-NAME`."""

    def run(self) -> None:
        (folder() / f"waiting-{self.name}").write_text("")
        wait_for(folder() / f"go-{self.name}")
        super().run()


class OnWaits(Slot):
    """Needs the one that waits."""

    def requires(self) -> list[Waits]:
        return [Waits()]


class OnTwoWaits(Slot):
    """Needs two that wait."""

    def requires(self) -> list[Waits]:
        return [Waits(), Waits(name="other")]


class Fails(Slot):
    """Fails with an error of luigigo's, which it reports itself."""

    def run(self) -> None:
        print("the tool's own message", flush=True)
        raise ActionError("the tool's own message")


class FailsOnce(Slot):
    """Fails while the file `mended` is not there."""

    def run(self) -> None:
        if not (folder() / "mended").exists():
            raise ActionError("not mended")
        super().run()


class OnFails(Slot):
    """Needs one that fails and one that does not."""

    def requires(self) -> list[Slot]:
        return [Fails(), Slot()]


class FailsInStore(Slot):
    """Fails with an error that has an exit code of its own."""

    def run(self) -> None:
        raise StoreError("disk full")


class Crashes(Slot):
    """Has a bug."""

    def run(self) -> None:
        raise ValueError("a bug")


class Unplannable(Slot):
    """Cannot say what it needs, nor can the one that it needs."""

    def requires(self) -> list[Slot]:
        raise PlanError("no such package")


class OnUnplannable(Slot):
    """Needs two that fail alike."""

    def requires(self) -> list[Unplannable]:
        return [Unplannable(name="a"), Unplannable(name="b")]


class Uncheckable(Slot):
    """Cannot say whether it is complete."""

    def complete(self) -> bool:
        raise PlanError("no such folder")


class General(Step):
    """A task that is not for a slot, on top of some that are."""

    def requires(self) -> list[Slot]:
        return [Fan(width=3), Slot(name="beside")]


class GeneralPair(luigi.WrapperTask):
    """General tasks below and above slot tasks."""

    def requires(self) -> list[luigi.Task]:
        return [General(name="a"), General(name="b")]


class GeneralWaits(Step):
    """A general task that runs until the test makes the file `go-root`."""

    def run(self) -> None:
        (folder() / "waiting-root").write_text("")
        wait_for(folder() / "go-root")


class Sized(Slot):
    """Wants values."""

    size = luigi.IntParameter()
    day = luigi.DateParameter()


class Grows(Slot):
    """Finds out while it runs what it needs."""

    def run(self):  # type: ignore[no-untyped-def]
        yield Slot(name="grown")
        super().run()
