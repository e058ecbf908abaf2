"""Builds on 1, 2, 4 and 8 hosts of a cluster beside what is possible, and beside `go build` on one such host.

    python benchmarks/cluster.py hello --nodes 1 2 4 8 --share 0.2 [--go-build]

Hosts are namespaces of this machine with a MooseFS share, and each has that share of one processor. For each
number of nodes: the makespan, and max(T∞, T1/N) from the same run's own action timings, where T∞ is the
longest chain through the import graph, the link with it; and what no schedule can go below (`bounds.py`). As
root, with the cluster tests' tools installed.
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
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "tests" / "cluster"))

from bounds import build_graph
from builds import IDENTITY_FLAGS, Program, programs, require_same
from hosts import LOCAL, Host, Network
from moosefs import MASTER_PORT, MooseFS
from tools import wait_for_port

from luigigo.golang.toolchain import find_go

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
        self.go = find_go("", os.environ)
        self.luigigo = [sys.executable, "-m", "luigigo"]
        self.env = {"GOMODCACHE": modules_folder(), "GOFLAGS": "-mod=mod"}
        self.env |= {"GOPROXY": "off", "GOTOOLCHAIN": "local"}
        self.env |= {"PATH": os.environ["PATH"], "LUIGIGO_CACHE": f"{LOCAL}/client"}
        if self.go.goroot:
            self.env["GOROOT"] = self.go.goroot

    def cluster_file(self, nodes: list[str]) -> str:
        """Write the cluster's file on the share, afresh."""
        shared = f"{SHARE}/{time.time_ns()}"
        path = self.network.folder / "cluster.json"
        description = {
            "shared": shared,
            "scheduler": {"host": "head"},
            "cache": f"{LOCAL}/{time.time_ns()}",
            "nodes": [{"host": name, "slots": 1} for name in nodes],
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
                self.network.hosts[name].limit_cpu(self.share_of_cpu)
            yield file
        finally:
            for name in nodes:
                self.network.hosts[name].limit_cpu(None)
            for host in self.network.hosts.values():
                host.kill(DAEMONS)
                while host.pids(DAEMONS):
                    time.sleep(0.05)

    def build(self, nodes: list[str]) -> tuple[float, list[dict[str, Any]]]:
        """One cold build; its seconds and its actions."""
        head = self.network.hosts["head"]
        shutil.rmtree(head.view(f"{LOCAL}/client"), ignore_errors=True)
        with self.cluster(nodes) as file:
            output = f"{LOCAL}/binary"
            argv = [*self.luigigo, "build", "-o", output, *self.program.packages]
            began = time.monotonic()
            done = head.run(
                [*argv, "--cluster", file, "--json"], self.env, timeout=3600, cwd=self.program.dir
            )
            seconds = time.monotonic() - began
        events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return seconds, [event for event in events if event["event"] == "action"]

    def go_build(self, host: Host) -> float:
        """`go build` on one such host, cold; the binary is compared."""
        host.limit_cpu(self.share_of_cpu)
        try:
            env = {**self.env, "GOCACHE": f"{LOCAL}/gocache{time.time_ns()}"}
            argv = [self.go.path, "build", "-p", "1", *IDENTITY_FLAGS, "-o", f"{LOCAL}/reference"]
            began = time.monotonic()
            host.run([*argv, *self.program.packages], env, timeout=3600, cwd=self.program.dir)
            seconds = time.monotonic() - began
        finally:
            host.limit_cpu(None)
        require_same(
            str(self.network.hosts["head"].view(f"{LOCAL}/binary")), str(host.view(f"{LOCAL}/reference"))
        )
        return seconds

    def imports(self) -> dict[str, list[str]]:
        """For each package what it imports, all programs' packages below it.

        The head's go command has its index of the modules afterwards, as after any go command there.
        """
        argv = [self.go.path, "list", "-deps", "-json=ImportPath,Imports", *self.program.packages]
        text = self.network.hosts["head"].run(argv, self.env, timeout=600, cwd=self.program.dir).stdout
        decoder, at, found = json.JSONDecoder(), 0, {}
        while at < len(text.rstrip()):
            package, end = decoder.raw_decode(text, at)
            found[package["ImportPath"]] = package.get("Imports", [])
            at = end + 1
        return found


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


def row(
    name: str, nodes: int, seconds: float, actions: list[dict[str, Any]], imports: dict[str, list[str]]
) -> str:
    """One line of the table."""
    graph = build_graph(actions, imports)
    bound, least = graph.simple_bound_seconds(nodes), graph.least_seconds(nodes)
    queued = sorted(each["queued_seconds"] for each in actions)
    waited = sum(each["waited_seconds"] for each in actions)
    late = queued[int(len(queued) * 0.95)]
    return (
        f"| {name} | {nodes} | {seconds:.1f} | {bound:.1f} | **{seconds / bound:.2f}** | {least:.1f} "
        f"| {seconds / least:.2f} | {graph.chain_seconds:.1f} | {graph.work_seconds:.1f} | {waited:.1f} "
        f"| {statistics.median(queued):.3f} / {late:.3f} |"
    )


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("program")
    parser.add_argument("--nodes", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--share", type=float, default=0.2, help="of one processor, for each host")
    parser.add_argument("--delay", type=float, default=0.0, help="milliseconds by which the share is slower")
    parser.add_argument("--go-build", action="store_true", help="measure go build on one such host, too")
    options = parser.parse_args()
    names = [f"n{number}" for number in range(1, max(options.nodes) + 1)]
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
        imports = bench.imports()
        print(f"{options.program}: {len(imports)} packages; {options.share} of a processor each host")
        print(HEADER, flush=True)
        for count in options.nodes:
            seconds, actions = bench.build(names[:count])
            print(row(options.program, count, seconds, actions, imports), flush=True)
        if options.go_build:
            print(f"go build on one such host: {bench.go_build(network.hosts['n1']):.1f} s", flush=True)


if __name__ == "__main__":
    main()
