"""Tasks that a node can't run for reasons of its own: another gets them, and if there is none they fail."""

from __future__ import annotations

import pytest
from dispatching import FAILED, PENDING, RUNNING, Luigid, Someone, action

from luigigo.errors import ExitCode
from luigigo.luigid.notifier import REMIND_SECONDS
from luigigo.luigid.peers import SUSPENDED_SECONDS
from luigigo.protocol import messages
from luigigo.protocol.messages import Notice, Progress

FULL = "/cache: No space left on device: 1.0 MB are free"


def refuse(node: Someone, task_id: str, trouble: str = "disk", text: str = FULL) -> None:
    """A node says that it can't run what it was given."""
    node.end(task_id, "unable", text, trouble=trouble)


def whys(client: Someone) -> tuple[str, ...]:
    """What the client was told last of the nodes that are of no use."""
    return client.all(Notice)[-1].why


@pytest.mark.parametrize("trouble", ["disk", "size", "toolchain"])
def test_another_node_gets_it(trouble: str) -> None:
    """The one with the trouble is not given the task again, and no loss is counted."""
    luigid = Luigid()
    one, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"))
    two = luigid.node("n2")
    refuse(one, "a", trouble)
    assert (one.given(), two.given()) == (["a"], ["a"])
    assert f"node n1: {FULL}" in [notice.text for notice in client.all(Notice)]
    two.end_all()
    assert client.overs() == [()]


def test_a_task_that_is_too_large_for_a_node_leaves_it_the_others() -> None:
    """The node goes on with what is smaller."""
    luigid = Luigid()
    one, two, client = luigid.node("n1"), luigid.node("n2", 2), luigid.client()
    client.offer(action("a", priority=1), action("b"), action("c"))
    held = next(iter(one.holds))
    refuse(one, held, "size")
    assert one.peer.availability == "ready"
    client.offer(action("d"))
    assert "d" in one.given() or "d" in two.given()
    one.end_all()
    two.end_all()
    assert one.given().count(held) == 1
    assert client.overs()[-1] == ()


@pytest.mark.parametrize("trouble", ["disk", "toolchain"])
def test_a_node_with_such_a_trouble_gets_nothing_for_a_while(trouble: str) -> None:
    """Then it is tried again, with the same task as well."""
    luigid = Luigid()
    one, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"))
    luigid.node("n2", toolchain="another")
    two = luigid.node("n2b")
    refuse(one, "a", trouble)
    assert one.peer.availability == "suspended"
    two.lose()
    assert luigid.status("a") == PENDING
    luigid.wait(SUSPENDED_SECONDS + 1, one, client)
    assert one.given() == ["a", "a"]


def test_when_all_have_refused_it_fails_with_what_each_said() -> None:
    """With one message that names the nodes, and the exit code of the last."""
    luigid = Luigid()
    one, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"), action("b", "a"))
    two = luigid.node("n2")
    luigid.node("other", toolchain="another")
    refuse(one, "a")
    two.end("a", "unable", "/tmp: No space left on device", trouble="disk", exit_code=6)
    assert luigid.status("a") == FAILED
    progress = client.all(Progress)[-1]
    assert progress.explanation == f"no node can run it\nn1: {FULL}\nn2: /tmp: No space left on device"
    assert progress.exit_code == 6
    assert client.overs() == [("a",)]


def test_those_who_have_not_refused_it_go_away() -> None:
    """They may come back; if they do not, the task fails."""
    luigid = Luigid()
    one, two, client = luigid.node("n1"), luigid.node("n2"), luigid.client()
    client.offer(action("a", priority=1), action("b"), action("c", "b"))
    large, other = (one, two) if "a" in one.holds else (two, one)
    refuse(large, "a", "size")
    other.say(messages.Leave())
    large.end_all()
    luigid.wait(SUSPENDED_SECONDS, large, client)
    assert luigid.status("a") == PENDING
    luigid.wait(2, large, client)
    assert client.overs() == [("a",)]
    assert client.all(Progress)[-1].exit_code == ExitCode.STORE


def test_a_task_that_nobody_with_a_slot_runs_does_not_keep_others_from_them() -> None:
    """What a node can run is given to it, though a task before it waits for another node."""
    luigid = Luigid()
    one, two, client = luigid.node("n1"), luigid.node("n2"), luigid.client()
    client.offer(action("a", priority=9), action("b", priority=9))
    held = next(iter(one.holds))
    refuse(one, held, "size")
    client.offer(action("c"), action("d"))
    assert "c" in one.holds
    two.end(next(iter(two.holds)))
    assert held in two.given()


def test_a_node_that_is_drained_is_nobody_to_wait_for() -> None:
    """It gets nothing any more, so the task fails without it."""
    luigid = Luigid()
    one, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"))
    luigid.node("n2").peer.drain()
    refuse(one, "a")
    assert client.overs() == [("a",)]


def test_the_next_run_tries_again() -> None:
    """What a node refused is forgotten with the run that wanted it."""
    luigid = Luigid()
    one = luigid.node("n1")
    first = luigid.client("first")
    first.offer(action("a"))
    refuse(one, "a", "size")
    assert first.overs() == [("a",)]
    first.lose()
    luigid.wait(400, one)
    second = luigid.client("second")
    second.offer(action("a"))
    assert one.given() == ["a", "a"]
    assert luigid.status("a") == RUNNING


def test_a_client_that_no_node_can_serve_is_told_why_of_each() -> None:
    """Drained, unable since when and why, another Go; and again now and then, as long as it waits."""
    luigid = Luigid()
    one, client = luigid.node("n1"), luigid.client()
    two, three = luigid.node("n2", toolchain="another", go="go1.26.8"), luigid.node("n3")
    three.peer.drain()
    client.offer(action("a"))
    assert whys(client) == ()
    one.end("a", "unable", "the share is gone")
    drained = "n3 is drained: luigigo cluster up starts it again"
    other = "n2 has go1.26.8, not this build's Go"
    assert whys(client) == ("n1 is unable for 0 s: the share is gone", other, drained)
    client.silence()
    luigid.wait(REMIND_SECONDS + 1, one, two, three, client)
    [notice] = client.all(Notice)
    assert notice.workers == 0
    assert notice.why == (f"n1 is unable for {REMIND_SECONDS:.0f} s: the share is gone", other, drained)
