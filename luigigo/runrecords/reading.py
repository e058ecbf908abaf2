"""Reads the records of runs as far as they go: of one under way, of one that was killed, of a damaged one."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import msgspec

from luigigo.attempts import NodeInfo
from luigigo.errors import UsageError
from luigigo.runrecords.lines import (
    CLIENT_FILE,
    VERSION,
    AnyLine,
    AttemptLine,
    EndLine,
    Head,
    HitsLine,
    NodesLine,
    NowLine,
    PhaseLine,
    PlanLine,
    PlannedAction,
    codec,
)
from luigigo.store.layout import run_folder
from luigigo.store.owners import is_dead, is_of_this_machine

SILENT_SECONDS = 120.0
"""A run of another machine that has written nothing for so long, and no end, may be over."""


class RunRecord(msgspec.Struct):
    """What is known of one run."""

    run: str
    head: Head | None = None
    plans: list[PlanLine] = []
    actions: list[PlannedAction] = []
    """Of all plans, in the order of their numbers."""
    hits: list[HitsLine] = []
    attempts: list[AttemptLine] = []
    phases: list[PhaseLine] = []
    nodes: list[NodesLine] = []
    now: NowLine | None = None
    """What ran when that was written down last."""
    end: EndLine | None = None
    is_alive: bool = False
    """Without an end: whether it may still go on."""
    warnings: list[str] = []
    """What is missing of it, each in a sentence."""

    @property
    def outcome(self) -> str:
        """`ok`, `failed`, `interrupted`; `running`, or `ended without a word`."""
        if self.end is not None:
            return self.end.outcome
        return "running" if self.is_alive else "ended without a word"

    @property
    def seconds(self) -> float:
        """How long it took; of one without an end, as far as anything is known of it."""
        if self.end is not None:
            return self.end.seconds
        ends = [time for attempt in self.attempts for time in attempt.times if time is not None]
        ends += [each.at for each in self.nodes] + [phase.end for phase in self.phases]
        return max([*ends, self.now.at if self.now is not None else 0.0])

    @property
    def known_nodes(self) -> dict[str, NodeInfo]:
        """All machines that ever took part, by name, as they were described last."""
        found = {node.name: node for line in self.nodes for node in line.nodes}
        for attempt in self.attempts:
            if attempt.node:
                found.setdefault(attempt.node, NodeInfo(attempt.node, 0))
        return found


def read_run(root: str, run_id: str) -> RunRecord:
    """A run's record as far as it goes; what is missing of it is in its `warnings`.

    Raises `UsageError` where nothing can be read of it.
    """
    path = f"{run_folder(root, run_id)}/{CLIENT_FILE}"
    try:
        with open(path, "rb") as file:
            content = file.read()
            written = os.fstat(file.fileno()).st_mtime
    except OSError as error:
        raise UsageError(f"run {run_id} cannot be read: {path}: {error.strerror}") from error
    record = parse(run_id, content)
    if record.end is None:
        owner = None if record.head is None else record.head.owner
        if owner is not None and is_of_this_machine(owner):
            record.is_alive = not is_dead(owner)
        else:
            record.is_alive = time.time() - written < SILENT_SECONDS
        if not record.is_alive:
            record.warnings.append(
                "the client ended without a word: what came after its last line is unknown"
            )
    return record


def parse(run_id: str, content: bytes) -> RunRecord:
    """The record in a file's content. Raises `UsageError` for one of another version."""
    record = RunRecord(run_id)
    whole, _, torn = content.rpartition(b"\n")
    damaged = 0
    _require_version(run_id, whole[: whole.find(b"\n")] if b"\n" in whole else whole)
    for text in whole.split(b"\n") if whole else ():
        try:
            line = codec.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            damaged += 1
            continue
        _take(record, line)
    if record.head is None:
        record.warnings.append("its beginning is missing: whose run it is, is not known")
    if damaged:
        record.warnings.append(f"{damaged} of its lines cannot be read: they are left out")
    if torn:
        record.warnings.append("its last line is torn: it is left out")
    _leave_out_unplanned(record)
    return record


class _Version(msgspec.Struct):
    """What every version of a head has."""

    version: int
    luigigo: str = ""


def _require_version(run_id: str, line: bytes) -> None:
    try:
        head = msgspec.json.decode(line, type=_Version)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return
    if head.version != VERSION:
        raise UsageError(
            f"run {run_id} was recorded by luigigo {head.luigigo}, in version {head.version} of the form; "
            f"this luigigo reads version {VERSION}"
        )


def _take(record: RunRecord, line: AnyLine) -> None:
    if isinstance(line, AttemptLine):
        record.attempts.append(line)
    elif isinstance(line, Head):
        record.head = line
    elif isinstance(line, PlanLine):
        # A plan before it may be missing: numbers count from what the line says.
        record.actions += [PlannedAction("", "", 0)] * (line.first - len(record.actions))
        record.actions[line.first :] = line.actions
        record.plans.append(line)
    elif isinstance(line, HitsLine):
        record.hits.append(line)
    elif isinstance(line, PhaseLine):
        record.phases.append(line)
    elif isinstance(line, NodesLine):
        record.nodes.append(line)
    elif isinstance(line, NowLine):
        record.now = line
    else:
        record.end = line


def _leave_out_unplanned(record: RunRecord) -> None:
    """What tells of actions that no line has planned cannot be told."""
    count = len(record.actions)
    known = [attempt for attempt in record.attempts if _is_known(attempt.action, record.actions)]
    left_out = len(record.attempts) - len(known)
    if left_out:
        record.attempts = known
        record.warnings.append(f"{left_out} attempts at unknown actions are left out: a plan is missing")
    record.hits = [
        msgspec.structs.replace(line, hits=tuple(hit for hit in line.hits if hit.action < count))
        for line in record.hits
    ]


def _is_known(number: int, actions: Sequence[PlannedAction]) -> bool:
    return 0 <= number < len(actions) and bool(actions[number].id)
