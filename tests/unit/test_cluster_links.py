"""Asking nodes: the agent's protocol, what is done at once, and what is said when there is no agent."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import paramiko
import pytest
from paramiko.ssh_exception import BadHostKeyException, NoValidConnectionsError

from luigigo.cluster import agent, links, ssh
from luigigo.cluster.messages import Clock, ForNode, NodeError, Nothing, Probe
from luigigo.clusterfile import ClusterDescription, NodeEntry, SchedulerPlace, as_file


def ask_agent(*lines: bytes) -> list[dict[str, object]]:
    """What the agent answers to these lines."""
    answers = io.BytesIO()
    agent.serve(io.BytesIO(b"".join(line + b"\n" for line in lines)), answers)
    return [json.loads(line.removeprefix(agent.ANSWER)) for line in answers.getvalue().splitlines()]


def test_the_agent_answers_line_by_line() -> None:
    """A question that makes no sense is answered, too, and the next is heard."""
    unknown, torn, wrong, right = ask_agent(
        b'{"verb": "fly", "request": {}}',
        b"{",
        b'{"verb": "look", "request": {"folder": 1}}',
        b'{"verb": "clock", "request": {}}',
    )
    assert "does not know how to 'fly'" in str(unknown["flaw"])
    assert "does not understand" in str(torn["flaw"])
    assert "Expected `str`" in str(wrong["flaw"])
    assert right["flaw"] == "" and "time_seconds" in right["answer"]  # type: ignore[operator]


def test_the_remote_command_takes_everything_from_its_input(tmp_path: Path) -> None:
    """A shell runs the constant; the interpreter's path is no part of it, whatever is in that path."""
    evil = tmp_path / "a b; $(touch stolen)'\""
    evil.mkdir()
    python = evil / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    questions = f'{python}\n{{"verb": "clock", "request": {{}}}}\n'
    run = subprocess.run(["/bin/sh", "-c", links.COMMAND], input=questions, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(agent.ANSWER.decode())
    assert os.listdir(tmp_path) == [evil.name]


def test_what_else_is_printed_is_no_answer(tmp_path: Path) -> None:
    """Output of a library goes to standard error."""
    program = (
        "import luigigo.cluster.agent as a; a.answer_to = lambda *_: print('noise') or a.Answer(); a.main()"
    )
    line = '{"verb": "clock", "request": {}}\n'
    run = subprocess.run([sys.executable, "-c", program], input=line, capture_output=True, text=True)
    assert (run.stdout.count("\n"), run.stderr) == (1, "noise\n")


def test_this_machine_is_asked_without_ssh(tmp_path: Path) -> None:
    """The same questions, the same answers and the same errors."""
    link = links.LocalLink()
    assert abs(link.ask("clock", Nothing(), Clock, 5.0).time_seconds - time.time()) < 5
    cluster = ClusterDescription(
        str(tmp_path / "absent"), SchedulerPlace("localhost"), (NodeEntry("localhost"),), cache=str(tmp_path)
    )
    probe = link.ask("probe", ForNode(as_file(cluster), "localhost"), Probe, 60.0)
    assert probe.share_flaw == f"{tmp_path / 'absent'} is not there"
    assert probe.go is not None and probe.cpus >= 1
    with pytest.raises(NodeError, match="cannot name a node"):
        link.ask("probe", ForNode(as_file(cluster), "../x"), Probe, 60.0)


def test_all_at_once_and_late_ones_left_behind() -> None:
    """One that hangs does not hold the others up; an exception is its own result."""
    never = threading.Event()

    def fail() -> str:
        raise NodeError("down")

    works: dict[str, Callable[[], str]] = {
        "good": lambda: "fine",
        "bad": fail,
        "late": lambda: str(never.wait(30)),
    }
    started = time.monotonic()
    results = links.in_parallel(works, 0.3)
    assert time.monotonic() - started < 5
    never.set()
    assert results["good"] == "fine"
    assert str(results["bad"]) == "down"
    assert "no answer within" in str(results["late"])


def test_only_own_addresses_are_here() -> None:
    """An address of documentation is nobody's."""
    assert links.is_here("localhost") and links.is_here("127.0.0.1")
    assert not links.is_here("192.0.2.1")
    assert not links.is_here("no-such-host.invalid")


@pytest.mark.parametrize(
    ("exit_code", "said", "words"),
    [
        (127, "/bin/sh: 1: exec: /s/env/bin/python: not found\n", "its Python cannot be started"),
        (126, "/bin/sh: exec: /s/python: Permission denied", "Permission denied"),
        (1, "/usr/bin/python3: No module named luigigo\n", "its Python has no luigigo"),
        (1, "Traceback\nValueError: x\n", "the agent ended with 1: ValueError: x"),
        (None, "", "the connection broke"),
        (-1, "", "the agent ended with -1: it said nothing"),
    ],
)
def test_why_there_is_no_agent(exit_code: int | None, said: str, words: str) -> None:
    """The shell's words become ours."""
    assert words in links.why_no_agent(exit_code, said)


def test_why_there_is_no_connection() -> None:
    """What to do is part of each reason; what is no failure of a connection is a bug."""
    key, entry = paramiko.RSAKey.generate(1024), NodeEntry("n1", user="build")
    reasons = [
        (BadHostKeyException("n1", key, key), r"has CHANGED .* ssh-keygen -R n1"),
        (paramiko.PasswordRequiredException(), "ssh-add"),
        (paramiko.AuthenticationException(), "`ssh build@n1` must work without a password"),
        (NoValidConnectionsError({("n1", 22): OSError()}), "SSH cannot reach it: Unable to connect"),
        (TimeoutError("timed out"), "SSH cannot reach it: timed out"),
        (paramiko.SSHException("Error reading SSH protocol banner"), "SSH failed: Error reading"),
    ]
    for error, words in reasons:
        assert re.search(words, ssh.reason_of(error, entry) or "")
    assert ssh.reason_of(ZeroDivisionError(), entry) is None


def test_answers_are_typed() -> None:
    """A node with another version that answers otherwise is told apart from a broken one."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"time_seconds": "x"}', type=Clock)
