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


def on_terminal(lab: Lab, *arguments: object) -> tuple[int, str]:
    """Run a command whose stderr is a terminal; return its exit code and what it wrote there."""
    ours, theirs = pty.openpty()
    process = lab.start(*arguments, stderr=theirs, env={"TERM": "xterm", "COLUMNS": "100"})
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


def test_a_terminal_shows_one_line_that_follows_the_build(lab: Lab, project: Path) -> None:
    """It names what runs, is rewritten in place, and leaves the closing line behind."""
    code, said = on_terminal(lab, "luigigo", "build", project, "-o", "binary")
    assert code == 0
    assert re.search(r"luigigo: \d+/\d+ done", said)
    assert "\x1b[2K" in said
    last = [line for line in said.splitlines() if line.strip()][-1]
    assert re.search(r"luigigo: .*: 3 actions ran, \d+ cached", last)


def test_messages_stand_above_the_live_line(lab: Lab, project: Path) -> None:
    """A compiler's message is not overwritten, nor broken at the terminal's width."""
    name = "undefined" * 20
    (project / "part" / "part.go").write_text(f"package part\n\nvar Name = {name}\n")
    code, said = on_terminal(lab, "luigigo", "build", project, "-o", "binary")
    assert code == 1
    assert f"part/part.go:3:12: undefined: {name}\r\n" in said


def test_elsewhere_there_are_plain_lines(lab: Lab, project: Path) -> None:
    """Two lines for a quick build: the toolchain and the end. None has a control character."""
    finished = lab.luigigo("build", project, "-o", "binary")
    assert finished.stdout == ""
    assert "\x1b" not in finished.stderr
    lines = finished.stderr.splitlines()
    assert re.match(r"luigigo: go1\.\d+.* at ", lines[0])
    assert re.match(r"luigigo: binary: 3 actions ran, \d+ cached, \d+\.\d s", lines[-1])


def test_verbose_names_packages_and_x_shows_commands(lab: Lab, project: Path) -> None:
    """`-v` prints what `go build -v` prints; the commands of `-x` are the tools' own."""
    finished = lab.luigigo("build", project, "-v", "-x", "-o", "binary")
    lines = finished.stderr.splitlines()
    assert lines.index("example.com/small/part") < lines.index("example.com/small")
    assert any("/compile -o " in line and "-p example.com/small/part" in line for line in lines)
    assert any("/link -o " in line for line in lines)


def test_json_tells_of_each_action_and_then_of_the_build(lab: Lab, project: Path) -> None:
    """Every line of stdout is one object; nothing else is there."""
    built = lab.build(project)
    *actions, last = built.events
    assert last == {"event": "build", "outcome": "ok", "output": str(built.output)}
    assert [(each["kind"], each["package"]) for each in actions] == [
        ("compile", "example.com/small/part"),
        ("compile", "example.com/small"),
        ("link", "example.com/small"),
    ]
    for each in actions:
        took = {"cpu_seconds", "peak_bytes", "published_seconds", "waited_seconds", "queued_seconds"}
        assert set(each) == {"event", "kind", "package", "outcome", "seconds", "node"} | took
        assert each["outcome"] == "ran"
        assert each["seconds"] > 0


def test_json_ends_with_failed(lab: Lab, project: Path) -> None:
    """The failed action is named; its message is on stderr."""
    (project / "part" / "part.go").write_text("package part\n\nvar Name int = ``\n")
    finished = lab.luigigo("build", project, "--json", "-o", "binary")
    assert finished.returncode == 1
    *actions, last = [json.loads(line) for line in finished.stdout.splitlines()]
    assert [(each["package"], each["outcome"]) for each in actions] == [("example.com/small/part", "failed")]
    assert last == {"event": "build", "outcome": "failed", "output": ""}
    assert "part/part.go:3:16: cannot use" in finished.stderr


def test_under_luigi_a_log_file_level_is_the_users(lab: Lab, project: Path) -> None:
    """Luigi's own lines are Luigi's own affair: its log level is obeyed, and messages come all the same."""
    (project / "part" / "part.go").write_text("package part\n\nvar Name int = ``\n")
    flags = ("--project", project, "--output", lab.folder / "binary")
    finished = lab.run(*LUIGI, "--local-scheduler", "--log-level", "ERROR", *flags)
    assert finished.returncode == 1
    assert "INFO" not in finished.stderr
    assert finished.stderr.count("part/part.go:3:16: cannot use") == 1
