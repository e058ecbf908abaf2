"""A run in the forms of other tools, and several runs beside one another."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from typing import ClassVar

import msgspec
import pytest
from runrecording import drawn, head, history, plan

from luigigo.errors import UsageError
from luigigo.reports.exports.actiongraph import actiongraph
from luigigo.reports.exports.otlp import send
from luigigo.reports.exports.trace import trace
from luigigo.reports.history import History
from luigigo.reports.page.scalingpage import scaling_page
from luigigo.reports.scaling import Measured, measured, points, require_alike
from luigigo.runrecords.lines import AttemptLine, EndLine, ticks_of


@pytest.mark.parametrize("seed", range(25))
def test_no_two_slices_of_a_thread_overlap(seed: int) -> None:
    """Of any two slices of one thread one ends before the other begins, or lies in it."""
    run = History(drawn(seed))
    events = json.loads(trace(run))["traceEvents"]
    by_thread: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for event in events:
        if event["ph"] == "X":
            thread = by_thread.setdefault((event["pid"], event["tid"]), [])
            thread.append((event["ts"], event["ts"] + event["dur"]))
    for slices in by_thread.values():
        slices.sort(key=lambda each: (each[0], -each[1]))
        for before, after in pairwise(slices):
            assert before[1] <= after[0] + 0.11 or after[1] <= before[1]
    named = {(each["pid"], each["tid"]) for each in events if each["name"] == "thread_name"}
    assert set(by_thread) <= named


def test_publishing_beside_another_actions_tools_has_its_own_thread() -> None:
    """One action publishes while the next runs in its slot: the slot shows the tools, the lane the rest."""
    first = AttemptLine(0, "n1", "ran", ticks_of((0.0, 0.0, 0.0, 0.1, 0.1, 0.1, 1.0, 2.0)), 0)
    second = AttemptLine(1, "n1", "ran", ticks_of((0.0, 0.9, 0.9, 0.95, 1.0, 1.0, 1.5, 1.6)), 0)
    run = history(head(), plan([(), ()]), first, second, EndLine("ok", 2.0))
    slices = [each for each in json.loads(trace(run))["traceEvents"] if each["ph"] == "X" and each["pid"] > 1]
    slot = sorted((each["ts"], each["dur"]) for each in slices if each["tid"] == 1)
    assert slot == [(100_000.0, 900_000.0), (1_000_000.0, 500_000.0)]
    publishing = {
        each["name"]: (each["ts"], each["dur"]) for each in slices if each.get("cat") == "publishing"
    }
    assert publishing == {"compile p/0": (1_000_000.0, 1_000_000.0), "compile p/1": (1_500_000.0, 100_000.0)}


@pytest.mark.parametrize("seed", range(10))
def test_arrows_lead_from_the_last_dependency(seed: int) -> None:
    """Each action that waited for another has one arrow, which begins and ends in slices of slots."""
    run = History(drawn(seed))
    events = json.loads(trace(run))["traceEvents"]
    begun = {each["id"] for each in events if each["ph"] == "s"}
    assert begun == {each["id"] for each in events if each["ph"] == "f"}
    waited = {
        number
        for number in run.last
        if any(dependency in run.last for dependency in run.actions[number].dependencies)
    }
    assert begun == waited
    slices = [(e["pid"], e["tid"], e["ts"], e["ts"] + e["dur"]) for e in events if e["ph"] == "X"]
    for each in events:
        if each["ph"] in "sf":
            place = (each["pid"], each["tid"])
            assert any(s[:2] == place and s[2] - 0.2 <= each["ts"] <= s[3] + 0.2 for s in slices)


def test_counters_return_to_zero() -> None:
    """What is ready and what runs is never less than nothing, and nothing at the end."""
    events = json.loads(trace(History(drawn(3))))["traceEvents"]
    for name in ("ready", "running", "memory of what runs"):
        values = [each["args"]["value"] for each in events if each["ph"] == "C" and each["name"] == name]
        assert min(values, default=0) >= 0
        assert not values or values[-1] == 0


def test_the_actiongraph_is_the_go_commands() -> None:
    """Numbered from 0 by place, dependencies by number, times as Go writes them."""
    run = History(drawn(4))
    actions = json.loads(actiongraph(run))
    assert [each["ID"] for each in actions] == list(range(len(run.actions)))
    assert all(dependency > each["ID"] for each in actions for dependency in each["Deps"])
    by_package = {each["Package"]: each for each in actions}
    for number, step in run.last.items():
        found = by_package[run.package(number)]
        assert found["Mode"] == "build"
        assert found["TimeReady"] <= found["TimeStart"] <= found["TimeDone"]
        assert found.get("NeedBuild", False) == (step.line.outcome == "ran")


def test_runs_of_one_point_are_one() -> None:
    """Several give a median and a range; a number of nodes that nobody measured is a gap in the line."""
    made = ((1, 9.0), (1, 8.0), (1, 13.0), (2, 6.0), (8, 3.0))
    runs = [Measured("r", nodes, 1, seconds, 0.1, 0.2, 0.3, 5.0, 6.0) for nodes, seconds in made]
    found = points(runs)
    assert [(each.nodes, each.runs) for each in found] == [(1, 3), (2, 1), (8, 1)]
    assert (found[0].median["compile_seconds"], found[0].low["compile_seconds"]) == (9.0, 8.0)
    assert found[0].high["compile_seconds"] == 13.0
    written = scaling_page("p <x>", found, 20.0)
    assert written == scaling_page("p <x>", found, 20.0)
    assert "p &lt;x&gt;" in written and "go build, one node" in written


def test_what_is_not_alike_is_refused_by_name() -> None:
    """Runs of other programs, other toolchains, that failed, or on nodes that differ."""
    one = History(drawn(1))
    other = History(drawn(2))
    require_alike([one, other])
    other.record.plans[0] = msgspec.structs.replace(other.record.plans[0], project="/q")
    with pytest.raises(UsageError, match=r"different programs: /p \.: .*; /q \.: "):
        require_alike([one, other])
    third = History(drawn(2))
    third.record.plans[0] = msgspec.structs.replace(third.record.plans[0], toolchain="go1.26.8")
    with pytest.raises(UsageError, match="different toolchains"):
        require_alike([one, third])
    with pytest.raises(UsageError, match="its outcome is 'failed'"):
        measured(history(head(), plan([()]), EndLine("failed", 1.0)))


class Collector(BaseHTTPRequestHandler):
    """Takes spans as a collector does."""

    bodies: ClassVar[list[bytes]] = []
    status = 200

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def collector() -> Iterator[str]:
    """The address of a collector."""
    Collector.bodies.clear()
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/traces"
        server.shutdown()


def test_spans_are_sent_below_the_traces_parent(collector: str) -> None:
    """One for the run, each phase and each attempt, all in the trace that TRACEPARENT names."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    run = History(drawn(6))
    trace_id, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    count = send(run, collector, {"TRACEPARENT": f"00-{trace_id}-{parent}-01"})
    assert count == 1 + len(run.record.phases) + len(run.steps)
    spans = []
    for body in Collector.bodies:
        raw = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        request = ExportTraceServiceRequest.FromString(raw)
        spans += [span for part in request.resource_spans for each in part.scope_spans for span in each.spans]
    assert len(spans) == count
    assert {span.trace_id.hex() for span in spans} == {trace_id}
    (root,) = (span for span in spans if span.parent_span_id.hex() == parent)
    assert root.name == "luigigo build"
    assert all(span.parent_span_id == root.span_id for span in spans if span is not root)
    assert all(root.start_time_unix_nano <= span.start_time_unix_nano for span in spans)


def test_spans_that_nobody_takes_are_an_error() -> None:
    """A collector that is not there, or no address at all, is named."""
    with pytest.raises(UsageError, match="--otlp nonsense"):
        send(History(drawn(6)), "nonsense", {})
