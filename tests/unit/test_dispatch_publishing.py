"""Nodes that publish what a task made, and what others are told of it."""

from __future__ import annotations

from dispatching import Luigid, Someone, action, own

from luigigo.luigid.status import status_of
from luigigo.model import Digest, Output
from luigigo.protocol import messages
from luigigo.protocol.messages import Made, Needs, Publishing


def state_of(luigid: Luigid, node: Someone) -> dict[str, object]:
    """What `status` says of a node."""
    (found,) = [
        each for each in status_of(luigid.dispatcher, "1", "/share").nodes if each.worker_id == node.peer.id
    ]
    return {key: getattr(found, key) for key in ("running", "publishing", "waiting", "granted_bytes")}


def made(name: str) -> Made:
    return {"export": Output(Digest(f"{name:0>64}"), 7)}


def test_who_publishes_is_given_another() -> None:
    """Its slot and its memory are free, though the task is not over and nothing that waits for it begins."""
    luigid = Luigid(ahead_from=100)
    node, client = luigid.node("n1", memory_bytes=100), luigid.client()
    client.offer(
        action("after", "first", priority=9),
        action("first", priority=5, peak_bytes=90),
        action("second", peak_bytes=80),
    )
    node.start("first")
    assert node.given() == ["first"]
    node.publish("first")
    assert node.given() == ["first", "second"]
    assert state_of(luigid, node) == {"running": 0, "publishing": 1, "waiting": 1, "granted_bytes": 80}
    node.start("second")
    node.end("first")
    assert node.given() == ["first", "second"]
    assert state_of(luigid, node) == {"running": 1, "publishing": 0, "waiting": 0, "granted_bytes": 80}
    node.end("second")
    assert node.given() == ["first", "second", "after"]


def test_what_a_node_publishes_is_lost_with_it() -> None:
    """It is not done before the node says so: another does it again."""
    luigid = Luigid(ahead_from=100)
    node = luigid.node("n1")
    luigid.client().offer(action("a"))
    node.start("a")
    node.publish("a")
    node.lose()
    assert luigid.node("n2").given() == ["a"]


def test_publishing_under_an_old_lease_frees_nothing() -> None:
    """Nor does that of a task which nobody was given."""
    luigid = Luigid(ahead_from=100)
    node = luigid.node("n1")
    luigid.client().offer(action("a"), action("b"))
    (given,) = node.given()
    node.say(Publishing(given, node.holds[given] - 1), Publishing("nobody's", 1))
    assert node.given() == [given]


def test_a_grant_says_what_its_dependencies_made() -> None:
    """By their keys: no node needs to read their records, nor those who did not do them."""
    luigid = Luigid(ahead_from=100)
    first, client = luigid.node("n1", 2), luigid.client()
    client.offer(action("top", "a", "b", "c"), action("a", key="ka"), action("b"), own("c"))
    first.end("a", made=made("a"))
    first.end("b")
    client.report("c", "DONE")
    grant = first.all(messages.Work)[-1].grants[0]
    assert (grant.task_id, grant.made) == ("top", {"ka": made("a")})


def test_what_was_made_is_forgotten_with_its_tasks() -> None:
    """luigid keeps it while a task with that key is known, and no longer."""
    luigid = Luigid(ahead_from=100)
    node, client = luigid.node("n1"), luigid.client()
    client.offer(action("a", key="k"), action("duplicate", key="k"))
    node.end(node.given()[0], made=made("a"))
    leases = luigid.dispatcher._leases
    leases.note_needs("a", Needs("k"))
    assert leases.made_by(["a", "duplicate", "unknown"]) == {"k": made("a")}
    leases.forget(["a"])
    assert leases.made_by(["duplicate"]) == {"k": made("a")}
    leases.forget(["duplicate"])
    leases.note_needs("late", Needs("k"))
    assert leases.made_by(["late"]) == {}
