"""The page of several runs of one program: three figures over slots and over nodes. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from luigigo.reports.page.build import document
from luigigo.reports.page.lines import Dot, chart
from luigigo.reports.page.marks import section, table, tag, text
from luigigo.reports.scaling import FIGURES, Point
from luigigo.reports.text import seconds_text
from luigigo.units import counted


def scaling_page(title: str, found: Sequence[Point], go_build_seconds: float = 0.0) -> str:
    """The page; `go_build_seconds` is what the go command takes on one such node, 0 where not known."""
    beside = f"go build on one such node takes {seconds_text(go_build_seconds)}." if go_build_seconds else ""
    parts = [
        tag("header", tag("h1", text(title)), tag("p", text(beside), class_="sub")),
        *(_figure(name, caption, found, go_build_seconds) for name, caption in FIGURES.items()),
        section("numbers", "The numbers", _numbers(found)),
    ]
    return document(title, parts)


def _figure(name: str, caption: str, found: Sequence[Point], go_build_seconds: float) -> str:
    over_slots: defaultdict[str, list[Dot]] = defaultdict(list)
    over_nodes: defaultdict[str, list[Dot]] = defaultdict(list)
    for point in found:
        dots = (point.median[name], point.low[name], point.high[name])
        over_slots[counted(point.nodes, "node")].append(Dot(point.slots, *dots))
        over_nodes[counted(point.slots, "slot")].append(Dot(point.nodes, *dots))
    if name == "compile_seconds":
        for slots in sorted({point.slots for point in found}):
            mine = [point for point in found if point.slots == slots]
            for key, words in (("least_seconds", "least possible"), ("bound_seconds", "max(T∞, T1/N)")):
                values = [(point.nodes, point.median[key]) for point in mine]
                over_nodes[f"{words}, {counted(slots, 'slot')}"] = [Dot(x, y, y, y) for x, y in values]
        if go_build_seconds:
            nodes = sorted({point.nodes for point in found})
            over_nodes["go build, one node"] = [
                Dot(x, go_build_seconds, go_build_seconds, go_build_seconds) for x in nodes
            ]
    charts = [chart(caption, "nodes", over_nodes)]
    if len({point.slots for point in found}) > 1:
        charts.insert(0, chart(caption, "slots of each node", over_slots))
    return section(name, caption, tag("div", *charts, class_="charts"))


def _numbers(found: Sequence[Point]) -> str:
    heads = ("nodes", "slots", "runs", "compile s", "range", "exchange s", "hidden s", "distribution s",
             "least s", "bound s")  # fmt: skip
    rows = [
        (
            str(point.nodes),
            str(point.slots),
            str(point.runs),
            f"{point.median['compile_seconds']:.2f}",
            f"{point.low['compile_seconds']:.2f}–{point.high['compile_seconds']:.2f}",
            f"{point.median['exchange_seconds']:.2f}",
            f"{point.median['hidden_seconds']:.2f}",
            f"{point.median['distribution_seconds']:.2f}",
            f"{point.median['least_seconds']:.2f}",
            f"{point.median['bound_seconds']:.2f}",
        )
        for point in found
    ]
    caption = (
        "Medians. Exchange: slots idle for the share, by slot; hidden: the same while they were busy. "
        "Distribution: from ready to given while a slot was free, over all actions"
    )
    return table(caption, heads, rows, len(heads))
