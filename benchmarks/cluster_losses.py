"""How long until what a lost worker ran is running elsewhere: killed, and without a sign of life.

    python benchmarks/cluster_losses.py [--times 5]

A luigid, two workers and a client, all processes; the tasks sleep. `killed` is SIGKILL, which closes the
connection; `silent` is SIGSTOP, which, like a cut cable, closes nothing.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from cluster_scheduling import HERE, Cluster


def measure(how: signal.Signals) -> float:
    """Seconds from the signal until luigid gave another worker the task, which began it."""
    with (
        tempfile.TemporaryDirectory(prefix="luigigo-bench-") as folder,
        Cluster(folder, 2, 1, "sleep") as cluster,
    ):
        argv = [
            sys.executable,
            "-u",
            str(HERE / "noop_client.py"),
            str(cluster.port),
            cluster.token_file,
            "0",
            "x",
        ]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=folder) as client:
            assert client.stdout is not None
            task, worker = client.stdout.readline().split()
            pid = int(worker.split("-")[1])
            began = time.monotonic()
            os.kill(pid, how)
            again = client.stdout.readline().split()
            seconds = time.monotonic() - began
            client.kill()
        if again[0] != task or again[1] == worker:
            raise SystemExit(f"{task} did not run again elsewhere: {again}")
        return seconds


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    for name, how in (("killed", signal.SIGKILL), ("silent", signal.SIGSTOP)):
        seconds = [measure(how) for _ in range(options.times)]
        middle, low, high = statistics.median(seconds), min(seconds), max(seconds)
        print(f"| {name} | {options.times} | {middle:.2f} ({low:.2f}–{high:.2f}) |", flush=True)


if __name__ == "__main__":
    main()
