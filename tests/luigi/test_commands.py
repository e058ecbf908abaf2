"""`luigi --module luigigo BuildBinary`: the same build as `luigigo build`, with a stock luigid or without."""

from __future__ import annotations

import importlib.metadata
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import luigi.rpc
import pytest
from support import LUIGI, Lab, free_port, wait_until

pytestmark = pytest.mark.builds

FILES = {
    "go.mod": "module example.com/tool\n\ngo 1.26\n",
    "main.go": 'package main\n\nimport "example.com/tool/part"\n\nfunc main() { println(part.Name) }\n',
    "part/part.go": 'package part\n\nvar Name = "first"\n',
}


class StockLuigid:
    """A luigid without any of our pieces."""

    def __init__(self, lab: Lab) -> None:
        self.port = free_port()
        self.process = lab.start(
            *("-c", "from luigi.cmdline import luigid; luigid()"),
            *("--port", self.port, "--address", "127.0.0.1", "--state-path", lab.folder / "luigid.state"),
            as_module=False,
        )
        self.flags = ("--scheduler-host", "127.0.0.1", "--scheduler-port", str(self.port))
        self.rpc: Any = luigi.rpc.RemoteScheduler(f"http://127.0.0.1:{self.port}/")
        wait_until(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.process.communicate()
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def luigid(lab: Lab) -> StockLuigid:
    """One that runs until the end of the test."""
    return StockLuigid(lab)


@pytest.fixture
def project(lab: Lab) -> Path:
    """A program of two packages, not built yet."""
    return lab.write(FILES, "tool")


def test_both_commands_end_in_one_task(lab: Lab, project: Path) -> None:
    """What the one built, the other finds up to date, with every flag."""
    flags = ["--tags=fancy", "--ldflags=-s", "--gcflags=all=-N", "--cgo-enabled=0"]
    output = lab.output_of(project)
    first = lab.luigigo("build", project, "-o", output, *flags)
    assert first.returncode == 0, first.stderr
    second = lab.luigi("--project", project, "--output", output, *flags)
    assert second.returncode == 0, second.stderr
    assert "1 complete ones were encountered" in second.stdout + second.stderr
    lab.assert_identical(
        project, "-tags=fancy", "-ldflags=-s -buildid=", "-gcflags=all=-N", env={"CGO_ENABLED": "0"}
    )
    output.unlink()
    again = lab.luigigo("build", project, "-o", output, "--json", *flags)
    assert '"outcome": "ok"' in again.stdout
    assert '"outcome": "ran"' not in again.stdout


def test_the_summary_names_packages_first(lab: Lab, project: Path) -> None:
    """Luigi's log, its summary and task ids are readable: the package, and no digest of a plan."""
    finished = lab.luigi("--project", project, "--output", "binary", "--log-level", "DEBUG")
    assert finished.returncode == 0, finished.stderr
    said = finished.stdout + finished.stderr
    assert "2 CompilePackage(" in said
    assert re.search(r"CompilePackage_example_com_tool_\w+", said)
    assert "1 LinkBinary(import_path=example.com/tool)" in said
    assert not re.search(r"[0-9a-f]{64}", said)
    assert "This progress looks :)" in said


def test_a_stock_luigid_schedules_the_build_and_shows_its_tasks(
    lab: Lab, project: Path, luigid: StockLuigid
) -> None:
    """Every action is a task there, done at the end, and depends on what it imports."""
    output = lab.output_of(project)
    finished = lab.run(*LUIGI, *luigid.flags, "--project", project, "--output", output)
    assert finished.returncode == 0, finished.stderr
    lab.assert_identical(project)
    done = luigid.rpc.task_list("DONE", "")
    names = {(task["name"], task["params"].get("import_path", "")) for task in done.values()}
    assert names == {
        ("BuildBinary", ""),
        ("LinkBinary", "example.com/tool"),
        ("CompilePackage", "example.com/tool"),
        ("CompilePackage", "example.com/tool/part"),
    }
    main = next(task_id for task_id in done if task_id.startswith("CompilePackage_example_com_tool_"))
    graph = luigid.rpc.dep_graph(main)
    assert any(node["params"].get("import_path") == "example.com/tool/part" for node in graph.values())
    assert not re.search(r"[0-9a-f]{64}", str(done) + str(graph))
    said = luigid.rpc.get_task_status_message(main)["statusMessage"]
    assert re.fullmatch(r"ran \d+\.\d+ s on \S+", said)


def test_luigigo_build_uses_a_luigid_when_told(lab: Lab, project: Path, luigid: StockLuigid) -> None:
    """With `--scheduler-host`; a failure is its exit code, and the mended program builds at once."""
    output = lab.output_of(project)
    good = (project / "part" / "part.go").read_text()
    (project / "part" / "part.go").write_text("package part\n\nvar Name int = ``\n")
    command = ("build", project, "-o", output, *luigid.flags)
    failed = lab.luigigo(*command)
    assert failed.returncode == 1
    assert failed.stderr.count("part/part.go:3:16: cannot use") == 1
    (project / "part" / "part.go").write_text(good)
    assert lab.luigigo(*command).returncode == 0
    lab.assert_identical(project)
    output.unlink()
    assert lab.luigigo(*command).returncode == 0
    lab.assert_identical(project)


def test_a_luigid_that_is_not_there_is_a_wrong_argument(lab: Lab, project: Path) -> None:
    """Nobody waits for it; both commands say what to do."""
    flags = ("--scheduler-host", "127.0.0.1", "--scheduler-port", str(free_port()))
    for finished in (
        lab.run(*LUIGI, *flags, "--project", project, "--output", "binary"),
        lab.luigigo("build", project, "-o", "binary", *flags),
    ):
        assert finished.returncode == 2
        assert "no luigid answers at 127.0.0.1" in finished.stderr
        assert "Traceback" not in finished.stderr


ASK = """
import luigi, luigigo, sys
from luigigo import BuildBinary

task = BuildBinary(project="tool", output="binary")
print("complete", task.complete())
link, = task.requires()
print("link", link.task_family, link.import_path, link.complete())
print("id", link.task_id)
todo, seen = [link], {}
while todo:
    each = todo.pop()
    if each.task_id not in seen:
        seen[each.task_id] = each
        todo += each.requires()
compiles = {each.import_path: each for each in seen.values() if each.task_family == "CompilePackage"}
print("main", sorted(each.import_path for each in compiles["example.com/tool"].requires()))
print("target", task.output().path)
assert luigi.build([task], local_scheduler=True)
print("complete", task.complete(), link.complete(), BuildBinary(project="tool", output="binary").complete())
open("tool/part/part.go", "a").write("\\nvar More = 1\\n")
import time; time.sleep(1.1)
print("complete", BuildBinary(project="tool", output="binary").complete())
"""


def test_tasks_mirror_the_program(lab: Lab, project: Path) -> None:
    """`requires()` is what a package imports, `complete()` follows the sources, `output()` is the binary."""
    finished = lab.run("-c", ASK, as_module=False)
    assert finished.returncode == 0, finished.stderr
    lines = finished.stdout.splitlines()
    assert lines[0] == "complete False"
    assert lines[1] == "link LinkBinary example.com/tool False"
    assert lines[2].startswith("id LinkBinary_example_com_tool_")
    assert lines[3].startswith("main [") and "'example.com/tool/part'" in lines[3]
    assert lines[4] == f"target {lab.folder}/binary"
    assert lines[5] == "complete True True True"
    assert lines[6] == "complete False"


SEVERAL = """
from luigigo import BuildBinary

programs = BuildBinary(project="several", package="./cmd/...", output="bin/").output()
print(type(programs).__name__, sorted(type(each).__name__ for each in programs))
print(type(BuildBinary(project="several", package="./shared").output()).__name__)
"""


def test_output_is_a_list_where_a_build_is_of_several(lab: Lab) -> None:
    """Of one package that is no program it is that package's record."""
    main = 'package main\n\nimport _ "example.com/several/shared"\n\nfunc main() {}\n'
    files = {"go.mod": "module example.com/several\n\ngo 1.26\n", "shared/shared.go": "package shared\n"}
    lab.write(files | {"cmd/one/main.go": main, "cmd/two/main.go": main}, "several")
    finished = lab.run("-c", SEVERAL, as_module=False)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines() == ["list ['LocalTarget', 'LocalTarget']", "RecordTarget"]


NAMES = """
import sys
import luigigo

assert set(luigigo.__all__) <= set(dir(luigigo)), dir(luigigo)
assert "luigi" not in sys.modules
from luigigo import BuildBinary, CompilePackage

print(luigigo.__version__, BuildBinary.__name__, CompilePackage.__name__)
"""


def test_the_public_names_are_shown_and_loaded_when_they_are_named(lab: Lab) -> None:
    """`dir` names them without loading Luigi."""
    finished = lab.run("-c", NAMES, as_module=False)
    assert finished.returncode == 0, finished.stderr
    version = importlib.metadata.version("luigigo")
    assert finished.stdout == f"{version} BuildBinary CompilePackage\n"


def test_help_lists_the_parameters(lab: Lab) -> None:
    """`luigi --module luigigo BuildBinary --help` describes each flag."""
    finished = subprocess.run(
        [sys.executable, "-m", *LUIGI, "--help"], capture_output=True, text=True, env=lab.environment
    )
    assert finished.returncode == 0
    for flag in ("--project", "--output", "--tags", "--race", "--cgo-enabled"):
        assert flag in finished.stdout
