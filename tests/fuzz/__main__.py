"""`python -m tests.fuzz --seconds S --seed N`: edit drawn worlds, and end with 1 on a difference."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from luigigo.golang.toolchain import find_go

from .jobs import end_by_signals
from .jobs import reports as reports_of
from .session import EDITS_PER_WORLD, Options, Report, Session

MOST_DIFFERENCES = 25
"""A run that has found so many ends: something is broken that each world shows."""
INTERRUPTED = 130
"""Exit code of a run that Ctrl-C or SIGTERM ended."""
ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run for the time that was asked, print a line a world, and the sum."""
    arguments = parse()
    memory = Path("/dev/shm")
    place = str(memory) if memory.is_dir() and os.access(memory, os.W_OK) else None
    folder = tempfile.mkdtemp(prefix="luigigo-fuzz-", dir=place)
    options = Options(
        seconds=arguments.seconds,
        seed=arguments.seed,
        edits=arguments.edits,
        cluster=arguments.cluster,
        luigigo=str(Path(arguments.luigigo).resolve()),
        go=str(find_go("", os.environ).path),
        keep=str(Path(arguments.keep).resolve()),
        folder=folder,
    )
    end_by_signals()
    try:
        if arguments.cases:
            return play_again(options, arguments.cases)
        return run(options, arguments.jobs, arguments.worlds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("cases", nargs="*", help="play these .json files of an earlier run again")
    parser.add_argument("--seconds", type=float, default=120.0, help="edit no more after so long")
    parser.add_argument("--seed", type=int, default=1, help="the first world's; the following ones count up")
    parser.add_argument("--edits", type=int, default=EDITS_PER_WORLD, help="edits of one world")
    parser.add_argument("--worlds", type=int, default=0, help="end after so many")
    parser.add_argument("--jobs", type=int, default=1, help="processes that each edit a world")
    parser.add_argument("--cluster", choices=["always", "never", "drawn"], default="drawn")
    parser.add_argument("--luigigo", default=str(ROOT), help="the folder of luigigo's code")
    parser.add_argument("--keep", default="fuzz-found", help="where scripts of differences go")
    return parser.parse_args()


def run(options: Options, jobs: int, worlds: int) -> int:
    """Edit worlds in processes of their own until the time is over. 1 if anything differs."""
    begun = time.monotonic()
    reports: list[Report] = []
    interrupted = False
    try:
        for report in reports_of(options, max(1, jobs), worlds):
            reports.append(report)
            print(line_of(report), flush=True)
            if sum(bool(each.told) for each in reports) == MOST_DIFFERENCES:
                break
    except KeyboardInterrupt:
        interrupted = True
    edits, found = sum(each.edits for each in reports), sum(bool(each.told) for each in reports)
    print(f"{edits:,} edits, {found} differences, {len(reports)} seeds, {time.monotonic() - begun:,.0f} s")
    return 1 if found else INTERRUPTED if interrupted else 0


def play_again(options: Options, cases: list[str]) -> int:
    """Play cases of an earlier run, and say of each whether it still differs. 1 if any does."""
    session, found = Session(options, 0, float("inf")), 0
    try:
        for path in cases:
            told = session.play_again(Path(path).read_bytes())
            found += bool(told)
            print(f"{path}: {told or 'no difference'}", flush=True)
    finally:
        session.close()
    return 1 if found else 0


def line_of(report: Report) -> str:
    """What is printed of a world."""
    place = "on a cluster, " if report.cluster else ""
    counts = f"{place}{report.edits} edits ({report.built} built), {report.seconds:.0f} s"
    line = f"seed {report.seed}: {' '.join(report.features)}: {counts}"
    return line + "".join(f"\n    {each}" for each in report.told)


if __name__ == "__main__":
    sys.exit(main())
