"""A run as text, for a terminal. Pure."""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from luigigo.reports import occupancy
from luigigo.reports.bypackage import PackageRow, package_rows
from luigigo.reports.comparing import Comparison
from luigigo.reports.findings import Improvement, findings
from luigigo.reports.headline import Headline, headline
from luigigo.reports.history import History
from luigigo.reports.paths import chain_that_happened
from luigigo.units import counted, size_text

SLOWEST = 10
"""How many packages are shown."""
LINKS = 15
"""How many links of the chain that happened are shown, the longest."""
BAR = 30
"""How wide a whole bar is."""


def report_text(history: History, others: Sequence[History] = ()) -> str:
    """The whole report of one run; `others` are runs whose nodes this one's are held against."""
    head, packages = headline(history), package_rows(history)
    parts = [
        _title(history, head),
        _numbers(history, head),
        _shorter(findings(history, head, packages, others)),
        _slots(history),
        _nodes(history),
        _slowest(packages),
        _chain(history),
        _failures(history),
        _missing(history),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _title(history: History, head: Headline) -> str:
    record = history.record
    lines = [f"run {history.run}: {head.outcome}, {seconds_text(head.makespan_seconds)}"]
    if record.head is not None:
        began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.head.started))
        lines.append(f"  {began} on {record.head.owner.host}: {shlex.join(record.head.command)}")
    for plan in record.plans:
        lines.append(f"  {plan.project} {' '.join(plan.packages)}, {plan.toolchain}")
    nodes = counted(head.nodes, "node")
    lines.append(f"  {head.slots} slots on {nodes}")
    return "\n".join(lines)


def _numbers(history: History, head: Headline) -> str:
    counts = [f"{head.ran} ran", f"{head.cutoff} cut off", f"{head.hit} cached"]
    counts += [f"{head.failed} failed"] if head.failed else []
    saved = f" ({seconds_text(head.saved_seconds)} saved)" if head.saved_seconds >= 0.5 else ""
    rows = [
        ("actions", ", ".join(counts) + saved),
        *([("given up", _given_up(history))] if head.requeued else []),
        ("makespan", seconds_text(head.makespan_seconds)),
        ("least possible", f"{seconds_text(head.least_seconds)}; it took {head.ratio:.2f} times as long"),
        ("bound", f"{seconds_text(head.bound_seconds)}: client + max(longest chain, work / slots)"),
        ("work", seconds_text(head.work_seconds)),
        ("longest chain", seconds_text(head.chain_seconds)),
        ("client", f"{seconds_text(head.client_seconds)} before and after the actions"),
        ("limited by", head.limit),
    ]
    return "\n".join(f"{name:15} {value}" for name, value in rows)


def _given_up(history: History) -> str:
    """How often attempts came to no end, by cause."""
    causes = Counter(step.line.cause for step in history.steps if step.line.outcome == "requeued")
    return ", ".join(f"{count} × {cause}" for cause, count in causes.most_common(3))


def _shorter(found: Sequence[Improvement]) -> str:
    lines = ["What would make it shorter"]
    if not found:
        lines.append("  nothing that the record shows")
    lines += [f"  {seconds_text(each.gain_seconds):>8}  {each.text}" for each in found]
    return "\n".join(lines)


def _slots(history: History) -> str:
    found = occupancy.totals(history)
    whole = sum(found.values())
    lines = [f"What the {history.slots} slots did"]
    for cause, seconds in found.items():
        share = seconds / whole if whole else 0.0
        lines.append(f"  {cause:14} {share:6.1%} {'#' * round(BAR * share)}".rstrip())
    return "\n".join(lines)


def _nodes(history: History) -> str:
    if len(history.nodes) < 2:
        return ""
    busy = occupancy.slot_seconds(history)
    rows = [("node", "slots", "ran", "busy", "staging", "publishing")]
    for name in sorted(history.nodes):
        steps = history.steps_of[name]
        whole = history.nodes[name].slots * history.seconds
        rows.append(
            (
                name,
                str(history.nodes[name].slots),
                str(sum(step.line.outcome == "ran" for step in steps)),
                f"{busy[name].get(occupancy.RUNNING, 0.0) / whole:.0%}" if whole else "",
                seconds_text(sum(step.staging_seconds for step in steps)),
                seconds_text(sum(step.publishing_seconds for step in steps)),
            )
        )
    return table("Nodes", rows)


def _slowest(packages: Sequence[PackageRow]) -> str:
    slow = [row for row in packages if row.seconds > 0][:SLOWEST]
    if not slow:
        return ""
    rows = [("seconds", "drag", "cpu", "peak", "package")]
    for row in slow:
        drag = "" if row.drag_seconds is None else f"{row.drag_seconds:.2f}"
        mark = " *" if row.is_on_longest_chain else ""
        rows.append(
            (
                f"{row.seconds:.2f}",
                drag,
                f"{row.cpu_seconds:.2f}",
                size_text(row.peak_bytes),
                f"{row.package}{mark}",
            )
        )
    return table(
        "Slowest packages (drag: how much sooner all would end without it; * on the longest chain)", rows
    )


def _chain(history: History) -> str:
    links = chain_that_happened(history)
    if not links:
        return ""
    shown = sorted(links, key=lambda link: -link.step.seconds)[:LINKS]
    rows = [("from", "took", "waited for", "action")]
    for link in links:
        if link in shown:
            waits = [f"{cause} {seconds_text(seconds)}" for cause, seconds in link.waits.items()]
            started = link.step.moments.started
            rows.append(
                (
                    "" if started is None else f"{started:.2f}",
                    f"{link.step.seconds:.2f}",
                    ", ".join([link.cause, *waits]),
                    history.actions[link.step.number].id,
                )
            )
    left_out = f"; the {len(links) - len(shown)} shortest are left out" if len(links) > len(shown) else ""
    return table(f"What happened last, walked back from the end: {len(links)} actions{left_out}", rows)


def _failures(history: History) -> str:
    lines = []
    for step in history.last.values():
        if step.line.outcome == "failed":
            lines.append(f"{history.actions[step.number].id} failed on {step.node}:")
            lines.append(step.line.message.rstrip("\n"))
    end = history.record.end
    if end is not None and end.error:
        lines.append(end.error.rstrip("\n"))
    return "\n".join(lines)


def _missing(history: History) -> str:
    return "\n".join(f"warning: {each}" for each in history.record.warnings)


def comparison_text(history: History, other: History, rows: Iterable[Comparison]) -> str:
    """What changed between two runs."""
    changed = [row for row in rows if row.change_seconds is not None]
    slower = [row for row in changed if (row.change_seconds or 0.0) > 0][:SLOWEST]
    faster = [row for row in reversed(changed) if (row.change_seconds or 0.0) < 0][:SLOWEST]
    parts = [f"against run {other.run}: {seconds_text(other.seconds)}, now {seconds_text(history.seconds)}"]
    for title, part in (("Slower", slower), ("Faster", faster)):
        if part:
            lines = [("change", "now", "then", "differs", "action")]
            lines += [
                (
                    f"{row.change_seconds:+.2f}",
                    f"{row.seconds:.2f}",
                    f"{row.other_seconds:.2f}",
                    row.why or "-",
                    row.action,
                )
                for row in part
            ]
            parts.append(table(title, lines))
    return "\n\n".join(parts) + "\n"


def table(title: str, rows: Sequence[Sequence[str]]) -> str:
    """Rows under their heads, in columns; the last is ragged."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = [title]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        lines.append("  " + "  ".join([*cells, row[-1]]))
    return "\n".join(lines)


def seconds_text(seconds: float) -> str:
    """Seconds with as many digits as people read: `0.083 s`, `12.4 s`, `1 h 02 min`."""
    if not seconds:
        return "0 s"
    if seconds < 1:
        return f"{seconds:.3f} s"
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"
