"""Ctrl-C and SIGTERM at several moments: the end comes at once, and nothing is lost or broken."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from support import LUIGI, Lab, wait_until

from luigigo.errors import ExitCode

pytestmark = pytest.mark.builds

SIGNALS = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}
DIES_WITHIN_SECONDS = 5.0


def slow_project(lab: Lab) -> Path:
    """A program with many packages, one of which takes seconds to compile."""
    table = "".join(f"\tfunc(n int) int {{ return n*{n} + {n % 7} }},\n" for n in range(6000))
    files = {
        "go.mod": "module example.com/slow\n\ngo 1.26\n",
        "main.go": 'package main\n\nimport "example.com/slow/quick"\nimport "example.com/slow/big"\n\n'
        "func main() { println(quick.Name, len(big.Table)) }\n",
        "quick/quick.go": 'package quick\n\nvar Name = "quick"\n',
        "big/big.go": f"package big\n\nvar Table = []func(int) int{{\n{table}}}\n",
    }
    return lab.write(files, "slow")


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def runs(process: subprocess.Popen[str], word: str) -> bool:
    """Whether a child of the command has the word in its command line."""
    for child in descendants(process):
        try:
            if any(word in argument for argument in child.cmdline()):
                return True
        except psutil.Error:
            continue
    return False


MOMENTS: dict[str, Callable[[subprocess.Popen[str]], bool]] = {
    "while go list runs": lambda process: runs(process, "list"),
    "while the compiler runs": lambda process: runs(process, "example.com/slow/big"),
}
COMMANDS = {
    "luigigo": lambda project, output: ("luigigo", "build", project, "-o", output),
    "luigi": lambda project, output: (*LUIGI, "--local-scheduler", "--project", project, "--output", output),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("signum", SIGNALS)
@pytest.mark.parametrize("command", COMMANDS)
def test_an_interrupt_ends_everything_at_once(
    lab: Lab, command: str, signum: signal.Signals, moment: str
) -> None:
    """No child is left, no entry is half-written, and the next run needs no more than what was not done."""
    project = slow_project(lab)
    output = lab.output_of(project)
    process = lab.start(*COMMANDS[command](project, output))
    wait_until(lambda: MOMENTS[moment](process) or process.poll() is not None)
    children = descendants(process)
    sent = time.monotonic()
    os.killpg(process.pid, signum)
    out, err = process.communicate(timeout=60)
    took = time.monotonic() - sent
    assert process.returncode == SIGNALS[signum], (out, err)
    assert took < DIES_WITHIN_SECONDS
    assert "Traceback" not in out + err
    assert (out + err).count("interrupted") == 1
    _, alive = psutil.wait_procs(children, timeout=DIES_WITHIN_SECONDS)
    assert not alive
    assert not output.exists()
    assert lab.verify().returncode == 0
    assert not list((lab.cache / "store" / "runs").rglob("pin"))
    lab.build(project)
    lab.assert_identical(project)


def test_what_was_done_before_an_interrupt_is_not_done_again(lab: Lab) -> None:
    """The next run continues."""
    project = slow_project(lab)
    process = lab.start("luigigo", "build", project, "-o", lab.output_of(project), "--json")
    assert process.stdout is not None
    while '"package": "example.com/slow/quick"' not in (line := process.stdout.readline()):
        assert line
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["outcome"], last["output"]) == ("build", "interrupted", [])
    assert last["counts"]["failed"] == 0
    assert lab.build(project).actions() == {
        "compile example.com/slow/big",
        "compile example.com/slow",
        "link example.com/slow",
    }


def test_a_killed_build_leaves_nothing_that_disturbs_the_next(lab: Lab) -> None:
    """SIGKILL leaves no time for anything: the store is sound all the same, and the work folder goes."""
    project = slow_project(lab)
    process = lab.start("luigigo", "build", project, "-o", lab.output_of(project))
    wait_until(lambda: runs(process, "example.com/slow/big"))
    children = descendants(process)
    process.kill()
    process.communicate(timeout=60)
    for child in children:
        child.kill()
    assert lab.verify().returncode == 0
    lab.build(project)
    lab.assert_identical(project)
    assert list((lab.cache / "work").iterdir()) == []
