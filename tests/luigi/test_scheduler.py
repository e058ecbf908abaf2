"""`ReadyScheduler`: Luigi's scheduler with another `get_work`."""

from __future__ import annotations

import random
from typing import Any

import luigi.scheduler
import pytest
from luigi.task_status import DISABLED, DONE, FAILED, PENDING, UNKNOWN

from luigigo.scheduling.scheduler import ReadyScheduler


def make_scheduler(**config: Any) -> ReadyScheduler:
    """A scheduler that takes failures as final for long, unless told otherwise."""
    return ReadyScheduler(**{"retry_delay": 1000, **config})


def add(scheduler: Any, task_id: str, *deps: str, worker: str = "w", **more: Any) -> None:
    """Add a task as a worker does."""
    scheduler.add_task(worker=worker, task_id=task_id, deps=list(deps), family=task_id, **more)


def finish(scheduler: Any, task_id: str, status: str = DONE, worker: str = "w") -> None:
    """Report a result as a worker does."""
    scheduler.add_task(worker=worker, task_id=task_id, status=status, expl="", runnable=None)


def work(scheduler: Any, worker: str = "w", current: tuple[str, ...] = (), **more: Any) -> Any:
    """The id of the next task for a worker."""
    return scheduler.get_work(worker=worker, host="here", current_tasks=list(current), **more)["task_id"]


def forbid_slow_path(monkeypatch: pytest.MonkeyPatch) -> None:
    def get_work(self: Any, **_: Any) -> None:
        raise AssertionError("Luigi's own get_work was asked")

    monkeypatch.setattr(luigi.scheduler.Scheduler, "get_work", get_work)


def test_gives_tasks_whose_dependencies_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task is given once all that it needs is done, dearest first, without Luigi's slow search."""
    forbid_slow_path(monkeypatch)
    scheduler = make_scheduler()
    add(scheduler, "top", "left", "right")
    add(scheduler, "left")
    add(scheduler, "right", priority=2)
    assert work(scheduler) == "right"
    assert work(scheduler, current=("right",)) == "left"
    assert work(scheduler, current=("right", "left")) is None
    finish(scheduler, "left")
    finish(scheduler, "right")
    assert work(scheduler) == "top"


@pytest.mark.parametrize("status", [UNKNOWN, FAILED, DISABLED])
def test_a_dependency_that_did_not_succeed_is_not_done(status: str) -> None:
    """What needs a task that failed, is disabled or could not be checked is never given."""
    scheduler = make_scheduler()
    add(scheduler, "low", status=status, runnable=False)
    add(scheduler, "top", "low")
    assert work(scheduler) is None


def test_a_parents_priority_reaches_its_dependencies() -> None:
    """A dependency is as urgent as what needs it, added before or after."""
    scheduler = make_scheduler()
    add(scheduler, "plain")
    add(scheduler, "low")
    add(scheduler, "top", "low", priority=5)
    assert work(scheduler) == "low"


def test_a_worker_gets_only_tasks_that_it_can_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another worker's task is not given, unless to an assistant."""
    forbid_slow_path(monkeypatch)
    scheduler = make_scheduler()
    add(scheduler, "theirs", worker="other", priority=9)
    add(scheduler, "mine")
    assert work(scheduler) == "mine"
    assert work(scheduler, current=("mine",)) is None
    assert work(scheduler, worker="helper", assistant=True) == "theirs"


def test_a_lost_reply_is_given_again() -> None:
    """A task given to a worker that does not know of it is given to that worker again."""
    scheduler = make_scheduler()
    add(scheduler, "a")
    assert work(scheduler) == "a"
    assert work(scheduler) == "a"
    assert work(scheduler, current=("a",)) is None


def test_a_failed_task_is_pending_again_after_the_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing else to do, a failure whose delay is over is given again."""
    scheduler = make_scheduler(retry_delay=0)
    add(scheduler, "a")
    assert work(scheduler) == "a"
    finish(scheduler, "a", FAILED)
    scheduler._pruned_at_seconds = -1000.0
    assert work(scheduler) == "a"


def test_a_busy_worker_is_not_taken_for_dead() -> None:
    """A prune within `get_work` counts the worker that asks as alive, however long it was silent."""
    scheduler = make_scheduler()
    add(scheduler, "a")
    scheduler._state.get_worker("w").last_active = 0
    scheduler._pruned_at_seconds = -1000.0
    assert work(scheduler) == "a"


def test_an_idle_worker_learns_exactly_what_is_pending() -> None:
    """A worker with nothing running is told of what it may wait for, and of no task below a disabled one."""
    scheduler = make_scheduler()
    add(scheduler, "failed")
    add(scheduler, "above", "failed")
    assert work(scheduler) == "failed"
    finish(scheduler, "failed", FAILED)
    reply = scheduler.get_work(worker="w", host="here", current_tasks=[])
    assert (reply["task_id"], reply["n_pending_tasks"]) == (None, 2)
    add(scheduler, "failed", status=DISABLED)
    assert scheduler.get_work(worker="w", host="here", current_tasks=[])["n_pending_tasks"] == 0


def test_a_paused_scheduler_gives_nothing() -> None:
    """Pause and unpause work as in Luigi."""
    scheduler = make_scheduler()
    add(scheduler, "a")
    scheduler.pause()
    assert work(scheduler) is None
    scheduler.unpause()
    assert work(scheduler) == "a"


def test_resources_are_respected() -> None:
    """Two tasks that need the same single resource do not run at once."""
    scheduler = make_scheduler(resources={"licence": 1})
    add(scheduler, "a", resources={"licence": 1}, priority=1)
    add(scheduler, "b", resources={"licence": 1})
    assert work(scheduler) == "a"
    assert work(scheduler, current=("a",)) is None
    finish(scheduler, "a")
    assert work(scheduler) == "b"


def test_batches_are_given_as_batches() -> None:
    """Tasks that Luigi runs as one batch still come as one."""
    scheduler = make_scheduler()
    scheduler.add_task_batcher(worker="w", task_family="F", batched_args=["day"])
    for day in "12":
        scheduler.add_task(
            worker="w", task_id=f"F_{day}", family="F", params={"day": day}, batchable=True, deps=[]
        )
    reply = scheduler.get_work(worker="w", host="here", current_tasks=[])
    assert sorted(reply["batch_task_ids"]) == ["F_1", "F_2"]


def test_a_disabled_worker_gets_nothing() -> None:
    """A worker that was disabled is told so."""
    scheduler = make_scheduler()
    add(scheduler, "a")
    scheduler.disable_worker("w")
    reply = scheduler.get_work(worker="w", host="here", current_tasks=[])
    assert (reply["task_id"], reply["worker_state"]) == (None, "disabled")


def test_saved_state_is_loaded_into_the_queue(tmp_path: Any) -> None:
    """A scheduler that loads another's state goes on where that was."""
    before = make_scheduler(state_path=str(tmp_path / "state"))
    add(before, "top", "low")
    add(before, "low")
    assert work(before) == "low"
    finish(before, "low")
    before.dump()
    after = make_scheduler(state_path=str(tmp_path / "state"))
    after.load()
    assert work(after) == "top"


def test_the_visualizers_calls_answer_as_luigis_do() -> None:
    """The graph, the lists and the errors that the visualizer shows are Luigi's own."""
    replies = []
    for scheduler in (make_scheduler(), luigi.scheduler.Scheduler(retry_delay=1000)):
        add(scheduler, "top", "low")
        add(scheduler, "low")
        work(scheduler)
        finish(scheduler, "low", FAILED)
        replies.append(
            (scheduler.dep_graph("top"), scheduler.task_list(FAILED, ""), scheduler.fetch_error("low"))
        )
        for listing in replies[-1][:2]:
            for node in listing.values():
                for moment in ("start_time", "time_running", "last_updated"):
                    node.pop(moment)
    assert replies[0] == replies[1]


def test_agrees_with_luigis_scheduler_on_random_graphs() -> None:
    """Whatever is added, fails, is retried and is done again, the same tasks come in the same order."""
    for seed in range(25):
        chance = random.Random(seed)
        pair = [make_scheduler(), luigi.scheduler.Scheduler(retry_delay=1000)]
        running: list[str] = []
        for _ in range(150):
            action, task_id = (
                chance.choice(["add", "add", "work", "finish", "forgive"]),
                f"t{chance.randrange(30)}",
            )
            deps = [f"t{chance.randrange(30)}" for _ in range(chance.randrange(4))]
            priority, status = chance.randrange(4), chance.choice([PENDING, PENDING, PENDING, DONE, UNKNOWN])
            outcome, worker = chance.choice([DONE, DONE, FAILED]), chance.choice(["w", "v"])
            given = []
            for scheduler in pair:
                if action == "add":
                    add(scheduler, task_id, *deps, priority=priority, status=status, worker=worker)
                elif action == "work":
                    given.append(work(scheduler, current=tuple(running)))
                elif action == "finish" and running:
                    finish(scheduler, running[0], outcome)
                elif action == "forgive":
                    scheduler.forgive_failures(task_id)
            if action == "work":
                assert given[0] == given[1]
                if given[0] is not None:
                    running.append(given[0])
            elif action == "finish" and running:
                running.pop(0)
        assert statuses(pair[0]) == statuses(pair[1])


def statuses(scheduler: Any) -> dict[str, str]:
    return {task.id: task.status for task in scheduler._state.get_active_tasks()}
