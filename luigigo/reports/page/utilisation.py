"""What the slots did over time, as inline SVG. Pure."""

from __future__ import annotations

from collections import defaultdict

from luigigo.reports import occupancy
from luigigo.reports.history import History
from luigigo.reports.page.marks import number, tag, text

BINS = 160
WIDTH, HEIGHT = 960, 160
CLASSES = (
    occupancy.RUNNING,
    occupancy.STAGING,
    occupancy.PUBLISHING,
    occupancy.MEMORY,
    occupancy.LUIGID,
    occupancy.NOTHING_READY,
    "client",
    occupancy.ABSENT,
)
"""From the bottom up. All phases of the client's are one."""


def bins(history: History) -> list[dict[str, float]]:
    """For each of equal parts of the run, the mean number of slots by class."""
    width = history.seconds / BINS
    found: list[dict[str, float]] = [defaultdict(float) for _ in range(BINS)]
    if not width:
        return found
    for stretch in occupancy.stretches(history):
        first, last = int(stretch.start / width), min(BINS - 1, int(stretch.end / width))
        for at in range(min(first, BINS - 1), last + 1):
            inside = min(stretch.end, (at + 1) * width) - max(stretch.start, at * width)
            if inside > 0:
                for cause, count in stretch.slots.items():
                    name = cause if cause in CLASSES else "client"
                    found[at][name] += count * inside / width
    return found


def chart(history: History) -> str:
    """Slots over time, stacked by what they did; patterns tell the classes apart as colours do."""
    found, slots = bins(history), max(1, history.slots)
    present = [name for name in CLASSES if any(each.get(name, 0.0) > 0 for each in found)]
    base = [0.0] * BINS
    areas = []
    for name in present:
        top = [low + each.get(name, 0.0) for low, each in zip(base, found, strict=True)]
        areas.append(
            f'<path class="u{CLASSES.index(name)}" d="{_outline(base, top, slots)}">'
            f"<title>{text(name)}</title></path>"
        )
        base = top
    legend = "".join(
        f'<span class="key"><svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">'
        f'<rect class="u{CLASSES.index(name)}" width="12" height="12"/></svg> {text(name)}</span>'
        for name in present
    )
    label = f"{slots} slots over {history.seconds:.1f} seconds"
    picture = (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{text(label)}">{_patterns()}{"".join(areas)}</svg>'
    )
    axis = tag("p", text("0 s"), tag("span", text(f"{history.seconds:.1f} s")), class_="axis")
    return tag("div", legend, class_="legend") + picture + axis


def _outline(base: list[float], top: list[float], slots: int) -> str:
    step = WIDTH / BINS

    def edge(values: list[float], order: range) -> list[str]:
        points = []
        for at in order:
            y = number(HEIGHT * (1 - values[at] / slots))
            ends = (at, at + 1) if order.step > 0 else (at + 1, at)
            points += [f"{number(step * each)} {y}" for each in ends]
        return points

    points = edge(top, range(BINS)) + edge(base, range(BINS - 1, -1, -1))
    return "M" + "L".join(points) + "Z"


def _patterns() -> str:
    """What stands for each class beside its colour."""
    shapes = (
        ("p1", "M0 6L6 0"),
        ("p2", "M0 0L6 6"),
        ("p3", "M0 3H6"),
        ("p4", "M3 0V6"),
        ("p6", "M0 3H6M3 0V6"),
    )
    made = "".join(
        f'<pattern id="{name}" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<rect class="{name}" width="6" height="6"/><path class="stroke" d="{d}"/></pattern>'
        for name, d in shapes
    )
    return f"<defs>{made}</defs>"
