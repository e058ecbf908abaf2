"""`luigigo runs` and `luigigo report`: look at what runs have left in the store."""

from __future__ import annotations

import gzip
import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from luigigo.errors import UsageError
from luigigo.reports.comparing import compare_histories
from luigigo.reports.exports.actiongraph import actiongraph
from luigigo.reports.exports.otlp import send
from luigigo.reports.exports.trace import trace
from luigigo.reports.history import History
from luigigo.reports.page.scalingpage import scaling_page
from luigigo.reports.pairing import latest_histories
from luigigo.reports.reading import all_histories, read_history, store_root
from luigigo.reports.scaling import Point, measured, points, require_alike
from luigigo.reports.text import comparison_text, report_text, seconds_text, table
from luigigo.store.staging import publish


class ReportOptions(msgspec.Struct, frozen=True):
    """Where `luigigo report` writes what."""

    html: str = ""
    csv: str = ""
    parquet: str = ""
    trace: str = ""
    actiongraph: str = ""
    otlp: str = ""
    against: str = ""


def show_runs(*, as_json: bool) -> None:
    """Print all runs, the newest last."""
    if as_json:
        for history in all_histories():
            print(json.dumps(_run_fields(history)))
        return
    histories = list(all_histories())
    if not histories:
        print(f"luigigo: no run has left a record in {store_root(None)}", file=sys.stderr)
        return
    rows: list[tuple[str, ...]] = [
        ("run", "when", "outcome", "took", "nodes", "ran", "cut off", "cached", "what")
    ]
    rows += [_run_line(history) for history in histories]
    print(table("", rows).removeprefix("\n"))


def _run_line(history: History) -> tuple[str, ...]:
    counts, head = history.counts, history.record.head
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(head.started)) if head is not None else ""
    return (
        history.run,
        when,
        history.record.outcome,
        seconds_text(history.seconds),
        str(len(history.nodes)),
        str(counts.ran),
        str(counts.cutoff),
        str(counts.hit),
        _what(history),
    )


def _what(history: History) -> str:
    head = history.record.head
    return history.what or (shlex.join(head.command) if head is not None else "")


def _run_fields(history: History) -> dict[str, Any]:
    head, counts = history.record.head, history.counts
    return {
        "run": history.run,
        "started": head.started if head is not None else None,
        "command": list(head.command) if head is not None else [],
        "what": _what(history),
        "outcome": history.record.outcome,
        "seconds": round(history.seconds, 4),
        "nodes": len(history.nodes),
        "slots": history.slots,
        "ran": counts.ran,
        "cutoff": counts.cutoff,
        "hit": counts.hit,
        "failed": counts.failed,
        "saved_seconds": round(history.saved_seconds, 4),
        "warnings": history.record.warnings,
    }


def show_report(run: str, options: ReportOptions) -> None:
    """Print a run's report, or write what was asked for. Raises `UsageError`."""
    history = read_history(run)
    other = read_history(options.against) if options.against else None
    if options.csv:
        _write_frames(history, options.csv, "csv")
    if options.parquet:
        _write_frames(history, options.parquet, "parquet")
    if options.html:
        _write_page(history, other, options.html)
    if options.trace:
        _write(options.trace, _packed(options.trace, trace(history)))
    if options.actiongraph:
        _write(options.actiongraph, actiongraph(history))
    if options.otlp:
        count = send(history, options.otlp)
        print(f"luigigo: {count} spans of run {history.run} were sent to {options.otlp}", file=sys.stderr)
    if any((options.csv, options.parquet, options.html, options.trace, options.actiongraph, options.otlp)):
        return
    print(report_text(history, latest_histories()), end="")
    if other is not None:
        print()
        print(comparison_text(history, other, compare_histories(history, other)), end="")


def show_scaling(runs: Sequence[str], html: str, go_build_seconds: float) -> None:
    """Print several runs of one program beside one another, or write their page. Raises `UsageError`."""
    if not runs:
        raise UsageError("--scaling holds runs beside one another: luigigo report --scaling RUN RUN …")
    histories = [read_history(run) for run in runs]
    require_alike(histories)
    found = points(map(measured, histories))
    if html:
        counts = ", ".join(str(each) for each in sorted({point.nodes for point in found}))
        title = f"{_what(histories[0])} on {counts} nodes"
        page = scaling_page(title, found, go_build_seconds)
        _write(html, page.encode("utf-8", "backslashreplace"))
        return
    rows: list[tuple[str, ...]] = [
        ("nodes", "slots", "runs", "compile", "range", "exchange", "hidden", "distribution", "least", "bound")
    ]
    rows += [_scaling_row(point) for point in found]
    print(table("", rows).removeprefix("\n"))


def _scaling_row(point: Point) -> tuple[str, ...]:
    median = point.median
    span = f"{point.low['compile_seconds']:.2f}–{point.high['compile_seconds']:.2f}"
    names = ("exchange_seconds", "hidden_seconds", "distribution_seconds", "least_seconds", "bound_seconds")
    return (
        *(str(each) for each in (point.nodes, point.slots, point.runs)),
        f"{median['compile_seconds']:.2f}",
        span,
        *(f"{median[name]:.2f}" for name in names),
    )


def _packed(path: str, content: bytes) -> bytes:
    """The content as the file's name wants it: the same bytes for the same run."""
    return gzip.compress(content, mtime=0) if path.endswith(".gz") else content


def _write_page(history: History, other: History | None, path: str) -> None:
    from luigigo.reports.page.build import page

    content = page(history, other, latest_histories())
    _write(path, content.encode("utf-8", "backslashreplace"))


def _write(path: str, content: bytes) -> None:
    """Write a file in one step, or to what is no plain file as it is. Raises `UsageError`."""
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "wb") as file:
                file.write(content)
        else:
            publish(os.path.abspath(path), content, 0o666)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


def _write_frames(history: History, folder: str, form: str) -> None:
    from luigigo.reports.frames import FRAMES

    write: dict[str, Callable[[Any, str], None]] = {
        "csv": lambda frame, path: frame.to_csv(path, index=False),
        "parquet": lambda frame, path: frame.to_parquet(path, index=False),
    }
    try:
        os.makedirs(folder, exist_ok=True)
        for name, make in FRAMES.items():
            write[form](make(history), os.path.join(folder, f"{name}.{form}"))
    except ImportError as error:
        raise UsageError("Parquet needs pyarrow: pip install 'luigigo[parquet]'") from error
    except OSError as error:
        where = error.filename or folder
        raise UsageError(f"cannot write {where}: {error.strerror or error}") from error
    print(f"luigigo: {', '.join(FRAMES)} of run {history.run} are in {folder}", file=sys.stderr)
