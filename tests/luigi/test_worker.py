"""`SlotWorker` and the pieces around it, under Luigi's own command line and `luigi.build`."""

from __future__ import annotations

import _imp
import json
import queue
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import flows as workflows
import luigi
import pytest
from luigi.execution_summary import LuigiStatusCode
from runs import Flows, Luigid, wait_until

from luigigo.client import exit_codes, signals
from luigigo.client.local_worker import SlotWorker
from luigigo.client.slot_worker import SlotTask, SlotThreads, leave_slot
from luigigo.errors import ExitCode, PlanError
from luigigo.scheduling.scheduler import ReadyScheduler


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the tasks of this process write."""
    monkeypatch.setenv("FLOWS_FOLDER", str(tmp_path))
    return tmp_path


def build(*tasks: luigi.Task, **options: Any) -> Any:
    """`luigi.build` with a scheduler in this process."""
    return luigi.build(list(tasks), local_scheduler=True, detailed_summary=True, **options)


def test_slot_tasks_run_in_this_process(flows: Flows) -> None:
    """All slot tasks of a graph run, each once, in the one process, and the command ends with 0."""
    process = flows.start("Fan", "--local-scheduler", "--workers", "3")
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert sorted(flows.ran()) == sorted([*(f"Slot-{index}" for index in range(20)), "Fan-root"])
    assert flows.ran()[-1] == "Fan-root"
    assert flows.pids() == {str(process.pid)}


def test_slot_tasks_are_not_logged_one_by_one(flows: Flows) -> None:
    """A run says what Luigi says of a run, and nothing of each slot task."""
    err = flows.local("Fan").stderr
    assert "Scheduled 21 tasks" in err
    assert "Informed scheduler" not in err
    assert "running   " not in err


def test_a_second_run_finds_all_done(flows: Flows) -> None:
    """What is complete is not run again."""
    flows.local("Chain")
    before = flows.ran()
    assert flows.local("Chain").returncode == 0
    assert flows.ran() == before


@pytest.mark.parametrize("workers", ["1", "3"])
def test_general_tasks_run_as_luigi_runs_them(flows: Flows, workers: str) -> None:
    """General tasks work beside slot tasks: in-line with one worker, forked with more."""
    ended = flows.local("GeneralPair", "--workers", workers)
    assert ended.returncode == 0, ended.stderr
    assert {"General-a", "General-b"} <= set(flows.ran())
    assert len(flows.pids()) == (1 if workers == "1" else 3)


def test_a_slot_task_may_find_its_needs_as_it_runs(flows: Flows) -> None:
    """Dependencies that a slot task yields are made before it goes on."""
    ended = flows.local("Grows")
    assert ended.returncode == 0, ended.stderr
    assert flows.ran() == ["Slot-grown", "Grows-root"]


def test_a_failed_action_is_told_once(flows: Flows) -> None:
    """A task's own error ends the command with 1, other tasks still run, and no traceback is printed."""
    ended = flows.local("OnFails")
    assert ended.returncode == ExitCode.BUILD_FAILED
    assert (ended.stdout + ended.stderr).count("the tool's own message") == 1
    assert "Traceback" not in ended.stderr
    assert flows.ran() == ["Slot-root"]


def test_a_bug_keeps_its_traceback(flows: Flows) -> None:
    """An error that is not luigigo's is logged as Luigi logs it."""
    ended = flows.local("Crashes")
    assert ended.returncode == ExitCode.BUILD_FAILED
    assert "Traceback" in ended.stderr
    assert "ValueError: a bug" in ended.stderr


@pytest.mark.parametrize(
    ("task", "message"), [("OnUnplannable", "no such package"), ("Uncheckable", "no such folder")]
)
def test_an_error_in_planning_is_told_once(flows: Flows, task: str, message: str) -> None:
    """An error from `requires` or `complete` is printed once without traceback; its code is the command's."""
    ended = flows.local(task)
    assert ended.returncode == ExitCode.PLAN_FAILED
    assert ended.stderr.count(message) == 1
    assert "Traceback" not in ended.stderr
    assert "failed scheduling" in ended.stderr


@pytest.mark.parametrize("workers", [1, 4])
def test_luigi_build_returns_a_result(folder: Path, workers: int) -> None:
    """`luigi.build` returns for success and failure alike, with Luigi's own status."""
    assert build(workflows.Fan(), workers=workers).status == LuigiStatusCode.SUCCESS
    result = build(workflows.OnFails(), workers=workers)
    assert result.status == LuigiStatusCode.FAILED
    assert isinstance(result.worker, SlotWorker)


def test_luigi_build_works_on_any_thread(folder: Path) -> None:
    """A build may be started where no signal handler can be installed."""
    results: queue.SimpleQueue[Any] = queue.SimpleQueue()
    thread = threading.Thread(target=lambda: results.put(build(workflows.Chain())))
    thread.start()
    assert results.get(timeout=60).status == LuigiStatusCode.SUCCESS
    thread.join()


def test_events_are_luigis(folder: Path) -> None:
    """The events of adding and running come as Luigi sends them."""
    seen: list[str] = []
    for event in (
        luigi.Event.DEPENDENCY_DISCOVERED,
        luigi.Event.START,
        luigi.Event.SUCCESS,
        luigi.Event.FAILURE,
    ):
        workflows.Slot.event_handler(event)(lambda *_, event=event: seen.append(event))
    try:
        build(workflows.OnFails())
    finally:
        luigi.Task._event_callbacks.pop(workflows.Slot)
    assert seen.count(luigi.Event.DEPENDENCY_DISCOVERED) == 2
    assert seen.count(luigi.Event.START) == 2
    assert seen.count(luigi.Event.SUCCESS) == 1
    assert seen.count(luigi.Event.FAILURE) == 1


class Meter(luigi.Task):
    """A slot task that notes how much was claimed while it ran."""

    runs_in_slot = True
    index = luigi.IntParameter()
    predicted_peak_bytes = luigi.IntParameter(default=0)
    runs_alone = luigi.BoolParameter(default=False)

    done: set[int] = set()  # noqa: RUF012
    running: list[Meter] = []  # noqa: RUF012
    peaks: list[tuple[int, int, bool]] = []  # noqa: RUF012
    lock = threading.Lock()

    def complete(self) -> bool:
        return self.index in self.done

    def run(self) -> None:
        with self.lock:
            self.running.append(self)
            claimed = sum(task.predicted_peak_bytes for task in self.running)
            self.peaks.append((claimed, len(self.running), any(task.runs_alone for task in self.running)))
        with self.lock:
            self.running.remove(self)
        self.done.add(self.index)


def test_running_tasks_fit_the_budget() -> None:
    """Tasks wait for memory rather than run together, exclusive ones run alone, and all of them run."""
    Meter.done.clear()
    with SlotWorker(ReadyScheduler(), worker_processes=6, budget_bytes=100) as worker:
        for index in range(120):
            worker.add(
                Meter(index=index, predicted_peak_bytes=(index * 37) % 130, runs_alone=index % 11 == 0)
            )
        assert worker.run()
    assert len(Meter.done) == 120
    assert all(claimed <= 100 or running == 1 for claimed, running, _ in Meter.peaks)
    assert all(running == 1 for _, running, alone in Meter.peaks if alone)


class Waiter(Meter):
    """Begins with all the memory, leaves its slot until all others ran, and then takes both again."""

    count = luigi.IntParameter(default=0)
    """How many others there are."""

    def run(self) -> None:
        come_back = leave_slot()
        wait_until(lambda: len([index for index in self.done if index >= 0]) == self.count)
        come_back()
        super().run()


def test_a_task_that_waits_for_others_leaves_slot_and_memory(folder: Path) -> None:
    """The others need the only slot and all the memory; who comes back has both, as one of them."""
    Meter.done.clear()
    Meter.peaks.clear()
    with SlotWorker(ReadyScheduler(), worker_processes=1, budget_bytes=100) as worker:
        for index in range(-3, 8):
            kind, more = (Waiter, {"count": 8}) if index < 0 else (Meter, {})
            worker.add(kind(index=index, predicted_peak_bytes=100, **more))
        assert worker.run()
    assert len(Meter.done) == 11
    assert {running for _, running, _ in Meter.peaks} == {1}


def test_a_wait_without_a_slot_keeps_nothing() -> None:
    """Outside of a worker's threads there is nothing to give up, and nothing to wait for."""
    leave_slot()()


def make_slot(task: luigi.Task) -> tuple[SlotTask, queue.SimpleQueue[Any]]:
    results: queue.SimpleQueue[Any] = queue.SimpleQueue()
    return SlotTask(
        task, "w", results, luigi.worker.TaskStatusReporter(None, "", "", None), SlotThreads()
    ), results


def test_a_slot_reports_its_result_once(folder: Path) -> None:
    """A slot's run puts Luigi's tuple on the queue and is over then."""
    slot, results = make_slot(workflows.Slot())
    assert not slot.is_alive()
    slot.start()
    assert results.get(timeout=60) == (workflows.Slot().task_id, "DONE", None, [], [])
    slot.join(60)
    assert not slot.is_alive()
    assert results.empty()


def test_a_slot_that_was_given_up_reports_nothing(folder: Path) -> None:
    """A late result of a run that was terminated does not count for the next run of the task."""
    slot, results = make_slot(workflows.Slot())
    slot.terminate()
    slot.run()
    assert results.empty()


def test_the_first_error_of_a_run_decides() -> None:
    """Of several errors the first gives the exit code, until the next run begins."""
    exit_codes.reset()
    exit_codes.note(PlanError("first"))
    exit_codes.note(workflows.ActionError("second"))
    assert exit_codes.noted() is ExitCode.PLAN_FAILED
    exit_codes.reset()
    assert exit_codes.noted() is None


@pytest.mark.parametrize(
    ("task", "signal_number", "code"),
    [
        ("Waits", signal.SIGINT, ExitCode.INTERRUPTED),
        ("Waits", signal.SIGTERM, ExitCode.TERMINATED),
        ("GeneralWaits", signal.SIGINT, ExitCode.INTERRUPTED),
        ("GeneralWaits", signal.SIGTERM, ExitCode.TERMINATED),
    ],
)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupt_ends_the_command(
    flows: Flows, task: str, signal_number: int, code: int, workers: str
) -> None:
    """Ctrl-C and SIGTERM end a run with their own codes and one line, without a traceback."""
    process = flows.start(task, "--local-scheduler", "--workers", workers)
    flows.wait_for()
    flows.interrupt(process, signal_number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert err.count("luigigo: interrupted") == 1
    assert "Traceback" not in err, err
    assert task not in str(flows.ran())


def test_sigterm_is_given_back(folder: Path) -> None:
    """After a build the process treats SIGTERM as it did before."""
    before = signal.getsignal(signal.SIGTERM)
    build(workflows.Chain())
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_interrupt_stops_once_and_quickly() -> None:
    """What runs is stopped once, and a second interrupt in the meantime does not show."""
    stopped = []

    def stop() -> None:
        stopped.append(True)
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended, signals.interruptible(stop):
        raise KeyboardInterrupt
    assert ended.value.code == ExitCode.INTERRUPTED
    assert stopped == [True]


def test_an_interrupt_waits_for_a_fork() -> None:
    """An interrupt that arrives while Python would drop it is raised right after, and only once."""
    reached = []

    def interrupted() -> None:
        with signals.interruptible(lambda: None), signals.deferred():
            signal.raise_signal(signal.SIGTERM)
            reached.append(True)

    with pytest.raises(SystemExit) as ended:
        interrupted()
    assert (ended.value.code, reached) == (ExitCode.TERMINATED, [True])
    signals.check()


def test_an_interrupt_waits_while_modules_are_locked() -> None:
    """What is raised inside the import system may leave its lock taken: every later import waits for it."""
    reached = []

    def interrupted() -> None:
        with signals.interruptible(lambda: None):
            _imp.acquire_lock()
            try:
                signal.raise_signal(signal.SIGINT)
                reached.append(True)
            finally:
                _imp.release_lock()
            threading.Event().wait(60)

    with pytest.raises(SystemExit) as ended:
        interrupted()
    assert (ended.value.code, reached) == (ExitCode.INTERRUPTED, [True])


def test_a_dropped_interrupt_is_raised_again() -> None:
    """An interrupt that was swallowed on its way still ends the run."""
    with pytest.raises(SystemExit), signals.interruptible(lambda: None), suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_a_stock_luigid_schedules(flows: Flows, luigid: Luigid) -> None:
    """All works through a stock luigid, which knows afterwards what was done."""
    ended = flows.run("GeneralPair", "--workers", "2", *luigid.arguments)
    assert ended.returncode == 0, ended.stderr
    assert len(luigid.scheduler.task_list("DONE", "")) == len(flows.ran()) + 1


def test_luigid_shows_why_a_task_failed(flows: Flows, luigid: Luigid) -> None:
    """A failed task ends the command with 1; the visualizer gets its text."""
    assert flows.run("OnFails", *luigid.arguments).returncode == ExitCode.BUILD_FAILED
    (task_id,) = luigid.scheduler.task_list("DISABLED", "")
    assert json.loads(luigid.scheduler.fetch_error(task_id)["error"]) == "the tool's own message"


def test_a_mended_task_runs_again_at_once(flows: Flows, luigid: Luigid) -> None:
    """luigid's memory of a failure does not keep the next run from trying."""
    assert flows.run("FailsOnce", *luigid.arguments).returncode == ExitCode.BUILD_FAILED
    flows.allow("mended")
    ended = flows.run("FailsOnce", *luigid.arguments)
    assert ended.returncode == 0, ended.stderr
    assert flows.ran() == ["FailsOnce-root"]


def test_a_lost_output_is_made_again_at_once(flows: Flows, luigid: Luigid) -> None:
    """luigid's memory of a success does not keep the next run from making an output that is gone."""
    assert flows.run("Slot", *luigid.arguments).returncode == 0
    (flows.folder / "Slot-root").unlink()
    ended = flows.run("Slot", *luigid.arguments)
    assert ended.returncode == 0, ended.stderr
    assert flows.ran() == ["Slot-root", "Slot-root"]


def running_on(luigid: Luigid) -> Any:
    return luigid.scheduler.task_list("RUNNING", "")


def test_two_clients_share_the_work(flows: Flows, luigid: Luigid) -> None:
    """A client waits for what another one runs for it; both end with 0, and nothing ran twice."""
    first = flows.start("OnWaits", *luigid.arguments)
    flows.wait_for()
    second = flows.start("OnWaits", *luigid.arguments)
    wait_until(lambda: len(luigid.scheduler.worker_list()) == 2)
    wait_until(lambda: all(len(node["workers"]) == 2 for node in running_on(luigid).values()))
    flows.allow()
    for client in (first, second):
        _, err = client.communicate(timeout=60)
        assert client.returncode == 0, err
        assert "This progress looks :)" in err
    assert flows.ran() == ["Waits-root", "OnWaits-root"]


def test_what_another_client_made_meanwhile_counts(flows: Flows, luigid: Luigid) -> None:
    """A client that was busy itself while another made what it needs ends with 0."""
    first = flows.start("Waits", *luigid.arguments)
    flows.wait_for()
    second = flows.start("OnTwoWaits", *luigid.arguments)
    flows.wait_for("waiting-other")
    flows.allow()
    assert first.wait(timeout=60) == 0
    flows.allow("go-other")
    _, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
    assert flows.ran() == ["Waits-root", "Waits-other", "OnTwoWaits-root"]


def test_equal_clients_on_one_luigid_both_succeed(flows: Flows, luigid: Luigid) -> None:
    """Two equal commands at once share the tasks as it happens; both end with 0, and nothing ran twice."""
    clients = [flows.start("Fan", "--workers", "2", *luigid.arguments) for _ in range(2)]
    for client in clients:
        _, err = client.communicate(timeout=60)
        assert client.returncode == 0, err
    assert len(flows.ran()) == len(set(flows.ran())) == 21


def test_a_client_takes_over_from_an_interrupted_one(flows: Flows, luigid: Luigid) -> None:
    """What an interrupted client ran for both is run by the other."""
    first = flows.start("OnWaits", *luigid.arguments)
    flows.wait_for()
    second = flows.start("OnWaits", *luigid.arguments)
    wait_until(lambda: any(len(node["workers"]) == 2 for node in running_on(luigid).values()))
    flows.interrupt(first)
    assert first.wait(timeout=60) == ExitCode.INTERRUPTED
    flows.allow()
    _, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
    assert flows.ran() == ["Waits-root", "OnWaits-root"]


def test_an_interrupted_run_can_be_started_again_at_once(flows: Flows, luigid: Luigid) -> None:
    """After Ctrl-C luigid does not take the tasks for running."""
    first = flows.start("Waits", *luigid.arguments)
    flows.wait_for()
    flows.interrupt(first)
    assert first.wait(timeout=60) == ExitCode.INTERRUPTED
    assert not running_on(luigid)
    flows.allow()
    assert flows.run("Waits", *luigid.arguments).returncode == 0


def test_another_clients_failure_is_shown_here_too(flows: Flows, luigid: Luigid) -> None:
    """A task that failed under another client is tried once more here, so that this user sees why."""
    luigid.scheduler.add_task(
        worker="other", task_id=workflows.Fails().task_id, status="PENDING", family="Fails"
    )
    luigid.scheduler.get_work(worker="other", host="there", current_tasks=[])
    client = flows.start("OnFails", *luigid.arguments)
    wait_until(lambda: any(len(node["workers"]) == 2 for node in running_on(luigid).values()))
    luigid.scheduler.add_task(
        worker="other",
        task_id=workflows.Fails().task_id,
        status="FAILED",
        expl='""',
        runnable=None,
        retry_policy_dict={"retry_count": 1, "disable_hard_timeout": None, "disable_window": None},
    )
    out, err = client.communicate(timeout=60)
    assert client.returncode == ExitCode.BUILD_FAILED, err
    assert "the tool's own message" in out
