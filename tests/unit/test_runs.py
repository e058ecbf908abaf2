"""Which tasks each client waits for, and which are of no use any more."""

from __future__ import annotations

from luigigo.luigid.runs import Run, Runs
from luigigo.scheduling.ready import ReadyQueue, Stage


def make_runs(**graph: str) -> Runs:
    """Runs over a graph given as task and the tasks that it needs, by one letter each."""
    queue = ReadyQueue()
    for order, (task_id, deps) in enumerate(graph.items()):
        queue.put(task_id, 0, order, set(deps))
        queue.move(task_id, Stage.PENDING)
    return Runs(queue)


def put(runs: Runs, client_id: str, task_ids: str) -> Run:
    """Add open tasks to a client's run, which is then complete."""
    run = runs.of(client_id)
    for task_id in task_ids:
        runs.put(run, task_id, is_open=True)
    run.is_complete = True
    return run


def test_a_run_is_spent_when_all_has_ended() -> None:
    """A run is over when every task is done or failed, and all were offered; and only once."""
    runs = make_runs(a="", b="")
    run = put(runs, "c", "ab")
    runs.finish("a")
    assert not run.is_spent()
    runs.fail("b")
    run.is_complete = False
    assert not run.is_spent()
    run.is_complete = True
    assert run.is_spent()
    run.is_over = True
    assert not run.is_spent()
    assert list(run.failed) == ["b"]


def test_a_failure_dooms_what_waits_for_it() -> None:
    """Everything above a failed task is waited for no longer, in every run that has it."""
    runs = make_runs(t="m", m="a", a="", x="")
    one, two = put(runs, "one", "tmax"), put(runs, "two", "ma")
    runs.fail("a")
    assert (one.unfinished, two.unfinished) == ({"x"}, set())
    assert list(one.failed) == list(two.failed) == ["a"]


def test_a_failure_counts_once() -> None:
    """A task that fails twice is one failure, and none when it waits again."""
    runs = make_runs(a="")
    run = put(runs, "c", "a")
    runs.fail("a")
    runs.fail("a")
    assert list(run.failed) == ["a"]
    runs.reopen("a")
    assert (list(run.failed), run.unfinished) == ([], {"a"})


def test_what_only_doomed_tasks_read_is_unneeded() -> None:
    """After a failure, actions that lead to nothing else are unneeded; others are not."""
    runs = make_runs(t="l", l="abs", u="s", a="", b="d", d="", s="")
    run = put(runs, "c", "tlusabd")
    runs.fail("a")
    assert runs.unneeded("labds") == ["a", "b", "d", "l"]
    assert run.unfinished == {"u", "s"}


def test_a_requested_action_is_needed() -> None:
    """An action that a client asked for itself is needed, though another run's doomed task reads it."""
    runs = make_runs(t="l", l="ar", a="", r="")
    one, two = put(runs, "one", "tlar"), put(runs, "two", "r")
    runs.fail("a")
    assert runs.unneeded("lar") == ["a", "l"]
    assert (one.unfinished, two.unfinished) == (set(), {"r"})


def test_ended_runs_tasks_are_returned_once() -> None:
    """Tasks of closed runs are to be forgotten unless another run has them; those in use come later."""
    runs = make_runs(a="", b="", c="")
    put(runs, "one", "abc")
    put(runs, "two", "a")
    runs.close("one")
    assert runs.forget_ended(lambda task_id: task_id == "c") == ["b"]
    assert runs.forget_ended(lambda task_id: False) == ["c"]
    assert runs.forget_ended(lambda task_id: False) == []
    assert runs.clients_of("a") == ("two",)


def test_a_run_after_one_that_is_over_is_new() -> None:
    """When a run is over, the client's next task begins another; the old one's tasks may be forgotten."""
    runs = make_runs(a="", b="")
    first = put(runs, "c", "a")
    assert runs.of("c") is first
    first.is_over = True
    second = put(runs, "c", "b")
    assert second is not first
    assert runs.forget_ended(lambda task_id: False) == ["a"]


def test_dropped_tasks_are_waited_for_by_nobody() -> None:
    """Forgetting a task ends a run that waited for nothing else."""
    runs = make_runs(a="")
    run = put(runs, "c", "a")
    runs.drop(["a", "never heard of"])
    assert run.is_spent()
    assert runs.clients_of("a") == ()
