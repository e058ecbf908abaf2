"""A chart of lines as inline SVG. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from luigigo.reports.page.marks import number, tag, text

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 460, 260, 48, 34, 8
DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 4", "10 4")
"""What tells lines apart beside their colours."""
COLOURS = 8
_STEPS = (1, 2, 2.5, 5, 10)
MARKS = 4
"""About how many lines across the chart have a number."""


class Dot(msgspec.Struct, frozen=True):
    """One point: its median, and its range."""

    x: int
    y: float
    low: float
    high: float


class _Scale(msgspec.Struct, frozen=True):
    """Where numbers lie in the picture: those across at equal distances, seconds from zero."""

    places: tuple[int, ...]
    most: float

    def x(self, place: int) -> str:
        share = self.places.index(place) / max(1, len(self.places) - 1)
        return number(LEFT + 20 + (WIDTH - LEFT - 40) * share)

    def y(self, seconds: float) -> str:
        return number(TOP + (HEIGHT - TOP - BOTTOM) * (1 - seconds / (1.05 * self.most)))


def chart(title: str, across: str, lines: Mapping[str, Sequence[Dot]]) -> str:
    """Seconds from zero over whole numbers, one line a name. A number without a dot is a gap."""
    dots = [dot for each in lines.values() for dot in each]
    scale = _Scale(
        tuple(sorted({dot.x for dot in dots})), max((dot.high for dot in dots), default=0.0) or 1.0
    )
    parts = [
        *_axis(scale),
        *(_label(scale.x(place), HEIGHT - 16, str(place)) for place in scale.places),
        *(_line(at, name, each, scale) for at, (name, each) in enumerate(lines.items())),
        _label(number((LEFT + WIDTH) / 2), HEIGHT - 2, across),
    ]
    picture = (
        f'<svg class="lines" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{text(f"{title}, seconds over {across}")}">{"".join(parts)}</svg>'
    )
    keys = "".join(_key(at, name) for at, name in enumerate(lines))
    return tag(
        "figure", tag("figcaption", text(f"{title}, seconds")), picture, tag("div", keys, class_="legend")
    )


def _key(at: int, name: str) -> str:
    return (
        '<span class="key"><svg viewBox="0 0 24 8" width="24" height="8" aria-hidden="true">'
        f'<path {_look(at)} d="M0 4H24"/></svg> {text(name)}</span>'
    )


def _look(at: int) -> str:
    return f'class="l{at % COLOURS}" stroke-dasharray="{DASHES[at % len(DASHES)]}"'


def _line(at: int, name: str, dots: Sequence[Dot], scale: _Scale) -> str:
    path, before, marks = "", -1, []
    for dot in sorted(dots, key=lambda dot: dot.x):
        x, y, place = scale.x(dot.x), scale.y(dot.y), scale.places.index(dot.x)
        # A place between two dots that has none is a gap.
        path += f"{'L' if before >= 0 and place == before + 1 else 'M'}{x} {y}"
        before = place
        said = text(f"{name}, {dot.x}: {dot.y:.2f} s, {dot.low:.2f} to {dot.high:.2f}")
        span = f'<path class="l{at % COLOURS}" d="M{x} {scale.y(dot.low)}V{scale.y(dot.high)}"/>'
        circle = f'<circle class="d{at % COLOURS}" cx="{x}" cy="{y}" r="3.5"/>'
        marks.append(f"<g><title>{said}</title>{span}{circle}</g>")
    return f'<path {_look(at)} d="{path}"/>{"".join(marks)}'


def _axis(scale: _Scale) -> list[str]:
    rough = scale.most / MARKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in _STEPS if each * power >= rough)
    parts = []
    for at in range(int(1.05 * scale.most / step) + 1):
        y = scale.y(at * step)
        parts.append(f'<path class="grid" d="M{LEFT} {y}H{WIDTH}"/>')
        place = f'x="{LEFT - 5}" y="{y}" text-anchor="end" dominant-baseline="middle"'
        parts.append(f'<text class="tick" {place}>{at * step:g}</text>')
    return parts


def _label(x: str, y: float, words: str) -> str:
    return f'<text class="tick" x="{x}" y="{number(y)}" text-anchor="middle">{text(words)}</text>'
