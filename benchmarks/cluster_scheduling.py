"""What scheduling over workers costs: tasks that do nothing; luigid, workers and client are processes.

    python benchmarks/cluster_scheduling.py [--tasks 300 3000 10000] [--workers 1 8 32] [--work nothing|true]
        [--stock] [--ninja] [--hyperqueue]

Wall time is the client's, from making the tasks to the summary; luigid's processor time is read from /proc.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from scheduling import import_graph

HERE = Path(__file__).resolve().parent
START_SECONDS = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextlib.contextmanager
def started(argv: list[str], folder: str, name: str) -> Iterator[subprocess.Popen[bytes]]:
    # The user's own commands must not find this luigid.
    env = {**os.environ, "XDG_STATE_HOME": folder}
    with open(os.path.join(folder, f"{name}.log"), "ab") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, cwd=folder, env=env, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Cluster:
    """A luigid and workers that do nothing, on this machine."""

    def __init__(self, folder: str, workers: int, slots: int, work: str) -> None:
        self.folder, self.workers, self.slots, self.work = folder, workers, slots, work
        self.port = free_port()
        self.token_file = os.path.join(folder, "token")
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Cluster:
        argv = [sys.executable, "-m", "luigigo", "scheduler", "--port", str(self.port)]
        self.luigid = self._start([*argv, "--token-file", self.token_file], "luigid")
        self._wait(lambda: self._status() is not None)
        for number in range(self.workers):
            argv = [sys.executable, str(HERE / "noop_worker.py"), "127.0.0.1", str(self.port)]
            argv += [self.token_file, f"n{number}", str(self.slots), self.work]
            self._start(argv, f"n{number}")
        self._wait(lambda: len((self._status() or {"nodes": []})["nodes"]) == self.workers)
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def _start(self, argv: list[str], name: str) -> subprocess.Popen[bytes]:
        return self._stack.enter_context(started(argv, self.folder, name))

    def _wait(self, holds: object) -> None:
        deadline = time.monotonic() + START_SECONDS + self.workers
        while not holds():  # type: ignore[operator]
            if time.monotonic() > deadline:
                raise SystemExit(f"the cluster did not start; logs are in {self.folder}")
            time.sleep(0.05)

    def _status(self) -> dict[str, list[object]] | None:
        from luigigo.token import authorization, read_token

        try:
            headers = {"Authorization": authorization(read_token(self.token_file))}
            url = f"http://127.0.0.1:{self.port}/luigigo/status"
            request = urllib.request.Request(url, data=b"{}", headers=headers, method="POST")
            with urllib.request.urlopen(request, timeout=5) as answer:
                return dict(json.load(answer))
        except Exception:
            return None

    def build(self, tasks: int, tag: str) -> dict[str, float]:
        """One run of so many tasks by a client process of its own."""
        before = cpu_seconds(self.luigid.pid)
        argv = [
            sys.executable,
            str(HERE / "noop_client.py"),
            str(self.port),
            self.token_file,
            str(tasks),
            tag,
        ]
        done = subprocess.run(argv, capture_output=True, text=True, cwd=self.folder)
        if done.returncode != 0:
            raise SystemExit(f"the client failed:\n{done.stdout}{done.stderr}")
        measured = json.loads(done.stdout.splitlines()[-1])
        measured["luigid_cpu_ms"] = (cpu_seconds(self.luigid.pid) - before) / tasks * 1000
        measured["luigid_mb"] = resident_mb(self.luigid.pid)
        return dict(measured)


def ours(tasks: int, workers: int, slots: int, work: str) -> str:
    with (
        tempfile.TemporaryDirectory(prefix="luigigo-bench-") as folder,
        Cluster(folder, workers, slots, work) as c,
    ):
        first = c.build(tasks, "a")
        return (
            f"| luigigo | {tasks} | {workers} × {slots} | {first['wall_ms']:.2f} "
            f"| {first['luigid_cpu_ms']:.2f} | {first['dispatch_ms']:.1f} | {first['luigid_mb']:.0f} |"
        )


def ninja(tasks: int, slots: int) -> str:
    """The same graph as a ninja file whose edges start /bin/true."""
    with tempfile.TemporaryDirectory(prefix="luigigo-bench-") as folder:
        lines = ["rule t", "  command = /bin/true"]
        for index, needs in enumerate(import_graph(tasks)):
            lines.append(f"build t{index}: t " + " ".join(f"t{need}" for need in needs))
        Path(folder, "build.ninja").write_text("\n".join(lines) + "\ndefault t0\n")
        started_at = time.perf_counter()
        subprocess.run(["ninja", "-j", str(slots)], cwd=folder, check=True, capture_output=True)
        wall_ms = (time.perf_counter() - started_at) / tasks * 1000
        return f"| ninja | {tasks} | 1 × {slots} | {wall_ms:.2f} | – | – | – |"


def hyperqueue(tasks: int, workers: int, slots: int) -> str:
    """The same graph by HyperQueue's server and workers in one process of its own; tasks start /bin/true."""
    from hyperqueue import Job
    from hyperqueue.cluster import LocalCluster, WorkerConfig

    graph = import_graph(tasks)
    with LocalCluster() as cluster:
        for _ in range(workers):
            cluster.start_worker(WorkerConfig(cores=slots))
        client = cluster.client()
        started_at = time.perf_counter()
        job, made = Job(), {}
        for index in reversed(range(tasks)):
            deps = [made[need] for need in graph[index]]
            made[index] = job.program(["/bin/true"], deps=deps, stdout=None, stderr=None)
        client.wait_for_jobs([client.submit(job)])
        wall_ms = (time.perf_counter() - started_at) / tasks * 1000
    return f"| HyperQueue | {tasks} | {workers} × {slots} | {wall_ms:.2f} | – | – | – |"


def stock(tasks: int, workers: int) -> str:
    """Stock luigid, stock assistants, and a client without workers of its own."""
    with tempfile.TemporaryDirectory(prefix="luigigo-bench-") as folder, contextlib.ExitStack() as stack:
        port = free_port()
        luigid = os.path.join(os.path.dirname(sys.executable), "luigid")
        argv = [luigid, "--port", str(port), "--address", "127.0.0.1", "--state-path", folder + "/state"]
        server = stack.enter_context(started(argv, folder, "luigid"))
        time.sleep(2)
        for number in range(workers - 1):
            argv = [sys.executable, str(HERE / "stock_noop.py"), str(port), str(tasks), "assistant"]
            stack.enter_context(started(argv, folder, f"assistant{number}"))
        before, started_at = cpu_seconds(server.pid), time.perf_counter()
        argv = [sys.executable, str(HERE / "stock_noop.py"), str(port), str(tasks), "client"]
        subprocess.run(argv, cwd=folder, check=True, capture_output=True)
        wall_ms = (time.perf_counter() - started_at) / tasks * 1000
        cpu_ms = (cpu_seconds(server.pid) - before) / tasks * 1000
        mb = resident_mb(server.pid)
        return f"| stock luigi | {tasks} | {workers} × 1 | {wall_ms:.2f} | {cpu_ms:.2f} | – | {mb:.0f} |"


HEADER = (
    "| scheduler | tasks | workers × slots | wall ms/task | luigid CPU ms/task | ready to started, median ms "
    "| luigid MB |\n|---|---|---|---|---|---|---|"
)


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--tasks", type=int, nargs="+", default=[3000])
    parser.add_argument("--workers", type=int, nargs="+", default=[8])
    parser.add_argument("--slots", type=int, default=1)
    parser.add_argument("--work", choices=("nothing", "true"), default="nothing")
    parser.add_argument("--memory", action="store_true", help="ten runs in a row over one luigid")
    for name in ("stock", "ninja", "hyperqueue"):
        parser.add_argument(f"--{name}", action="store_true")
    options = parser.parse_args()
    print(HEADER, flush=True)
    for tasks in options.tasks:
        for workers in options.workers:
            print(ours(tasks, workers, options.slots, options.work), flush=True)
        if options.ninja:
            print(ninja(tasks, max(options.workers)), flush=True)
        if options.hyperqueue:
            print(hyperqueue(tasks, max(options.workers), options.slots), flush=True)
        if options.stock:
            print(stock(tasks, max(options.workers)), flush=True)
    if options.memory:
        with (
            tempfile.TemporaryDirectory(prefix="luigigo-bench-") as folder,
            Cluster(folder, 8, 1, "nothing") as c,
        ):
            sizes = [c.build(3000, f"run{number}")["luigid_mb"] for number in range(10)]
            print("luigid MB after each of ten builds of 3,000 tasks:", *(f"{size:.0f}" for size in sizes))


if __name__ == "__main__":
    main()
