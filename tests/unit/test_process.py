"""Processes: their output, their end, and killing them."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from luigigo.process import Command, Finished, Interrupted, Runner

ENV = {"PATH": "/usr/bin:/bin"}


def shell(script: str, *, stdin: bytes = b"", separate_stderr: bool = False) -> Command:
    return Command(("/bin/sh", "-c", script), "/", ENV, stdin, separate_stderr)


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until(condition: object, seconds: float = 5.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_output_keeps_the_order_in_which_both_streams_were_written() -> None:
    """stdout and stderr are one stream, as on a terminal."""
    finished = Runner().run(shell("echo one; echo two >&2; echo three; echo four >&2"))
    assert finished.output == b"one\ntwo\nthree\nfour\n"
    assert finished.exit_code == 0
    assert finished.stderr == b""


def test_stderr_is_apart_when_asked_for() -> None:
    """A command may ask for its streams one by one."""
    finished = Runner().run(shell("echo out; echo err >&2", separate_stderr=True))
    assert (finished.output, finished.stderr) == (b"out\n", b"err\n")


def test_stdin_is_what_the_command_says_and_empty_otherwise() -> None:
    """A child never reads from our terminal."""
    assert Runner().run(shell("cat", stdin=b"text")).output == b"text"
    assert Runner().run(shell("cat")).output == b""


def test_stderr_can_be_followed_while_the_command_runs() -> None:
    """Each line is handed on before the end, whole, once, and in order."""
    heard: list[tuple[float, str]] = []
    command = shell(
        "echo one >&2; printf tw >&2; sleep 1; echo o >&2; printf three >&2", separate_stderr=True
    )
    finished = Runner().run(command, lambda line: heard.append((time.monotonic(), line)))
    assert [line for _, line in heard] == ["one", "two", "three"]
    assert heard[0][0] < heard[1][0] - 0.5
    assert finished.stderr == b"one\ntwo\nthree"


def test_large_output_comes_whole() -> None:
    """No amount of output blocks the child."""
    finished = Runner().run(shell("head -c 8000000 /dev/zero"))
    assert finished.output == bytes(8_000_000)


@pytest.mark.parametrize("code", [1, 2, 127, 255])
def test_exit_code_is_the_commands(code: int) -> None:
    """A failure is a result, not an exception."""
    assert Runner().run(shell(f"exit {code}")).exit_code == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_a_signal_is_a_negative_exit_code(number: signal.Signals) -> None:
    """Who was killed is told from who failed."""
    assert Runner().run(shell(f"ulimit -c 0; kill -{int(number)} $$")).exit_code == -number


def test_the_environment_is_only_what_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is inherited."""
    monkeypatch.setenv("LUIGIGO_LEAK", "1")
    finished = Runner().run(Command(("/usr/bin/env",), "/", {"ONLY": "this"}))
    assert finished.output == b"ONLY=this\n"


def test_the_folder_is_the_commands(tmp_path: Path) -> None:
    """The child starts where the command says."""
    finished = Runner().run(Command(("/bin/pwd",), str(tmp_path), ENV))
    assert os.fsdecode(finished.output).strip() == str(tmp_path.resolve())


def test_arguments_are_passed_as_they_are() -> None:
    """No shell looks at the arguments."""
    arguments = ("a b", "$HOME", "*", '"', "'", "\n", "", "\udcff")
    finished = Runner().run(Command(("/usr/bin/printf", "%s|", *arguments), "/", ENV))
    assert finished.output == b"".join(os.fsencode(argument) + b"|" for argument in arguments)


def test_an_absent_program_raises(tmp_path: Path) -> None:
    """What cannot be started raises what the system says."""
    with pytest.raises(FileNotFoundError):
        Runner().run(Command((str(tmp_path / "absent"),), "/", ENV))
    with pytest.raises(FileNotFoundError):
        Runner().run(Command(("/bin/true",), str(tmp_path / "absent"), ENV))
    plain = tmp_path / "plain"
    plain.write_text("")
    with pytest.raises(PermissionError):
        Runner().run(Command((str(plain),), "/", ENV))


def test_a_child_leads_its_own_session() -> None:
    """Ctrl-C on the terminal reaches us and not our children."""
    finished = Runner().run(shell("echo $$; cut -d' ' -f6 /proc/self/stat"))
    pid, session = finished.output.split()
    assert pid == session != str(os.getsid(0)).encode()


def test_kill_all_ends_children_and_grandchildren(tmp_path: Path) -> None:
    """gcc's children die with gcc, and the waiting thread gets `Interrupted` at once."""
    runner = Runner()
    file = tmp_path / "pids"
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(runner.run, shell(f"sleep 60 & echo $! $$ > {file}; wait"))
        wait_until(lambda: file.exists() and len(file.read_text().split()) == 2)
        started = time.monotonic()
        runner.kill_all()
        with pytest.raises(Interrupted):
            future.result(timeout=5)
    assert time.monotonic() - started < 2
    for pid in map(int, file.read_text().split()):
        wait_until(lambda pid=pid: not is_alive(pid))


def test_nothing_runs_after_kill_all() -> None:
    """A runner that was stopped stays stopped."""
    runner = Runner()
    runner.kill_all()
    with pytest.raises(Interrupted):
        runner.run(shell("true"))


def test_no_child_survives_kill_all_while_others_start() -> None:
    """A child that starts at the same moment is killed, too."""
    runner = Runner()
    ended: list[object] = []

    def keep_running() -> None:
        try:
            while True:
                ended.append(runner.run(shell("sleep 30")))
        except Interrupted as interrupted:
            ended.append(interrupted)

    threads = [threading.Thread(target=keep_running) for _ in range(20)]
    for thread in threads:
        thread.start()
    time.sleep(0.01)
    runner.kill_all()
    for thread in threads:
        thread.join(timeout=10)
        assert not thread.is_alive()
    assert len(ended) == 20 and all(isinstance(end, Interrupted) for end in ended)


def test_kill_all_is_safe_in_a_signal_handler() -> None:
    """A handler may stop the runner while its own thread waits for a child."""
    runner = Runner()
    before = signal.signal(signal.SIGUSR1, lambda *_: runner.kill_all())
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        with pytest.raises(Interrupted):
            runner.run(shell("sleep 30"))
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)


def test_an_exception_while_waiting_kills_the_child(tmp_path: Path) -> None:
    """Ctrl-C without a handler leaves no process behind."""

    def raise_interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    file = tmp_path / "pid"
    before = signal.signal(signal.SIGUSR1, raise_interrupt)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            Runner().run(shell(f"echo $$ > {file}; sleep 30"))
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)
    assert not is_alive(int(file.read_text()))


def test_children_of_a_killed_child_die(tmp_path: Path) -> None:
    """When the system kills a compiler driver, its compiler does not run on."""
    file = tmp_path / "pid"
    finished = Runner().run(shell(f"sleep 60 & echo $! > {file}; kill -9 $$"))
    assert finished.exit_code == -signal.SIGKILL
    wait_until(lambda: not is_alive(int(file.read_text())))


def test_a_grandchild_that_keeps_the_output_open_delays_nothing() -> None:
    """The result is there when the child ends."""
    finished = Runner().run(shell("sleep 3 & echo done"))
    assert finished.output == b"done\n"
    assert finished.seconds < 2


def test_what_it_took_is_plausible() -> None:
    """Time and memory are those of the child."""
    script = "x = bytearray(80_000_000); sum(range(3_000_000))"
    finished = Runner().run(Command((sys.executable, "-c", script), "/", ENV))
    assert finished.exit_code == 0
    assert 0.01 < finished.cpu_seconds < 30
    assert finished.seconds > 0.01
    assert 80_000_000 < finished.peak_bytes < 4_000_000_000


def test_two_hundred_commands_at_once() -> None:
    """Threads do not disturb each other."""
    runner = Runner()

    def run(number: int) -> Finished:
        return runner.run(shell(f"echo {number}; exit {number % 7}"))

    with ThreadPoolExecutor(200) as pool:
        for number, finished in enumerate(pool.map(run, range(200))):
            assert finished.output == f"{number}\n".encode()
            assert finished.exit_code == number % 7


def test_no_descriptors_and_no_warnings_are_left() -> None:
    """A long-lived worker does not run out of descriptors."""
    runner = Runner()
    runner.run(shell("true"))
    before = len(os.listdir("/proc/self/fd"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(20):
            runner.run(shell("exit 1", stdin=b"x", separate_stderr=True))
        gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_scope_is_killed_by_itself(tmp_path: Path) -> None:
    """Killing a scope ends what runs in it, with what that started, and nothing of other scopes."""
    runner = Runner()
    pids = tmp_path / "pids"

    def run(scope: str, script: str) -> Finished:
        with runner.scope(scope):
            return runner.run(shell(script))

    with ThreadPoolExecutor(2) as pool:
        doomed = pool.submit(run, "doomed", f"sleep 60 & echo $! $$ > {pids}; wait")
        other = pool.submit(run, "other", f"while [ ! -e {tmp_path}/end ]; do sleep 0.01; done; echo fine")
        wait_until(lambda: pids.exists() and pids.read_text())
        runner.kill("doomed")
        with pytest.raises(Interrupted):
            doomed.result(5)
        wait_until(lambda: not any(is_alive(int(pid)) for pid in pids.read_text().split()))
        (tmp_path / "end").touch()
        assert other.result(5).output == b"fine\n"


def test_nothing_more_runs_in_a_killed_scope() -> None:
    """After a scope was killed nothing begins in it; the next one of the same name is not touched by that."""
    runner = Runner()
    with runner.scope("lease"):
        runner.kill("lease")
        with pytest.raises(Interrupted):
            runner.run(shell("true"))
    with runner.scope("lease"):
        assert runner.run(shell("true")).exit_code == 0
    assert runner.run(shell("true")).exit_code == 0


def test_a_scope_is_one_threads() -> None:
    """What other threads run does not belong to a scope."""
    runner = Runner()
    with runner.scope("mine"), ThreadPoolExecutor(1) as pool:
        runner.kill("mine")
        assert pool.submit(runner.run, shell("true")).result(5).exit_code == 0


def test_killed_scopes_are_not_remembered_for_ever() -> None:
    """A scope that is killed before it begins runs nothing, and no more than a thousand are kept in mind."""
    runner = Runner()
    for number in range(5000):
        runner.kill(number)
    with runner.scope(4999), pytest.raises(Interrupted):
        runner.run(shell("true"))
    assert len(runner._stopped_scopes) < 1000
