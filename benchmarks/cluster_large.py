"""How a cold build grows with its size, on three nodes: time, memory, messages, requests to the share.

    python benchmarks/cluster_large.py 300 1000 5000 small-files one-file

A number is a generated program of so many packages; `small-files` embeds 20,000 small files in one package,
and `one-file` one of 300 MB. Hosts are namespaces of this machine with a MooseFS share; all have its
processors together, and one slot each. The binary is compared with that of `go build -p 1`, on one host. As
root, with the cluster tests' tools installed.

Memory is the peak of the resident set. Messages are segments of TCP at luigid's port, both ways; a frame of
the channel is at least one. Requests are what mounts were asked for by the kernel (`.stats` of the mount).
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
import threading
import time
from pathlib import Path

from builds import Program
from cluster import LOCAL, SHARE, Bench, modules_folder, mount
from hosts import Host, Network
from moosefs import MooseFS

NODES = ("n1", "n2", "n3")
IMPORTS = 3
"""How many packages each imports, of the hundred before it."""
FUNCTIONS = 5
HEADER = (
    "| program | actions | go build s | makespan s | ms per action | client MB | luigid MB | a worker MB "
    "| segments per action | KB per action | share requests per action |\n" + "|---" * 11 + "|"
)


def write_packages(folder: Path, count: int) -> None:
    """A program of so many packages, which import one another."""
    choose = random.Random(count)
    imported: set[int] = set()
    for number in range(count):
        below = sorted(choose.sample(range(max(0, number - 100), number), min(IMPORTS, number)))
        imported.update(below)
        imports = "".join(f'import "large.test/p{each:04d}"\n' for each in below)
        total = "".join(f" + p{each:04d}.F0(n+{each})" for each in below)
        functions = "".join(
            f"\nfunc F{each}(n int) int {{\n\tfor i := 0; i < n; i++ {{\n\t\tn ^= i * {number + each}\n\t}}\n"
            f"\treturn n{total if each == 0 else ''}\n}}\n"
            for each in range(FUNCTIONS)
        )
        write(folder / f"p{number:04d}" / "p.go", f"package p{number:04d}\n\n{imports}{functions}")
    top = sorted(set(range(count)) - imported)
    imports = "".join(f'import "large.test/p{each:04d}"\n' for each in top)
    calls = "".join(f"\tprintln(p{each:04d}.F0(3))\n" for each in top)
    write(folder / "main.go", f"package main\n\n{imports}\nfunc main() {{\n{calls}}}\n")


def write_embedding(folder: Path, sizes: list[int]) -> None:
    """A program of two packages, of which one embeds files."""
    write(
        folder / "main.go",
        'package main\n\nimport "large.test/files"\n\nfunc main() { println(files.Count()) }\n',
    )
    text = (
        'package files\n\nimport "embed"\n\n//go:embed all:data\nvar held embed.FS\n\n'
        '// Count counts.\nfunc Count() int {\n\tentries, _ := held.ReadDir("data")\n'
        "\treturn len(entries)\n}\n"
    )
    write(folder / "files" / "files.go", text)
    choose = random.Random(len(sizes))
    (folder / "files" / "data").mkdir()
    for number, size in enumerate(sizes):
        with open(folder / "files" / "data" / f"{number:05d}", "wb") as file:
            for at in range(0, size, 1 << 20):
                file.write(choose.randbytes(min(1 << 20, size - at)))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def make(what: str, folder: Path) -> Program:
    """Write one of the programs."""
    write(folder / "go.mod", "module large.test\n\ngo 1.26\n")
    if what == "small-files":
        write_embedding(folder, [100] * 20_000)
    elif what == "one-file":
        write_embedding(folder, [300 << 20])
    else:
        write_packages(folder, int(what))
    return Program(str(folder))


class Watch:
    """Looks at processes and connections while a build runs, in a thread of its own."""

    def __init__(self, network: Network) -> None:
        self.peak_bytes: dict[str, int] = {}
        """By what: `client`, `luigid`, `worker`."""
        self.traffic: dict[str, tuple[int, int]] = {}
        """Segments and bytes, both ways, by the other end of each connection to luigid."""
        self._network = network
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def _run(self) -> None:
        while not self._over.wait(0.25):
            self._look()

    def _look(self) -> None:
        head = self._network.head
        self._note("client", head, r"-m luigigo build ")
        self._note("luigid", head, r"-m luigigo scheduler ")
        for name in NODES:
            self._note("worker", self._network[name], r"-m luigigo worker ")
        text = head.run(["ss", "-HtinO", "sport = :8082"], cwd="/").stdout
        for line in text.splitlines():
            peer = line.split()[4] if len(line.split()) > 4 else ""
            numbers = dict(re.findall(r"\b(segs_in|segs_out|bytes_sent|bytes_received):(\d+)", line))
            segments = int(numbers.get("segs_in", 0)) + int(numbers.get("segs_out", 0))
            size = int(numbers.get("bytes_sent", 0)) + int(numbers.get("bytes_received", 0))
            self.traffic[peer] = max(self.traffic.get(peer, (0, 0)), (segments, size))

    def _note(self, what: str, host: Host, pattern: str) -> None:
        for pid in host.pids(pattern):
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            peak = re.search(r"VmHWM:\s+(\d+) kB", status)
            if peak:
                self.peak_bytes[what] = max(self.peak_bytes.get(what, 0), int(peak[1]) << 10)


def requests(network: Network) -> int:
    """How often the kernels of all hosts asked the share's mounts for something."""
    total = 0
    for host in network.hosts.values():
        text = host.view(f"{SHARE}/.stats").read_text()
        total += sum(map(int, re.findall(r"^fuse_ops\.(?!total)\S+: (\d+)", text, re.MULTILINE)))
    return total


def measure(bench: Bench, network: Network) -> tuple[int, str]:
    """Build once, cold; how many actions that took, and the rest of the table's line."""
    with bench.cluster(list(NODES)) as file:
        for name in NODES:
            network[name].limit_cpu(None)
        before = requests(network)
        argv = [*bench.luigigo, "build", "-o", f"{LOCAL}/binary", "--cluster", file, "--json", "."]
        with Watch(network) as watch:
            began = time.monotonic()
            done = network.head.run(argv, bench.env, timeout=3600, cwd=bench.program.dir)
            seconds = time.monotonic() - began
        asked = requests(network) - before
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    count = sum(event["event"] == "action" for event in events)
    segments, size = (sum(each[number] for each in watch.traffic.values()) for number in (0, 1))
    megabytes = [f"{watch.peak_bytes[what] / 1e6:.0f}" for what in ("client", "luigid", "worker")]
    return count, (
        f"{seconds:.1f} | {1000 * seconds / count:.0f} | {' | '.join(megabytes)} | {segments / count:.1f} "
        f"| {size / count / 1000:.1f} | {asked / count:.0f} |"
    )


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("programs", nargs="+", help="numbers of packages, small-files, one-file")
    options = parser.parse_args()
    print(HEADER, flush=True)
    for what in options.programs:
        with tempfile.TemporaryDirectory(prefix="luigigo-bench-") as scratch:
            source = Path(scratch, "program")
            program = make(what, source)
            hosts = Path(scratch, "hosts")
            hosts.mkdir()
            with Network(("head", *NODES), hosts, visible=[Path(modules_folder()), source]) as network:
                share = MooseFS(network)
                share.start()
                mount(share, 0.0)
                bench = Bench(network, program, 1.0)
                count, rest = measure(bench, network)
                reference = bench.go_build(network["n1"])
                print(f"| {what} | {count} | {reference:.1f} | {rest}", flush=True)


if __name__ == "__main__":
    main()
