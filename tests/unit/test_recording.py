"""What a process writes down of its run: phases, plans, attempts, and what runs meanwhile."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from test_golang_plan import World

from luigigo.attempts import Attempt, Moments, SlotTurn, Waits
from luigigo.builds import recording
from luigigo.builds.phases import Phases
from luigigo.builds.recording import Recorder
from luigigo.execution import stopwatch
from luigigo.execution.events import ActionEnded, ActionStarted, Outcome
from luigigo.execution.stopwatch import Stopwatch
from luigigo.golang.actions import Plan
from luigigo.runrecords.reading import RunRecord, read_run


class Clock:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def started(store: Path) -> Recorder:
    return Recorder(str(store), Phases(time.monotonic()), pytest.fail)


def run_all(recorder: Recorder, plan: Plan) -> None:
    """Each action once, as a process that builds two plans runs what both have."""
    attempt = Attempt(Moments(ready=0.0, started=0.0, ended=1.0), 0, Waits(builds=0.5))
    for action in plan.actions.values():
        recorder(ActionStarted(action.key, action.label))
        recorder(
            ActionEnded(action.key, "compile", action.package, action.label, Outcome.RAN, 1.0, "n1",
                        attempt=attempt)
        )  # fmt: skip


def recorded(store: Path, recorder: Recorder) -> RunRecord:
    recorder.close("ok")
    return read_run(str(store), recorder.run_id)


def test_what_two_plans_have_is_one_action(tmp_path: Path) -> None:
    """An action of two plans of a run has one number, and so one attempt, and both plans refer to it."""
    world, other = World(), World()
    other.contents[("example.com/app", "main.go")] = "edited"
    first, second = world.plan(), other.plan()
    recorder = started(tmp_path)
    for plan, digest in ((first, "a"), (second, "b")):
        recorder.note_plan(plan, digest, world.request, {})
    shared = {action.key for action in first.actions.values()} & {
        action.key for action in second.actions.values()
    }
    assert shared
    run_all(recorder, first)
    run = recorded(tmp_path, recorder)
    ids = [each.id for each in run.actions]
    assert len(ids) == len(first.actions) + len(second.actions) - len(shared)
    assert len({attempt.action for attempt in run.attempts}) == len(first.actions)
    again = run.plans[1]
    (main,) = (each for each in again.actions if each.id == "compile example.com/app")
    assert "compile runtime" not in {each.id for each in again.actions}
    assert {ids[number] for number in main.dependencies} == set(second.actions[main.id].dependencies)
    assert {ids[root] for root in again.roots} == {root.action for root in second.roots}


def test_what_runs_long_is_told_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one action runs on for long the record shows a sign of life, now and then and not each time."""
    plan = World().plan()
    recorder = started(tmp_path)
    recorder.note_plan(plan, "a", World().request, {})
    action = next(iter(plan.actions.values()))
    recorder(ActionStarted(action.key, action.label))
    now = time.monotonic()
    monkeypatch.setattr(recording.time, "monotonic", lambda: now)
    assert len(recorder._now_lines()) == 1
    assert recorder._now_lines() == ()
    now += recording.AGAIN_SECONDS
    assert len(recorder._now_lines()) == 1
    recorder(ActionEnded(action.key, "compile", "p", "p", Outcome.RAN, 1.0, "n1"))
    assert len(recorder._now_lines()) == 1
    now += recording.AGAIN_SECONDS
    assert recorder._now_lines() == ()
    recorder.close("ok")


def test_a_wait_for_another_build_is_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was waited for to the very end is told as waiting, also where the tools never ran."""
    clock = Clock()
    clock.now = 1.0
    monkeypatch.setattr(stopwatch.time, "monotonic", clock)
    watch = Stopwatch()
    clock.now = 3.0
    watch.leave_slot()
    clock.now = 10.0
    attempt = watch.attempt(SlotTurn())
    assert attempt.waits.builds == 7.0
    assert watch.seconds == 2.0


def test_phases_that_overlap_end_with_what_was_before() -> None:
    """Two deliveries at a time are one phase, after which what went on before them goes on."""
    clock = Clock()
    phases = Phases(0.0, clock)
    clock.now = 1.0
    phases.enter("run")
    first, second = phases.during("deliver"), phases.during("deliver")
    clock.now = 2.0
    first.__enter__()
    second.__enter__()
    clock.now = 3.0
    first.__exit__(None, None, None)
    clock.now = 4.0
    second.__exit__(None, None, None)
    clock.now = 5.0
    found = [msgspec.structs.astuple(each) for each in phases.end()]
    assert found == [("start", 0.0, 1.0), ("run", 1.0, 2.0), ("deliver", 2.0, 4.0), ("run", 4.0, 5.0)]


def test_no_phase_is_lost_between_threads() -> None:
    """Who takes what is over while another goes on gets each phase once, and no gap is between them."""
    phases = Phases(time.monotonic())
    taken = []

    def take() -> None:
        while not ended.is_set():
            taken.extend(phases.take())

    ended = threading.Event()
    taker = threading.Thread(target=take)
    taker.start()
    for number in range(5000):
        phases.enter(f"{number}")
    ended.set()
    taker.join()
    taken.extend(phases.end())
    assert [each.name for each in taken] == ["start", *(f"{number}" for number in range(5000))]
    assert all(one.end == other.start for one, other in pairwise(taken))
