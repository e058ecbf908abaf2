"""Time two commands in turn, pair by pair: on a noisy machine only the ratio is worth much."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Run:
    """One timed run of a command."""

    seconds: float
    cpu_seconds: float
    own_peak_bytes: int
    """Largest resident set of the command's own process, without its children."""


@dataclass
class Contest:
    """Pairs of runs, ours and theirs."""

    name: str
    ours: list[Run] = field(default_factory=list)
    theirs: list[Run] = field(default_factory=list)

    def ratios(self) -> list[float]:
        """Ours over theirs, pair by pair, in wall time."""
        return [a.seconds / b.seconds for a, b in zip(self.ours, self.theirs, strict=True)]

    def row(self) -> str:
        """One row of a Markdown table."""
        ours = [run.seconds for run in self.ours]
        theirs = [run.seconds for run in self.theirs]
        ratios = self.ratios()
        peak = max(run.own_peak_bytes for run in self.ours) / 2**20
        return (
            f"| {self.name} | {len(ratios)} | {_spread(theirs, 2)} | {_spread(ours, 2)} "
            f"| **{statistics.median(ratios):.2f}** ({min(ratios):.2f}–{max(ratios):.2f}) "
            f"| {_cpu(self.theirs):.1f} / {_cpu(self.ours):.1f} | {peak:.0f} |"
        )


HEADER = (
    "| work | pairs | go build s | luigigo s | ratio, median (min–max) | CPU s go / luigigo | own peak MB |\n"
    "|---|---|---|---|---|---|---|"
)


def _cpu(runs: Sequence[Run]) -> float:
    return statistics.median(run.cpu_seconds for run in runs)


def _spread(values: Sequence[float], digits: int) -> str:
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def run(argv: Sequence[str], cwd: str, env: Mapping[str, str]) -> Run:
    """Run a command to its end and measure it. Raises `SystemExit` with its output when it fails."""
    before = os.times()
    started = time.perf_counter()
    child = subprocess.Popen(argv, cwd=cwd, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    peak_bytes = 0
    while True:
        peak_bytes = max(peak_bytes, _high_water_bytes(child.pid))
        try:
            output, _ = child.communicate(timeout=0.2 if peak_bytes else 0.01)
            break
        except subprocess.TimeoutExpired:
            continue
    seconds = time.perf_counter() - started
    after = os.times()
    if child.returncode != 0:
        raise SystemExit(f"{' '.join(argv)} failed:\n{output.decode(errors='replace')}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(seconds, cpu, peak_bytes)


def _high_water_bytes(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def contest(name: str, pairs: int, ours: Callable[[], Run], theirs: Callable[[], Run]) -> Contest:
    """Run both in turn; who goes first alternates."""
    result = Contest(name)
    for number in range(pairs):
        if number % 2:
            a, b = ours(), theirs()
        else:
            b, a = theirs(), ours()
        result.ours.append(a)
        result.theirs.append(b)
        print(f"  {name} {number + 1}/{pairs}: go {b.seconds:.2f} s, luigigo {a.seconds:.2f} s", flush=True)
    return result
