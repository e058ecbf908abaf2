"""What the end of a task by an error means for luigid."""

from __future__ import annotations

import logging

from luigigo.errors import (
    ActionError,
    ExitCode,
    LuigigoError,
    NodeTrouble,
    PlanRefused,
    SourcesElsewhere,
    SourcesMissing,
    ToolKilled,
    ToolStopped,
)
from luigigo.protocol.messages import Ended, Grant, Usage
from luigigo.worker.families import Lacking, TaskRefused

_log = logging.getLogger("luigigo.worker")


def result_of(grant: Grant, error: BaseException) -> Ended:
    """What an error means for luigid: the task's fault, or this node's."""
    name, lease, text = grant.task_id, grant.lease, str(error)
    if isinstance(error, ToolKilled):
        return Ended(name, lease, "killed", text, int(error.exit_code), attempt=error.attempt)
    if isinstance(error, ActionError) and not isinstance(error, ToolStopped):
        usage = Usage("failed", said=error.said)
        return Ended(name, lease, "failed", text, int(error.exit_code), usage, attempt=error.attempt)
    if isinstance(error, TaskRefused | PlanRefused):
        return Ended(name, lease, "failed", f"refused: {text}", int(ExitCode.USAGE))
    if isinstance(error, SourcesElsewhere):
        return Ended(name, lease, "local-only", text)
    if isinstance(error, SourcesMissing):
        return Ended(name, lease, "sourceless", text)
    if isinstance(error, Lacking):
        return Ended(name, lease, "unable", text, lacks=error.feature)
    if not isinstance(error, LuigigoError):
        _log.exception("%s", name, exc_info=error)
        text = f"{type(error).__name__}: {error}"
    trouble = error.kind if isinstance(error, NodeTrouble) else ""
    code = error.exit_code if isinstance(error, LuigigoError) else ExitCode.INTERNAL
    return Ended(name, lease, "unable", text, int(code), trouble=trouble)
