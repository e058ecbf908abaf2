"""How long `luigigo cluster up` and `down` take for eight hosts, each with its own sshd.

python benchmarks/cluster_up.py [--hosts 8] [--times 5]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "cluster"))

from hosts import LOCAL, Network
from moosefs import MooseFS


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--hosts", type=int, default=8)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    names = [f"n{number}" for number in range(1, options.hosts + 1)]
    seconds: dict[str, list[float]] = {"up": [], "up --no-visibility": [], "up again": [], "down": []}
    with (
        tempfile.TemporaryDirectory(prefix="luigigo-bench-") as scratch,
        Network(("head", *names), Path(scratch)) as network,
    ):
        share = MooseFS(network)
        share.start()
        for host in network.hosts.values():
            share.mount(host, "/mnt/share")
        file = Path(scratch, "cluster.json")
        description = {
            "shared": "/mnt/share/luigigo",
            "scheduler": {"host": "head"},
            "cache": str(LOCAL),
            "python": sys.executable,
            "nodes": [{"host": name} for name in names],
        }
        file.write_text(json.dumps(description))

        def run(name: str, *words: str) -> None:
            argv = [sys.executable, "-m", "luigigo", "cluster", *words, str(file)]
            began = time.monotonic()
            done = network.head.run(argv, {"PATH": os.environ["PATH"]}, check=False)
            seconds[name].append(time.monotonic() - began)
            if done.returncode != 0:
                raise SystemExit(f"{' '.join(words)} failed:\n{done.stdout}{done.stderr}")

        for _ in range(options.times):
            run("up", "up")
            run("up again", "up")
            run("down", "down")
            run("up --no-visibility", "up", "--no-visibility")
            run("down", "down")
    for name, all_seconds in seconds.items():
        middle, low, high = statistics.median(all_seconds), min(all_seconds), max(all_seconds)
        print(
            f"| {name} | {options.hosts} hosts | {len(all_seconds)} | {middle:.2f} ({low:.2f}–{high:.2f}) |"
        )


if __name__ == "__main__":
    main()
