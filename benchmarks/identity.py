"""Compare the binaries of the benchmark programs with `go build`'s: the same bytes, or it says so.

    python benchmarks/identity.py hello telegram several:GOAMD64=v3 --go /usr/local/go/bin/go

A program may be followed by variables of the environment, for both builds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from builds import Bench, require_same


def compare(bench: Bench, wanted: str) -> str:
    """Build a program both ways from empty caches; return a row of a Markdown table."""
    name, *settings = wanted.split(":")
    program = bench.programs[name]
    bench.env.update(setting.split("=", 1) for setting in settings)
    ours, theirs = bench.output(program, "ours"), bench.output(program, "theirs")
    bench.luigigo_build(program, bench.fresh("a"), ours)
    bench.go_build(program, bench.fresh("b"), theirs)
    require_same(ours, theirs)
    return f"| {name} | {' '.join(settings) or '–'} | identical |"


def main() -> None:
    """Compare what the command line names."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("programs", nargs="+")
    parser.add_argument("--go", default="", help="the go command; by default the one luigigo finds")
    options = parser.parse_args()
    for wanted in options.programs:
        with tempfile.TemporaryDirectory(prefix="luigigo-bench-") as scratch:
            started = time.monotonic()
            row = compare(Bench(scratch, 1, options.go), wanted)
            print(row, f"<!-- {time.monotonic() - started:.0f} s -->", flush=True)


if __name__ == "__main__":
    main()
