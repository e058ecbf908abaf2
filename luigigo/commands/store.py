"""`luigigo store …`: look after the store, and say what was done in lines that people read."""

from __future__ import annotations

import os
import sys
import time

from luigigo.builds import trimming
from luigigo.config import read_config
from luigigo.errors import ExitCode, UsageError
from luigigo.store import upkeep
from luigigo.store.garbage import GcReport, in_use_by
from luigigo.store.layout import PLANS
from luigigo.store.pins import live_pins
from luigigo.store.shareclock import agreed_time
from luigigo.store.trimming import last_trimmed
from luigigo.units import parse_bytes, parse_seconds, size_text


def show_stats() -> None:
    """Print what the store holds, how much it may, and which builds use it."""
    config = read_config(os.environ)
    root, now = config.store_root, time.time()
    found = upkeep.stats(root)
    print(f"store     {root}")
    print(f"contents  {found.contents}, {size_text(found.content_bytes)}")
    print(f"records   {found.records}, {size_text(found.record_bytes)}")
    for kind, each in sorted(found.by_kind.items()):
        print(f"  {kind:10} {each.records}, outputs {size_text(each.output_bytes)}")
    print(f"plans     {found.plans}, {size_text(found.plan_bytes)}")
    if found.staging_files:
        print(f"staging   {found.staging_files}, {size_text(found.staging_bytes)}")
    bound_bytes = config.store_bound_bytes
    bound = "none" if bound_bytes is None else size_text(bound_bytes)
    print(f"bound     {bound} ([luigigo] store_bytes)")
    print(f"trimmed   {_when(last_trimmed(root), now)}")
    if found.records:
        print(f"oldest    used {_when(found.oldest_use, now)}")
    for pin in live_pins(root, now).records:
        print(f"pin       {in_use_by(pin)}")


def _when(then: float | None, now: float) -> str:
    if then is None:
        return "never"
    date = time.strftime("%Y-%m-%d %H:%M", time.localtime(then))
    return f"{date}, {max(0.0, now - then) / 3600:.0f} hours ago"


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
    """Drop what was used least recently, down to a size or an age; the store's bound without either.

    Says what is kept and why. Raises `UsageError`, and `StoreError` where this host's clock is far from the
    store's.
    """
    config = read_config(os.environ)
    max_bytes = _size(max_size) if max_size else None
    if not max_size and not max_age:
        max_bytes = config.store_bound_bytes
    span = _span(max_age) if max_age else None
    _show(upkeep.gc(config.store_root, max_bytes, span, _now(config.store_root)))


def clean() -> int:
    """Empty the store but for what running builds hold. Returns the exit code: 1 where they hold anything."""
    config = read_config(os.environ)
    now = _now(config.store_root)
    holders = live_pins(config.store_root, now).records
    report = trimming.clean(config, now)
    _show(report)
    for pin in holders:
        print(f"luigigo: not emptied: {in_use_by(pin)}", file=sys.stderr)
    return int(ExitCode.BUILD_FAILED if report.left_bytes or holders else ExitCode.OK)


def _now(root: str) -> float:
    """The time by the clock of the store's file system; the host's where nothing was built yet."""
    return agreed_time(root, time.time()) if os.path.isdir(f"{root}/{PLANS}") else time.time()


def _show(report: GcReport) -> None:
    print(
        f"removed {report.removed_records} records, {report.removed_contents} contents, "
        f"{report.removed_plans} plans: {size_text(report.freed_bytes)} freed, "
        f"{size_text(report.left_bytes)} left"
    )
    for part in report.kept:
        print(f"kept {part.records} records, {size_text(part.size_bytes)}: {part.reason}")


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
