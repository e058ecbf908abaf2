"""Runs of the commands on copies of the test programs, each compared with the go command's own build.

A `Lab` is one test's folder with a cache of its own. The session compiles the standard library once; every
lab starts from hard links to it.
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from luigigo.golang.toolchain import find_go

PROGRAMS = Path(__file__).parent / "programs"
ROOT = Path(__file__).parent.parent
LONGEST_WAIT_SECONDS = 120.0
IDENTICAL = ("-trimpath", "-buildvcs=false", "-ldflags=-buildid=")
WITHOUT_PRIVILEGES = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Lets root obey the modes of files, as others do."""
LUIGI = ("luigi", "--module", "luigigo", "BuildBinary")

Result = subprocess.CompletedProcess[str]


def wait_until(holds: Callable[[], Any], what: str = "") -> Any:
    """Return what a question gives as soon as that is true of another process."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while not (answer := holds()):
        assert time.monotonic() < deadline, f"waited too long {what}"
        time.sleep(0.01)
    return answer


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """The user's environment without settings of Go and Luigi, and without the network."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LUIGI", "GO", "CGO_", "XDG_STATE"))
        or name in ("GOCACHE", "GOMODCACHE", "GOPATH")
    }
    return kept | {"GOENV": "off", "GOPROXY": "off", "GOTOOLCHAIN": "local", "TERM": "dumb", "LC_ALL": "C"}


class Lab:
    """A folder with a cache, in which the commands run."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self.folder = folder
        self.cache = cache
        self.environment = clean_environment() | {
            "LUIGIGO_CACHE": str(cache),
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder),
        }
        go_cache = os.environ.get("GOCACHE") or str(Path("~/.cache/go-build").expanduser())
        self.environment["GOCACHE"] = go_cache
        self.go = find_go("", os.environ)
        self._started: list[subprocess.Popen[str]] = []

    @classmethod
    def on(cls, compiled: Path, folder: Path) -> Lab:
        """A lab whose cache begins with what another has compiled."""
        link_tree(compiled, folder / "cache")
        return cls(folder, folder / "cache")

    def program(self, name: str, folder: str = "") -> Path:
        """A copy of a test program."""
        place = self.folder / (folder or name)
        shutil.copytree(PROGRAMS / name, place)
        return place

    def write(self, files: dict[str, str], folder: str = "project") -> Path:
        """A program made of these files."""
        place = self.folder / folder
        for name, text in files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return place

    def start(self, *arguments: Any, cwd: Path | None = None, **options: Any) -> subprocess.Popen[str]:
        """Start `luigigo …` or `luigi …` as a terminal does: in a process group of its own."""
        environment = self.environment | options.pop("env", {})
        module = ["-m"] if options.pop("as_module", True) else []
        command = [sys.executable, *module, *(str(argument) for argument in arguments)]
        if script := options.pop("in_shell", ""):
            command = ["sh", "-c", script, "sh", *command]
        if options.pop("obeys_modes", False) and os.geteuid() == 0:
            command = [*WITHOUT_PRIVILEGES, *command]
        process = subprocess.Popen(
            command,
            cwd=cwd or self.folder,
            env=environment,
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=options.pop("stderr", subprocess.PIPE),
            text=True,
            start_new_session=True,
            **options,
        )
        self._started.append(process)
        return process

    def run(self, *arguments: Any, cwd: Path | None = None, **options: Any) -> Result:
        """The same, to its end."""
        process = self.start(*arguments, cwd=cwd, **options)
        out, err = process.communicate(timeout=LONGEST_WAIT_SECONDS)
        return Result(arguments, process.returncode, out, err)

    def luigigo(self, *arguments: Any, **options: Any) -> Result:
        """Run `luigigo …`."""
        return self.run("luigigo", *arguments, **options)

    def luigi(self, *arguments: Any, **options: Any) -> Result:
        """Run `luigi --module luigigo BuildBinary …`, scheduled in its own process."""
        return self.run(*LUIGI, "--local-scheduler", *arguments, **options)

    def go_build(self, project: Path, *arguments: Any, env: dict[str, str] | None = None) -> Result:
        """Run `go build` in the project's folder."""
        return subprocess.run(
            [self.go.path, "build", *IDENTICAL, *map(str, arguments)],
            cwd=project,
            env=self.go.plain_environment(self.environment | (env or {})),
            capture_output=True,
            text=True,
        )

    def build(self, project: Path, *arguments: Any, **options: Any) -> Built:
        """Run `luigigo build --json PROJECT`, which must succeed, into a file of the lab's."""
        output = self.output_of(project)
        finished = self.luigigo("build", project, "-o", output, "--json", *arguments, **options)
        assert finished.returncode == 0, finished.stderr
        return Built(finished, output)

    def output_of(self, project: Path) -> Path:
        """Where `build` puts a project's binary."""
        return self.folder / f"{project.name}.bin"

    def assert_identical(self, project: Path, *arguments: Any, env: dict[str, str] | None = None) -> None:
        """The project's binary is the one that `go build` makes."""
        expected = self.folder / f"{project.name}.expected"
        made = self.go_build(project, "-o", expected, *arguments, env=env)
        assert made.returncode == 0, made.stderr
        assert filecmp.cmp(expected, self.output_of(project), shallow=False), "not what go build makes"

    def verify(self) -> Result:
        """Run `luigigo store verify`."""
        return self.luigigo("store", "verify")

    def stop_all(self) -> None:
        """Kill what still runs."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            if process.stdout is not None and not process.stdout.closed:
                process.communicate()


class Built:
    """What a `luigigo build --json` said."""

    def __init__(self, finished: Result, output: Path) -> None:
        self.events: list[dict[str, Any]] = [json.loads(line) for line in finished.stdout.splitlines()]
        self.output = output
        self.stderr = finished.stderr

    @property
    def outcome(self) -> str:
        """`ok` or `up-to-date`."""
        return str(self.events[-1]["outcome"])

    def actions(self, outcome: str = "ran") -> set[str]:
        """`KIND PACKAGE` of the actions that ended so."""
        return {
            f"{event['kind']} {event['package']}"
            for event in self.events
            if event["event"] == "action" and event["outcome"] == outcome
        }


def link_tree(source: Path, target: Path) -> None:
    """Copy a cache by hard links: what luigigo replaces it replaces by renaming, never in place."""
    shutil.copytree(source, target, copy_function=os.link, ignore=shutil.ignore_patterns("work", "runs"))


def replace_content(path: Path, content: bytes) -> None:
    """Write a file of a linked cache, leaving the other links' content alone."""
    path.unlink()
    path.write_bytes(content)


@pytest.fixture(scope="session")
def compiled_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the standard library as far as `fmt` needs it."""
    folder = tmp_path_factory.mktemp("compiled")
    lab = Lab(folder, folder / "cache")
    project = lab.write(
        {
            "go.mod": "module example.com/warm\n\ngo 1.26\n",
            "main.go": 'package main\n\nimport _ "fmt"\n\nfunc main() {}\n',
        }
    )
    lab.build(project)
    return lab.cache


@pytest.fixture
def lab(tmp_path: Path, compiled_cache: Path) -> Iterator[Lab]:
    """A folder of the test's own, whose cache holds the standard library."""
    made = Lab.on(compiled_cache, tmp_path)
    yield made
    made.stop_all()


@pytest.fixture
def empty_lab(tmp_path: Path) -> Iterator[Lab]:
    """A folder of the test's own, with an empty cache."""
    made = Lab(tmp_path, tmp_path / "cache")
    yield made
    made.stop_all()
