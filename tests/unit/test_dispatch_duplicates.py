"""Tasks with equal keys, shared tasks, failures, and what is of no use any more."""

from __future__ import annotations

from dispatching import DONE, FAILED, PENDING, RUNNING, Luigid, action, own

from luigigo.luigid.dispatcher import MOST_LOSSES
from luigigo.protocol.messages import Cancel, Needs, Offer, Progress


def test_of_tasks_with_equal_keys_one_runs() -> None:
    """Two clients with the same actions under other names have each run once, and both end."""
    luigid = Luigid()
    node, one, two = luigid.node("n1", 4), luigid.client("one"), luigid.client("two")
    one.offer(action("link 1", "a 1", key="link"), action("a 1", key="a"))
    two.offer(action("link 2", "a 2", key="link"), action("a 2", key="a"))
    assert luigid.status("a 2") == RUNNING
    node.end_all()
    assert node.given() == ["a 1", "link 1"]
    assert one.overs() == two.overs() == [()]


def test_a_failed_task_fails_its_duplicate() -> None:
    """What failed for good fails for all that wait for an equal one, with the same explanation."""
    luigid = Luigid()
    node, one, two = luigid.node("n1"), luigid.client("one"), luigid.client("two")
    one.offer(action("a 1", key="a"))
    two.offer(own("top", "a 2"), action("a 2", key="a"))
    node.end("a 1", "failed", "syntax error", exit_code=3)
    assert one.overs() == [("a 1",)]
    assert two.overs() == [("a 2",)]
    (told,) = two.all(Progress)
    assert (told.task_id, told.status, told.explanation, told.exit_code) == (
        "a 2",
        "failed",
        "syntax error",
        3,
    )


def test_a_duplicate_of_a_task_that_failed_under_its_client_runs_by_itself() -> None:
    """A failure on a client's own machine says nothing of others: the duplicate is run where it can."""
    luigid = Luigid()
    one, two = luigid.client("one"), luigid.client("two")
    one.offer(action("a 1", key="a", anywhere=False))
    two.offer(action("a 2", key="a", anywhere=False))
    assert (one.given(), two.given()) == (["a 1"], [])
    one.report("a 1", FAILED)
    assert one.overs() == [("a 1",)]
    assert two.given() == ["a 2"]


def test_a_duplicate_takes_over_when_its_owner_leaves() -> None:
    """A client that leaves does not take a running action from another that needs an equal one."""
    luigid = Luigid()
    node, one, two = luigid.node("n1"), luigid.client("one"), luigid.client("two")
    one.offer(action("a 1", key="a"))
    two.offer(action("a 2", key="a"))
    luigid.dispatcher.leave(one.peer)
    assert node.all(Cancel) == []
    node.end("a 1")
    assert two.overs() == [()]
    assert node.given() == ["a 1"]


def test_a_task_forgiven_while_its_duplicate_runs_waits_for_it() -> None:
    """A task that is to be done again does not run beside an equal one."""
    luigid = Luigid()
    node, one, two = luigid.node("n1", 4), luigid.client("one", 2), luigid.client("two")
    one.offer(own("keep"), own("also", "a 1"), action("a 1", key="a"))
    node.end("a 1", "failed", "no")
    two.offer(action("a 2", key="a"))
    luigid.scheduler.forgive_failures(task_id="a 1")
    luigid.dispatcher.settle()
    assert luigid.status("a 1") == RUNNING
    assert node.given() == ["a 1", "a 2"]
    node.end("a 2")
    assert luigid.status("a 1") == DONE


def test_two_leases_with_one_key_both_count() -> None:
    """When two workers come back with equal tasks, a third waits as long as either runs."""
    luigid = Luigid()
    luigid.node("n1", held=[("a 1", 5)])
    two = luigid.node("n2", held=[("a 2", 6)])
    client = luigid.client()
    client.offer(*(action(f"a {number}", key="a") for number in (1, 2, 3)))
    two.lose()
    spare = luigid.node("n3", 4)
    assert spare.given() == []
    assert luigid.status("a 3") == RUNNING


def test_luigis_pruning_leaves_duplicates_alone() -> None:
    """A task that waits for an equal one on another client's machine is not taken for lost."""
    luigid = Luigid()
    one, two = luigid.client("one"), luigid.client("two")
    one.offer(action("a 1", key="a", anywhere=False))
    two.offer(action("a 2", key="a", anywhere=False))
    luigid.scheduler.prune()
    luigid.dispatcher.settle()
    assert luigid.status("a 2") == RUNNING
    assert two.overs() == []


def test_after_a_failure_what_nobody_reads_is_dropped() -> None:
    """When an action fails, those that only its dependents read are forgotten, and running ones cancelled."""
    luigid = Luigid()
    node, client = luigid.node("n1", 4), luigid.client()
    client.offer(own("top", "link"), action("link", "a", "b", "c"), action("c", "late"), action("late"))
    client.offer(action("a"), action("b"))
    lease = node.holds["late"]
    node.end("a", "failed", "syntax error")
    assert {lease} <= {number for cancel in node.all(Cancel) for number in cancel.leases}
    assert [luigid.status(name) for name in ("a", "b", "late", "c", "link")] == [FAILED, *[None] * 4]
    assert client.overs() == [("a",)]
    assert node.peer.leases == {}


def test_independent_actions_go_on_after_a_failure() -> None:
    """What another root of the same run reads is done, and the run is over only then."""
    luigid = Luigid()
    node, client = luigid.node("n1", 2), luigid.client()
    client.offer(own("bad", "a"), own("good", "b"), action("a"), action("b"))
    node.end("a", "failed", "no")
    assert client.overs() == []
    node.end("b")
    client.report("good", DONE)
    assert client.overs() == [("a",)]


def test_a_failure_leaves_the_other_clients_actions() -> None:
    """What two clients share is kept for the one that still needs it, a task that it asked for above all."""
    luigid = Luigid()
    node, one, two = luigid.node("n1", 4), luigid.client("one"), luigid.client("two")
    one.offer(own("top", "link"), action("link", "a", "shared", "root"))
    one.offer(action("a"), action("shared"), action("root"))
    two.offer(own("other", "shared"), action("shared"), action("root"))
    node.end("a", "failed", "no")
    assert node.all(Cancel) == []
    assert one.overs() == [("a",)]
    node.end_all()
    assert two.given() == ["other"]
    two.report("other", DONE)
    assert two.overs() == [()]


def test_leaving_cancels_what_only_that_client_needs() -> None:
    """A client that leaves has its actions dropped and cancelled; what another shares goes on."""
    luigid = Luigid()
    node, one, two = luigid.node("n1", 2), luigid.client("one"), luigid.client("two")
    one.offer(action("mine"), action("shared"), action("waits"))
    two.offer(action("shared"))
    lease = node.holds["mine"]
    luigid.dispatcher.leave(one.peer)
    assert node.all(Cancel)[0].leases == (lease,)
    assert [luigid.status(name) for name in ("mine", "waits", "shared")] == [None, None, RUNNING]
    node.end("shared")
    assert two.overs() == [()]


def test_a_second_run_begins_afresh() -> None:
    """A client's later run has its own end, with its own failures; a task that failed is tried again."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"))
    node.end("a", "failed", "no")
    client.offer(action("a"))
    assert node.given() == ["a", "a"]
    assert client.overs() == [("a",)]
    node.end("a")
    assert client.overs() == [("a",), ()]


def test_a_run_with_nothing_to_do_is_over_at_once() -> None:
    """A client without tasks, or with done ones only, is told so."""
    luigid = Luigid()
    client = luigid.client()
    client.offer()
    client.offer(own("a", status=DONE))
    assert client.overs() == [(), ()]


def test_a_task_that_cannot_run_ends_the_run() -> None:
    """A task that is not runnable counts as failed, once, and so do those that need it."""
    luigid = Luigid()
    client = luigid.client()
    client.offer(own("top", "missing"), own("missing", runnable=False), run=False)
    client.offer(own("missing", runnable=False))
    assert client.overs() == [("missing",)]


def test_a_task_fails_with_its_workers() -> None:
    """A task that took so many workers with it fails, and counts anew when it is asked for again."""
    luigid = Luigid()
    client = luigid.client()
    client.offer(action("a"))
    for number in range(MOST_LOSSES):
        assert luigid.status("a") == PENDING
        luigid.node(f"n{number}").lose()
    assert client.overs() == [("a",)]
    assert "workers were lost" in client.all(Progress)[-1].explanation
    client.offer(action("a"))
    luigid.node("another").lose()
    assert luigid.status("a") == PENDING


def test_tasks_without_a_key_are_each_like_no_other() -> None:
    """Two of them are two tasks: both run, and one failing says nothing of the other."""
    luigid = Luigid()
    node, client = luigid.node("n1", 2), luigid.client()
    client.offer(keyless("a"), keyless("b"), keyless("c", "a"))
    assert sorted(node.holds) == ["a", "b"]
    node.end("a")
    node.end("b", "failed", "no")
    assert luigid.status("b") == FAILED
    assert luigid.status("c") == RUNNING
    node.end_all()
    assert client.overs() == [("b",)]


def keyless(task_id: str, *deps: str) -> Offer:
    """A task that any node may run and that has no key and needs nothing."""
    return Offer({"task_id": task_id, "deps": list(deps), "family": "Step", "params": {}}, Needs())
