"""Claims: who makes a thing alone on this machine, and how long others wait for it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from luigigo.execution import claims
from luigigo.execution.claims import Claims, Turn

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
LONGEST_WAIT_SECONDS = 20.0

HOLD = """
import sys
from luigigo.execution.claims import Claims, Turn

def make():
    print("made", flush=True)
    sys.stdin.readline()

Claims(sys.argv[1]).make_once("key", lambda: None, make, Turn())
"""


class Holding:
    """Another process that holds the claim on `key`."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "made\n"

    def end(self) -> None:
        """Let it give up the claim."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Callable[[], Holding]]:
    """Starts a process that holds the claim of a store in the test's folder."""
    held: list[Holding] = []

    def start() -> Holding:
        held.append(Holding(tmp_path))
        return held[-1]

    yield start
    for each in held:
        each.end()


class Attempt(threading.Thread):
    """A thread that wants `key`; what it found or made, and whether it waited."""

    def __init__(self, folder: Path, found: list[str], key: str = "key") -> None:
        super().__init__(daemon=True)
        self._claims, self._found, self._key = Claims(str(folder)), found, key
        self.waits, self.came_back = threading.Event(), False
        self.got = ""
        self.start()

    def run(self) -> None:
        turn = Turn(leave=self._leave)
        self.got = self._claims.make_once(self._key, self._find, lambda: "made", turn)

    def _find(self) -> str | None:
        return self._found[0] if self._found else None

    def _leave(self) -> Callable[[], None]:
        self.waits.set()
        return self._come_back

    def _come_back(self) -> None:
        self.came_back = True

    def ended(self) -> bool:
        """Whether it ended in time."""
        self.join(LONGEST_WAIT_SECONDS)
        return not self.is_alive()


def test_who_finds_nobody_makes_it(tmp_path: Path) -> None:
    """And looks once more before, for it may have been made just now."""
    assert Attempt(tmp_path, []).ended()
    found = Attempt(tmp_path, ["found"])
    assert found.ended() and found.got == "found" and not found.waits.is_set()


def test_one_waits_for_the_other_and_takes_what_it_made(tmp_path: Path, hold: Callable[[], Holding]) -> None:
    """Without coming back to a slot."""
    held = hold()
    found: list[str] = []
    waiting = [Attempt(tmp_path, found) for _ in range(3)]
    assert all(each.waits.wait(LONGEST_WAIT_SECONDS) for each in waiting)
    assert all(each.is_alive() for each in waiting)
    found.append("found")
    held.end()
    assert all(each.ended() for each in waiting)
    assert {each.got for each in waiting} == {"found"}
    assert not any(each.came_back for each in waiting)


def test_one_whose_maker_was_killed_makes_it(tmp_path: Path, hold: Callable[[], Holding]) -> None:
    """SIGKILL gives the claim back; of those that waited one after the other makes it, each in a slot."""
    held = hold()
    waiting = [Attempt(tmp_path, []) for _ in range(3)]
    assert all(each.waits.wait(LONGEST_WAIT_SECONDS) for each in waiting)
    held.process.send_signal(signal.SIGKILL)
    assert all(each.ended() for each in waiting)
    assert {each.got for each in waiting} == {"made"}
    assert all(each.came_back for each in waiting)


def test_other_keys_and_other_stores_are_free(tmp_path: Path, hold: Callable[[], Holding]) -> None:
    """A claim is on one thing in one store."""
    hold()
    other = tmp_path / "other"
    other.mkdir()
    for attempt in (Attempt(other, []), Attempt(tmp_path, [], "another key")):
        assert attempt.ended() and attempt.got == "made" and not attempt.waits.is_set()


def test_a_store_is_known_by_any_name(tmp_path: Path, hold: Callable[[], Holding]) -> None:
    """Through a symbolic link as well."""
    hold()
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    assert Attempt(link, []).waits.wait(LONGEST_WAIT_SECONDS)


def test_a_stopped_maker_is_not_waited_for(tmp_path: Path, hold: Callable[[], Holding]) -> None:
    """Neither by who comes then, nor by who waits already."""
    held = hold()
    before = Attempt(tmp_path, [])
    assert before.waits.wait(LONGEST_WAIT_SECONDS)
    held.process.send_signal(signal.SIGSTOP)
    after = Attempt(tmp_path, [])
    assert before.ended() and after.ended()
    assert before.got == after.got == "made"


def name_of(folder: Path) -> bytes:
    """The name that the claim on `key` has."""
    names: list[bytes] = []

    def note(name: bytes) -> claims.Claim:
        names.append(name)
        return claims.Claim()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claims, "_bind", note)
        Claims(str(folder)).make_once("key", lambda: None, lambda: "", Turn())
    return names[0]


def test_a_name_that_nobody_listens_to_holds_nobody_up(tmp_path: Path) -> None:
    """After half a second the work begins."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as squatter:
        squatter.bind(name_of(tmp_path))
        attempt = Attempt(tmp_path, [])
        assert attempt.ended() and attempt.got == "made" and not attempt.waits.is_set()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user as well")
def test_another_users_socket_is_no_claim(tmp_path: Path) -> None:
    """Who squats on the name holds up nobody."""
    name = name_of(tmp_path)
    context = multiprocessing.get_context("fork")
    listens = context.Event()

    def squat() -> None:
        os.setuid(65534)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as squatter:
            squatter.bind(name)
            squatter.listen()
            listens.set()
            time.sleep(LONGEST_WAIT_SECONDS)

    child = context.Process(target=squat)
    child.start()
    try:
        assert listens.wait(LONGEST_WAIT_SECONDS)
        attempt = Attempt(tmp_path, [])
        assert attempt.ended() and attempt.got == "made" and not attempt.waits.is_set()
        assert child.is_alive()
    finally:
        child.kill()
        child.join()


def test_a_forked_child_does_not_keep_its_parents_claim(tmp_path: Path) -> None:
    """What Luigi forks while an action runs may live longer than the action."""
    asked, go = threading.Event(), threading.Event()

    def make() -> str:
        asked.set()
        go.wait(LONGEST_WAIT_SECONDS)
        return "made"

    maker = threading.Thread(
        target=lambda: Claims(str(tmp_path)).make_once("key", lambda: None, make, Turn()), daemon=True
    )
    maker.start()
    assert asked.wait(LONGEST_WAIT_SECONDS)
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(LONGEST_WAIT_SECONDS,))
    child.start()
    try:
        waiting = Attempt(tmp_path, [])
        assert waiting.waits.wait(LONGEST_WAIT_SECONDS)
        go.set()
        maker.join()
        waiting.join(LONGEST_WAIT_SECONDS / 2)
        assert not waiting.is_alive() and child.is_alive()
    finally:
        child.kill()
        child.join()


def test_waiting_ends_when_the_build_is_stopped(tmp_path: Path, hold: Callable[[], Holding]) -> None:
    """What the check raises comes out, though the other goes on."""
    held = hold()

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        Claims(str(tmp_path)).make_once("key", lambda: None, lambda: "made", Turn(check=stop))
    assert held.process.poll() is None


@pytest.mark.parametrize("how", ["no store", "no descriptors"])
def test_without_claims_all_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Nothing is shared, and nothing breaks."""

    def refuse(*arguments: object) -> socket.socket:
        raise OSError(24, "Too many open files")

    if how == "no descriptors":
        monkeypatch.setattr(socket, "socket", refuse)
    root = "" if how == "no store" else str(tmp_path)
    assert Claims(root).make_once("key", lambda: None, lambda: "made", Turn()) == "made"
