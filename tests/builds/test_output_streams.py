"""Binaries that go to a pipe, a device or a stream: exactly the binary, each time anew."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from outputs import COMMANDS, build, expected, small
from support import LUIGI, Lab, Result

from luigigo.errors import ExitCode

__all__ = ["expected", "small"]

pytestmark = pytest.mark.builds


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("place", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_a_pipe_at_stdout_gets_exactly_the_binary(
    lab: Lab, small: Path, expected: bytes, command: str, place: str
) -> None:
    """Each time anew: there is nothing that could be up to date."""
    for _ in range(2):
        received, finished = through_pipe(lab, command, small, place)
        assert finished.returncode == 0, finished.stderr
        assert received == expected
        assert "up to date" not in finished.stderr


def through_pipe(lab: Lab, command: str, project: Path, place: str, *flags: str) -> tuple[bytes, Result]:
    reading, writing = os.pipe()
    arguments = (*LUIGI, "--local-scheduler", "--project", ".", "--output", place)
    if command == "luigigo":
        arguments = ("luigigo", "build", ".", "-o", place, *flags)
    process = lab.start(*arguments, cwd=project, stdout=writing)
    os.close(writing)
    with open(reading, "rb") as stdout:
        received = stdout.read()
    _, said = process.communicate()
    return received, Result(arguments, process.returncode, "", said)


def test_json_goes_to_stderr_when_the_binary_goes_to_stdout(lab: Lab, small: Path, expected: bytes) -> None:
    """And nothing but the binary to stdout."""
    received, finished = through_pipe(lab, "luigigo", small, "/dev/stdout", "--json")
    assert received == expected
    last = json.loads(finished.stderr.splitlines()[-1])
    assert (last["event"], last["outcome"], last["output"]) == ("build", "ok", ["/dev/stdout"])


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_file_at_a_stream_gets_exactly_the_binary(
    lab: Lab, small: Path, expected: bytes, stream: str
) -> None:
    """What else is to be said goes to the other one; a text that is appended to is left alone."""
    file = lab.folder / "file"
    with open(file, "wb") as opened:
        assert build(lab, "luigigo", small, f"/dev/{stream}", **{stream: opened}).returncode == 0
    assert file.read_bytes() == expected
    file.write_text("a month's work")
    with open(file, "ab") as opened:
        finished = build(lab, "luigigo", small, f"/dev/{stream}", **{stream: opened})
    assert finished.returncode == ExitCode.BUILD_FAILED
    assert file.read_text().startswith("a month's work")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_named_pipe_is_written_to_and_stays(lab: Lab, small: Path, expected: bytes, command: str) -> None:
    """Whoever reads it gets the binary, also of the next build; looking at it waits for nobody."""
    pipe = small / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    for _ in range(2):
        received.clear()
        reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()), daemon=True)
        reader.start()
        finished = build(lab, command, small, "pipe")
        assert finished.returncode == 0, finished.stderr
        assert "up to date" not in finished.stderr
        reader.join(60)
        assert received == [expected]
        assert pipe.is_fifo()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_device_is_an_error_that_names_it(lab: Lab, small: Path, command: str) -> None:
    """And stays what it is."""
    finished = build(lab, command, small, "/dev/full")
    assert finished.returncode == ExitCode.STORE
    assert "luigigo: cannot write /dev/full: No space left on device" in finished.stderr
    assert Path("/dev/full").is_char_device()
