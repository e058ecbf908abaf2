"""What the slots did over time, as inline SVG. Pure."""

from __future__ import annotations

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


def by_class(history: History) -> dict[str, list[float]]:
    """By class, the mean number of slots in each of `BINS` equal parts of the run."""
    found: dict[str, list[float]] = {}
    if not history.seconds:
        return found
    for cause, means in occupancy.over_time(history, BINS).items():
        name = cause if cause in CLASSES else "client"
        before = found.get(name, [0.0] * BINS)
        found[name] = [low + float(mean) for low, mean in zip(before, means, strict=True)]
    return found


def rows(history: History) -> tuple[list[str], list[tuple[str, ...]]]:
    """The chart's numbers: its classes, and for each part of the run when it begins and each one's slots."""
    found = by_class(history)
    present = [name for name in CLASSES if any(found.get(name, ()))]
    width = history.seconds / BINS
    return present, [
        (f"{at * width:.2f}", *(f"{found[name][at]:.2f}" for name in present)) for at in range(BINS)
    ]


def chart(history: History) -> str:
    """Slots over time, stacked by what they did; patterns tell the classes apart as colours do."""
    found, slots = by_class(history), max(1, history.slots)
    present = [name for name in CLASSES if any(found.get(name, ()))]
    base = [0.0] * BINS
    areas = []
    for name in present:
        top = [low + mean for low, mean in zip(base, found[name], strict=True)]
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
