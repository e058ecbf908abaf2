"""What a watch says of a build, in one line. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from luigigo.builds.watched import Watching
from luigigo.currentfolder import short_path

_NAMED = 3
"""How many changed files of many are named."""


def changed_text(paths: Sequence[str]) -> str:
    """What changed, as it is known in the current folder."""
    names = [short_path(path) for path in paths[:_NAMED]]
    more = len(paths) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "") + " changed" if names else ""


def ended_line(changed: str, exit_code: int, left: Watching | None, seconds: float) -> str:
    """What changed, what that led to, and in how many milliseconds."""
    cause = f"{changed}: " if changed else ""
    took = f"{seconds * 1000:.0f} ms"
    if exit_code != 0 or left is None:
        return f"luigigo: {cause}failed after {took}"
    counts = left.counts
    ran = counts.get("ran", 0)
    parts = [f"{ran} action{'' if ran == 1 else 's'} ran"]
    if counts.get("cutoff"):
        parts.append(f"{counts['cutoff']} cut off")
    what = ", ".join(short_path(path) for path in left.paths) or "checked"
    return f"luigigo: {cause}{what}: {', '.join(parts)}, {took}"
