"""`luigigo watch` on gopls: from a save to the binary in place, beside `luigigo build`; and its cost at rest.

    python benchmarks/watch.py [--pairs 5] [--rest SECONDS]

Each pair edits the body of a function of golang.org/x/tools twice: once while a watch runs, saved in place or
by renaming in turn, and once for `luigigo build` with the same caches, while the watch is stopped.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent))

from builds import EDITS, Bench, editable_gopls

LINE = re.compile(rb" \d+ ms$", re.MULTILINE)


class WatchBench:
    """A watch of gopls in a scratch folder."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.program, self.source = editable_gopls(bench.go.path, bench.env, bench.fresh("src"))
        self.text = self.source.read_text()
        self.caches, self.output = bench.fresh("a"), bench.scratch + "/gopls"
        self.log = Path(bench.scratch, "watch.log")
        self.number = 1_000_001
        env = {"GOCACHE": self.caches + "/go", "LUIGIGO_CACHE": self.caches + "/luigigo"}
        argv = [bench.luigigo, "watch", "-o", self.output, *self.program.packages]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(argv, cwd=self.program.dir, env=bench.env | env, stderr=log)
        self.wait_for_line(1)

    def wait_for_line(self, count: int) -> None:
        """Return when so many builds have ended."""
        while len(LINE.findall(self.log.read_bytes())) < count:
            if self.process.poll() is not None:
                raise SystemExit(self.log.read_text())
            time.sleep(0.01)

    def edit(self, *, by_rename: bool) -> None:
        """Save another body."""
        self.number += 1
        text = EDITS["edit-body"](self.text, self.number)
        if by_rename:
            beside = self.source.with_name("4913")
            beside.write_text(text)
            os.replace(beside, self.source)
        else:
            self.source.write_text(text)

    def watched_seconds(self, *, by_rename: bool) -> float:
        """From a save to the binary in place."""
        before, lines = os.stat(self.output).st_ino, len(LINE.findall(self.log.read_bytes()))
        began = time.monotonic()
        self.edit(by_rename=by_rename)
        while os.stat(self.output).st_ino == before:
            time.sleep(0.002)
        seconds = time.monotonic() - began
        self.wait_for_line(lines + 1)
        time.sleep(1.0)
        return seconds

    def built_seconds(self) -> float:
        """The same with `luigigo build`, while the watch is stopped."""
        lines = len(LINE.findall(self.log.read_bytes()))
        self.process.send_signal(signal.SIGSTOP)
        self.edit(by_rename=False)
        seconds = self.bench.luigigo_build(self.program, self.caches, self.output).seconds
        self.process.send_signal(signal.SIGCONT)
        self.wait_for_line(lines + 1)
        time.sleep(1.0)
        return seconds

    def rest(self, seconds: float) -> tuple[float, int, int]:
        """Processor time at rest, as a share of one core, and resident bytes before and after."""
        process = psutil.Process(self.process.pid)
        before, memory_bytes = process.cpu_times(), process.memory_info().rss
        time.sleep(seconds)
        after = process.cpu_times()
        used = after.user + after.system - before.user - before.system
        return used / seconds, memory_bytes, process.memory_info().rss


def main() -> None:
    """Print a table of saves, and a line for the rest."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--rest", type=float, default=60.0, help="how long to leave it alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="luigigo-bench-") as scratch:
        watch = WatchBench(Bench(scratch, options.pairs, ""))
        try:
            print("| saved | watch s | luigigo build s | later by s |\n|---|---|---|---|")
            later = []
            for pair in range(options.pairs):
                by_rename = pair % 2 == 1
                watched, built = watch.watched_seconds(by_rename=by_rename), watch.built_seconds()
                later.append(watched - built)
                how = "by rename" if by_rename else "in place"
                print(f"| {how} | {watched:.2f} | {built:.2f} | {watched - built:+.2f} |", flush=True)
            print(f"| median | | | **{statistics.median(later):+.2f}** |")
            share, before, after = watch.rest(options.rest)
            print(f"{options.rest:.0f} s at rest: {share:.2%} of a core, {before >> 20} and {after >> 20} MB")
        finally:
            watch.process.send_signal(signal.SIGINT)
            watch.process.wait()


if __name__ == "__main__":
    main()
