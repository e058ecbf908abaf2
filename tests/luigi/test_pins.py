"""What a build claims in the store is given up with it, whichever way it runs and ends."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from support import LUIGI, PROGRAMS, Lab, wait_until

from luigigo.store.pins import live_pins

pytestmark = pytest.mark.builds

MAIN = 'package main\n\nimport "example.com/tools/shared"\n\nfunc main() { println(shared.Name) }\n'
FILES = {
    "go.mod": "module example.com/tools\n\ngo 1.26\n",
    "cmd/one/main.go": MAIN,
    "cmd/two/main.go": MAIN,
    "shared/shared.go": 'package shared\n\nvar Name = "a"\n',
}

MINE = """
import glob, os, signal, sys, time
import luigi
from luigigo import BuildBinary

BUILD = dict(project="tools", package=("./cmd/one", "./cmd/two"), output="made/")


class Mine(luigi.Task):
    ends = luigi.Parameter(default="well")

    def requires(self):
        return BuildBinary(**BUILD)

    def output(self):
        return luigi.LocalTarget("size")

    def run(self):
        # As a task may that looks for itself; in another process this plans anew.
        os.unlink("made/one")
        assert not BuildBinary(**BUILD).complete()
        BuildBinary(**BUILD).planned()
        assert glob.glob(os.environ["LUIGIGO_CACHE"] + "/store/runs/*/pin")
        if self.ends == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.ends == "badly":
            raise ValueError("a bug")
        with self.output().open("w") as file:
            file.write("done")


class Alone(Mine):
    def requires(self):
        return []


def thrice():
    for number in range(3):
        with open("tools/shared/shared.go", "w") as file:
            file.write(f'package shared\\n\\nvar Name = "{number}"\\n')
        time.sleep(1.1)
        assert luigi.build([BuildBinary(**BUILD)], local_scheduler=True)
        assert not glob.glob(os.environ["LUIGIGO_CACHE"] + "/store/runs/*/pin"), number


def look():
    BuildBinary(**BUILD).complete()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
"""


def pins(lab: Lab) -> list[Path]:
    return list((lab.cache / "store" / "runs").glob("*/pin"))


@pytest.fixture
def tools(lab: Lab) -> Path:
    """The project, beside `mine.py`."""
    lab.write({"mine.py": MINE}, ".")
    lab.environment["PYTHONPATH"] += f":{lab.folder}"
    return lab.write(FILES, "tools")


@pytest.mark.parametrize("workers", ["1", "3"])
@pytest.mark.parametrize("arguments", [("Mine",), ("Mine", "--ends", "badly")], ids=["well", "badly"])
def test_a_task_of_ones_own_leaves_no_pin(
    lab: Lab, tools: Path, arguments: tuple[str, ...], workers: str
) -> None:
    """In-line and forked, though it asks for the build itself, and whether it succeeds or not."""
    command = ("luigi", "--module", "mine", *arguments, "--local-scheduler", "--workers", workers)
    for _ in range(2):
        finished = lab.run(*command)
        assert ("a bug" in finished.stderr) == ("badly" in arguments), finished.stderr
        assert (finished.returncode == 0) == ("badly" not in arguments), finished.stderr
        assert pins(lab) == []


def test_a_pattern_leaves_no_pin(lab: Lab, tools: Path) -> None:
    """`--package ./cmd/...`, built, built again, and after an edit."""
    command = ("--project", tools, "--package", "./cmd/...", "--output", "made/")
    for name in ("a", "a", "b"):
        (tools / "shared" / "shared.go").write_text(f'package shared\n\nvar Name = "{name}"\n')
        assert lab.luigi(*command).returncode == 0
        assert pins(lab) == []


def test_builds_in_one_process_leave_no_pin(lab: Lab, tools: Path) -> None:
    """After each `luigi.build`, and at the end of a process that only asked."""
    for what in ("thrice", "look"):
        finished = lab.run("mine", what)
        assert finished.returncode == 0, finished.stderr
        assert pins(lab) == []


def test_a_failed_build_leaves_no_pin(lab: Lab) -> None:
    """Of `luigi` and of `luigigo build`."""
    project = PROGRAMS / "compileerror"
    assert lab.luigi("--project", project).returncode == 1
    assert lab.luigigo("build", project).returncode == 1
    assert pins(lab) == []


def test_a_killed_forked_task_protects_nothing(lab: Lab, tools: Path) -> None:
    """Its pin counts for nothing at once, and collecting garbage removes it."""
    command = ("luigi", "--module", "mine", "Mine", "--ends", "killed", "--local-scheduler", "--workers", "3")
    assert lab.run(*command).returncode != 0
    assert len(pins(lab)) == 1
    assert live_pins(str(lab.cache / "store"), os.stat(pins(lab)[0]).st_mtime).records == ()
    assert lab.luigigo("store", "gc", "--max-age", "1d").returncode == 0
    assert pins(lab) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("command", ["luigigo", "luigi"])
def test_a_build_that_is_ended_protects_nothing(empty_lab: Lab, command: str, how: signal.Signals) -> None:
    """Ctrl-C and SIGTERM take the pin away; after SIGKILL it counts for nothing."""
    lab = empty_lab
    project = lab.write(FILES, "tools")
    package = ("./cmd/one",) if command == "luigigo" else ("--package", "./cmd/one")
    start = {
        "luigigo": ("luigigo", "build", project, *package, "-o", "one"),
        "luigi": (*LUIGI, "--local-scheduler", "--project", project, *package, "--output", "one"),
    }
    process = lab.start(*start[command])
    wait_until(lambda: any((lab.cache / "work").glob("*/b*")), "for the first action")
    root = str(lab.cache / "store")
    held = live_pins(root, os.stat(pins(lab)[0]).st_mtime)
    assert [record.pid for record in held.records] == [process.pid]
    assert str(project) in held.records[0].build
    process.send_signal(how)
    process.communicate(timeout=30)
    assert len(pins(lab)) == (1 if how is signal.SIGKILL else 0)
    for pin in pins(lab):
        assert live_pins(root, os.stat(pin).st_mtime).keys == frozenset()
