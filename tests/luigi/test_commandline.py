"""A mistake in a command of Luigi's is told in one line, with exit code 2."""

from __future__ import annotations

import subprocess
import sys

import luigi
import pytest
from luigi.parameter import MissingParameterException
from runs import Flows

from luigigo.errors import ExitCode
from luigigo.supported import why_unsupported

DAY = ("--day", "2026-01-31")
MISTAKES = {
    "no value": (("Sized",), "Sized wants a value for --size, --day"),
    "one value": (("Sized", "--size", "3"), "Sized wants a value for --day"),
    "a value that is none": (("Sized", "--size", "much", *DAY), "--size: invalid literal"),
    "one by the long name": (("Sized", "--Sized-size", "much", *DAY), "--size: invalid literal"),
    "a day that is none": (("Sized", "--size", "3", "--day", "2026-02-31"), "--day: day is out of range"),
    "a flag of Luigi's": (("Slot", "--log-level", "LOUD"), "--log-level: LOUD is not a valid choice"),
    "an unknown flag": (("Slot", "--nonsense", "1"), "unrecognized arguments: --nonsense 1"),
    "a flag without its value": (("Slot", "--name"), "argument --name: expected one argument"),
    "an unknown task": (("Slit",), "there is no task Slit; there are"),
    "no task": ((), "which task? There are"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_in_one_line(flows: Flows, name: str) -> None:
    """Exit code 2, no traceback, no list of all flags, and nothing ran."""
    arguments, said = MISTAKES[name]
    ended = flows.local(*arguments)
    assert (ended.returncode, ended.stdout) == (ExitCode.USAGE, ""), ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith(f"luigigo: {said}")
    assert flows.ran() == []


def test_values_may_come_from_a_file(flows: Flows) -> None:
    """What luigi.cfg gives is not missing; and a wrong value there is named."""
    (flows.folder / "luigi.cfg").write_text("[Sized]\nsize = 3\nday = 2026-01-31\n")
    assert flows.local("Sized").returncode == ExitCode.OK
    (flows.folder / "luigi.cfg").write_text("[Sized]\nsize = many\n")
    ended = flows.local("Sized", *DAY)
    assert ended.returncode == ExitCode.USAGE
    assert "--size: invalid literal" in ended.stderr


def test_help_is_luigis(flows: Flows) -> None:
    """--help lists the parameters, of a task that wants values as well."""
    ended = flows.local("Sized", "--help")
    assert ended.returncode == ExitCode.OK
    assert "--size" in ended.stdout


def test_in_python_it_is_luigis_exception() -> None:
    """Only commands end; code that makes a task wrongly gets what Luigi raises."""

    class Wants(luigi.Task):
        size = luigi.IntParameter()

    with pytest.raises(MissingParameterException):
        Wants()


def test_only_linux_is_supported() -> None:
    """Any other system gets one line that names it."""
    assert why_unsupported("linux") == ""
    for platform in ("darwin", "win32", "freebsd14"):
        assert platform in why_unsupported(platform)
        assert "\n" not in why_unsupported(platform)


ELSEWHERE = {
    "luigigo": "import luigigo.__main__; sys.argv = ['luigigo', 'build']; luigigo.__main__.main()",
    "luigi": "import luigi.cmdline; luigi.cmdline.luigi_run(['--module', 'luigigo', 'BuildBinary'])",
}


@pytest.mark.parametrize("command", ELSEWHERE)
def test_elsewhere_a_command_ends_at_once(command: str) -> None:
    """One line, exit code 2, and no traceback, under both commands."""
    code = ELSEWHERE[command]
    loaded = "import luigi.cmdline; " if command == "luigi" else ""
    code = f"import sys; {loaded}sys.platform = 'darwin'; {code}"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == ExitCode.USAGE
    assert ended.stderr == why_unsupported("darwin") + "\n"


def test_elsewhere_the_tasks_cannot_be_imported() -> None:
    """In Python it is an ImportError with the same line; the package itself can be looked at."""
    code = (
        "import sys; sys.platform = 'darwin'; import luigigo; print(luigigo.__version__); luigigo.BuildBinary"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.stdout
    assert ended.stderr.splitlines()[-1] == f"ImportError: {why_unsupported('darwin')}"
