"""How a tool ended, from real processes and from what drivers print of their children."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from luigigo.endings import Ending, ending


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (signal.SIGTERM, Ending.STOPPED),
        (signal.SIGINT, Ending.STOPPED),
        (signal.SIGHUP, Ending.STOPPED),
        (signal.SIGKILL, Ending.KILLED),
        (signal.SIGSEGV, Ending.FAILED),
    ],
)
def test_who_was_signalled_says_nothing_of_its_input(number: signal.Signals, expected: Ending) -> None:
    """A signal from outside is no verdict; a crash of the tool's own is one."""
    killing_itself = f"import os; os.kill(os.getpid(), {int(number)})"
    run = subprocess.run([sys.executable, "-c", killing_itself], capture_output=True, check=False)
    assert ending(run.returncode, run.stdout) is expected
    assert expected.is_verdict == (expected is Ending.FAILED)


def test_an_exit_status_is_the_tools_own() -> None:
    """Whatever a program to be compiled says about signals."""
    assert ending(0, b"ld terminated with signal 9") is Ending.SUCCEEDED
    assert ending(1, b"x.go:3:2: undefined: x") is Ending.FAILED


@pytest.mark.parametrize("driver", ["gcc", "clang"])
@pytest.mark.parametrize(
    ("name", "expected"), [("KILL", Ending.KILLED), ("TERM", Ending.STOPPED), ("HUP", Ending.STOPPED)]
)
def test_a_driver_tells_that_its_linker_was_ended(
    tmp_path: Path, driver: str, name: str, expected: Ending
) -> None:
    """It ends with 1 itself, as for an error in the program."""
    if shutil.which(driver) is None:
        pytest.skip(f"there is no {driver}")
    linker = tmp_path / "ld"
    linker.write_text(f"#!/bin/sh\nkill -{name} $$\n")
    linker.chmod(0o755)
    source = tmp_path / "x.c"
    source.write_text("int main(void) { return 0; }\n")
    argv = [driver, f"-B{tmp_path}", "-o", str(tmp_path / "x"), str(source)]
    run = subprocess.run(argv, capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"})
    assert run.returncode > 0
    assert ending(run.returncode, run.stdout + run.stderr) is expected
