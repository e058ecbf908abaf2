"""luigigo as a part of somebody else's program: targets, repeated builds, forked tasks, names and types."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from support import Lab

import luigigo

pytestmark = pytest.mark.builds

MAIN = "package main\n\nfunc main() {}\n"
FILES = {
    "go.mod": "module example.com/tools\n\ngo 1.26\n",
    "cmd/one/main.go": MAIN,
    "cmd/two/main.go": MAIN,
    "shared/shared.go": "package shared\n\nconst One = 1\n",
}

ASK = """
import luigi
from luigigo import BuildBinary

def paths(output):
    return [each.path for each in output] if isinstance(output, list) else output.path

print(paths(BuildBinary(project="tools", package="./cmd/one", output="made").output()))
print(paths(BuildBinary(project="tools", package="./cmd/one", output="folder/").output()))
print(paths(BuildBinary(project="tools", package="./cmd/...", output="folder/").output()))
record = BuildBinary(project="tools", package="./shared").output()
print(record.exists())
"""


def test_one_program_is_one_target(lab: Lab) -> None:
    """Several are a list, in the order of the packages; a library is its record in the store."""
    lab.write(FILES, "tools")
    finished = lab.run("-c", ASK, as_module=False)
    assert finished.returncode == 0, finished.stderr
    one, two = (f"{lab.folder}/folder/{name}" for name in ("one", "two"))
    assert finished.stdout.splitlines() == [f"{lab.folder}/made", one, str([one, two]), "False"]
    assert left_behind(lab) == []


def left_behind(lab: Lab) -> list[str]:
    """What a run has left of its work in the cache: folders of tools, and pins."""
    pins = (lab.cache / "store" / "runs").glob("*/pin")
    return [str(path) for path in (*(lab.cache / "work").glob("*"), *pins)]


REPEATED = """
import gc, json, os, signal, sys, threading
import luigi, psutil
from luigigo import BuildBinary

class Size(luigi.Task):
    'A general task: Luigi forks for it.'
    number = luigi.IntParameter()

    def requires(self):
        return BuildBinary(project="tools", package="./cmd/one", output="made/one")

    def output(self):
        return luigi.LocalTarget(f"made/{self.number}.txt")

    def run(self):
        assert self.input().exists()
        with self.output().open("w") as file:
            file.write(f"{os.getpid()} {os.stat(self.input().path).st_size}")

def state():
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD)
    return {
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "children": [child.pid for child in psutil.Process().children(recursive=True)],
        "signals": [str(signal.getsignal(each)) for each in signals],
        "files": sorted(os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                        if os.path.exists(f"/proc/self/fd/{fd}")),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "umask": (mask := os.umask(0), os.umask(mask))[0],
        "temporary": sorted(os.listdir(os.environ["TMPDIR"])),
    }

def run(*numbers):
    tasks = [Size(number=number) for number in numbers]
    result = luigi.build(tasks, workers=2, local_scheduler=True, detailed_summary=True, log_level="WARNING")
    told = {"status": result.status.name, "text": result.summary_text}
    # Luigi's result holds the worker, with the pipe that forked tasks report on.
    del tasks, result
    gc.collect()
    return {**told, "state": state()}

told = {"before": state(), "runs": [run(1, 2), run(3, 4)]}
os.unlink("made/one")
told["runs"].append(run(5, 6))
open("tools/cmd/one/main.go", "w").write("package main\\n\\nfunc main() { println() }\\n")
told["runs"].append(run(7))
open("tools/cmd/one/main.go", "w").write("package main\\n\\nfunc main() { nonsense() }\\n")
told["runs"].append(run(8))
print(json.dumps(told))
"""


@pytest.mark.parametrize("start_method", ["fork", "forkserver"])
def test_builds_that_follow_each_other_leave_nothing(lab: Lab, start_method: str) -> None:
    """No thread, child, file, handler, variable, work folder or lease, in a process that goes on.

    Tasks that Luigi runs in processes of their own are forked, whatever Python would do by itself, and see
    the binary. A file that was removed, or whose sources changed, is made again.
    """
    lab.write(FILES, "tools")
    (lab.folder / "tmp").mkdir()
    chosen = f"import multiprocessing; multiprocessing.set_start_method({start_method!r})\n"
    env = {"TMPDIR": str(lab.folder / "tmp")}
    finished = lab.run("-c", chosen + REPEATED, as_module=False, env=env)
    assert finished.returncode == 0, finished.stderr
    told: dict[str, Any] = json.loads(finished.stdout)
    statuses = [run["status"] for run in told["runs"]]
    assert statuses == ["SUCCESS", "SUCCESS", "SUCCESS", "SUCCESS", "FAILED"], finished.stderr
    assert "2 Size(number=1,2)" in told["runs"][0]["text"]
    for run in told["runs"]:
        assert run["state"] == told["before"]
    assert finished.stderr.count("undefined: nonsense") == 1
    first = (lab.folder / "made" / "1.txt").read_text().split()
    assert first[0] != (lab.folder / "made" / "2.txt").read_text().split()[0]
    assert left_behind(lab) == []


STOPPED = """
import os, threading
import luigi
from luigigo import BuildBinary

class Stops(luigi.Task):
    def requires(self):
        return BuildBinary(project="tools", package="./cmd/one", output="made/one")

    def complete(self):
        if self.requires().complete():
            return False
        raise KeyboardInterrupt

try:
    luigi.build([Stops()], local_scheduler=True, log_level="WARNING")
except (KeyboardInterrupt, SystemExit):
    print("stopped", [thread.name for thread in threading.enumerate()], os.listdir("cache/work"))
result = luigi.build([BuildBinary(project="tools", package="./cmd/one", output="made/one")],
                     local_scheduler=True, log_level="WARNING")
print(result, [thread.name for thread in threading.enumerate()], os.listdir("cache/work"))
"""


def test_a_run_that_was_broken_off_leaves_nothing_either(lab: Lab) -> None:
    """Nor does the one after it."""
    lab.write(FILES, "tools")
    code = STOPPED.replace("cache/work", str(lab.cache / "work"))
    finished = lab.run("-c", code, as_module=False)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines() == ["stopped ['MainThread'] []", "True ['MainThread'] []"]
    assert left_behind(lab) == []


COUNTED = """
import os
import luigi
from luigigo import BuildBinary
from luigigo.builds import session
from luigigo.execution.events import Delivered

events = []
session.current().add_observer(events.append)
task = BuildBinary(project="tools", package="./cmd/one", output="made/one")
luigi.build([task], local_scheduler=True, log_level="WARNING")
print(sum(isinstance(event, Delivered) for event in events))
before = os.stat("made/one")
os.utime("tools/cmd/one/main.go")
session.current().add_observer(events.append)
again = BuildBinary(project="tools", package="./cmd/one", output="made/one", tags="")
print(again.complete(), os.stat("made/one") == before, sum(isinstance(event, Delivered) for event in events))
os.unlink("made/one")
print(again.complete(), os.path.exists("made/one"))
"""


def test_binaries_are_put_in_place_once_and_by_run_alone(lab: Lab) -> None:
    """To ask whether a build is complete puts nothing anywhere."""
    lab.write(FILES, "tools")
    finished = lab.run("-c", COUNTED, as_module=False)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines() == ["1", "True True 1", "False False"]


def test_commands_leave_nothing(lab: Lab) -> None:
    """Nor do luigi and luigigo build, when they succeed and when they fail."""
    project = lab.write(FILES, "tools")
    output = ("--package", "./cmd/one", "--output", "one")
    assert lab.luigi("--project", project, *output).returncode == 0
    (project / "cmd/one/main.go").write_text("package main\n\nfunc main() { nonsense() }\n")
    assert lab.luigi("--project", project, *output).returncode == 1
    assert lab.luigigo("build", project, "./cmd/one", "-o", "one").returncode == 1
    assert left_behind(lab) == []


def test_its_names_are_at_hand(lab: Lab) -> None:
    """`dir` shows what there is, each can be imported, and Luigi is not loaded before one is."""
    code = (
        "import sys, luigigo; names = dir(luigigo); assert 'luigi' not in sys.modules; "
        "from luigigo import BuildBinary, CompilePackage; "
        "print(*names); assert all(getattr(luigigo, name) for name in names)"
    )
    finished = lab.run("-c", code, as_module=False)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split() == sorted(luigigo.__all__)
    assert {"BuildBinary", "CompilePackage", "__version__"} <= set(luigigo.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = luigigo.nonsense


TYPED = """
import luigi
from luigigo import BuildBinary, CompilePackage, __version__


class Release(luigi.Task):
    def requires(self) -> list[BuildBinary]:
        return [BuildBinary(project="app", output="bin/app", goarch=arch) for arch in ("amd64", "arm64")]


version: str = __version__
tasks: list[type[luigi.Task]] = [BuildBinary, CompilePackage]
"""


def test_a_users_file_passes_mypy(lab: Lab) -> None:
    """The package says that it is typed, and its names have types under --strict."""
    lab.write({"mine.py": TYPED}, ".")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(lab.folder / "mypy"), "mine.py"]
    finished = subprocess.run(
        mypy, cwd=lab.folder, env=lab.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert finished.returncode == 0, finished.stdout
