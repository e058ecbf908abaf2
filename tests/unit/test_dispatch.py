"""Giving tasks to nodes and clients, and taking their results."""

from __future__ import annotations

import pytest
from dispatching import DONE, FAILED, PENDING, RUNNING, Luigid, action, own

from luigigo.luigid.assigner import RECENT_SECONDS
from luigigo.protocol import messages
from luigigo.protocol.messages import Call, Cancel, Exit, Notice, Progress, Revoke

GCC = "?cc:gcc 9"


def test_a_build_goes_up_its_graph() -> None:
    """Actions run on a node once all that they need is done, and the client's own task there."""
    luigid = Luigid()
    node, client = luigid.node("n1", 4), luigid.client()
    client.offer(own("build", "link"), action("link", "a", "b"), action("a"), action("b"))
    assert sorted(node.given()) == ["a", "b"]
    node.end_all()
    assert node.given()[2:] == ["link"]
    assert client.given() == ["build"]
    assert client.overs() == []
    client.report("build", DONE)
    assert client.overs() == [()]


def test_grants_carry_what_the_node_must_know() -> None:
    """A grant names the task's family, parameters and memory, and whether an equal one was done lately."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(action("a", key="k", peak_bytes=7, wants_commands=True))
    (work,) = node.all(messages.Work)
    grant = work.grants[0]
    assert (grant.family, grant.params) == ("CompilePackage", {"import_path": "a"})
    assert (grant.peak_bytes, grant.wants_commands, grant.probably_done) == (7, True, False)
    node.end("a")
    client.offer(action("b", key="k"))
    assert node.all(messages.Work)[-1].grants[0].probably_done
    luigid.wait(2 * RECENT_SECONDS, node, client)
    node.end("b")
    luigid.wait(2 * RECENT_SECONDS, node, client)
    client.offer(action("c", key="k"))
    assert not node.all(messages.Work)[-1].grants[0].probably_done


def test_what_a_result_makes_ready_stays_on_its_node() -> None:
    """Where others are as free: the node has what is read next."""
    luigid = Luigid()
    nodes = [luigid.node(name) for name in ("n1", "n2", "n3")]
    others = [action("x", priority=5), action("y", priority=5)]
    luigid.client().offer(action("c", "b"), action("b", "a"), action("a"), *others)
    first = nodes[2]
    for node in nodes:
        luigid.seconds += 1
        if node is not first:
            node.end_all()
    for task_id in ("a", "b", "c"):
        luigid.seconds += 1
        first.end(task_id)
    assert first.given() == ["a", "b", "c"]


def test_higher_priority_first() -> None:
    """Of ready tasks the dearest are given out first."""
    luigid = Luigid()
    client = luigid.client()
    client.offer(*(action(f"t{number}", priority=number) for number in range(5)))
    assert luigid.node("n1", 2).given() == ["t4", "t3", "t2"]


def test_one_task_ahead_for_each_four_slots() -> None:
    """A node gets as many tasks as it has slots, and a few to fetch meanwhile; the next as each ends."""
    luigid = Luigid()
    small, client = luigid.node("small", 2), luigid.client()
    client.offer(*(action(f"t{number:02}") for number in range(20)))
    assert len(small.given()) == 3
    assert len(luigid.node("large", 8).given()) == 10
    small.end(small.given()[0])
    assert len(small.given()) == 4


def test_the_node_with_the_largest_free_share_is_given_a_task() -> None:
    """Tasks spread over nodes by the share of their slots that is free."""
    luigid = Luigid()
    two, four, client = luigid.node("two", 2), luigid.node("four", 4), luigid.client()
    client.offer(*(action(f"t{number}") for number in range(6)))
    assert (len(two.given()), len(four.given())) == (2, 4)


def test_what_waits_on_one_node_is_taken_back_for_another() -> None:
    """A task that waits for a slot is asked back when a node comes that could begin it, and no other is."""
    luigid = Luigid()
    full, client = luigid.node("full", 8), luigid.client()
    client.offer(*(action(f"t{number}") for number in range(10)))
    full.start(*(f"t{number}" for number in range(8)))
    free = luigid.node("free", 1)
    (revoke,) = full.all(Revoke)
    assert revoke.leases == (full.holds["t9"],)
    full.end("t9", "returned")
    assert free.given() == ["t9"]
    assert len(full.all(Revoke)) == 1


@pytest.mark.parametrize("facts", [{"toolchain": "other"}, {"memory_bytes": 5}])
def test_nothing_is_taken_back_for_a_node_that_could_not_run_it(facts: dict[str, object]) -> None:
    """A free node with another Go, or too little memory, leaves alone what waits elsewhere."""
    luigid = Luigid()
    full, client = luigid.node("full", 1), luigid.client()
    client.offer(action("a", peak_bytes=10), action("b", peak_bytes=10))
    full.start("a")
    free = luigid.node("free", 1, **facts)
    luigid.wait(3, full, free, client)
    assert full.all(Revoke) == []
    assert free.given() == []


def test_memory_limits_what_a_node_is_given() -> None:
    """A node is given no more than its memory takes, and smaller tasks pass those that do not fit."""
    luigid = Luigid()
    node, client = luigid.node("n1", 4, memory_bytes=100), luigid.client()
    client.offer(
        action("large", priority=3, peak_bytes=70),
        action("middle", priority=2, peak_bytes=25),
        action("small", priority=1, peak_bytes=5),
    )
    assert node.given() == ["large", "middle", "small"]
    assert node.peer.capacity.given_bytes == 100


def test_room_is_made_for_a_giant() -> None:
    """A task that fits nowhere yet has a node reserved: it is given nothing else until there is room."""
    luigid = Luigid()
    node, client = luigid.node("n1", 4, memory_bytes=100), luigid.client()
    client.offer(action("s1", priority=9, peak_bytes=40), action("s2", priority=9, peak_bytes=40))
    client.offer(action("giant", priority=5, peak_bytes=90), action("s3", peak_bytes=10))
    assert node.given() == ["s1", "s2"]
    node.end("s1")
    assert node.given() == ["s1", "s2"]
    node.end("s2")
    assert node.given() == ["s1", "s2", "giant", "s3"]


def test_a_reservation_ends_with_its_task() -> None:
    """A node that is kept free for a task takes others again when that task runs elsewhere or is dropped."""
    luigid = Luigid()
    node, client = luigid.node("n1", 4, memory_bytes=100), luigid.client()
    client.offer(own("top", "giant", "bad"), action("bad", priority=9, peak_bytes=50))
    client.offer(action("giant", priority=5, peak_bytes=90))
    assert node.peer.capacity.reserved_for == "giant"
    large = luigid.node("n2", 4, memory_bytes=1000)
    assert large.given() == ["giant"]
    assert node.peer.capacity.reserved_for == ""
    large.lose()
    assert node.peer.capacity.reserved_for == "giant"
    node.end("bad", "failed")
    assert luigid.status("giant") is None
    assert node.peer.capacity.reserved_for == ""


def test_a_task_larger_than_every_node_runs_alone_on_the_largest() -> None:
    """What fits nowhere runs where most memory is, by itself; a small node is not taken for being idle."""
    luigid = Luigid()
    small, large = luigid.node("small", 2, memory_bytes=50), luigid.node("large", 2, memory_bytes=100)
    client = luigid.client()
    client.offer(action("first", priority=9, peak_bytes=60))
    client.offer(action("giant", priority=5, peak_bytes=500))
    assert (small.given(), large.given()) == ([], ["first"])
    large.end("first")
    assert (small.given(), large.given()) == ([], ["first", "giant"])


def test_another_go_gets_nothing_and_the_client_is_told() -> None:
    """A node runs only actions planned with its own toolchain; the client hears by name who is left out."""
    luigid = Luigid()
    other, client = luigid.node("n1", toolchain="other", go="go 2"), luigid.client()
    client.offer(action("a"))
    assert other.given() == []
    assert client.all(Notice)[-1].workers == 0
    assert client.all(Notice)[-1].text == "n1 has go 2, not this build's Go: left out"
    assert luigid.node("n2").given() == ["a"]
    assert client.all(Notice)[-1].workers == 1


def test_many_tasks_that_nobody_can_run_hold_up_nobody() -> None:
    """Hundreds of ready tasks for another Go, or of a full client, do not keep nodes from others' tasks."""
    luigid = Luigid()
    node, other, client = luigid.node("n1"), luigid.client("other", 1), luigid.client()
    other.offer(*(action(f"x{number}", priority=9, toolchain="other") for number in range(300)))
    other.offer(*(own(f"o{number}", priority=9) for number in range(300)))
    client.offer(action("mine"), own("build"))
    assert node.given() == ["mine"]
    assert client.given() == ["build"]


def test_a_node_without_the_c_compiler_gets_no_such_action() -> None:
    """A node that lacks a C toolchain is given no more of its actions, and goes on with the others."""
    luigid = Luigid()
    lacking, client = luigid.node("n1"), luigid.client()
    client.offer(action("cgo", features=(GCC,), priority=9), action("plain"))
    lacking.end("cgo", "unable", "another gcc", lacks=GCC)
    # Nobody has it, but the client, which made the plan with it.
    assert client.given() == ["cgo"]
    assert lacking.given() == ["cgo", "plain"]


def test_an_action_goes_to_the_node_that_has_the_c_compiler() -> None:
    """What one node cannot do for want of a C compiler, another does."""
    luigid = Luigid()
    lacking, client = luigid.node("n1"), luigid.client()
    client.offer(action("cgo", features=(GCC,)))
    able = luigid.node("n2")
    lacking.end("cgo", "unable", "another gcc", lacks=GCC)
    assert able.given() == ["cgo"]
    assert client.given() == []


def test_an_action_whose_files_are_elsewhere_goes_home() -> None:
    """An action that only its client can run stays with the client, even when it is offered again."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client(slots=2)
    client.offer(action("a"), action("b", anywhere=False))
    assert client.given() == ["b"]
    node.end("a", "local-only")
    assert client.given() == ["b", "a"]
    client.report("a", FAILED)
    client.offer(action("a"))
    assert (node.given(), client.given()) == (["a"], ["b", "a", "a"])


def test_a_client_that_joins_runs_its_own_actions() -> None:
    """A client that takes part is given actions of its own run, and nobody else's."""
    luigid = Luigid()
    mine, other = luigid.client("mine", 2), luigid.client("other", 2)
    other.offer(*(action(f"x{number}", priority=9) for number in range(100)))
    mine.offer(action("a"), action("b"))
    mine.say(messages.Join(0))
    assert sorted(mine.given()) == ["a", "b"]
    mine.end_all()
    assert mine.overs() == [()]


def test_the_client_is_told_of_starts_and_ends() -> None:
    """A client hears where and how soon a task began, and how it ended, with what it took."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(own("top", "a"), action("a"))
    luigid.seconds += 3
    node.start("a")
    node.end("a", usage=messages.Usage("ran", seconds=2.0))
    running, done = client.all(Progress)
    assert (running.task_id, running.status, running.node) == ("a", "running", "n1")
    assert (done.status, done.node, done.usage) == ("done", "n1", messages.Usage("ran", seconds=2.0))


def test_resources_of_luigi_hold_for_the_whole_cluster() -> None:
    """Tasks that share a resource of Luigi's run one at a time, on whichever client they are."""
    luigid = Luigid()
    luigid.scheduler.update_resources(disk=1)
    one, two = luigid.client("one", 4), luigid.client("two", 4)
    one.offer(own("a", resources={"disk": 1}), own("b", resources={"disk": 1}))
    two.offer(own("c", resources={"disk": 1}), own("free"))
    assert sorted(one.given() + two.given()) == ["a", "free"]
    one.report("a", DONE)
    assert one.given() == ["a", "b"]


def test_a_paused_luigid_gives_out_nothing() -> None:
    """While luigid is paused nothing begins; afterwards everything does."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    luigid.scheduler.pause()
    client.offer(action("a"))
    assert node.given() == []
    luigid.scheduler.unpause()
    luigid.dispatcher.settle()
    assert node.given() == ["a"]


def test_a_disabled_worker_is_given_nothing() -> None:
    """A node that was disabled in the visualizer gets no more tasks."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    luigid.scheduler.disable_worker(worker="n1")
    client.offer(action("a"))
    assert node.given() == []
    assert luigid.node("n2").given() == ["a"]


def test_a_drained_node_ends_what_it_has_and_gets_no_more() -> None:
    """A node that is drained goes on with what it has; it stays drained when it loses its connection."""
    luigid = Luigid()
    node, client = luigid.node("n1", 1), luigid.client()
    client.offer(*(action(f"t{number}") for number in range(4)))
    node.peer.drain()
    node.end("t0")
    assert node.given() == ["t0", "t1"]
    node.lose()
    again = luigid.node("n1", 1, held=node.holds.items())
    again.say(messages.Ended("t1", node.holds["t1"], "done"))
    assert again.given() == []
    assert len(again.all(Exit)) == 1
    assert again.peer.availability == "draining"
    assert luigid.status("t1") == DONE


def test_a_node_with_a_fault_is_left_alone_for_a_while() -> None:
    """A node that could not do a task for reasons of its own gets none for a minute, then again."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"))
    node.end("a", "unable", "no space left")
    assert node.given() == ["a"]
    assert node.peer.availability == "suspended"
    assert client.all(Notice)[-1].text == "node n1: no space left"
    assert client.all(Notice)[-1].workers == 0
    luigid.wait(61, node, client)
    assert node.given() == ["a", "a"]
    assert luigid.status("a") == RUNNING


def test_stock_workers_are_given_tasks_by_luigis_own_procedures() -> None:
    """Stock clients and assistants use `get_work`; what is bound to a client is not for assistants."""
    luigid = Luigid()
    client = luigid.client("client", 1)
    client.offer(own("first"), own("second"), action("bound", anywhere=False), action("any"))
    scheduler = luigid.scheduler
    scheduler.add_task(worker="stock", task_id="s", family="S")
    luigid.dispatcher.settle()

    def work(**arguments: object) -> object:
        return scheduler.get_work(host="here", current_tasks=None, **arguments)["task_id"]

    assert work(worker="stock") == "s"
    assert work(worker="helper", assistant=True) == "any"
    assert work(worker="helper", assistant=True) is None
    # Where resources are asked for, Luigi's own search answers.
    scheduler.add_task(worker="stock", task_id="r", family="S", resources={"disk": 1})
    assert work(worker="helper", assistant=True) == "r"
    assert work(worker="helper", assistant=True) is None
    assert client.given() == ["first"]


def test_tasks_of_stock_clients_are_not_sent_to_peers() -> None:
    """A task that no channel client offered waits for its own worker to ask."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    luigid.scheduler.add_task(worker="stock", task_id="s", family="S")
    luigid.dispatcher.settle()
    assert node.given() == client.given() == []
    assert luigid.status("s") == PENDING


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("set_task_progress_percentage", {"task_id": "a", "progress_percentage": 50}),
        ("set_task_status_message", {"task_id": "a", "status_message": "half"}),
        ("add_task_batcher", {"task_family": "A", "batched_args": ["x"]}),
        (
            "announce_scheduling_failure",
            {"task_name": "a", "family": "A", "params": {}, "expl": "", "owners": []},
        ),
    ],
)
def test_calls_that_a_client_may_make(method: str, arguments: dict[str, object]) -> None:
    """The procedures that a client's worker calls reach Luigi's scheduler."""
    luigid = Luigid()
    client = luigid.client()
    client.offer(own("a"))
    client.say(Call(method, arguments))
    task = luigid.scheduler._state.get_task("a")
    assert "percentage" not in method or task.progress_percentage == 50
    assert "status" not in method or task.status_message == "half"


def test_senseless_messages_are_refused() -> None:
    """A node that offers tasks, or a client that calls another procedure, is told off."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    with pytest.raises(ValueError, match="a node does not say RunAll"):
        node.say(messages.RunAll())
    with pytest.raises(ValueError, match="prune is no call"):
        client.say(Call("prune", {}))


def test_a_task_that_finds_more_dependencies_waits_for_them() -> None:
    """A task of the client's own that asks for more while it runs is given again when that is done."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(own("top"))
    client.holds.pop("top")
    client.offer(action("late"), own("top", status=PENDING, new_deps=["late"]), run=False)
    assert client.given() == ["top"]
    node.end("late")
    assert client.given() == ["top", "top"]
    client.report("top", DONE)
    assert client.overs() == [()]


def test_cancelled_work_is_not_heard_of_again() -> None:
    """The result of a task that was cancelled changes nothing."""
    luigid = Luigid()
    node, client = luigid.node("n1", 2), luigid.client()
    client.offer(own("top", "a", "b"), action("a"), action("b"))
    stale = node.holds["b"]
    node.end("a", "failed", "syntax error")
    assert node.all(Cancel)[-1].leases == (stale,)
    node.say(messages.Ended("b", stale, "done"))
    assert luigid.status("b") is None
    assert client.overs() == [("a",)]


def test_nothing_is_given_ahead_while_little_is_ready() -> None:
    """A task given ahead is bound to its node: where few are ready, the most urgent waits for a free slot."""
    luigid = Luigid(ahead_from=4.0)
    node, client = luigid.node("n1", 1), luigid.client()
    client.offer(*(action(f"t{number}", priority=number) for number in range(4)))
    assert node.given() == ["t3"]
    client.offer(*(action(f"more{number}") for number in range(4)))
    assert node.given() == ["t3", "t2"]
