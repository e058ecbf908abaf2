"""A run's record as pandas frames. The only module of reports that imports pandas at its top."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import pandas

from luigigo.encoding import legible
from luigigo.reports import columns, occupancy
from luigigo.reports.bypackage import package_rows
from luigigo.reports.columns import Columns
from luigigo.reports.comparing import compare_histories
from luigigo.reports.headline import headline
from luigigo.reports.history import History, Step


def frame(rows: Iterable[Mapping[str, Any]], layout: Columns) -> pandas.DataFrame:
    """The rows as a frame with exactly these columns, in this order, of these types."""
    table = list(rows)
    return pandas.DataFrame(
        {
            name: pandas.Series([row.get(name) for row in table], dtype=dtype)
            for name, (dtype, _) in layout.items()
        }
    )


def runs_frame(histories: Iterable[History]) -> pandas.DataFrame:
    """One row a run."""
    return frame(map(_run_row, histories), columns.RUNS)


def _run_row(history: History) -> dict[str, Any]:
    record, counts = history.record, history.counts
    head, plan = record.head, record.plans[0] if record.plans else None
    return {
        "run": history.run,
        "started": pandas.Timestamp(head.started, unit="s", tz="UTC") if head is not None else None,
        "outcome": record.outcome,
        "seconds": history.seconds,
        "nodes": len(history.nodes),
        "slots": history.slots,
        **msgspec.structs.asdict(counts),
        "project": legible(plan.project) if plan is not None else "",
        "packages": legible(" ".join(plan.packages)) if plan is not None else "",
        "command": legible(shlex.join(head.command)) if head is not None else "",
        "host": head.owner.host if head is not None else "",
        "scheduler": next((line.scheduler for line in record.nodes if line.scheduler), ""),
        "toolchain": plan.toolchain if plan is not None else "",
        "luigigo": head.luigigo if head is not None else "",
        "warnings": "; ".join(record.warnings),
    }


def actions_frame(history: History) -> pandas.DataFrame:
    """One row for each attempt at an action, and one for each action that was done before the run."""
    hits = (_hit_row(history, number) for number in history.hits)
    return frame([*hits, *(_step_row(history, step) for step in history.steps)], columns.ACTIONS)


def _hit_row(history: History, number: int) -> dict[str, Any]:
    return {
        **_named(history, number),
        "attempt": 0,
        "outcome": "hit",
        "saved_seconds": history.hits[number][0].seconds,
        "made_by": history.hit_made_by(number),
    }


def _named(history: History, number: int) -> dict[str, Any]:
    return {
        "run": history.run,
        "action": legible(history.actions[number].id),
        "kind": history.kind(number),
        "package": legible(history.package(number)),
        "module": legible(history.modules[number]),
    }


def _step_row(history: History, step: Step) -> dict[str, Any]:
    line, moments, waits = step.line, step.moments, step.waits
    return {
        **_named(history, step.number),
        "attempt": step.attempt,
        "outcome": line.outcome,
        "node": line.node,
        "slot": line.slot if line.slot >= 0 else None,
        "ready_at_seconds": moments.ready,
        "given_at_seconds": moments.given,
        "staged_at_seconds": moments.staged,
        "started_at_seconds": moments.started,
        "tools_started_at_seconds": moments.tools_started,
        "tools_ended_at_seconds": moments.tools_ended,
        "ended_at_seconds": moments.ended,
        "seconds": step.seconds,
        "slot_seconds": step.slot_seconds,
        "tools_seconds": step.tools_seconds,
        "publishing_seconds": step.publishing_seconds,
        "staging_seconds": step.staging_seconds,
        "wait_slot_seconds": step.slot_wait_seconds,
        "wait_memory_seconds": waits.memory,
        "wait_luigid_seconds": waits.luigid,
        "wait_builds_seconds": waits.builds,
        "cpu_seconds": line.cpu_seconds,
        "peak_bytes": line.peak_bytes,
        "read_bytes": line.read_bytes,
        "written_bytes": line.written_bytes,
        "saved_seconds": line.saved_seconds,
        "made_by": line.made_by,
        "made": " ".join(line.made),
        "exit_code": line.exit_code,
        "cause": legible(line.cause),
        "message": legible(line.message),
        "uncertainty_seconds": line.uncertainty_seconds,
        "is_uncertain": step.is_uncertain,
    }


def phases_frame(history: History) -> pandas.DataFrame:
    """One row for each stretch of the client's time."""
    rows = (
        {
            "run": history.run,
            "phase": phase.name,
            "start_seconds": phase.start,
            "seconds": phase.end - phase.start,
        }
        for phase in history.record.phases
    )
    return frame(rows, columns.PHASES)


def nodes_frame(history: History) -> pandas.DataFrame:
    """One row a machine."""
    busy = occupancy.slot_seconds(history)
    return frame(
        (_node_row(history, name, busy[name].get(occupancy.RUNNING, 0.0)) for name in sorted(history.nodes)),
        columns.NODES,
    )


def _node_row(history: History, name: str, busy_seconds: float) -> dict[str, Any]:
    node = history.nodes[name]
    steps = history.steps_of[name]
    all_seconds = node.slots * history.seconds
    return {
        "run": history.run,
        "node": name,
        "processor": node.processor,
        "slots": node.slots,
        "memory_bytes": node.memory_bytes,
        "attempts": sum(step.moments.started is not None for step in steps),
        "ran": sum(step.line.outcome == "ran" for step in steps),
        "busy_seconds": busy_seconds,
        "utilisation": busy_seconds / all_seconds if all_seconds else None,
        "staging_seconds": sum(step.staging_seconds for step in steps),
        "publishing_seconds": sum(step.publishing_seconds for step in steps),
        "most_uncertainty_seconds": max((step.line.uncertainty_seconds for step in steps), default=0.0),
    }


def waits_frame(history: History) -> pandas.DataFrame:
    """What the slots of each machine did: one row a machine and cause."""
    rows = (
        {
            "run": history.run,
            "node": node,
            "cause": cause,
            "slot_seconds": seconds,
            "share": seconds / (history.nodes[node].slots * history.seconds) if history.seconds else None,
        }
        for node, by_cause in sorted(occupancy.slot_seconds(history).items())
        for cause, seconds in sorted(by_cause.items(), key=lambda item: -item[1])
    )
    return frame(rows, columns.WAITS)


def packages_frame(history: History) -> pandas.DataFrame:
    """One row a package, the slowest first."""
    rows = (
        {
            **msgspec.structs.asdict(row),
            "run": history.run,
            "package": legible(row.package),
            "module": legible(row.module),
            "imported_through": legible(" ".join(row.imported_through)),
        }
        for row in package_rows(history)
    )
    return frame(rows, columns.PACKAGES)


def summary_frame(history: History) -> pandas.DataFrame:
    """One row: the run in numbers."""
    row = headline(history)
    return frame([{**msgspec.structs.asdict(row), "ratio": row.ratio}], columns.SUMMARY)


def compare_frame(history: History, other: History) -> pandas.DataFrame:
    """One row for each action of either run, what became slower most first."""
    rows = map(msgspec.structs.asdict, compare_histories(history, other))
    return frame(
        ({**row, "action": legible(row["action"]), "package": legible(row["package"])} for row in rows),
        columns.COMPARISON,
    )


FRAMES = {
    "actions": actions_frame,
    "phases": phases_frame,
    "nodes": nodes_frame,
    "waits": waits_frame,
    "packages": packages_frame,
    "summary": summary_frame,
}
"""The frames of one run, by name."""
