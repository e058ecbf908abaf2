"""A small program, and both commands building it to a place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import Lab, Result

SMALL = {"go.mod": "module example.com/x\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() {}\n"}
COMMANDS = ("luigigo", "luigi")


@pytest.fixture
def small(lab: Lab) -> Path:
    """A program that imports nothing."""
    return lab.write(SMALL, "small")


@pytest.fixture
def expected(lab: Lab, small: Path) -> bytes:
    """The binary that go build makes."""
    made = lab.go_build(small, "-o", lab.folder / "expected")
    assert made.returncode == 0, made.stderr
    return (lab.folder / "expected").read_bytes()


def build(lab: Lab, command: str, project: Path, output: str, **options: Any) -> Result:
    """Build with either command, in the project's folder; no output where it is ""."""
    flags = ("--output", output) if output else ()
    if command == "luigi":
        return lab.luigi("--project", ".", *flags, cwd=project, **options)
    return lab.luigigo("build", ".", *flags, cwd=project, **options)
