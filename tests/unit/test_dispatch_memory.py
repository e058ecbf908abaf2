"""What luigid keeps does not grow with the builds that it has seen."""

from __future__ import annotations

import gc
from collections import Counter

from dispatching import DONE, Luigid, action, own
from luigi.scheduler import Task

from luigigo.protocol.messages import Ended, Leave

TASKS = 3000
RUNS = 10


def kept_by(luigid: Luigid) -> Counter[str]:
    """How many entries each collection of luigid holds, by its place."""
    dispatcher, state = luigid.dispatcher, luigid.scheduler._state
    parts = {
        "dispatcher": dispatcher,
        "leases": dispatcher._leases,
        "returning": dispatcher._recovery,
        "notifier": dispatcher._notifier,
        "runs": dispatcher.runs,
        "queue": luigid.scheduler.queue,
        "state": state,
    }
    sizes = Counter(
        {
            f"{part}.{name}": len(value)
            for part, owner in parts.items()
            for name, value in vars(owner).items()
            if hasattr(value, "__len__") and not isinstance(value, str)
        }
    )
    sizes["heap entries"] = sum(map(len, luigid.scheduler.queue._resource_classes.values()))
    sizes["ended tasks"] = sum(map(len, dispatcher.runs._ended))
    sizes["tasks of workers"] = sum(len(worker.tasks) for worker in state._active_workers.values())
    return sizes


def build(luigid: Luigid, number: int, tasks: int, *, stays: bool = False) -> None:
    """One run of a client with tasks that nobody has seen, on a node that does all of them."""
    node = luigid.node("n1", 8)
    client = luigid.client("client" if stays else f"client {number}")
    names = [f"{number}/{index}" for index in range(tasks)]
    client.offer(own(f"{number}/top", *names), *(action(name, f"{number}/last") for name in names), run=False)
    client.offer(action(f"{number}/last"))
    if number % 2:
        node.end(f"{number}/last", "failed", "no")
        assert client.overs() == [(f"{number}/last",)]
    else:
        node.end_all()
        client.report(f"{number}/top", DONE)
        assert client.overs() == [()]
    node.say(Leave())
    if not stays:
        client.say(Leave())


def test_ended_runs_are_forgotten_when_another_begins() -> None:
    """Ten builds by ten clients leave no more behind than one."""
    luigid = Luigid()
    for number in range(2):
        build(luigid, number, TASKS)
    after_first = kept_by(luigid)
    for number in range(2, RUNS):
        build(luigid, number, TASKS)
    assert {name: size for name, size in kept_by(luigid).items() if size > after_first[name]} == {}
    gc.collect()
    assert sum(isinstance(each, Task) for each in gc.get_objects()) <= TASKS + 10


def test_earlier_runs_of_a_client_that_stays_are_forgotten() -> None:
    """Ten builds by one client leave no more behind than one."""
    luigid = Luigid()
    for number in range(2):
        build(luigid, number, 300, stays=True)
    after_first = kept_by(luigid)
    for number in range(2, RUNS):
        build(luigid, number, 300, stays=True)
    assert {name: size for name, size in kept_by(luigid).items() if size > after_first[name]} == {}


def test_results_of_a_run_that_was_given_up_are_forgotten() -> None:
    """What still ran when its client was given up is forgotten by the first run after its end."""
    luigid = Luigid()
    node, client = luigid.node("n1"), luigid.client()
    client.offer(action("a"))
    client.lose()
    luigid.wait(11, node)
    luigid.client("second").offer(action("b"))
    assert luigid.status("a") is not None
    node.end("a")
    luigid.client("third").offer(action("c"))
    assert luigid.status("a") is None
    assert set(luigid.dispatcher._leases.needs) == {"b", "c"}


def test_senseless_results_are_not_kept_for_ever() -> None:
    """Results of tasks that no client ever asks for are let go of."""
    luigid = Luigid()
    node = luigid.node("n1")
    node.say(*(Ended(f"t{number}", number, "done") for number in range(100)))
    assert kept_by(luigid)["returning._early"] == 100
    luigid.wait(62, node)
    assert kept_by(luigid)["returning._early"] == 0
