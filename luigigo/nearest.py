"""Names that somebody may have meant. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Up to so many known names that are most like a name, the likeliest first; some, however unlike."""
    names = sorted(set(known))
    return difflib.get_close_matches(name, names, count, 0.3) or names[-count:]
