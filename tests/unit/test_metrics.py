"""What luigid tells Prometheus."""

from __future__ import annotations

from dispatching import Luigid, action
from prometheus_client.parser import text_string_to_metric_families

from luigigo.luigid.metrics import metrics_of
from luigigo.luigid.tally import MOST_KINDS, OTHER, ResultCounts
from luigigo.protocol.messages import Usage


def read(luigid: Luigid) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every series with its value."""
    text = metrics_of(luigid.dispatcher).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_tasks_nodes_and_results_are_counted() -> None:
    """What waits, runs and has ended, and what each node has and holds, with base units in the names."""
    luigid = Luigid()
    node, client = luigid.node("n1", memory_bytes=8 << 30), luigid.client()
    client.offer(action("a", peak_bytes=1 << 20), action("b"), action("c"))
    node.start("a")
    found = read(luigid)
    assert found["luigigo_node_slots", (("node", "n1"),)] == 1
    assert found["luigigo_node_memory_bytes", (("node", "n1"),)] == 8 << 30
    assert found["luigigo_node_running_tasks", (("node", "n1"),)] == 1
    assert found["luigigo_nodes", (("state", "ready"),)] == 1
    assert found["luigigo_clients", ()] == 1
    node.end("a", usage=Usage("ran", seconds=2.5))
    found = read(luigid)
    by = (("kind", "CompilePackage"), ("outcome", "ran"))
    assert found["luigigo_tasks_ended_total", by] == 1
    assert found["luigigo_task_seconds_total", by] == 2.5
    node.lose()
    found = read(luigid)
    assert found["luigigo_attempts_stopped_total", (("cause", "lost"),)] >= 1
    assert not any("n1" in str(labels) for _, labels in found)


def test_series_do_not_grow_with_builds() -> None:
    """After thirty builds of different packages there are as many as after the first."""
    luigid = Luigid()
    node = luigid.node("n1")
    counts = []
    for number in range(30):
        client = luigid.client(f"client{number}")
        client.offer(*(action(f"{number}-{at}") for at in range(5)))
        node.end_all()
        client.lose()
        luigid.wait(20, node)
        counts.append(len(read(luigid)))
    assert counts[-1] <= counts[0] + 1


def test_kinds_are_bounded() -> None:
    """However many families clients say, no more than so many are told apart."""
    tally = ResultCounts()
    for number in range(2 * MOST_KINDS):
        tally.note_end(f"Family{number}", "ran", 1.0)
    assert len(tally.ended) == MOST_KINDS + 1
    assert tally.ended[OTHER, "ran"] == MOST_KINDS
