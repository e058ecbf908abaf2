"""Benchmarks that stand in for a worker's site and a client's tasks keep up with what is asked of those."""

from __future__ import annotations

import subprocess
import sys

from support import ROOT, clean_environment


def test_tasks_that_do_nothing_are_scheduled_over_workers() -> None:
    """A small run of the benchmark ends with its row, and no task is left."""
    command = [sys.executable, ROOT / "benchmarks/cluster_scheduling.py", "--tasks", "30", "--workers", "2"]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("| luigigo | 30 | 2 × 1 |")
