"""A network, or a luigid, that was away for a while: none of it counts for the tasks."""

from __future__ import annotations

from dispatching import PENDING, RUNNING, Luigid, Someone, action

from luigigo.luigid.dispatcher import MOST_LOSSES
from luigigo.protocol import messages
from luigigo.protocol.messages import Cancel, Ended, Notice

AWAY_SECONDS = messages.LOST_SECONDS + 2


def cut_off(luigid: Luigid, *nodes: Someone, alive: tuple[Someone, ...] = ()) -> None:
    """No sign of life of some nodes for so long that they are taken for lost, as the server does it."""
    for _ in range(int(AWAY_SECONDS)):
        for peer in luigid.wait(1, *alive):
            luigid.dispatcher.disconnect(peer)
    assert not any(node.hello.worker_id in luigid.dispatcher.peers for node in nodes)


def back(luigid: Luigid, node: Someone) -> Someone:
    """The worker connects again with all that it holds."""
    again = luigid.node(node.hello.worker_id, node.hello.slots, held=node.holds.items())
    again.holds = {name: number for name, number in node.holds.items() if not again.all(Cancel)} | again.holds
    return again


def test_a_long_task_goes_on_however_often_all_are_silent() -> None:
    """What runs when all nodes are silent at once is kept for them: one lease to its end, and no loss."""
    luigid = Luigid()
    one, two, client = luigid.node("n1"), luigid.node("n2"), luigid.client()
    client.offer(action("a"), action("b"))
    assert len(one.given()) == len(two.given()) == 1
    before = one.holds | two.holds
    for _ in range(2 * MOST_LOSSES):
        cut_off(luigid, one, two, alive=(client,))
        assert (luigid.status("a"), luigid.status("b")) == (RUNNING, RUNNING)
        one = back(luigid, one)
        luigid.wait(5, one, client)
        two = back(luigid, two)
        luigid.wait(5, one, two, client)
        assert one.given() == two.given() == []
        assert not one.all(Cancel) and not two.all(Cancel)
    assert one.holds | two.holds == before
    one.end_all()
    two.end_all()
    assert client.overs() == [()]


def test_a_result_that_could_not_be_handed_in_counts() -> None:
    """A task that ended while all nodes were silent is done when its worker is back to say so."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"))
    lease = node.holds.pop("a")
    cut_off(luigid, node, alive=(client,))
    again = back(luigid, node)
    again.say(Ended("a", lease, "done"))
    assert again.given() == []
    assert client.overs() == [()]


def test_who_does_not_come_back_with_the_others_is_not_waited_for() -> None:
    """Its tasks run elsewhere soon after the first of the others is back; so do equal ones."""
    luigid = Luigid()
    one, two, client = luigid.node("n1"), luigid.node("n2"), luigid.client()
    client.offer(action("a"), action("b", key="a"), action("c"))
    held = next(name for name in ("a", "b") if name in one.holds | two.holds)
    stays, goes = (two, one) if held in one.holds else (one, two)
    cut_off(luigid, one, two, alive=(client,))
    luigid.wait(100, client)
    assert (luigid.status("a"), luigid.status("b")) == (RUNNING, RUNNING)
    assert any("no node gives a sign of life" in notice.text for notice in client.all(Notice))
    stays = back(luigid, stays)
    stays.end("c")
    luigid.wait(messages.RETURN_SECONDS - 1, stays, client)
    assert stays.given() == []
    luigid.wait(2, stays, client)
    assert len(stays.given()) == 1
    assert goes.hello.worker_id not in luigid.dispatcher.peers
    stays.end_all()
    assert client.overs() == [()]


def test_a_luigid_that_was_stopped_takes_nobody_for_lost() -> None:
    """Connections that ended while it was stopped are made again; those that are left were not silent."""
    luigid = Luigid()
    one, two, client = luigid.node("n1"), luigid.node("n2"), luigid.client()
    client.offer(action("a"), action("b"))
    luigid.wait(1, one, two, client)
    luigid.seconds += 20
    luigid.dispatcher.heard(two.peer)
    one.lose()
    assert luigid.dispatcher.tick() == []
    assert (luigid.status("a"), luigid.status("b")) == (RUNNING, RUNNING)
    again = back(luigid, one)
    assert again.given() == [] and not again.all(Cancel)
    assert not any(luigid.dispatcher._leases.mishaps(name) for name in "ab")


def test_one_silent_node_is_lost() -> None:
    """Where others live its tasks run there at once; a worker that is back with one did not die of it."""
    luigid = Luigid()
    one, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"))
    two = luigid.node("n2")
    cut_off(luigid, one, alive=(two, client))
    assert two.given() == ["a"]
    assert luigid.dispatcher._leases.mishaps("a") == 1
    again = back(luigid, one)
    assert len(again.all(Cancel)) == 1
    assert luigid.dispatcher._leases.mishaps("a") == 0


def test_a_worker_counts_once() -> None:
    """A worker that comes and goes with a task and without it counts as one."""
    luigid = Luigid()
    client = luigid.client()
    client.offer(action("a"))
    for _ in range(MOST_LOSSES + 1):
        luigid.node("n1").lose()
    assert luigid.status("a") == PENDING
    assert luigid.dispatcher._leases.mishaps("a") == 1


def test_a_client_that_takes_part_does_not_wait_for_nodes() -> None:
    """What is kept for silent nodes the client runs itself when it joins."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"))
    cut_off(luigid, node, alive=(client,))
    client.say(messages.Join(0))
    assert client.given() == ["a"]


def test_an_earlier_result_of_the_same_worker_is_late() -> None:
    """It is said again when the worker is back; only what it says of the lease that was kept counts."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"))
    first = Ended("a", node.holds["a"], "returned")
    node.say(first)
    last = Ended("a", node.holds.pop("a"), "done")
    assert last.lease != first.lease
    cut_off(luigid, node, alive=(client,))
    again = back(luigid, node)
    again.say(first, last)
    assert again.given() == []
    assert client.overs() == [()]
