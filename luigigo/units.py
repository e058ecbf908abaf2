"""Sizes and times as people write and read them. Pure."""

from __future__ import annotations

import re

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.I)
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw]?)", re.I)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SPANS = {"": 1, "S": 1, "M": 60, "H": 3600, "D": 86400, "W": 7 * 86400}


def parse_bytes(value: str | int | float) -> int | None:
    """The bytes of 1024, `500M` or `1.5T`; None for anything else."""
    match = _SIZE.fullmatch(str(value).strip())
    return int(float(match[1]) * _UNITS[match[2].upper()]) if match else None


def parse_seconds(value: str | int | float) -> float | None:
    """The seconds of 90, `90m` or `8h`; None for anything else."""
    match = _SPAN.fullmatch(str(value).strip())
    return float(match[1]) * _SPANS[match[2].upper()] if match else None


def counted(count: int, noun: str) -> str:
    """How many of something: `1 node`, `2 nodes`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def size_text(size_bytes: int) -> str:
    """A size for people: `12 B`, `1.0 MB`."""
    size = float(size_bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"


def time_text(seconds: float) -> str:
    """A span of time for people: `95 s`, `12 min`, `3.5 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
