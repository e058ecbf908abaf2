"""What luigid refuses of what peers say, though it has the form of a message."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from luigigo.protocol.messages import MOST_HELD, MOST_SLOTS, PROTOCOL, Hello, Needs

_NAME = re.compile(r"[\w.@:\[\]()=, /-]{1,300}")
_Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
_Number: TypeAlias = int | float
_Status: TypeAlias = Literal[
    "PENDING", "RUNNING", "BATCH_RUNNING", "DONE", "FAILED", "DISABLED", "SUSPENDED", "UNKNOWN"
]


def why_unwelcome(hello: Hello) -> str:
    """Why a peer is not let in, or ""."""
    if hello.protocol != PROTOCOL:
        return f"this luigid speaks protocol {PROTOCOL}, not {hello.protocol}: install the same luigigo"
    if hello.role not in ("node", "client"):
        return f"there is no role {hello.role[:50]!r}"
    if not _NAME.fullmatch(hello.worker_id) or not _NAME.fullmatch(hello.node):
        return "a worker's and a node's name are short and have no strange letters"
    if not 1 <= hello.slots <= MOST_SLOTS or hello.memory_bytes < 0:
        return f"a worker has 1 to {MOST_SLOTS} slots, and not less than no memory"
    if len(hello.held) > MOST_HELD:
        return f"a worker holds at most {MOST_HELD} tasks"
    return ""


def require_needs(needs: Needs | None) -> None:
    """Raise `msgspec.ValidationError` for needs that no task has."""
    if needs is not None and not (0 <= needs.cores <= MOST_SLOTS and needs.peak_bytes >= 0):
        raise msgspec.ValidationError(f"a task takes 0 to {MOST_SLOTS} cores, and not less than no memory")


def require_task_call(call: dict[str, Any]) -> None:
    """Raise `msgspec.ValidationError` for arguments of Luigi's `add_task` that are none."""
    task = msgspec.convert(call, _TaskCall)
    if task.priority != task.priority:
        raise msgspec.ValidationError("a priority is a number")


class _TaskCall(msgspec.Struct):
    """The arguments of Luigi's `add_task`, by their types: what is kept of them is read by everybody."""

    task_id: _Name
    worker: str = ""
    status: _Status = "PENDING"
    runnable: bool | None = None
    deps: list[_Name] | None = None
    new_deps: list[_Name] | None = None
    expl: str | None = None
    resources: dict[str, _Number] | None = None
    priority: _Number = 0
    family: str = ""
    module: str | None = None
    params: dict[str, str] | None = None
    param_visibilities: dict[str, int] | None = None
    accepts_messages: bool | None = None
    assistant: bool = False
    tracking_url: str | None = None
    batchable: bool | None = None
    batch_id: str | None = None
    retry_policy_dict: dict[str, _Number | None] | None = None
    owners: list[str] | None = None
