"""`luigigo status`: the builds that go on, from their records in the store."""

from __future__ import annotations

import json
import sys
import time

import msgspec

from luigigo.reports.live import VERSION, LiveRun, live_run
from luigigo.reports.pairing import latest_histories
from luigigo.reports.text import seconds_text
from luigigo.units import time_text

FOLLOW_SECONDS = 1.0
SHOWN = 20
"""How many running actions of one build are shown."""


def show_status(*, follow: bool, as_json: bool) -> None:
    """Print what goes on; with `follow` again and again, until nothing does."""
    if not follow:
        _print(_live(), as_json=as_json)
    elif as_json or not sys.stdout.isatty():
        _follow_by_lines(as_json=as_json)
    else:
        _follow_on_terminal()


def _live() -> list[LiveRun]:
    histories = latest_histories()
    return [
        live_run(history, [other for other in histories if other.run < history.run], time.time())
        for history in histories
        if history.record.outcome == "running"
    ]


def _print(runs: list[LiveRun], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"version": VERSION, "builds": msgspec.to_builtins(runs)}), flush=True)
    else:
        print("\n".join(status_lines(runs)), flush=True)


def status_lines(runs: list[LiveRun]) -> list[str]:
    """What goes on, for people."""
    if not runs:
        return ["no build goes on"]
    lines: list[str] = []
    for run in runs:
        lines += [*([""] if lines else []), *_run_lines(run)]
    return lines


def _run_lines(run: LiveRun) -> list[str]:
    lines = [_summary(run), f"  {run.what} on {run.host}, {run.slots} slots of {run.nodes} nodes"]
    for each in run.running[:SHOWN]:
        expected = f" of about {seconds_text(each.expected_seconds)}" if each.expected_seconds else ""
        lines.append(f"  {each.action} runs on {each.node} for {seconds_text(each.seconds)}{expected}")
    if len(run.running) > SHOWN:
        lines.append(f"  and {len(run.running) - SHOWN} more")
    lines.append(f"  {run.ready} wait for a slot or memory, {run.waiting} for other actions")
    return lines


def _summary(run: LiveRun) -> str:
    if not run.total:
        return f"run {run.run}: {run.phase}, {run.seconds:.0f} s"
    share = 100 * run.done // run.total
    failed = f", {run.failed} failed" if run.failed else ""
    left = f", about {time_text(run.left_seconds)} left" if run.left_seconds else ""
    return f"run {run.run}: {run.done}/{run.total} done, {share} %{failed}, {run.seconds:.0f} s{left}"


def _follow_by_lines(*, as_json: bool) -> None:
    said = ""
    while runs := _live():
        told = "; ".join(map(_summary, runs))
        if as_json:
            _print(runs, as_json=True)
        elif told != said:
            print(told, flush=True)
        said = told
        time.sleep(FOLLOW_SECONDS)
    _print([], as_json=as_json)


def _follow_on_terminal() -> None:
    from rich.live import Live
    from rich.text import Text

    with Live(refresh_per_second=4) as live:
        while runs := _live():
            live.update(Text("\n".join(status_lines(runs))))
            time.sleep(FOLLOW_SECONDS)
        live.update(Text("\n".join(status_lines([]))))
