"""What ends an action that is no fault of the program's: this node's disk, its Go, or somebody's Ctrl-C."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator

from luigigo.errors import ActionError, ExitCode, LuigigoError, NodeTrouble
from luigigo.golang.run.job import Job, JobFailed
from luigigo.store.owndisk import disk_trouble, is_full, says_full

_DOUBTFUL = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EIO, errno.EROFS, errno.ESTALE)
"""What tools say of a missing header, and of a folder that somebody removes."""


def disk_behind(error: ActionError, job: Job, inputs: Iterable[str]) -> NodeTrouble | None:
    """What is wrong with the disk on which a tool failed; None where nothing is, so the program is at fault.

    `inputs`: the files that it read of other actions.
    """
    folder = job.layout.object_dir
    if says_full(str(error)) or (not job.is_on_client and is_full(folder)):
        return _full_disk(error, job)
    return _gone((folder, *inputs))


def require_there(outputs: Iterable[str]) -> None:
    """Raise `NodeTrouble` where an output is gone: a tool goes on writing to a file that somebody removed."""
    trouble = _gone(outputs)
    if trouble is not None:
        raise trouble


def doubt(error: ActionError, job: Job) -> NodeTrouble | None:
    """Whether a tool missed what somebody may be removing, so that a second run tells; not on a client."""
    text = str(error).lower()
    if job.is_on_client or not any(os.strerror(number).lower() in text for number in _DOUBTFUL):
        return None
    return NodeTrouble(str(error))


def change_behind(job: Job, changed_tool: str, *, has_failed: bool) -> NodeTrouble | JobFailed | None:
    """What to raise where an action did not run on what its key says: a source, or this tool, has changed.

    At home, where people edit, the action has failed; elsewhere the node has. Unpacked sources are looked at
    where something `has_failed`: nobody is to touch them.
    """
    if has_failed and job.is_on_client:
        return None
    is_unpacked = job.action.sources.bundle is not None
    changed_source = "" if is_unpacked and not has_failed else job.changed_source()
    changed = changed_tool or changed_source
    if not changed:
        return None
    if job.is_on_client:
        return job.fail(f"{changed} changed while the build ran: build again")
    if is_unpacked and changed.startswith(job.layout.source_dir + "/"):
        return disk_trouble(changed, "it was changed or removed")
    return NodeTrouble(f"{changed} is not what the build was planned with", "toolchain")


def interrupted() -> LuigigoError:
    """What ends an action whose runner was told to stop."""
    error = LuigigoError("interrupted")
    error.exit_code = ExitCode.INTERRUPTED
    return error


def _gone(paths: Iterable[str]) -> NodeTrouble | None:
    gone = next((path for path in paths if not os.path.exists(path)), "")
    return disk_trouble(gone, "it is gone") if gone else None


def _full_disk(error: ActionError, job: Job) -> NodeTrouble:
    """With what the tool said, what is free, and how much was written until there was no room."""
    written = sum(map(os.path.getsize, _files(job.layout.object_dir)))
    folder = os.path.dirname(job.layout.object_dir)
    trouble = disk_trouble(folder, os.strerror(errno.ENOSPC), written, is_full=True)
    advice = "make room, or set [luigigo] cache= in luigi.cfg" if job.is_on_client else ""
    text = f"{str(error).rstrip()}\nluigigo: {trouble}{'; ' * bool(advice)}{advice}"
    return NodeTrouble(text, trouble.kind, is_full=True)


def _files(folder: str) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            if os.path.isfile(path):
                yield path
