"""What is written down of a build on nodes, while it goes on and when nodes are lost."""

from __future__ import annotations

import json
from itertools import combinations, pairwise
from pathlib import Path

from clusters import MODULE, NODES, Cluster
from tools import wait_for

from luigigo.reports.exports.trace import trace
from luigigo.reports.frames import actions_frame, nodes_frame
from luigigo.reports.headline import headline
from luigigo.reports.history import History
from luigigo.reports.page.timeline import OUTCOMES, timeline_data
from luigigo.runrecords.naming import find_run
from luigigo.runrecords.reading import read_run

SLOW = f"{MODULE}/slow1"


def _history(cluster: Cluster) -> History:
    store = str(cluster.head.view(cluster.shared))
    return History(read_run(store, find_run(store)))


def test_a_run_on_nodes_tells_all(cluster: Cluster, many: Path) -> None:
    """Each action that ran has its node, slot and times, in their order by one clock, as `--json` told them.

    Another host reads the run while it goes on. What a killed worker had is an attempt that came to no end.
    """
    build = cluster.build(cluster.project(many))
    name = cluster.wait_running(SLOW)
    cluster.pause_compile(name, SLOW)
    other = next(node for node in NODES if node != name)
    env = {"LUIGIGO_SHARED": str(cluster.shared), "LUIGIGO_CACHE": str(cluster.local / "reader")}

    def seen() -> bool:
        said = cluster.network[other].run(["luigigo", "runs", "--json"], env).stdout
        return any(json.loads(line)["outcome"] == "running" for line in said.splitlines())

    wait_for(seen, "the run, seen from another host")
    cluster.kill_worker(name)
    cluster.wait_running(SLOW, other_than=name)
    cluster.end_identical(build, many)
    run = _history(cluster)
    frame = actions_frame(run)
    ran = frame[frame.outcome == "ran"]
    assert sorted(ran.action) == sorted(build.actions())
    bars = timeline_data(run)["steps"]["outcome"]
    assert bars.count(OUTCOMES.index("ran")) == len(build.actions())
    assert (ran.seconds > 0).all() and (ran.slot >= 0).all() and ran.node.isin(NODES).all()
    times = [f"{each}_at_seconds" for each in ("given", "staged", "started", "tools_started", "ended")]
    assert not ran[times].isna().any(axis=None)
    for before, after in pairwise(times):
        assert (ran[before] <= ran[after] + ran.uncertainty_seconds + 0.001).all(), (before, after)
    (lost,) = frame[frame.cause == "the worker was lost"].to_dict("records")
    assert (lost["action"], lost["node"], lost["outcome"]) == (f"compile {SLOW}", name, "requeued")
    assert set(nodes_frame(run).node) == set(NODES)
    row = headline(run)
    assert row.outcome == "ok"
    assert row.bound_seconds <= row.least_seconds + 1e-6 <= row.makespan_seconds + 0.01


def test_no_slices_of_a_trace_overlap(cluster: Cluster, many: Path) -> None:
    """Of a real run on nodes, where results are published beside the next action's tools."""
    cluster.end_identical(cluster.build(cluster.project(many)), many)
    events = json.loads(trace(_history(cluster)))["traceEvents"]
    slices = [each for each in events if each["ph"] == "X"]
    by_thread: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for each in slices:
        by_thread.setdefault((each["pid"], each["tid"]), []).append((each["ts"], each["ts"] + each["dur"]))
    assert any(each.get("cat") == "publishing" for each in slices)
    for thread in by_thread.values():
        for one, two in combinations(thread, 2):
            apart = one[1] <= two[0] + 0.11 or two[1] <= one[0] + 0.11
            assert apart or (one[0] <= two[0] and two[1] <= one[1]) or (two[0] <= one[0] and one[1] <= two[1])
