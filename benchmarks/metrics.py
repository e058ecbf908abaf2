"""How long luigid takes to answer `/metrics`: its own thread does nothing else meanwhile.

python benchmarks/metrics.py [TASKS] [NODES]
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "unit"))

from dispatching import Luigid, action

from luigigo.luigid.metrics import metrics_of


def main() -> None:
    """Print the median and the longest of twenty answers."""
    tasks, nodes = (int(each) for each in (*sys.argv[1:3], *("10000", "100")[len(sys.argv) - 1 :]))
    luigid = Luigid()
    for number in range(nodes):
        luigid.node(f"n{number:03}", 16)
    luigid.client().offer(*(action(f"task{number}") for number in range(tasks)))
    took = []
    for _ in range(20):
        began = time.perf_counter()
        answer = metrics_of(luigid.dispatcher)
        took.append(time.perf_counter() - began)
    milliseconds = [1000 * each for each in (statistics.median(took), max(took))]
    print(f"| {tasks:,} | {nodes} | {milliseconds[0]:.1f} | {milliseconds[1]:.1f} | {len(answer)} |")


if __name__ == "__main__":
    main()
