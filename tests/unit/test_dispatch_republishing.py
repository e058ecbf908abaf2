"""Sources that are gone from the store: their client publishes them again, and the right one is blamed."""

from __future__ import annotations

from dispatching import FAILED, RUNNING, Luigid, Someone, action

from luigigo.luigid.dispatcher import MOST_LOSSES
from luigigo.protocol.messages import Notice, Progress, Republish

GONE = "the bundle is not there"


def asked(client: Someone) -> None:
    """The client learns its leases of what it is to publish again."""
    for message in client.all(Republish):
        client.holds.update((held.task_id, held.lease) for held in message.tasks)


def test_a_client_publishes_again_and_no_node_is_blamed() -> None:
    """The task goes to its client, and then to a node; the one that missed its sources is as good as ever."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"))
    node.end("a", "sourceless", GONE)
    asked(client)
    assert luigid.status("a") == RUNNING
    assert node.given() == ["a"]
    client.end("a", "returned")
    assert node.given() == ["a", "a"]
    assert node.peer.availability == "ready"
    node.end_all()
    assert client.overs() == [()]


def test_a_node_that_does_not_see_what_is_there_is_suspended() -> None:
    """Where nothing was missing another node gets the task, and the first one nothing for a while."""
    luigid = Luigid()
    one, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"))
    one.end("a", "sourceless", GONE)
    asked(client)
    two = luigid.node("n2")
    client.end("a", "unable")
    assert one.peer.availability == "suspended"
    assert (one.given(), two.given()) == (["a"], ["a"])
    assert f"node n1: {GONE}" in [notice.text for notice in client.all(Notice)]


def test_sources_that_have_changed_end_the_run() -> None:
    """A client that cannot publish the same again says why, and its run is over."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"), action("b", "a"))
    node.end("a", "sourceless", GONE)
    asked(client)
    client.end("a", "failed", "it has changed", exit_code=1)
    assert luigid.status("a") == FAILED
    assert client.all(Progress)[-1].explanation == "it has changed"
    assert client.overs() == [("a",)]


def test_a_client_that_is_lost_meanwhile_leaves_the_task_to_nodes() -> None:
    """Equal tasks of another client are not held up by it."""
    luigid = Luigid()
    node, client, other = luigid.node("n1"), luigid.client("c1"), luigid.client("c2")
    client.offer(action("a"))
    other.offer(action("b", key="a"))
    node.end("a", "sourceless", GONE)
    asked(client)
    client.lose()
    assert len(node.given()) == 2
    node.end_all()
    assert other.overs() == [()]


def test_sources_that_vanish_each_time_end_the_run() -> None:
    """Nothing is published again for ever."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"))
    for _ in range(MOST_LOSSES - 1):
        node.end("a", "sourceless", GONE)
        asked(client)
        client.end("a", "returned")
    node.end("a", "sourceless", GONE)
    assert client.overs() == [("a",)]
    assert client.all(Progress)[-1].explanation == GONE
