"""Several builds over one store at the same time."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from support import LUIGI, PROGRAMS, Built, Lab, Result, wait_until

pytestmark = pytest.mark.builds


def files(count: int) -> dict[str, str]:
    """A program of `count` packages beside its own."""
    names = [f"part{number:02}" for number in range(count)]
    imports = "".join(f'\t"example.com/many/{name}"\n' for name in names)
    values = ", ".join(f"{name}.Name" for name in names)
    made = {f"{name}/part.go": f'package {name}\n\nvar Name = "{name}"\n' for name in names}
    return made | {
        "go.mod": "module example.com/many\n\ngo 1.26\n",
        "main.go": f"package main\n\nimport (\n{imports})\n\nfunc main() {{ println({values}) }}\n",
    }


COMMANDS = {
    "luigigo": lambda project, output: ("luigigo", "build", project, "-o", output),
    "luigi": lambda project, output: (*LUIGI, "--local-scheduler", "--project", project, "--output", output),
}


@pytest.mark.parametrize("same", [True, False], ids=["one checkout", "two checkouts"])
@pytest.mark.parametrize("commands", [("luigigo", "luigigo"), ("luigi", "luigi"), ("luigigo", "luigi")])
def test_builds_at_the_same_time_all_succeed(lab: Lab, commands: tuple[str, str], same: bool) -> None:
    """None waits for another or refuses to start, even with equal arguments; all make the right binary."""
    projects = [lab.write(files(12), "many")] * 2
    if not same:
        projects[1] = lab.write(files(12), "elsewhere/many")
    output = lab.output_of(projects[0])
    started = [
        lab.start(*COMMANDS[command](project, output if same else f"{output}{number}"))
        for number, (command, project) in enumerate(zip(commands, projects, strict=True))
    ]
    for process in started:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, out + err
    for number in () if same else (0, 1):
        Path(f"{output}{number}").replace(output)
        lab.assert_identical(projects[number])
    if same:
        lab.assert_identical(projects[0])
    assert lab.verify().returncode == 0
    assert lab.build(projects[0]).actions() == set()


def events_of(process: subprocess.Popen[str]) -> tuple[Result, Built]:
    """What a `luigigo build --json` that was started said, to its end."""
    out, err = process.communicate(timeout=120)
    finished = Result(process.args, process.returncode, out, err)
    return finished, Built(finished, Path())


def start_build(lab: Lab, project: Path, name: str, *arguments: str) -> subprocess.Popen[str]:
    return lab.start("luigigo", "build", project, "-o", lab.folder / name, "--json", *arguments)


def test_two_equal_builds_run_each_action_once(empty_lab: Lab) -> None:
    """What one makes the other takes, from the standard library's packages to the link."""
    lab = empty_lab
    project = lab.write(files(12), "many")
    builds = [events_of(each) for each in [start_build(lab, project, f"{n}") for n in range(2)]]
    for finished, _ in builds:
        assert finished.returncode == 0, finished.stderr
    ran = [built.actions() for _, built in builds]
    assert ran[0] and ran[1] and not ran[0] & ran[1]
    for number, (_, built) in enumerate(builds):
        assert ran[1 - number] & built.actions("hit"), "nothing was taken from the other"
        assert not built.actions("failed")
        (lab.folder / f"{number}").replace(lab.output_of(project))
        lab.assert_identical(project)


def test_luigi_and_luigigo_share_as_well(empty_lab: Lab) -> None:
    """Each record was written once: under its two keys lies one file."""
    lab = empty_lab
    project = lab.write(files(4), "many")
    luigi = lab.start(*LUIGI, "--local-scheduler", "--project", project, "--output", "one", "--workers", "2")
    finished, built = events_of(start_build(lab, project, "two"))
    assert luigi.wait(timeout=120) == 0
    assert finished.returncode == 0
    # Who writes a record again replaces its first name.
    assert {path.stat().st_nlink for path in (lab.cache / "store" / "actions").glob("*/*")} == {2}
    assert built.actions("hit") and not built.actions("failed")
    assert (lab.folder / "one").read_bytes() == (lab.folder / "two").read_bytes()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_one_whose_duplicate_is_killed_or_stopped_makes_all(empty_lab: Lab, how: signal.Signals) -> None:
    """It is not held up: what the other did not publish it makes itself."""
    lab = empty_lab
    project = lab.write(files(12), "many")
    first, second = (start_build(lab, project, name) for name in ("one", "two"))
    contents = lab.cache / "store" / "cas"
    wait_until(lambda: sum(1 for _ in contents.glob("*/*")) > 20, "for the first actions")
    first.send_signal(how)
    finished, built = events_of(second)
    assert finished.returncode == 0, finished.stderr
    assert not built.actions("failed")
    (lab.folder / "two").replace(lab.output_of(project))
    lab.assert_identical(project)
    assert lab.verify().returncode == 0
    if how is signal.SIGSTOP:
        first.send_signal(signal.SIGCONT)
        assert first.wait(timeout=120) == 0
        assert (lab.folder / "one").read_bytes() == lab.output_of(project).read_bytes()


def test_equal_builds_that_fail_all_tell_the_compilers_words(lab: Lab) -> None:
    """Nobody takes a failure from another: each has the message, once."""
    project = PROGRAMS / "compileerror"
    builds = [events_of(each) for each in [start_build(lab, project, f"{n}") for n in range(3)]]
    for finished, _ in builds:
        assert finished.returncode == 1
        assert finished.stderr.count("undefined: undefinedName") == 1


def test_one_that_waits_can_be_interrupted(empty_lab: Lab) -> None:
    """Ctrl-C ends it at once, and the one that it waits for goes on."""
    lab = empty_lab
    project = lab.write(files(2), "many")
    first = start_build(lab, project, "one", "-p", "1")
    wait_until(lambda: any((lab.cache / "work").glob("*/b*")), "for the first action")
    second = start_build(lab, project, "two", "-p", "1")
    wait_until(lambda: len(list((lab.cache / "work").iterdir())) == 2, "for the second build")
    os.killpg(second.pid, signal.SIGINT)
    second.communicate(timeout=30)
    assert second.returncode == 130
    assert first.wait(timeout=120) == 0
