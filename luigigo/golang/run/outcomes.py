"""What came of one run of an action, in the words of records and errors."""

from __future__ import annotations

import msgspec

from luigigo.attempts import Attempt, SlotTurn
from luigigo.endings import Ending
from luigigo.errors import ActionError, ToolKilled, ToolStopped
from luigigo.execution.events import Outcome
from luigigo.execution.stopwatch import Stopwatch
from luigigo.golang.run.job import Job, JobFailed
from luigigo.messages import whole
from luigigo.model import ActionRecord, told


def attempt_of(
    watch: Stopwatch,
    turn: SlotTurn,
    outcome: Outcome | None,
    record: ActionRecord | None,
    failure: ActionError | None,
) -> Attempt:
    """How an attempt went that is over, with what it made, what serves instead, or what failing took."""
    attempt = watch.attempt(turn)
    if failure is not None:
        return msgspec.structs.replace(
            attempt, cpu_seconds=failure.cpu_seconds, peak_bytes=failure.peak_bytes
        )
    if record is None:
        return attempt
    if outcome is not Outcome.RAN:
        return msgspec.structs.replace(attempt, made=record.outputs, made_by=record.run)
    written_bytes = sum(output.size_bytes for output in record.outputs.values())
    return msgspec.structs.replace(
        attempt,
        cpu_seconds=record.cpu_seconds,
        peak_bytes=record.peak_bytes,
        made=record.outputs,
        written_bytes=written_bytes,
        content_key=record.content_key,
    )


def error_of(failed: JobFailed, job: Job) -> ActionError:
    """The failure of a job, with all that its tools said before."""
    said = (*job.said, *failed.said)
    kind = {Ending.STOPPED: ToolStopped, Ending.KILLED: ToolKilled}.get(failed.ending, ActionError)
    error = kind(whole(told(said, job.package_dir)))
    error.said, error.folder = said, job.package_dir
    error.cpu_seconds, error.peak_bytes = job.cpu_seconds, job.peak_bytes
    return error
