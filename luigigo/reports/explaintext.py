"""Explanations of a run as text."""

from __future__ import annotations

import time
from collections.abc import Iterable

from luigigo.reports.explaining import (
    Cause,
    Explained,
    TwoOutputs,
    causes,
    import_cost,
    two_outputs,
    why_it_ran_again,
)
from luigigo.reports.history import History
from luigigo.reports.pairing import Pair
from luigigo.reports.text import seconds_text
from luigigo.units import counted

MOST_DIFFERENCES = 6
"""How many differences of one cause are shown."""
SHOWN = 8
"""How many names of many are shown."""

# --- a whole run ---


def run_lines(pair: Pair, others: Iterable[History]) -> list[str]:
    """Why a run did what it did. `others` are the runs among which one may have made another output."""
    history = pair.history
    counts = history.counts
    lines = [
        f"run {history.run}: {counts.ran} ran, {counts.cutoff} cut off, {counts.hit} cached"
        + (f", {counts.failed} failed" if counts.failed else "")
    ]
    lines += [f"warning: {each}" for each in history.record.warnings]
    if pair.comparing is None:
        lines.append(_no_comparison(pair))
    else:
        assert pair.other is not None
        lines.append(f"against run {pair.other.run}, {_when(pair.other)}:")
        found = causes(history, pair.comparing)
        for cause in found:
            lines += ["", *_cause(cause)]
        lines += _unexplained(pair)
        if not found:
            lines.append("no input differs between the two")
    lines += _failed(history)
    lines += [_fault(each) for each in two_outputs(others)]
    return lines


def _no_comparison(pair: Pair) -> str:
    if not pair.history.record.plans:
        return "nothing was planned"
    if pair.other is None:
        return "it is the first run of this request in the store: whatever ran had no record"
    return (
        f"the plan of run {pair.other.run}, the last of the same, is not in the store any more: "
        "what differs is not known"
    )


def _when(history: History) -> str:
    head = history.record.head
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(head.started)) if head is not None else ""


def _cause(cause: Cause) -> list[str]:
    names = _some([root.partition(" ")[2] for root in cause.roots])
    ran = len(cause.ran)
    lines = [f"{seconds_text(cause.seconds)}: {names}"]
    lines += [f"    {each.text}" for each in cause.differences[:MOST_DIFFERENCES]]
    left = len(cause.differences) - MOST_DIFFERENCES
    if left > 0:
        lines.append(
            f"    and {left} more: luigigo explain {cause.roots[0].partition(' ')[2]} names them all"
        )
    saved = cause.without_cutoff - ran
    more = f"; {saved} more would have without the cutoff, or what was there" if saved else ""
    lines.append(f"    {counted(ran, 'action')} ran because of it{more}")
    return lines


def _some(names: list[str]) -> str:
    unique = list(dict.fromkeys(names))
    left = len(unique) - SHOWN
    return ", ".join(unique[:SHOWN]) + (f" and {left} more" if left > 0 else "")


def _unexplained(pair: Pair) -> list[str]:
    """What ran though no input of it differs."""
    assert pair.comparing is not None
    history = pair.history
    reasons: dict[str, list[str]] = {}
    for number, step in history.last.items():
        name = history.actions[number].id
        explained = pair.comparing.of(name)
        if step.line.outcome == "ran" and not explained.is_changed:
            reasons.setdefault(why_it_ran_again(number, history, pair.other), []).append(
                history.package(number)
            )
    lines = []
    for reason, packages in reasons.items():
        lines += ["", f"{_some(packages)}:", f"    no input differs, and {reason}"]
    return lines


def _failed(history: History) -> list[str]:
    lines = []
    for step in history.last.values():
        if step.line.outcome == "failed":
            name = history.actions[step.number].id
            lines += ["", f"{name} failed on {step.node}, in attempt {step.attempt}:"]
            lines += step.line.message.rstrip("\n").split("\n")
    end = history.record.end
    if end is not None and end.error:
        lines += ["", end.error.rstrip("\n")]
    return lines


def _fault(found: TwoOutputs) -> str:
    return (
        f"\n{found.action}: runs {found.runs[0]} and {found.runs[1]} made different outputs of the same "
        f"inputs ({found.content_key}: {found.made[0]}; {found.made[1]}): a tool is not deterministic, or "
        "that is a fault of luigigo's: please report it"
    )


# --- one package ---


def package_lines(pair: Pair, package: str) -> list[str]:
    """Why the actions of a package ran, or did not."""
    history = pair.history
    lines: list[str] = []
    for number in history.packages[package]:
        lines += [*([""] if lines else []), *_action(pair, number)]
    return lines


def _action(pair: Pair, number: int) -> list[str]:
    history = pair.history
    name = history.actions[number].id
    lines = [f"{name} {_outcome(history, number)}"]
    if number not in history.last and number not in history.hits:
        return [*lines, *_waiting(pair, number)]
    lines += [
        f"    attempt {step.attempt} on {step.node} came to no end: {step.line.cause}"
        for step in history.steps
        if step.number == number and step.line.outcome == "requeued"
    ]
    step = history.last.get(number)
    if step is not None and step.line.outcome == "failed":
        lines += [f"    {each}" for each in step.line.message.rstrip("\n").split("\n")]
    if pair.comparing is None:
        return [*lines, f"    {_no_comparison(pair)}"]
    assert pair.other is not None
    explained = pair.comparing.of(name)
    if explained.is_changed:
        return [*lines, f"    since run {pair.other.run}:", *_why(explained)]
    if step is not None and step.line.outcome == "ran":
        why = why_it_ran_again(number, history, pair.other)
        return [*lines, f"    no input differs from run {pair.other.run}, and {why}"]
    return [*lines, f"    no input differs from run {pair.other.run}"]


def _waiting(pair: Pair, number: int) -> list[str]:
    """What an action that was not begun waits for, as far as the record goes."""
    history, record = pair.history, pair.history.record
    under_way = record.now.running if record.now is not None else ()
    running = {each.action: each for each in under_way if each.action not in history.last}
    now = history.seconds
    if number in running:
        return [f"    {_runs(pair, running[number].node, number, now - running[number].since)}"]
    unmet = [
        each
        for each in history.actions[number].dependencies
        if each not in history.done and each not in history.hits
    ]
    if record.outcome != "running":
        failed = [each for each in unmet if each in history.last]
        names = _some([history.package(each) for each in failed or unmet])
        return [f"    it waited for {names}"] if unmet else ["    it was ready when the run ended"]
    if not unmet:
        busy = _some([history.package(each) for each in running])
        return [f"    it is ready, and waits for a slot or memory: {len(running)} run now ({busy})"]
    lines = [f"    it waits for {len(unmet)} of {len(history.actions[number].dependencies)}:"]
    for each in sorted(unmet, key=lambda other: other not in running)[:SHOWN]:
        at = running.get(each)
        told = "waits itself" if at is None else _runs(pair, at.node, each, now - at.since)
        lines.append(f"        {history.package(each)} {told}")
    return lines


def _runs(pair: Pair, node: str, number: int, seconds: float) -> str:
    """How long an action has run, and how long it took the last time."""
    before = "" if pair.other is None else _seconds_before(pair.other, pair.history.actions[number].id)
    return f"runs on {node} for {seconds_text(max(0.0, seconds))} now{before}"


def _seconds_before(other: History, name: str) -> str:
    number = next((n for n, action in enumerate(other.actions) if action.id == name), None)
    if number is None:
        return ""
    step, hit = other.done.get(number), other.hits.get(number)
    took = step.seconds if step is not None else hit[0].seconds if hit is not None else 0.0
    return f"; in run {other.run} it took {seconds_text(took)}" if took else ""


def _outcome(history: History, number: int) -> str:
    step = history.last.get(number)
    if step is None:
        if number not in history.hits:
            return "was not begun"
        made_by = history.hit_made_by(number)
        by = f" by run {made_by}" if made_by else ""
        return f"was a hit: it was made{by} in {seconds_text(history.hits[number][0].seconds)}"
    saved = seconds_text(step.line.saved_seconds)
    words = {
        "ran": f"ran on {step.node} for {seconds_text(step.seconds)}",
        "cutoff": f"was cut off: nothing changed that it reads; what serves took {saved}",
        "hit": "was a hit: somebody else had made it by the time that it was its turn",
        "failed": f"failed on {step.node}",
    }
    made_by = f", and was made by run {step.line.made_by}" if step.line.made_by else ""
    return words.get(step.line.outcome, "came to no end") + made_by


def _why(explained: Explained) -> list[str]:
    lines = [f"    {each.text}" for each in explained.own]
    below = len(explained.because_of or explained.through)
    if explained.own and below:
        lines.append(f"    and of {below} that it waits for something differs, too")
    elif explained.because_of:
        lines.append(f"    because of {_some([each.partition(' ')[2] for each in explained.because_of])}")
    elif explained.through:
        lines.append(f"    because of {_some([each.partition(' ')[2] for each in explained.through])}")
    return lines


def import_lines(history: History, package: str) -> list[str]:
    """Through which imports a package is there, and what it costs."""
    cost = import_cost(history, package)
    only = counted(len(cost.only_for_it), "package")
    lines = [f"{package}: {seconds_text(cost.seconds)} with the {only} that only it needs"]
    if cost.only_for_it:
        lines.append(f"    {_some(list(cost.only_for_it))}")
    if not cost.importers:
        lines.append("it was named, and nothing imports it")
        return lines
    importers = counted(len(cost.importers), "package")
    verb = "imports" if len(cost.importers) == 1 else "import"
    lines.append(f"{importers} {verb} it: {_some(list(cost.importers))}")
    lines += [f"    {' → '.join(chain)}" for chain in cost.chains]
    return lines
