"""Lost and returning workers and clients, and a luigid that was restarted."""

from __future__ import annotations

from dispatching import DONE, FAILED, PENDING, RUNNING, Luigid, Someone, action, own

from luigigo.protocol import messages
from luigigo.protocol.messages import Cancel, Ended, Notice, Progress, Usage


def test_a_lost_workers_tasks_run_elsewhere_at_once() -> None:
    """What a lost worker had is given out again in the same moment, and does not count as failed."""
    luigid = Luigid()
    lost, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"))
    other = luigid.node("n2")
    lost.lose()
    assert other.given() == ["a"]
    # So that a new luigid would not keep it for who lost it, and its record tells of the attempt.
    (progress,) = client.all(Progress)
    assert (progress.task_id, progress.status) == ("a", "pending")
    assert (progress.node, progress.explanation) == ("n1", "the worker was lost")
    assert progress.attempt.moments.given == progress.attempt.moments.ended == luigid.dispatcher.now()
    assert client.all(Notice)[-1].text == "node n1 is lost"
    other.end("a")
    assert client.overs() == [()]
    assert luigid.scheduler._state.get_task("a").num_failures() == 0
    assert "n1" not in luigid.scheduler._state._active_workers


def test_who_gives_no_sign_of_life_is_named() -> None:
    """A peer that says nothing for too long is given back by `tick`."""
    luigid = Luigid()
    silent, client = luigid.node("n1"), luigid.client()
    assert luigid.wait(messages.LOST_SECONDS, client) == []
    assert luigid.wait(1, client) == [silent.peer]


def test_a_late_result_is_fenced() -> None:
    """What a worker says with a lease that is not in force changes nothing."""
    luigid = Luigid()
    stopped, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"))
    stale = stopped.holds["a"]
    stopped.lose()
    other = luigid.node("n2")
    back = luigid.node("n1", held=[("a", stale)])
    assert back.all(Cancel) == [Cancel((stale,))]
    back.say(Ended("a", stale, "failed", "killed"))
    stopped.say(Ended("a", stale, "failed", "killed"))
    assert luigid.status("a") == RUNNING
    other.end("a")
    assert client.overs() == [()]


def test_a_worker_that_is_back_in_time_goes_on() -> None:
    """A worker that returns with a task nobody else was given keeps it, and its result counts."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"))
    lease = node.holds["a"]
    node.lose()
    back = luigid.node("n1", held=[("a", lease)])
    assert (back.given(), back.all(Cancel)) == ([], [])
    back.say(Ended("a", lease, "done"))
    assert client.overs() == [()]


def test_a_new_connection_replaces_the_old_one() -> None:
    """A worker that connects before its old connection is found dead keeps what it still has."""
    luigid = Luigid()
    node, client = luigid.node("n1", 2), luigid.client()
    client.offer(action("a", priority=2), action("b", priority=1))
    kept = node.holds["a"]
    back = luigid.node("n1", 2, held=[("a", kept)])
    assert back.given() == ["b"]
    luigid.dispatcher.disconnect(node.peer)
    assert luigid.status("a") == RUNNING
    back.say(Ended("a", kept, "done"))
    back.end("b")
    assert client.overs() == [()]


def restart(*clients: Someone) -> Luigid:
    """A luigid that knows nothing."""
    return Luigid("second", first_lease=1000)


def test_a_worker_is_back_before_the_client() -> None:
    """After a restart, what a worker has is its own when the client offers it; it fills a slot till then."""
    luigid = restart()
    node = luigid.node("n1", held=[("a", 5)])
    assert node.peer.capacity.free_cores == 0
    client = luigid.client()
    client.offer(action("a", running_on="n1"), action("b"))
    assert node.given() == ["b"]
    node.say(Ended("a", 5, "done"))
    node.end("b")
    assert client.overs() == [()]


def test_a_client_is_back_before_the_worker() -> None:
    """After a restart, a task that ran on a worker waits for it, and is its own when it comes."""
    luigid = restart()
    other, client = luigid.node("n2"), luigid.client()
    client.offer(action("a", running_on="n1"))
    luigid.scheduler.prune()
    luigid.wait(5, other, client)
    assert luigid.status("a") == RUNNING
    node = luigid.node("n1", held=[("a", 5)])
    node.say(Ended("a", 5, "done"))
    assert client.overs() == [()]
    assert other.given() == node.given() == []


def test_a_worker_that_ended_a_task_meanwhile_says_so_when_it_is_back() -> None:
    """A result that a worker repeats after a restart counts, with what it took."""
    luigid = restart()
    other, client = luigid.node("n2"), luigid.client()
    client.offer(action("a", running_on="n1"))
    node = luigid.node("n1")
    node.say(Ended("a", 5, "done", usage=Usage("ran")))
    assert client.overs() == [()]
    assert client.all(Progress)[-1].usage == Usage("ran")
    assert other.given() == []


def test_a_worker_that_lost_its_task_does_not_hold_it_up() -> None:
    """A task kept for a worker runs elsewhere soon after that is back without it."""
    luigid = restart()
    other, client = luigid.node("n2"), luigid.client()
    client.offer(action("a", running_on="n1"))
    node = luigid.node("n1", toolchain="another")
    luigid.wait(2, other, client, node)
    assert other.given() == ["a"]


def test_a_task_waits_no_longer_than_for_a_return() -> None:
    """A task kept for a worker that does not come runs elsewhere; long after a restart none is kept."""
    luigid = restart()
    other, client = luigid.node("n2", 2), luigid.client()
    client.offer(action("a", running_on="n1"))
    luigid.wait(11, other, client)
    assert other.given() == ["a"]
    client.offer(action("b", running_on="n1"))
    assert other.given() == ["a", "b"]


def test_an_early_result_ends_the_task_when_it_is_offered() -> None:
    """A result that comes before the client counts, with what it took; not after a minute."""
    luigid = restart()
    node = luigid.node("n1")
    node.say(Ended("a", 5, "done", usage=Usage("ran")), Ended("b", 6, "failed"))
    client = luigid.client()
    client.offer(action("a", running_on="n1"), action("b", running_on="n1"))
    assert luigid.status("a") == DONE
    assert client.all(Progress)[0].usage == Usage("ran")
    assert node.given() == ["b"]
    node.end("b")
    node.say(Ended("c", 7, "done"))
    luigid.wait(61, node, client)
    client.offer(action("c"))
    assert node.given() == ["b", "c"]


def test_a_held_task_that_failed_meanwhile_is_not_waited_for() -> None:
    """A worker that ended a task before its client was back does not count as running it."""
    luigid = restart()
    node = luigid.node("n1", held=[("a", 5)])
    node.say(Ended("a", 5, "failed", "no"))
    assert node.peer.capacity.free_cores == 1
    client = luigid.client()
    client.offer(action("a", running_on="n1"))
    assert node.given() == ["a"]


def test_what_a_worker_holds_for_nobody_is_cancelled() -> None:
    """When no client asks for what a worker holds from before, it is told to stop."""
    luigid = restart()
    node, lost = luigid.node("n1", held=[("a", 5)]), luigid.node("n2", held=[("b", 6)])
    lost.lose()
    luigid.wait(11, node)
    assert node.all(Cancel) == [Cancel((5,))]
    assert node.peer.capacity.free_cores == 1
    client = luigid.client()
    client.offer(action("b"))
    assert node.given() == ["b"]


def test_a_client_that_returns_in_time_finds_its_run() -> None:
    """A lost client's actions go on; when it is back and says everything again, nothing runs twice."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(own("top", "a", "b"), own("mine"), action("a"), action("b"))
    mine = client.holds["mine"]
    client.lose()
    assert luigid.status("mine") == PENDING
    node.end("a")
    luigid.wait(9, node)
    back = luigid.client(held=[("mine", mine)])
    back.offer(own("top", "a", "b"), own("mine"), action("a"), action("b"))
    # It did not hear of the first one's end; the record is found.
    assert [name for name in node.given() if name != "a"] == ["b"]
    assert back.given() == []
    node.end_all()
    back.holds["mine"] = mine
    back.end("mine")
    assert back.given() == ["top"]
    back.report("top", DONE)
    assert back.overs() == [()]


def test_a_client_that_does_not_return_is_given_up() -> None:
    """The waiting tasks of a client that stays away are dropped; what runs may end."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(
        own("top", "a", "b", "c"), action("a", priority=3), action("b", priority=2), action("c", priority=1)
    )
    client.lose()
    luigid.wait(9, node)
    assert luigid.status("c") == PENDING
    luigid.wait(2, node)
    assert luigid.status("c") is None
    assert node.all(Cancel) == []
    node.end("a")
    assert luigid.status("a") == DONE
    assert "client" not in luigid.scheduler._state._active_workers


def test_a_worker_that_leaves_gives_its_tasks_back() -> None:
    """A worker that goes by itself leaves its tasks to others, and that is no loss."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"))
    other = luigid.node("n2")
    node.say(messages.Leave())
    assert other.given() == ["a"]
    assert luigid.dispatcher._leases.losses == {}
    assert client.all(Notice)[-1].text == "node n1 has left"


def test_a_clients_failures_are_told_again_to_a_new_luigid() -> None:
    """After a restart, a task that failed on its client is known as failed, and the run ends with it."""
    luigid = restart()
    client = luigid.client()
    client.offer(own("top", "a"), own("a", status=FAILED))
    assert client.overs() == [("a",)]
