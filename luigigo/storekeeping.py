"""`luigigo store …`: look after the store, and say what was done in lines that people read."""

from __future__ import annotations

import os
import sys
import time

from luigigo.amounts import parse_bytes, parse_seconds, size_text
from luigigo.config import read_config
from luigigo.errors import ExitCode, UsageError
from luigigo.store import upkeep


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
        _size(max_size) if max_size else None,
        _span(max_age) if max_age else None,
        time.time(),
    )
    spared = report.protected_records
    print(
        f"removed {report.removed_records} records, {report.removed_contents} contents, "
        f"{report.removed_plans} plans: {size_text(report.freed_bytes)} freed, "
        f"{size_text(report.left_bytes)} left"
        + (f", {spared} records kept, for they are in use or young" if spared else "")
    )


def _size(text: str) -> int:
    size = parse_bytes(text)
    if size is None:
        raise UsageError(f"--max-size {text}: wanted a size such as 500M or 20G")
    return size


def _span(text: str) -> float:
    seconds = None if text.strip()[-1:].isdigit() else parse_seconds(text)
    if seconds is None:
        raise UsageError(f"--max-age {text}: wanted a time such as 12h or 30d")
    return seconds
