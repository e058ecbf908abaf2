"""How long actions would take on other nodes, by luigid's own dispatcher on a made-up clock."""

from __future__ import annotations

import random

import msgspec
import pytest
from runrecording import drawn, head, history, plan
from test_golang_plan import World

from luigigo.commands.predict import chain_line
from luigigo.model import ActionId, ActionRecord
from luigigo.reports.bounds import least_seconds
from luigigo.reports.forecast import Forecast, Machines, Task, forecast, until_it_gains_little
from luigigo.reports.history import History
from luigigo.reports.outlook import outlook
from luigigo.reports.simulation import Graph, WorkTime
from luigigo.reports.times import ESTIMATED, MEASURED, STORED, Times, times_of, times_of_plan
from luigigo.runrecords.lines import AttemptLine, EndLine, ticks_of


def tasks(seed: int, count: int = 40) -> dict[int, Task]:
    """A graph of so many actions."""
    random_ = random.Random(seed)
    return {
        at: Task(
            f"compile p/{at}",
            WorkTime(random_.uniform(0.05, 1.0), random_.uniform(0.0, 0.02), random_.uniform(0.0, 0.02)),
            tuple(random_.sample(range(at), min(at, random_.randint(0, 3)))),
        )
        for at in range(count)
    }


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("nodes", [1, 2, 5])
def test_a_forecast_is_no_less_than_what_is_possible(seed: int, nodes: int) -> None:
    """All actions are done, in no less time than any schedule needs, and the slots' time adds up."""
    graph = tasks(seed)
    found = forecast(graph, Machines(nodes, 2))
    works = {number: task.work for number, task in graph.items()}
    least = least_seconds(Graph({n: task.dependencies for n, task in graph.items()}), works, 2 * nodes)
    assert least <= found.seconds <= 2 * least + 1
    work = sum(task.work.slot_seconds for task in graph.values())
    assert found.utilisation == pytest.approx(work / (2 * nodes * found.seconds))


def test_more_nodes_help_until_the_chain_holds_back() -> None:
    """Of actions that wait for nothing each slot takes its part; of a chain all nodes but one stand idle."""
    many = {at: Task(f"compile p/{at}", WorkTime(1.0), ()) for at in range(16)}
    found = [forecast(many, Machines(count, 1)) for count in (1, 2, 4)]
    assert [round(each.seconds) for each in found] == [16, 8, 4]
    assert {each.limit for each in found} == {"slots"}
    chain = {at: Task(f"compile p/{at}", WorkTime(1.0), (at - 1,) if at else ()) for at in range(5)}
    held = forecast(chain, Machines(4, 1))
    assert held.seconds == pytest.approx(5.0, abs=0.1)
    assert held.limit == "the longest chain"


def test_memory_holds_back() -> None:
    """Where two actions do not fit beside one another, one waits for the other."""
    large = {at: Task(f"compile p/{at}", WorkTime(1.0), (), peak_bytes=6 << 30) for at in range(4)}
    assert forecast(large, Machines(1, 4, 8 << 30)).seconds == pytest.approx(4.0, abs=0.1)
    assert forecast(large, Machines(1, 4, 8 << 30)).limit == "memory"
    assert forecast(large, Machines(1, 4, 64 << 30)).seconds == pytest.approx(1.0, abs=0.1)


def test_when_another_node_gains_little() -> None:
    """It is said from which count on each further one gains less than a twentieth."""

    def at(count: int, seconds: float) -> Forecast:
        return Forecast(Machines(count, 1), seconds, 1.0, "slots")

    assert until_it_gains_little([at(1, 100.0), at(2, 60.0), at(4, 58.0), at(8, 57.0)]) == 2
    assert until_it_gains_little([at(1, 100.0), at(2, 50.0), at(4, 25.0)]) is None
    assert until_it_gains_little([at(1, 100.0)]) is None


def test_times_come_from_the_run_the_store_and_the_source() -> None:
    """What ran is as it was, what was done otherwise as its record says, and the rest by its size."""
    made = World().plan()
    runtime, syscall = ActionId("compile runtime"), ActionId("compile syscall")
    planned = [*made.actions.values()]
    line = plan([()] * len(planned))
    actions = tuple(
        msgspec.structs.replace(each, name=action.id)
        for each, action in zip(line.actions, planned, strict=True)
    )
    numbers = {action.id: number for number, action in enumerate(planned)}
    ran = AttemptLine(
        numbers[runtime],
        "n1",
        "ran",
        ticks=ticks_of((0.0, 0.0, None, None, 0.0, 0.0, 1.5, 1.5)),
        slot=0,
        peak_bytes=7,
    )
    run = history(head(), msgspec.structs.replace(line, actions=actions), ran, EndLine("failed", 2.0))
    key = made.actions[syscall].key
    record = ActionRecord(key, "compile", "syscall", {}, 0.25, 0.2, 9, "n1")  # type: ignore[arg-type]
    times = times_of(run, made, {key: record})
    assert times.sources == {MEASURED: 1, STORED: 1, ESTIMATED: len(planned) - 2}
    assert times.tasks[numbers[runtime]].work.slot_seconds == 1.5
    assert times.tasks[numbers[syscall]].work.slot_seconds == 0.25
    half = times.scaled("runtime", 0.5)
    assert half.tasks[numbers[runtime]].work.slot_seconds == 0.75
    assert half.tasks[numbers[syscall]] == times.tasks[numbers[syscall]]


def test_sizes_are_set_right_by_what_is_known_of_the_machine() -> None:
    """On a machine where known actions take twice as long as their size says, all others do."""
    made = World().plan()
    known = dict.fromkeys(list(made.actions)[:3], 2.0)
    slow = times_of_plan(made, list(made.actions), lambda each: known.get(each))
    known = dict.fromkeys(known, 1.0)
    fast = times_of_plan(made, list(made.actions), lambda each: known.get(each))
    unknown = [number for number, each in enumerate(made.actions) if each not in known]
    for number in unknown:
        assert slow.tasks[number].work.slot_seconds == pytest.approx(2 * fast.tasks[number].work.slot_seconds)


def test_the_forecast_of_a_run_keeps_to_grahams_bound() -> None:
    """No run is forecast longer than its work over the slots and its longest chain together.

    Graham 1966: at each moment all slots are busy, or an action of the longest chain goes on.
    """
    for seed in range(10):
        run = History(drawn(seed))
        tasks = times_of(run).tasks
        found = forecast(tasks, Machines(len(run.nodes), 2))
        work = sum(task.work.slot_seconds for task in tasks.values())
        graph = Graph({number: task.dependencies for number, task in tasks.items()})
        chain = max(graph.remaining({n: task.work for n, task in tasks.items()}).values(), default=0.0)
        assert found.seconds <= work / found.machines.all_slots + chain + 1e-6


def test_what_must_run_and_what_a_cutoff_may_spare() -> None:
    """An edited package must run; what only imports it may be spared; without an earlier build all must."""
    world = World()
    before = world.plan()
    world.contents["example.com/app/lib", "lib.go"] = "other"
    after = world.plan()
    changed = [each for each in after.actions if after.actions[each].key != before.actions[each].key]
    found = outlook(after, changed, before)
    assert found.must == ("compile example.com/app/lib",)
    assert set(found.may) == {"compile example.com/app", "link example.com/app"}
    assert found.hits == len(after.actions) - 3
    assert outlook(after, changed, None).must == tuple(changed)


def test_only_what_is_estimated_may_be_off() -> None:
    """A forecast's range comes from the times that nobody measured; where all are known there is none."""
    known = Times({0: Task("a", WorkTime(1.0), ()), 1: Task("b", WorkTime(1.0), ())}, {}, frozenset([1]))
    slots = [known.guessed(2.0).tasks[at].work.slot_seconds for at in (0, 1)]
    assert slots == [1.0, 2.0]
    sure = msgspec.structs.replace(known, estimated=frozenset())
    assert sure.guessed(2.0) is sure


def test_the_chain_is_that_of_the_times_asked_about() -> None:
    """Where a package is taken to need less, another chain may be the longest."""
    works = {"a": 1.0, "b": 5.0, "c": 3.0}
    graph = {
        at: Task(f"compile {name}", WorkTime(works[name]), (0,) if at else ())
        for at, name in enumerate(works)
    }
    times = Times(graph, {})
    assert chain_line(times) == "the longest chain, 6.0 s in 2 actions: a 1.0 s → b 5.0 s"
    assert chain_line(times.scaled("b", 0.2)) == "the longest chain, 4.0 s in 2 actions: a 1.0 s → c 3.0 s"
