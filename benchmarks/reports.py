"""What reports cost: pages of large runs, their drawing in Chromium, and forecasts beside what happened.

    python benchmarks/reports.py pages
    python benchmarks/reports.py forecasts FOLDER…
    python benchmarks/reports.py never hello gopls
    python benchmarks/reports.py recording

`pages` makes pages of made-up runs and draws them; it needs Chromium, chromium-driver and selenium.
`forecasts` takes folders with records of one program's runs on several numbers of nodes, as
`cluster.py --records` leaves them: each run is forecast from each other one, as if both had had the same
work, for this machine is not equally fast at all times.
`never` asks `luigigo build --plan-only` how long a program takes that was never built, then builds it: with
empty caches, and with those that the first program filled. `recording` is the processor time that writing an
action down takes, and its bytes in the file.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "tests"))
sys.path.insert(0, str(HERE.parent / "tests" / "browser"))

from builds import Bench
from made_runs import large_run

from luigigo.attempts import Attempt, Moments
from luigigo.builds.phases import Phases
from luigigo.builds.recording import Recorder
from luigigo.execution.events import ActionEnded, ActionStarted, Outcome
from luigigo.model import ActionKey, Digest, Output
from luigigo.reports.forecast import Machines, forecast
from luigigo.reports.headline import headline
from luigigo.reports.history import History
from luigigo.reports.page.build import page
from luigigo.reports.times import times_of
from luigigo.runrecords.naming import run_ids
from luigigo.runrecords.reading import read_run

MANY = 10_000
SIZES = ((3_000, 8, 4), (20_000, 100, 16))
FRAMES = 60
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"
DRAWING = (
    "(() => { const from = performance.now(); for (let n = 0; n < %d; n++) {"
    " timeline.zoom(n %% 20 < 10 ? 0.8 : 1.25); timeline.pan(0.03); timeline.draw(); }"
    " return %d / ((performance.now() - from) / 1000); })()"
)


def pages() -> None:
    """A line for each size of run."""
    from chromium import Browser, new_driver

    driver = new_driver()
    browser = Browser(driver)
    print("| actions | nodes × slots | page made in s | page KB | first paint s | frames a second |")
    print("|---|---|---|---|---|---|")
    try:
        with tempfile.TemporaryDirectory(prefix="luigigo-bench-") as scratch:
            for actions, nodes, slots in SIZES:
                record = large_run(random.Random(1), actions, nodes, slots)
                began = time.monotonic()
                content = page(History(record))
                seconds = time.monotonic() - began
                path = Path(scratch) / "page.html"
                path.write_text(content, encoding="utf-8")
                browser.open(path)
                time.sleep(3)
                paint = browser.run(FIRST_PAINT)
                frames = browser.run(DRAWING % (FRAMES, FRAMES))
                size = len(content.encode()) / 1000
                cells = (
                    f"{actions:,}",
                    f"{nodes} × {slots}",
                    f"{seconds:.2f}",
                    f"{size:.0f}",
                    f"{paint:.2f}",
                )
                print(f"| {' | '.join(cells)} | {frames:.0f} |", flush=True)
    finally:
        driver.quit()


def forecasts(folders: list[str]) -> None:
    """For each program a line for each run, forecast from each other number of nodes."""
    print("| program | nodes | took s | forecast from | forecast s, at equal work | off by |")
    print("|---|---|---|---|---|---|")
    for folder in folders:
        histories = [History(read_run(folder, run)) for run in run_ids(folder)]
        rows = [(headline(history), history) for history in histories]
        rows = [(row, history) for row, history in rows if row.slots == row.nodes]
        for row, _ in rows:
            for other, source in rows:
                if other.nodes == row.nodes:
                    continue
                found = forecast(times_of(source).tasks, Machines(row.nodes, 1))
                equal = row.work_seconds / other.work_seconds
                seconds = row.client_seconds + found.seconds * equal
                off = seconds / row.makespan_seconds - 1
                print(
                    f"| {Path(folder).name} | {row.nodes} | {row.makespan_seconds:.1f} | {other.nodes} "
                    f"| {seconds:.1f} | {off:+.1%} |",
                    flush=True,
                )


def recording() -> None:
    """Processor time and bytes of one action among many, that ran and made two outputs."""
    attempt = Attempt(
        Moments(*(float(number) for number in range(8))), 1, cpu_seconds=0.5, peak_bytes=1 << 20,
        read_bytes=1 << 20, written_bytes=1 << 20, content_key="0" * 64,
        made={role: Output(Digest("0" * 64), 1 << 20) for role in ("export", "object")},
    )  # fmt: skip
    keys = [ActionKey(f"{number:064x}") for number in range(MANY)]
    with tempfile.TemporaryDirectory(prefix="luigigo-bench-") as store:
        recorder = Recorder(store, Phases(time.monotonic()), print)
        # In place of a plan of so many packages.
        recorder._numbers.update(zip(keys, range(MANY), strict=True))
        began = time.process_time()
        for key in keys:
            recorder(ActionStarted(key, "example.com/p"))
            recorder(
                ActionEnded(key, "compile", "example.com/p", "p", Outcome.RAN, 0.5, "n1", attempt=attempt)
            )
        seconds = time.process_time() - began
        recorder.close("ok", 0, "")
        size = sum(path.stat().st_size for path in Path(store).rglob("*.jsonl"))
    print("| actions | ms of processor each | bytes each, without its part of the plan |\n|---|---|---|")
    print(f"| {MANY:,} | {seconds / MANY * 1000:.3f} | {size / MANY:.0f} |")


RANGE = re.compile(r"([0-9.]+) s\s+([0-9.]+) s to ([0-9.]+) s")
"""Of the last line of a plan's forecast: takes, at least, at most. None may take two minutes."""


def never(names: list[str]) -> None:
    """A line for each program never built, from empty caches and from those that the first one filled."""
    print("| program | caches | forecast s | range s | took s | inside |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="luigigo-bench-") as scratch:
        bench = Bench(scratch, 1, "")
        used = bench.fresh("used")
        for count, name in enumerate(names):
            cases = [("empty", bench.fresh("empty"))] + ([("used", used)] if count else [])
            for title, caches in cases:
                print(f"| {name} | {title} | {_foretold(bench, name, caches)} |", flush=True)
            if not count:
                bench.luigigo_build(bench.programs[name], used, scratch + "/out")


def _foretold(bench: Bench, name: str, caches: str) -> str:
    program = bench.programs[name]
    argv = [bench.luigigo, "build", "--plan-only", "-o", bench.scratch + "/out", *program.packages]
    env = {**bench.env, "GOCACHE": caches + "/go", "LUIGIGO_CACHE": caches + "/luigigo"}
    done = subprocess.run(argv, cwd=program.dir, env=env, capture_output=True, text=True, check=True)
    found = RANGE.search(done.stdout.splitlines()[-1])
    if found is None:
        raise SystemExit(f"no range in:\n{done.stdout}")
    takes, low, high = (float(each) for each in found.groups())
    took = bench.luigigo_build(program, caches, bench.scratch + "/out").seconds
    inside = "yes" if low <= took <= high else "**no**"
    return f"{takes:.1f} | {low:.1f}–{high:.1f} | {took:.1f} | {inside}"


def main() -> None:
    """Measure what the command line names."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("what", choices=["pages", "forecasts", "never", "recording"])
    parser.add_argument("names", nargs="*", help="folders of records, or programs")
    options = parser.parse_args()
    if options.what == "pages":
        pages()
    elif options.what == "forecasts":
        forecasts(options.names)
    elif options.what == "never":
        never(options.names)
    else:
        recording()


if __name__ == "__main__":
    main()
