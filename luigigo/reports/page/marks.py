"""Small pieces of HTML and SVG. What comes from sources, messages and names is text here, never markup."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

from luigigo.encoding import legible


def text(value: object) -> str:
    """A value as text between tags or in a quoted attribute."""
    return html.escape(legible(str(value)), quote=True)


def tag(name: str, *children: str, **attributes: object) -> str:
    """An element; children are markup. `class_` stands for `class`, and `_` for `-`."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{given}>{''.join(children)}</{name}>"


def section(ident: str, title: str, *children: str) -> str:
    """A part of the page with a heading."""
    return tag("section", tag("h2", text(title)), *children, id=ident)


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]], numbers: int = 0) -> str:
    """A table; the last `numbers` columns are numbers. It scrolls by itself where it is too wide."""
    first_number = len(heads) - numbers
    head = "".join(
        tag("th", text(each), scope="col", class_="n" if at >= first_number else None)
        for at, each in enumerate(heads)
    )
    body = "".join(
        "<tr>"
        + "".join(
            tag("td", text(cell), class_="n" if at >= first_number else None) for at, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    inner = tag("caption", text(caption)) + tag("thead", tag("tr", head)) + tag("tbody", body)
    # So that the keyboard can scroll it.
    return tag("div", tag("table", inner), class_="wide", tabindex="0", role="region", aria_label=caption)


def details(summary: str, *children: str) -> str:
    """What is shown when it is asked for."""
    return tag("details", tag("summary", text(summary)), *children)


def number(value: float) -> str:
    """A coordinate: as short as a picture needs it."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def shares(caption: str, by_name: Mapping[str, float], unit: str = "s") -> str:
    """Bars with their numbers beside them: chart and table in one."""
    whole = sum(by_name.values()) or 1.0
    rows = "".join(
        tag(
            "tr",
            tag("th", text(name), scope="row"),
            tag(
                "td",
                f'<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
                f'<rect class="fill" width="{number(100 * value / whole)}" height="10"/></svg>',
                class_="bars",
            ),
            tag("td", text(f"{value:,.2f}"), class_="n"),
            tag("td", text(f"{value / whole:.1%}"), class_="n"),
        )
        for name, value in by_name.items()
    )
    head = "".join(tag("th", text(each), scope="col") for each in ("cause", "", unit, "share"))
    inner = tag("caption", text(caption)) + tag("thead", tag("tr", head)) + tag("tbody", rows)
    return tag("div", tag("table", inner), class_="wide", tabindex="0", role="region", aria_label=caption)
