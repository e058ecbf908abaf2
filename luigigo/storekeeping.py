"""`luigigo store …`: look after the store, and say what was done in lines that people read."""

from __future__ import annotations

import os
import re
import sys
import time

from luigigo.config import read_config
from luigigo.errors import ExitCode, UsageError
from luigigo.store import upkeep

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SPANS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def show_stats() -> None:
    """Print what the store holds."""
    root = read_config(os.environ).store_root
    found = upkeep.stats(root)
    print(f"store     {root}")
    print(f"contents  {found.contents}, {size_text(found.content_bytes)}")
    print(f"records   {found.records}, {size_text(found.record_bytes)}")
    for kind, each in sorted(found.by_kind.items()):
        print(f"  {kind:10} {each.records}, outputs {size_text(each.output_bytes)}")
    print(f"plans     {found.plans}, {size_text(found.plan_bytes)}")
    if found.staging_files:
        print(f"staging   {found.staging_files}, {size_text(found.staging_bytes)}")


def verify() -> int:
    """Check everything; print what was broken. Returns the exit code."""
    root = read_config(os.environ).store_root
    report = upkeep.verify(root, lambda text: print(f"luigigo: {text}", file=sys.stderr, flush=True))
    print(
        f"checked {report.contents} contents, {report.records} records, {report.plans} plans: "
        f"{len(report.damage)} damaged, {report.removed} removed"
    )
    return int(ExitCode.BUILD_FAILED if report.damage else ExitCode.OK)


def collect(max_size: str, max_age: str) -> None:
    """Drop what was used least recently, down to a size or an age. Raises `UsageError`."""
    if not max_size and not max_age:
        raise UsageError("luigigo store gc: say --max-size or --max-age")
    root = read_config(os.environ).store_root
    report = upkeep.gc(
        root,
        parse_size(max_size) if max_size else None,
        parse_span(max_age) if max_age else None,
        time.time(),
    )
    spared = report.protected_records
    print(
        f"removed {report.removed_records} records, {report.removed_contents} contents, "
        f"{report.removed_plans} plans: {size_text(report.freed_bytes)} freed, "
        f"{size_text(report.left_bytes)} left"
        + (f", {spared} records kept, for they are in use or young" if spared else "")
    )


def parse_size(text: str) -> int:
    """Bytes of `500M`, `20G`, `1.5T`. Raises `UsageError`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?", text.strip(), re.I)
    if match is None:
        raise UsageError(f"--max-size {text}: wanted a size such as 500M or 20G")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def parse_span(text: str) -> float:
    """Seconds of `90m`, `12h`, `30d`. Raises `UsageError`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text.strip(), re.I)
    if match is None:
        raise UsageError(f"--max-age {text}: wanted a time such as 12h or 30d")
    return float(match[1]) * _SPANS[match[2].lower()]


def size_text(size_bytes: int) -> str:
    """A size for people."""
    size = float(size_bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"
