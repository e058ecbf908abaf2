"""An action's commands without running them: each succeeds at once and makes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from luigigo.golang.run.job import Job
from luigigo.golang.run.steps import make_outputs
from luigigo.process import Command, Finished, Runner


class IdleRunner(Runner):
    """Runs nothing, and remembers what was to be run, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.commands: list[Command] = []

    def run(self, command: Command, on_stderr: Callable[[str], None] | None = None) -> Finished:
        """Succeed at once."""
        self.commands.append(command)
        return Finished(exit_code=0, output=b"", seconds=0.0, cpu_seconds=0.0, peak_bytes=0)


def rehearse(job: Job, inputs: Mapping[str, str]) -> bool:
    """Go through a job's commands by an `IdleRunner`; False where the rest depends on what they would make.

    Raises `JobFailed` as `make_outputs` does, and `OSError` for any fault but a missing file.
    """
    try:
        make_outputs(job, inputs)
    except FileNotFoundError:
        return False
    return True
