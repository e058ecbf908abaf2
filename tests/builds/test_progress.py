"""What a build says while it runs: a live line on a terminal, plain lines elsewhere, JSON on request."""

from __future__ import annotations

import json
import os
import pty
import re
from pathlib import Path

import pytest
from support import LUIGI, Lab

pytestmark = pytest.mark.builds

FILES = {
    "go.mod": "module example.com/small\n\ngo 1.26\n",
    "main.go": 'package main\n\nimport "example.com/small/part"\n\nfunc main() { println(part.Name) }\n',
    "part/part.go": 'package part\n\nvar Name = "first"\n',
}


@pytest.fixture
def project(lab: Lab) -> Path:
    """A program of two packages, not built yet."""
    return lab.write(FILES, "small")


def on_terminal(lab: Lab, *arguments: object, columns: int = 100) -> tuple[int, str]:
    """Run a command whose stderr is a terminal; return its exit code and what it wrote there."""
    ours, theirs = pty.openpty()
    process = lab.start(*arguments, stderr=theirs, env={"TERM": "xterm", "COLUMNS": str(columns)})
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        said += part
    os.close(ours)
    return process.wait(timeout=60), said.decode()


def printed(said: str) -> list[str]:
    """The lines that stay on the terminal: what is rewritten is gone."""
    stays = [re.split(r"\x1b\[2K", line)[-1] for line in said.split("\r\n")]
    return [text for line in stays if (text := re.sub(r"\x1b\[[?0-9;]*[A-Za-z]|\r", "", line).strip())]


COMMANDS = {
    "luigigo": ("luigigo", "build"),
    "luigi": (*LUIGI, "--local-scheduler", "--log-level", "INFO", "--project"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_terminal_shows_one_line_that_follows_the_build(lab: Lab, project: Path, name: str) -> None:
    """It says what share is done, is rewritten in place, and leaves the closing line; under Luigi, too."""
    output = ("-o", "binary") if name == "luigigo" else ("--output", "binary")
    code, said = on_terminal(lab, *COMMANDS[name], project, *output)
    assert code == 0
    counts = [tuple(map(int, found)) for found in re.findall(r"luigigo: (\d+)/(\d+) done, \d+ %", said)]
    assert counts and all(done <= total == 3 for done, total in counts)
    assert "\x1b[2K" in said
    assert "0/0" not in said
    lines = printed(said)
    closing = [line for line in lines if re.match(r"luigigo: binary: 3 actions ran, \d+ cached", line)]
    assert len(closing) == 1
    if name == "luigigo":
        assert lines[-2] == closing[0]
    else:
        assert "INFO: Done scheduling tasks" in lines
        assert lines[-1] == "===== Luigi Execution Summary ====="


def test_nothing_is_broken_at_the_terminals_width(lab: Lab, project: Path) -> None:
    """Neither a compiler's message, which stands above the live line, nor the toolchain's path."""
    name = "undefined" * 20
    (project / "part" / "part.go").write_text(f"package part\n\nvar Name = {name}\n")
    code, said = on_terminal(lab, "luigigo", "build", project, "-v", "-o", "binary", columns=40)
    assert code == 1
    assert f"small/part/part.go:3:12: undefined: {name}" in printed(said)
    assert any(re.fullmatch(r"luigigo: go1\.\S+ at \S+ \(.*\)", line) for line in printed(said))


def test_elsewhere_there_are_plain_lines(lab: Lab, project: Path) -> None:
    """Two lines for a quick build, the last of which names its run, and none has a control character."""
    finished = lab.luigigo("build", project, "-o", "binary")
    assert finished.stdout == ""
    assert "\x1b" not in finished.stderr
    line, run = finished.stderr.splitlines()
    assert re.match(r"luigigo: binary: 3 actions ran, \d+ cached, \d+\.\d s", line)
    assert re.match(r"luigigo: run \d{8}-\d{6}-[0-9a-f]{6}: luigigo report says where the time went", run)


def test_the_closing_line_tells_what_was_cut_off_and_saved(lab: Lab, project: Path) -> None:
    """An edit that leaves the export data as it was compiles one package, and cuts off its importer."""
    lab.luigigo("build", project, "-o", "binary")
    (project / "part" / "part.go").write_text('package part\n\nvar Name = "other"\n')
    assert ": 2 actions ran, 1 cut off, " in lab.luigigo("build", project, "-o", "binary").stderr
    (project / "main.go").write_text(FILES["main.go"] + "\nfunc init() {}\n")
    (lab.cache / "kept").rename(lab.folder / "aside")
    by_luigi = lab.luigi("--project", project, "--output", "binary")
    assert by_luigi.stderr.count("luigigo: binary: 2 actions ran, ") == 1
    again = lab.luigi("--project", project, "--output", "binary")
    assert "luigigo: " not in again.stderr


def test_the_toolchain_is_named_when_it_is_another(lab: Lab, project: Path) -> None:
    """In an empty cache, for another target, and with `-v`."""

    def named(*flags: str) -> list[str]:
        finished = lab.luigigo("build", project, "-o", f"binary{len(flags)}", *flags)
        return re.findall(r"luigigo: go1\.\S+ at \S+ \(\S+?\)(.*)", finished.stderr)

    (lab.cache / "toolchain").unlink()
    assert named() == [""]
    (lab.folder / "binary0").unlink()
    assert named() == []
    (lab.folder / "binary0").unlink()
    assert named("-v") == [""]
    cross = ("--goos=darwin", "--goarch=arm64")
    assert named(*cross) == [" for darwin/arm64"]


def test_verbose_names_packages_and_x_shows_commands(lab: Lab, project: Path) -> None:
    """`-v` prints what `go build -v` prints; the commands of `-x` are the tools' own."""
    finished = lab.luigigo("build", project, "-v", "-x", "-o", "binary")
    lines = finished.stderr.splitlines()
    assert lines.index("example.com/small/part") < lines.index("example.com/small")
    assert any("/compile -o " in line and "-p example.com/small/part" in line for line in lines)
    assert any("/link -o " in line for line in lines)


LAST = {"version", "event", "outcome", "output", "seconds", "saved_seconds", "counts", "messages"}


def test_json_tells_of_each_action_and_then_of_the_build(lab: Lab, project: Path) -> None:
    """Every line of stdout is one object; nothing else is there. What was done before is counted."""
    built = lab.build(project)
    *actions, last = built.events
    assert set(last) == LAST
    assert (last["version"], last["event"], last["outcome"]) == (2, "build", "ok")
    assert last["output"] == [str(built.output)]
    assert last["seconds"] > 0 and last["saved_seconds"] > 0
    assert last["counts"].pop("hit") > 10
    assert last["counts"] == {"ran": 3, "cutoff": 0, "failed": 0}
    assert last["messages"] == []
    assert [(each["kind"], each["package"]) for each in actions] == [
        ("compile", "example.com/small/part"),
        ("compile", "example.com/small"),
        ("link", "example.com/small"),
    ]
    for each in actions:
        took = {"cpu_seconds", "peak_bytes", "published_seconds", "waited_seconds", "queued_seconds"}
        named = {"version", "event", "kind", "package", "outcome", "seconds", "saved_seconds", "node"}
        assert set(each) == named | took
        assert each["outcome"] == "ran"
        assert each["seconds"] > 0
    again = lab.build(project).events
    assert [set(each) for each in again] == [LAST]
    assert (again[0]["outcome"], again[0]["output"]) == ("up-to-date", [str(built.output)])
    assert again[0]["counts"]["hit"] > 13
    assert again[0]["saved_seconds"] > last["saved_seconds"]


def test_json_ends_with_failed(lab: Lab, project: Path) -> None:
    """The failed action is named; its message is on stderr, and again in the last event."""
    (project / "part" / "part.go").write_text("package part\n\nvar Name int = ``\n")
    finished = lab.luigigo("build", project, "--json", "-o", "binary")
    assert finished.returncode == 1
    *actions, last = [json.loads(line) for line in finished.stdout.splitlines()]
    assert [(each["package"], each["outcome"]) for each in actions] == [("example.com/small/part", "failed")]
    assert set(last) == LAST
    assert (last["outcome"], last["output"], last["counts"]["failed"]) == ("failed", [], 1)
    assert "small/part/part.go:3:16: cannot use" in finished.stderr
    assert last["messages"] == [finished.stderr]


def test_json_has_the_go_commands_words(lab: Lab, project: Path) -> None:
    """Of a build that has no plan there is one event, with all that was said."""
    (project / "main.go").write_text("package main\n\nimport _ `example.com/small/gone`\n")
    finished = lab.luigigo("build", project, "--json", "-o", "binary")
    assert finished.returncode == 5
    (last,) = [json.loads(line) for line in finished.stdout.splitlines()]
    assert (last["outcome"], last["messages"]) == ("failed", [finished.stderr])


def test_under_luigi_a_log_file_level_is_the_users(lab: Lab, project: Path) -> None:
    """Luigi's own lines are Luigi's own affair: its log level is obeyed, and messages come all the same."""
    (project / "part" / "part.go").write_text("package part\n\nvar Name int = ``\n")
    flags = ("--project", project, "--output", lab.folder / "binary")
    finished = lab.run(*LUIGI, "--local-scheduler", "--log-level", "ERROR", *flags)
    assert finished.returncode == 1
    assert "INFO" not in finished.stderr
    assert finished.stderr.count("part/part.go:3:16: cannot use") == 1
