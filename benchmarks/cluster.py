"""Builds on 1, 2, 4 and 8 hosts of a cluster beside what is possible, and beside `go build` on one such host.

    python benchmarks/cluster.py hello --nodes 1 2 4 8 --share 0.2 [--go-build]

Hosts are namespaces of this machine with a MooseFS share, and each has that share of one processor. For each
number of nodes: the makespan, and from the same run's record max(T∞, T1/N), where T∞ is the longest chain of
actions, and what no schedule can go below, both with the client's own time (`luigigo.reports.bounds`). As
root, with the cluster tests' tools installed. `--records DIR` keeps the runs' records, as a store has them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "tests" / "cluster"))

from builds import IDENTITY_FLAGS, Program, programs, require_same
from hosts import LOCAL, Host, Network
from moosefs import MASTER_PORT, MooseFS
from tools import wait_for_port

from luigigo.attempts import span
from luigigo.golang.toolchain import find_go
from luigigo.reports.headline import headline
from luigigo.reports.history import History
from luigigo.runrecords.naming import find_run
from luigigo.runrecords.reading import read_run

SHARE = "/mnt/share"
DAEMONS = r"-m luigigo (worker|scheduler) "
HEADER = (
    "| program | nodes | makespan s | max(T∞, T1/N) s | ratio | least possible s | ratio | T∞ s "
    "| T1 = compile s | waiting for the share s | ready to started s, median / 95 % |\n" + "|---" * 11 + "|"
)


class Bench:
    """Hosts with a share, and the program to build from the head's own disk."""

    def __init__(self, network: Network, program: Program, share_of_cpu: float) -> None:
        self.network, self.program, self.share_of_cpu = network, program, share_of_cpu
        self.shared = ""
        self.slots = 1
        self.go = find_go("", os.environ)
        self.luigigo = [sys.executable, "-m", "luigigo"]
        self.env = {"GOMODCACHE": modules_folder(), "GOFLAGS": "-mod=mod"}
        self.env |= {"GOPROXY": "off", "GOTOOLCHAIN": "local"}
        self.env |= {"PATH": os.environ["PATH"], "LUIGIGO_CACHE": f"{LOCAL}/client"}
        if self.go.goroot:
            self.env["GOROOT"] = self.go.goroot

    def cluster_file(self, nodes: list[str]) -> str:
        """Write the cluster's file on the share, afresh."""
        self.shared = f"{SHARE}/{time.time_ns()}"
        path = self.network.folder / "cluster.json"
        description = {
            "shared": self.shared,
            "scheduler": {"host": "head"},
            "cache": f"{LOCAL}/{time.time_ns()}",
            "nodes": [{"host": name, "slots": self.slots} for name in nodes],
        }
        path.write_text(json.dumps(description))
        return str(path)

    @contextlib.contextmanager
    def cluster(self, nodes: list[str]) -> Iterator[str]:
        """luigid and a worker on each node; gives the cluster's file."""
        file = self.cluster_file(nodes)
        try:
            for host, verb in [("head", "scheduler"), *((name, "worker") for name in nodes)]:
                name = ["--node", host] if verb == "worker" else []
                process = self.network.hosts[host].start(
                    [*self.luigigo, verb, "--cluster", file, *name], self.env
                )
                while "ready" not in process.popen.stdout.readline():
                    if process.popen.poll() is not None:
                        raise SystemExit(f"{verb} on {host} ended: {process.popen.stderr.read()}")
            for name in nodes:
                self.network.hosts[name].limit_cpu(self.slots * self.share_of_cpu)
            yield file
        finally:
            for name in nodes:
                self.network.hosts[name].limit_cpu(None)
            for host in self.network.hosts.values():
                host.kill(DAEMONS)
                while host.pids(DAEMONS):
                    time.sleep(0.05)

    def build(self, nodes: list[str], records: str) -> tuple[float, History]:
        """One cold build: its seconds, and its record, which is kept in a store's folder if one is named."""
        head = self.network.hosts["head"]
        shutil.rmtree(head.view(f"{LOCAL}/client"), ignore_errors=True)
        with self.cluster(nodes) as file:
            output = f"{LOCAL}/binary"
            argv = [*self.luigigo, "build", "-o", output, *self.program.packages]
            began = time.monotonic()
            head.run([*argv, "--cluster", file], self.env, timeout=3600, cwd=self.program.dir)
            seconds = time.monotonic() - began
        store = str(head.view(self.shared))
        run = find_run(store)
        if records:
            shutil.copytree(f"{store}/runs/{run}", f"{records}/runs/{run}")
            shutil.copytree(f"{store}/plans", f"{records}/plans", dirs_exist_ok=True)
        return seconds, History(read_run(store, run))

    def go_build(self, host: Host) -> float:
        """`go build` on one such host, cold; the binary is compared where luigigo made one."""
        host.limit_cpu(self.share_of_cpu)
        try:
            env = {**self.env, "GOCACHE": f"{LOCAL}/gocache{time.time_ns()}"}
            argv = [self.go.path, "build", "-p", "1", *IDENTITY_FLAGS, "-o", f"{LOCAL}/reference"]
            began = time.monotonic()
            host.run([*argv, *self.program.packages], env, timeout=3600, cwd=self.program.dir)
            seconds = time.monotonic() - began
        finally:
            host.limit_cpu(None)
        ours = self.network.hosts["head"].view(f"{LOCAL}/binary")
        if ours.exists():
            require_same(str(ours), str(host.view(f"{LOCAL}/reference")))
        return seconds

    def warm_up(self) -> None:
        """Let the head's go command have its index of the modules, as after any go command there."""
        argv = [self.go.path, "list", "-deps", *self.program.packages]
        self.network.hosts["head"].run(argv, self.env, timeout=600, cwd=self.program.dir)


def mount(share: MooseFS, delay_seconds: float) -> None:
    """Mount the share on all hosts; its master answers the nodes so much later."""
    head, port = share.network.head, MASTER_PORT + 1000
    if delay_seconds:
        server = f"{head.address}:{MASTER_PORT}"
        head.start([sys.executable, str(HERE / "delay.py"), str(port), server, str(delay_seconds)])
        wait_for_port(head.address, port)
    for host in share.network.hosts.values():
        is_slow = delay_seconds and host is not head
        share.mount(host, SHARE, options=f"mfsport={port}" if is_slow else "")


def modules_folder() -> str:
    """Where the go command keeps modules."""
    go = find_go("", os.environ)
    argv, env = [go.path, "env", "GOMODCACHE"], go.plain_environment(os.environ)
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout.strip()


def row(name: str, seconds: float, history: History) -> str:
    """One line of the table."""
    head = headline(history)
    late = sorted(span(step.moments.ready, step.moments.started) for step in history.steps)
    waited = sum(step.staging_seconds for step in history.steps)
    bound, least = head.bound_seconds, head.least_seconds
    return (
        f"| {name} | {head.nodes} | {seconds:.1f} | {bound:.1f} | **{seconds / bound:.2f}** | {least:.1f} "
        f"| {seconds / least:.2f} | {head.chain_seconds:.1f} | {head.work_seconds:.1f} | {waited:.1f} "
        f"| {statistics.median(late):.3f} / {late[int(len(late) * 0.95)]:.3f} |"
    )


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("program")
    parser.add_argument("--nodes", type=int, nargs="*", default=[1, 2, 4, 8], help="none: go build alone")
    parser.add_argument("--slots", type=int, nargs="+", default=[1], help="of each host")
    parser.add_argument("--share", type=float, default=0.2, help="of one processor, for each host's slot")
    parser.add_argument("--delay", type=float, default=0.0, help="milliseconds by which the share is slower")
    parser.add_argument("--records", default="", help="a folder for the runs' records")
    parser.add_argument("--go-build", action="store_true", help="measure go build on one such host, too")
    options = parser.parse_args()
    names = [f"n{number}" for number in range(1, max([1, *options.nodes]) + 1)]
    with (
        tempfile.TemporaryDirectory(prefix="luigigo-bench-") as scratch,
        Network(("head", *names), Path(scratch), visible=[Path(modules_folder())]) as network,
    ):
        share = MooseFS(network)
        share.start()
        mount(share, options.delay / 1000)
        go = find_go("", os.environ)
        goroot = subprocess.run(
            [go.path, "env", "GOROOT"], env=go.plain_environment(os.environ), capture_output=True, text=True
        ).stdout.strip()
        bench = Bench(network, programs(goroot)[options.program], options.share)
        bench.warm_up()
        print(f"{options.program}: {options.share} of a processor each host")
        print(HEADER, flush=True)
        for bench.slots in options.slots:
            for count in options.nodes:
                print(row(options.program, *bench.build(names[:count], options.records)), flush=True)
        if options.go_build:
            print(f"go build on one such host: {bench.go_build(network.hosts['n1']):.1f} s", flush=True)


if __name__ == "__main__":
    main()
