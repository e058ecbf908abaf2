"""A workflow of the user's own, of luigigo's tasks and others: workflows/release.py."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from support import PROGRAMS, ROOT, Lab, Result

pytestmark = pytest.mark.builds

MAIN = 'package main\n\nimport "example.com/tools/shared"\n\nfunc main() { println(shared.WHICH) }\n'
MODULE = "module example.com/tools\n\ngo 1.26\n"
FILES = {
    "go.mod": MODULE,
    "cmd/one/main.go": MAIN.replace("WHICH", "One"),
    "cmd/two/main.go": MAIN.replace("WHICH", "Two"),
    "shared/shared.go": "package shared\n\nconst (\n\tOne = 1\n\tTwo = 2\n)\n",
}
RELEASE = ("luigi", "--module", "workflows.release", "Checksums", "--local-scheduler")


def release(lab: Lab, project: Path, *arguments: str) -> Result:
    return lab.run(*RELEASE, "--project", project, "--folder", "dist", *arguments)


def sums(lab: Lab) -> dict[str, str]:
    """Program → sha256, as the workflow wrote them down."""
    lines = (lab.folder / "dist" / "SHA256SUMS").read_text().splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def test_programs_for_two_systems_and_a_shell_step_on_them(lab: Lab) -> None:
    """Each build is one task of the workflow's; the last step reads what they made."""
    project = lab.write(FILES, "tools")
    arguments = ("--targets", "linux/amd64,windows/amd64", "--packages", "./cmd/...")
    finished = release(lab, project, *arguments)
    assert finished.returncode == 0, finished.stderr
    found = sums(lab)
    names = ["linux_amd64/one", "linux_amd64/two", "windows_amd64/one.exe", "windows_amd64/two.exe"]
    assert sorted(found) == names
    for name, digest in found.items():
        assert hashlib.sha256((lab.folder / "dist" / name).read_bytes()).hexdigest() == digest
    summary = finished.stdout + finished.stderr
    assert "2 BuildBinary(" in summary
    assert "1 Checksums(" in summary
    for name, env in (("linux_amd64/one", {}), ("windows_amd64/one.exe", {"GOOS": "windows"})):
        expected = lab.folder / "expected"
        made = lab.go_build(project, "-o", expected, "./cmd/one", env=env | {"CGO_ENABLED": "0"})
        assert made.returncode == 0, made.stderr
        assert (lab.folder / "dist" / name).read_bytes() == expected.read_bytes()


def test_the_workflow_runs_as_its_own_text_says(lab: Lab) -> None:
    """The command of its docstring, typed in a clone, finds the module and makes the list."""
    text = (ROOT / "workflows" / "release.py").read_text()
    command = next(line.strip() for line in text.splitlines() if "luigi --module" in line)
    command = command.replace("--folder dist", f"--folder {lab.folder / 'dist'} --targets linux/amd64")
    environment = {name: value for name, value in lab.environment.items() if name != "PYTHONPATH"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    finished = subprocess.run(
        command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert finished.returncode == 0, finished.stderr
    assert sums(lab)


def test_the_workflow_runs_again_only_for_what_changed(lab: Lab) -> None:
    """Unchanged, it is complete at once; an edit makes both the programs and the list new."""
    project = lab.write(FILES, "tools")
    arguments = ("--targets", "linux/amd64", "--packages", "./cmd/...")
    assert release(lab, project, *arguments).returncode == 0
    before = sums(lab)
    again = release(lab, project, *arguments)
    assert "Did not run any tasks" in again.stdout + again.stderr
    (project / "shared" / "shared.go").write_text("package shared\n\nconst (\n\tOne = 11\n\tTwo = 2\n)\n")
    assert release(lab, project, *arguments).returncode == 0
    after = sums(lab)
    assert after["linux_amd64/one"] != before["linux_amd64/one"]
    assert after["linux_amd64/two"] == before["linux_amd64/two"]


def test_a_failed_build_fails_the_workflow_with_the_compilers_words(lab: Lab) -> None:
    """The step after it does not run."""
    finished = release(lab, PROGRAMS / "compileerror", "--targets", "linux/amd64", "--packages", ".")
    assert finished.returncode == 1
    assert finished.stderr.count("undefined: undefinedName") == 1
    assert not (lab.folder / "dist" / "SHA256SUMS").exists()


REQUIRING = """
import os

import luigi
from luigigo import BuildBinary


class Size(luigi.Task):
    def requires(self):
        return BuildBinary(project="tools", package="./cmd/one", output="made/one")

    def output(self):
        return luigi.LocalTarget("size")

    def run(self):
        with self.output().open("w") as file:
            file.write(str(os.stat(self.input().path).st_size))
"""


def test_a_task_of_ones_own_may_require_a_build(lab: Lab) -> None:
    """`input()` gives the binary's target."""
    lab.write(FILES, "tools")
    lab.write({"mine.py": REQUIRING}, ".")
    path = {"PYTHONPATH": f"{lab.folder}:{lab.environment['PYTHONPATH']}"}
    finished = lab.run("luigi", "--module", "mine", "Size", "--local-scheduler", env=path)
    assert finished.returncode == 0, finished.stderr
    assert int((lab.folder / "size").read_text()) == (lab.folder / "made" / "one").stat().st_size


EXTENDED = '''
import luigi
from luigigo import BuildBinary


class Tool(BuildBinary):
    """A build with values of its own, and a parameter more."""

    package = luigi.Parameter(default="./cmd/one")
    flavour = luigi.Parameter(default="plain")

    def run(self):
        super().run()
        with open("said", "a") as file:
            file.write(self.flavour)
'''


def test_a_build_can_be_extended(lab: Lab) -> None:
    """A subclass has all the parameters, is complete when the binary is in place, and may do more."""
    lab.write(FILES, "tools")
    lab.write({"mine.py": EXTENDED}, ".")
    path = {"PYTHONPATH": f"{lab.folder}:{lab.environment['PYTHONPATH']}"}
    tool = ("luigi", "--module", "mine", "Tool", "--local-scheduler", "--project", "tools", "--output", "one")
    for _ in range(2):
        finished = lab.run(*tool, "--flavour", "sweet", env=path)
        assert finished.returncode == 0, finished.stderr
    assert (lab.folder / "said").read_text() == "sweet"
    assert (lab.folder / "one").exists()
