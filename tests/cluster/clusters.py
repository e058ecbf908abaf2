"""luigid and workers on the hosts, builds on them, and the programs that are built.

Projects are on the head's own disk: the nodes see the share and nothing else of them.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from clientbuild import Build
from hosts import Host, Network
from processes import Process
from support import Lab
from tools import LONGEST_WAIT_SECONDS, wait_for

from luigigo.token import authorization

NODES = ("n1", "n2", "n3")
WORKER = r"luigigo worker "
SCHEDULER = r"luigigo scheduler "
TOOLS = r"/pkg/tool/\w+/\w+ |/cc1 |(^|/)(gcc|cc|as|collect2|ld) "
"""Command lines of what compiles and links."""
SEED = Path("/mnt/share/seed")
SLOW_STATEMENTS = 1500
"""What keeps the compiler busy for a second or two."""
MODULE = "example.com/many"
SMALL = 24
IMPORTS = ("embed", "encoding/json", "fmt", "io/fs", "os", "sort", "strconv", "strings", "time")


class Cluster:
    """One test's cluster: a store with the standard library, luigid on head and a worker on each node."""

    def __init__(self, network: Network, shared: Path, local: Path, references: References) -> None:
        self.network = network
        self.head = network.head
        self.shared = shared
        self.local = local
        self.file = local / "cluster.yaml"
        self.logs: list[Path] = []
        self.references = references
        self._count = 0
        self.describe()

    def describe(self, shared: Path | None = None) -> None:
        """Write the cluster's file."""
        if shared is not None:
            self.shared = shared
        listed = "".join(f"  - {{host: {name}, slots: 2, memory: 8G}}\n" for name in NODES)
        self.head.view(self.file).write_text(
            f"shared: {self.shared}\nscheduler: {{host: head}}\ncache: {self.local}\nnodes:\n{listed}"
        )
        for name in NODES:
            shutil.copy(self.head.view(self.file), self.network[name].view(self.file))

    def seed(self) -> None:
        """Have the standard library in the store, as far as the test programs need it."""
        parts = [SEED / "cas", SEED / "actions"]
        self.head.run(["cp", "-r", "--link", *parts, self.shared])

    # Daemons

    def start(self, nodes: Iterable[str] = NODES) -> Cluster:
        """Start luigid and workers, and return when all are ready."""
        self.start_scheduler()
        self.start_workers(*nodes)
        return self

    def start_scheduler(self) -> None:
        """Start luigid and return when it is ready."""
        self._wait_ready([self._start_daemon(self.head, ["luigigo", "scheduler", "--cluster", self.file])])

    def start_workers(self, *nodes: str, env: Mapping[str, str] | None = None) -> None:
        """Start a worker on each of the nodes and return when luigid has let them in."""
        argv: list[str | Path] = ["luigigo", "worker", "--cluster", self.file, "--node"]
        self._wait_ready([self._start_daemon(self.network[name], [*argv, name], env) for name in nodes])

    def _start_daemon(
        self, host: Host, argv: list[str | Path], env: Mapping[str, str] | None = None
    ) -> tuple[Process, Path]:
        self._count += 1
        log = self.network.folder / f"{self.local.name}-{self._count}-{host.name}.log"
        self.logs.append(log)
        return host.start(argv, env, log=log, cwd=self.local), log

    def _wait_ready(self, daemons: list[tuple[Process, Path]]) -> None:
        for process, log in daemons:

            def is_ready(process: Process = process, log: Path = log) -> bool:
                text = log.read_text()
                assert process.poll() is None, f"ended: {text}"
                return "\nready {" in f"\n{text}"

            wait_for(is_ready, f"a daemon, {log.name}")

    def wait_here(self, count: int) -> None:
        """Return as soon as so many peers have come to the luigid that was started last."""
        log = [path for path in self.logs if path.name.endswith("-head.log")][-1]
        wait_for(lambda: log.read_text().count(" is here") >= count, f"{count} peers of luigid")

    def status(self) -> dict[str, dict[str, Any]]:
        """What luigid knows of each node, by name."""
        request = urllib.request.Request(
            f"http://{self.head.address}:8082/luigigo/status",
            data=b"{}",
            headers={"Authorization": authorization(self.token)},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return {node["node"]: node for node in json.load(answer)["nodes"]}

    @property
    def token(self) -> str:
        """What lets workers and clients in."""
        return self.head.view(self.shared / "cluster" / "token").read_text().strip()

    def log_text(self, host: str = "") -> str:
        """What the daemons of a host, or of all, have written."""
        return "".join(path.read_text() for path in self.logs if path.name.endswith(f"{host}.log"))

    def kill_worker(self, name: str) -> None:
        """Kill a worker, without a chance to say so."""
        assert self.network[name].kill(WORKER), f"there is no worker on {name}"

    def kill_scheduler(self) -> None:
        """Kill luigid."""
        assert self.head.kill(SCHEDULER), "there is no luigid"

    # Tools

    def running(self, package: str) -> list[str]:
        """The nodes on which the compiler works at a package."""
        pattern = rf"/compile .* -p {package} "
        return [name for name in NODES if self.network[name].pids(pattern)]

    def wait_running(self, package: str, other_than: str = "") -> str:
        """Return the node on which the compiler works at a package, as soon as there is one."""
        found: list[str] = []

        def look() -> bool:
            found[:] = [name for name in self.running(package) if name != other_than]
            return bool(found)

        wait_for(look, f"a compile of {package}")
        return found[0]

    def pause_compile(self, name: str, package: str) -> None:
        """Stop the compiler on a node where it is."""
        assert self.network[name].pause(rf"/compile .* -p {package} ")

    def resume_tools(self, name: str) -> None:
        """Let paused tools of a node go on."""
        self.network[name].resume(TOOLS)

    def tools(self) -> dict[str, list[int]]:
        """The tools that run, by node."""
        return {name: found for name in NODES if (found := self.network[name].pids(TOOLS))}

    # Builds

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """What a client on the head has in its environment."""
        own = {"GOENV": "off", "GOPROXY": "off", "GOTOOLCHAIN": "local", "TERM": "dumb"}
        own["XDG_CONFIG_HOME"] = str(self.local / "config")
        own["LUIGIGO_CACHE"] = str(self.local / "client")
        return own | dict(more or {})

    def project(self, source: Path, name: str = "project") -> Path:
        """Put a program on the head's own disk."""
        folder = self.local / name
        shutil.copytree(source, self.head.view(folder), symlinks=True)
        return folder

    def build(
        self, project: Path, *options: str | Path, name: str = "program", env: Mapping[str, str] | None = None
    ) -> Build:
        """Start a build on the cluster, from the head."""
        output = self.local / name
        how: list[str | Path] = ["--cluster", self.file, "--json", "-o", output]
        argv = ["luigigo", "build", project, *how, *options]
        process = self.head.start(argv, self.environment(env), cwd=self.local)
        return Build(process, self.head.view(output))

    def assert_identical(self, build: Build, source: Path, *arguments: str) -> None:
        """The binary is the one that the go command makes."""
        expected = self.references.binary(source, *arguments)
        assert build.output.read_bytes() == expected, "not what go build makes"

    def end_identical(self, build: Build, source: Path, seconds: float = LONGEST_WAIT_SECONDS) -> Build:
        """Wait for a build that must succeed, and have no action said to have failed or to have run twice."""
        build.end(seconds=seconds)
        self.assert_identical(build, source)
        assert build.actions("failed") == []
        assert len(set(build.actions())) == len(build.actions()), sorted(build.actions())
        return build

    # The store

    def records(self, action: str) -> list[Path]:
        """The records of one action, `KIND PACKAGE`: by its action key and by its content key."""
        return [path for path in self._all_records() if _named(path) == action]

    def _all_records(self) -> Iterator[Path]:
        return self.head.view(self.shared / "actions").glob("*/*")

    def content(self, action: str, role: str) -> Path:
        """The file of what an action made."""
        digest = _parsed(self.records(action)[0])["outputs"][role]["digest"]
        return self.head.view(self.shared / "cas" / digest[:2] / digest)

    def forget_caches(self) -> None:
        """Empty the caches of all hosts; workers must not run."""
        for host in self.network.hosts.values():
            for folder in host.view(self.local).glob("luigigo-*"):
                shutil.rmtree(folder)
        shutil.rmtree(self.head.view(self.local / "client"), ignore_errors=True)


def _parsed(record: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(record.read_bytes().partition(b"\n")[2])
    return parsed


def _named(record: Path) -> str:
    try:
        parsed = _parsed(record)
    except (OSError, ValueError):
        return ""
    return f"{parsed['kind']} {parsed['package']}"


class References:
    """What `go build` makes of programs, made once for each."""

    def __init__(self, folder: Path) -> None:
        self.lab = Lab(folder, folder / "cache")
        self._made: dict[tuple[Path, tuple[str, ...]], bytes] = {}

    def binary(self, source: Path, *arguments: str) -> bytes:
        """The program of a folder."""
        key = source, arguments
        if key not in self._made:
            out = self.lab.folder / f"reference{len(self._made)}"
            finished = self.lab.go_build(source, "-o", out, *arguments)
            assert finished.returncode == 0, finished.stderr
            self._made[key] = out.read_bytes()
        return self._made[key]


@pytest.fixture(scope="session")
def references(tmp_path_factory: pytest.TempPathFactory) -> References:
    """What `go build` makes."""
    return References(tmp_path_factory.mktemp("references"))


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the standard library, as far as the test programs need it; one for all test processes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "seed"
    folder.mkdir(exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            lab = Lab(folder, folder / "cache")
            imports = "".join(f"import _ {json.dumps(name)}\n" for name in IMPORTS)
            main = f'package main\n\nimport "C"\n{imports}\nfunc main() {{}}\n'
            lab.build(lab.write({"go.mod": "module seed.test\n\ngo 1.26\n", "main.go": main}, "seed"))
            (folder / "done").touch()
    return folder / "cache"


@pytest.fixture(scope="session")
def seed(session_hosts: Network, session_share: object, compiled: Path) -> Path:
    """A store on the share with what was compiled."""
    head = session_hosts.head
    head.run(["mkdir", SEED])
    head.run(["cp", "-r", compiled / "store/cas", compiled / "store/actions", SEED])
    return SEED


@pytest.fixture
def cluster(
    network: Network, shared: Path, local: Path, seed: Path, references: References
) -> Iterator[Cluster]:
    """A cluster whose luigid and workers run."""
    made = Cluster(network, shared, local, references)
    made.seed()
    yield made.start()
    print(made.log_text())


@pytest.fixture
def idle_cluster(network: Network, shared: Path, local: Path, references: References) -> Iterator[Cluster]:
    """A cluster of which nothing runs, with an empty store."""
    made = Cluster(network, shared, local, references)
    yield made
    print(made.log_text())


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program of 24 small packages in layers, and two that keep the compiler busy for a moment."""
    folder = tmp_path_factory.mktemp("many")
    write_many(folder)
    return folder


def write_many(folder: Path, slow: Sequence[str] = ("slow1", "slow2"), imports: Sequence[str] = ()) -> None:
    """Write the program `many`; `imports` are more packages that it reads.

    `./other` in it is another program of the same packages.
    """
    write(folder / "go.mod", f"module {MODULE}\n\ngo 1.26\n")
    for number in range(SMALL):
        below = [each for each in (number - 6, number - 5) if each >= 0]
        lines = "".join(f'import "{MODULE}/p{each:02d}"\n' for each in below)
        total = " + ".join([f"p{each:02d}.Sum(n)" for each in below] + [f"n*{number + 2}"])
        text = f"package p{number:02d}\n\n{lines}\n// Sum adds.\nfunc Sum(n int) int {{ return {total} }}\n"
        write(folder / f"p{number:02d}" / "sum.go", text)
    for name in slow:
        write(folder / name / "slow.go", slow_package(name, SLOW_STATEMENTS))
    used = [f"p{number:02d}" for number in range(SMALL - 6, SMALL)] + list(slow)
    write(folder / "main.go", main_package(used, imports))
    write(folder / "other" / "main.go", main_package(used[::2], imports))


def main_package(used: Sequence[str], imports: Sequence[str] = ()) -> str:
    """A program that calls packages of the module, and imports others."""
    calls = "".join(f"\tfmt.Println({name}.Sum(len(os.Args)))\n" for name in used)
    own = "".join(f'import "{MODULE}/{name}"\n' for name in used)
    others = "".join(f'import _ "{name}"\n' for name in imports)
    return f'package main\n\nimport "fmt"\nimport "os"\n{own}{others}\nfunc main() {{\n{calls}}}\n'


def slow_package(name: str, statements: int) -> str:
    """A package with one function so long that the compiler takes its time."""
    body = "".join(
        f"\tif a[x&{n % 64}] > m[x^{n}] {{\n\t\tm[{n}] += a[{n % 64}] * x\n\t\tx++\n\t}}\n"
        for n in range(statements)
    )
    return (
        f"package {name}\n\nfunc long(a []int, m map[int]int, x int) int {{\n{body}\treturn x\n}}\n\n"
        "// Sum adds.\nfunc Sum(n int) int { return long(make([]int, 64), map[int]int{}, n) }\n"
    )


def write(path: Path, text: str) -> None:
    """Write a file, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
