"""Puts the page together: one HTML file, the same bytes for the same record."""

from __future__ import annotations

import base64
import hashlib
import shlex
import time
from collections.abc import Iterable, Sequence
from importlib import resources

from luigigo import __version__
from luigigo.reports import occupancy
from luigigo.reports.bypackage import PackageRow, package_rows
from luigigo.reports.comparing import compare_histories
from luigigo.reports.findings import Improvement, findings
from luigigo.reports.headline import Headline, headline
from luigigo.reports.history import History
from luigigo.reports.page import utilisation
from luigigo.reports.page.marks import details, section, shares, table, tag, text
from luigigo.reports.page.timeline import as_json, timeline_data
from luigigo.reports.paths import chain_seconds, chain_that_happened, longest_chain
from luigigo.reports.text import seconds_text
from luigigo.units import counted, size_text

MOST_ROWS = 200
"""Of a table; what is left out is said above it. The timeline draws all."""


def page(history: History, other: History | None = None, others: Sequence[History] = ()) -> str:
    """The page of a run, against another where that is given.

    `others` are runs whose nodes this one's are held against.
    """
    head, packages = headline(history), package_rows(history)
    parts = [
        _top(history, head),
        _shorter(findings(history, head, packages, others)),
        _timeline(history),
        section("utilisation", "What the slots did", utilisation.chart(history), _utilisation(history)),
        _waiting(history),
        _chains(history),
        _packages(packages),
        _failures(history),
        _nodes(history),
        *([_against(history, other)] if other is not None else []),
    ]
    title = f"{head.outcome}, {seconds_text(head.makespan_seconds)}: {history.what}"
    data = f'<script type="application/json" id="data">{as_json(timeline_data(history))}</script>'
    return document(title, [*parts, data], _asset("timeline.js"))


def document(title: str, parts: Iterable[str], script: str = "") -> str:
    """A page of these parts, which runs this script and nothing else, and asks for nothing."""
    style = _asset("page.css")
    scripts = f"script-src '{_digest(script)}'; " if script else ""
    policy = f"default-src 'none'; style-src '{_digest(style)}'; {scripts}base-uri 'none'; form-action 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{text(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{style}</style></head><body>"
        f"{''.join(parts)}"
        f'<p class="sub">luigigo {__version__}</p>'
        f"{f'<script>{script}</script>' if script else ''}</body></html>\n"
    )


def _asset(name: str) -> str:
    return resources.files("luigigo.reports.page").joinpath(name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _top(history: History, head: Headline) -> str:
    record = history.record
    lines = []
    if record.head is not None:
        began = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(record.head.started))
        lines.append(f"{began} on {record.head.owner.host}: {shlex.join(record.head.command)}")
    toolchains = dict.fromkeys(plan.toolchain for plan in record.plans)
    nodes = counted(head.nodes, "node")
    lines.append(", ".join([f"run {history.run}", f"{head.slots} slots on {nodes}", *toolchains]))
    numbers = [
        ("outcome", head.outcome),
        ("makespan", seconds_text(head.makespan_seconds)),
        ("least possible", seconds_text(head.least_seconds)),
        ("ratio to it", f"{head.ratio:.2f}"),
        ("bound", seconds_text(head.bound_seconds)),
        ("work, T1", seconds_text(head.work_seconds)),
        ("longest chain, T∞", seconds_text(head.chain_seconds)),
        ("client's own", seconds_text(head.client_seconds)),
        ("ran", str(head.ran)),
        ("cut off", str(head.cutoff)),
        ("cached", str(head.hit)),
        ("saved", seconds_text(head.saved_seconds)),
    ]
    if head.failed:
        numbers.append(("failed", str(head.failed)))
    if head.requeued:
        numbers.append(("given up", str(head.requeued)))
    cells = "".join(tag("div", tag("dt", text(name)), tag("dd", text(value))) for name, value in numbers)
    return tag(
        "header",
        tag("h1", text(f"{history.what or history.run}: {head.outcome}")),
        *(tag("p", text(line), class_="sub") for line in lines),
        *(tag("p", text(each), class_="warn") for each in record.warnings),
        tag("dl", cells, class_="numbers"),
        tag("p", text(f"Limited by {head.limit}."), class_="limit"),
    )


def _shorter(found: Sequence[Improvement]) -> str:
    if not found:
        inner = tag(
            "p",
            text("Nothing that the record shows."),
        )
    else:
        inner = tag(
            "ol",
            *(
                tag(
                    "li",
                    tag("span", text(seconds_text(each.gain_seconds)), class_="gain"),
                    text(f": {each.text}"),
                )
                for each in found
            ),
            class_="findings",
        )
    return section("shorter", "What would make it shorter", inner)


def _timeline(history: History) -> str:
    buttons = (
        ("zoomin", "Zoom in"),
        ("zoomout", "Zoom out"),
        ("wholeview", "All"),
        ("longestchain", "Longest chain"),
        ("happenedchain", "What happened last"),
        ("listview", "List what is in view"),
    )
    tools = "".join(tag("button", text(name), id=ident, type="button") for ident, name in buttons)
    search = '<input id="search" type="search" placeholder="Package" aria-label="Search for a package">'
    modules = '<label><input id="asmodules" type="checkbox"> by module</label>'
    note = (
        "Each bar is an action in its slot; the thin lanes below a node's slots are what is staged to it and "
        "what it publishes. Drag or use the arrow keys to move; +, −, Ctrl and the wheel or two fingers zoom."
    )
    label = f"Timeline of {len(history.steps)} attempts on {len(history.nodes)} nodes"
    frame = (
        f'<div id="scroller" tabindex="0" role="application" aria-label="{text(label)}">'
        '<canvas id="canvas"></canvas><div id="spacer"></div></div>'
    )
    heads = "".join(
        tag("th", text(each), scope="col") for each in ("action", "outcome", "node", "slot", "from", "took")
    )
    listed = (
        '<div id="inviewtable" class="wide" hidden><p id="inviewnote"></p><table>'
        f'<thead><tr>{heads}</tr></thead><tbody id="inview"></tbody></table></div>'
    )
    return section(
        "timeline",
        "Timeline",
        tag("p", text(note), class_="sub"),
        tag("div", tools, search, modules, '<span id="found" role="status"></span>', class_="tools"),
        '<div id="keys"></div>',
        frame,
        '<aside id="details" aria-live="polite"></aside>',
        listed,
    )


def _utilisation(history: History) -> str:
    found = occupancy.totals(history)
    caption = f"Slot-seconds: together {history.slots} slots × {history.seconds:.1f} s"
    rows = utilisation.rows(history)
    numbers = table("Mean slots in each part of the run", ("from s", *rows[0]), rows[1], len(rows[0]) + 1)
    return shares(caption, found, "slot-seconds") + details("The chart's numbers", numbers)


def _waiting(history: History) -> str:
    steps = history.steps
    by_cause = {
        "a free slot": sum(step.slot_wait_seconds for step in steps),
        "memory": sum(step.waits.memory for step in steps),
        "luigid": sum(step.waits.luigid for step in steps),
        "the share, before it ran": sum(step.staging_seconds for step in steps),
        "another build of the same": sum(step.waits.builds for step in steps),
    }
    by_cause = {name: seconds for name, seconds in by_cause.items() if seconds > 0}
    if not by_cause:
        return section("waiting", "Waiting by cause", tag("p", text("No action waited once it was ready.")))
    totals = occupancy.totals(history)
    staged = sum(step.staging_seconds for step in steps)
    published = sum(step.publishing_seconds for step in steps if step.is_remote)
    rows = [
        (name, f"{seconds:.2f}", f"{min(seconds, exposed):.2f}", f"{max(0.0, seconds - exposed):.2f}")
        for name, seconds, exposed in (
            ("staging", staged, totals.get(occupancy.STAGING, 0.0)),
            ("publishing", published, totals.get(occupancy.PUBLISHING, 0.0)),
        )
        if seconds > 0
    ]
    share = (
        table(
            "The share: exposed while a slot stood idle, else hidden",
            ("", "all s", "exposed s", "hidden s"),
            rows,
            3,
        )
        if rows
        else ""
    )
    return section(
        "waiting",
        "Waiting by cause",
        shares("Seconds that actions waited after they were ready, all together", by_cause),
        share,
    )


def _chains(history: History) -> str:
    longest, links = longest_chain(history), chain_that_happened(history)
    work_rows = [
        (history.actions[number].id, f"{history.done[number].seconds:.3f}", history.done[number].node)
        for number in longest
    ]
    happened_rows = [
        (
            history.actions[link.step.number].id,
            ", ".join([link.cause, *(f"{name} {seconds_text(each)}" for name, each in link.waits.items())]),
            link.step.node,
            f"{link.step.moments.started or 0.0:.3f}",
            f"{link.step.seconds:.3f}",
        )
        for link in links
    ]
    total = chain_seconds(history, longest)
    return section(
        "chains",
        "Two critical paths",
        tag(
            "p",
            text(
                f"The longest chain of work, T∞, takes {seconds_text(total)} in {len(longest)} actions: no "
                "number of nodes makes the run shorter."
            ),
        ),
        details(
            f"Its {len(longest)} actions",
            table(_left_out("First to last", work_rows), ("action", "node", "seconds"),
                  [(a, node, s) for a, s, node in work_rows[:MOST_ROWS]], 1),
        ),
        tag(
            "p",
            text(
                f"The chain that happened has {len(links)} actions: walked back from the end, each with what "
                "it waited for before it began."
            ),
        ),
        details(
            f"Its {len(links)} actions",
            table(
                _left_out("First to last", happened_rows),
                ("action", "waited for", "node", "from s", "seconds"),
                happened_rows[:MOST_ROWS],
                2,
            ),
        ),
    )  # fmt: skip


def _left_out(caption: str, rows: Sequence[object]) -> str:
    if len(rows) <= MOST_ROWS:
        return caption
    return f"{caption}; {len(rows) - MOST_ROWS} of {len(rows)} are left out here, and are in the timeline"


def _packages(packages: list[PackageRow]) -> str:
    modules: dict[str, list[float]] = {}
    for row in packages:
        found = modules.setdefault(row.module or "other", [0.0, 0.0, 0.0])
        found[0] += row.seconds
        found[1] += row.cpu_seconds
        found[2] += 1
    module_rows = [
        (name, f"{count:.0f}", f"{cpu:.2f}", f"{seconds:.2f}")
        for name, (seconds, cpu, count) in sorted(modules.items(), key=lambda item: (-item[1][0], item[0]))
    ]
    rows = [
        (
            row.package + (" *" if row.is_on_longest_chain else ""),
            row.outcome,
            " → ".join(row.imported_through[:-1]),
            size_text(row.peak_bytes) if row.peak_bytes else "",
            f"{row.cpu_seconds:.2f}",
            "" if row.drag_seconds is None else f"{row.drag_seconds:.2f}",
            f"{row.seconds:.2f}",
        )
        for row in packages
    ]
    return section(
        "packages",
        "Packages",
        table("By module", ("module", "packages", "cpu s", "seconds"), module_rows[:MOST_ROWS], 3),
        details(
            f"All {len(rows)} packages, the slowest first",
            table(
                _left_out(
                    "Drag: how much sooner the whole run would have ended without it; * on the longest chain",
                    rows,
                ),
                ("package", "outcome", "imported through", "peak", "cpu s", "drag s", "seconds"),
                rows[:MOST_ROWS],
                4,
            ),
        ),
    )


def _failures(history: History) -> str:
    parts = []
    for step in history.last.values():
        if step.line.outcome == "failed":
            parts.append(tag("p", text(f"{history.actions[step.number].id} failed on {step.node}:")))
            parts.append(tag("pre", text(step.line.message)))
    end = history.record.end
    if end is not None and end.error:
        parts.append(tag("pre", text(end.error)))
    return section("failures", "Failures", *parts) if parts else ""


def _nodes(history: History) -> str:
    busy = occupancy.slot_seconds(history)
    rows = []
    for name in sorted(history.nodes):
        node = history.nodes[name]
        steps = history.steps_of[name]
        whole = node.slots * history.seconds
        rows.append(
            (
                name,
                node.processor,
                str(node.slots),
                size_text(node.memory_bytes) if node.memory_bytes else "no limit",
                str(sum(step.line.outcome == "ran" for step in steps)),
                f"{busy[name].get(occupancy.RUNNING, 0.0) / whole:.0%}" if whole else "",
                f"{1000 * max((step.line.uncertainty_seconds for step in steps), default=0.0):.2f}",
            )
        )
    heads = ("node", "processor", "slots", "memory", "ran", "busy", "clock ± ms")
    return section("nodes", "Nodes", table("Machines", heads, rows, 5))


def _against(history: History, other: History) -> str:
    changed = [row for row in compare_histories(history, other) if row.change_seconds is not None]
    rows = [
        (
            row.action,
            row.why or "–",
            f"{row.other_seconds:.3f}",
            f"{row.seconds:.3f}",
            f"{row.change_seconds:+.3f}",
        )
        for row in (*changed[:50], *(changed[-50:] if len(changed) > 100 else changed[50:]))
    ]
    title = f"Against run {other.run}: {seconds_text(other.seconds)}, now {seconds_text(history.seconds)}"
    caption = "Actions that ran in both: what became slower most first, what became faster last"
    return section(
        "against", title, table(caption, ("action", "differs", "then s", "now s", "change s"), rows, 3)
    )
