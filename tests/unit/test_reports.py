"""What is reckoned from a run's record, held against the run."""

from __future__ import annotations

import itertools
import math

import msgspec
import pandas
import pytest
from runrecording import content, drawn, head, history, plan

from luigigo.attempts import NodeInfo
from luigigo.commands.status import how_far, status_lines
from luigigo.reports import columns, occupancy
from luigigo.reports.bypackage import package_rows
from luigigo.reports.comparing import compare_histories
from luigigo.reports.findings import findings
from luigigo.reports.frames import FRAMES, compare_frame, frame, runs_frame
from luigigo.reports.headline import headline
from luigigo.reports.history import History
from luigigo.reports.live import live_run
from luigigo.reports.paths import chain_seconds, chain_that_happened, longest_chain
from luigigo.reports.simulation import Graph, WorkTime, makespan
from luigigo.reports.text import report_text
from luigigo.runrecords.lines import (
    AttemptLine,
    EndLine,
    HitEntry,
    HitsLine,
    NodesLine,
    NowLine,
    PhaseLine,
    UnderWay,
    ticks_of,
)
from luigigo.runrecords.reading import RunRecord, parse

SEEDS = [*range(40), 60]


@pytest.fixture(params=SEEDS)
def run(request: pytest.FixtureRequest) -> History:
    return History(drawn(request.param))


def test_all_slot_seconds_add_up(run: History) -> None:
    """Every slot of every node has one cause at each moment, from the beginning to the end."""
    for node, by_cause in occupancy.slot_seconds(run).items():
        assert math.isclose(sum(by_cause.values()), run.nodes[node].slots * run.seconds, abs_tol=1e-6)
        assert all(seconds >= -1e-9 for seconds in by_cause.values())
    busy = sum(step.slot_seconds for step in run.steps)
    assert math.isclose(occupancy.totals(run).get(occupancy.RUNNING, 0.0), busy, abs_tol=1e-6)


def test_the_bound_holds(run: History) -> None:
    """No run is shorter than what is least possible, and that is no less than the bound."""
    row = headline(run)
    assert row.bound_seconds <= row.least_seconds + 1e-6
    assert row.least_seconds <= row.makespan_seconds + 1e-3
    assert row.least_seconds - row.client_seconds <= run.simulated_seconds + 1e-6
    assert row.ran + row.cutoff + row.hit == len(run.actions)


def test_each_path_is_a_path(run: History) -> None:
    """Each action of the longest chain waits for the one before, and no single one is longer than it."""
    chain = longest_chain(run)
    for before, after in itertools.pairwise(chain):
        assert before in run.actions[after].dependencies
    longest = max((step.seconds for step in run.done.values()), default=0.0)
    assert chain_seconds(run, chain) >= longest - 1e-9


def test_the_chain_that_happened_leads_to_the_end(run: History) -> None:
    """Each link ends before the next begins, the last one is the run's last, and none comes twice."""
    links = chain_that_happened(run)
    ended = [step.moments.ended or 0.0 for step in run.steps]
    assert not ended or links[-1].step.moments.ended == max(ended)
    assert len({link.step.number for link in links}) == len(links)
    for before, after in itertools.pairwise(links):
        assert (before.step.slot_end or 0.0) <= (after.step.moments.started or 0.0) + 1e-3
        if after.cause == "dependency":
            assert before.step.number in run.actions[after.step.number].dependencies


def test_waits_of_an_action_add_up(run: History) -> None:
    """From being ready to its slot an action waited for a slot, memory, luigid and the share, and no more."""
    for step in run.steps:
        waited = (step.moments.started or 0.0) - (step.moments.ready or 0.0)
        parts = step.slot_wait_seconds + step.waits.memory + step.waits.luigid + step.staging_seconds
        assert math.isclose(waited, parts, abs_tol=1e-3)


def test_no_slices_of_a_slot_overlap(run: History) -> None:
    """Of two actions in one slot one ends before the other begins."""
    by_slot: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for step in run.steps:
        place = by_slot.setdefault((step.node, step.line.slot), [])
        place.append((step.slot_start or 0.0, step.slot_end or 0.0))
    for slices in by_slot.values():
        slices.sort()
        assert all(before[1] <= after[0] + 1e-3 for before, after in itertools.pairwise(slices))


def test_a_finding_gains_what_it_says_and_no_more_than_there_is(run: History) -> None:
    """Nothing is promised that would make a run shorter than nothing, and what is shown is worth it."""
    row = headline(run)
    for finding in findings(run, row, package_rows(run)):
        assert 0.02 * row.makespan_seconds <= finding.gain_seconds <= row.makespan_seconds


def test_frames_have_their_columns_and_types_always(run: History) -> None:
    """A frame of any run, also of one of which nothing is known, has the same columns of the same types."""
    empty = History(RunRecord("none"))
    for name, make in FRAMES.items():
        layout = columns.FRAMES[name]
        for found in (make(run), make(empty)):
            assert {column: str(found[column].dtype) for column in found} == {
                column: dtype for column, (dtype, _) in layout.items()
            }
        pandas.concat([make(run), make(empty)])
    assert str(runs_frame([empty]).dtypes["started"]) == str(runs_frame([run]).dtypes["started"])


def test_a_frame_has_a_row_for_each_attempt_and_each_hit(run: History) -> None:
    """Nothing is left out, and the sums are those of the lines."""
    found = FRAMES["actions"](run)
    assert len(found) == len(run.record.attempts) + len(run.hits)
    assert found.peak_bytes.sum() == sum(line.peak_bytes for line in run.record.attempts)
    phases = FRAMES["phases"](run)
    assert math.isclose(phases.seconds.sum(), run.seconds, abs_tol=1e-6)


def test_the_text_of_any_run_can_be_printed(run: History) -> None:
    """The report says the run's name, and how each failed."""
    assert run.run in report_text(run)


def test_a_run_against_itself_has_not_changed(run: History) -> None:
    """No action became slower, and nothing differs."""
    rows = compare_histories(run, run)
    assert {row.why for row in rows} <= {""}
    assert all(not row.change_seconds for row in rows)
    assert len(compare_frame(run, run)) == len(run.actions)


def test_a_node_that_is_slower_is_named() -> None:
    """One that takes longer for the same actions than another did before, with what that costs."""
    count = 12

    def run(node: str, seconds: float) -> History:
        lines = []
        for at in range(count):
            start, end = at * seconds, (at + 1) * seconds
            times = (start, start, None, None, start, start, end, end)
            lines.append(AttemptLine(at, node, "ran", ticks_of(times), 0))
        made = history(head(), plan([()] * count), *lines, EndLine("ok", count * seconds))
        made.run = f"run-on-{node}"
        return made

    slow, fast = run("n1", 2.0), run("n2", 1.0)
    texts = [each.text for each in findings(slow, headline(slow), [], [fast])]
    assert "node n1 took 2.0 times as long as others for 12 same actions" in texts
    assert not any("took" in each.text for each in findings(fast, headline(fast), [], [slow]))
    for others in ([], [slow]):
        assert not any("took" in each.text for each in findings(slow, headline(slow), [], others))


def test_waits_count_as_far_as_they_made_the_run_longer() -> None:
    """Memory that was waited for is a gain as far as nothing else kept the run going meanwhile."""

    def run(waited: float) -> History:
        ended = [
            AttemptLine(at, "n1", "ran", ticks_of((0.0, 0.0, None, None, start, start, end, end)), 0)
            for at, (start, end) in enumerate([(0.0, 4.0), (waited, waited + 1.0)])
        ]
        late = msgspec.structs.replace(ended[1], waits=(waited, 0.0, 0.0))
        two = NodesLine(0.0, (NodeInfo("n1", 2),))
        return history(head(), plan([(), ()]), two, ended[0], late, EndLine("ok", 6.0))

    def gains(found: History) -> list[float]:
        named = findings(found, headline(found), [])
        return [each.gain_seconds for each in named if each.text.startswith("memory")]

    assert gains(run(waited=5.0)) == pytest.approx([2.0])
    assert gains(run(waited=2.0)) == []


def test_how_far_a_run_is() -> None:
    """What is done, runs, is ready and waits adds up, and the rest takes what it took before."""
    ended = AttemptLine(0, "n1", "ran", ticks_of((0.0, 0.0, None, None, 0.0, 0.0, 3.9, 4.0)), 0)
    graph = plan([(), (), (0,), (1, 2), ()])
    nodes = NodesLine(0.0, (NodeInfo("n1", 2),))
    now = NowLine(5.0, (UnderWay(1, "n1", 2.0),))
    run = history(head(started=100.0), graph, HitsLine((HitEntry(4, 9.0),)), nodes, ended, now)
    before = history(
        head(),
        graph,
        nodes,
        *(
            AttemptLine(at, "n1", "ran", ticks_of((0.0,) * 2 + (None, None) + (0.0,) * 2 + (10.0,) * 2), 0)
            for at in range(4)
        ),
        EndLine("ok", 30.0),
    )
    live = live_run(run, [before], now=106.0)
    assert (live.done, live.total, live.ready, live.waiting) == (1, 4, 1, 1)
    (running,) = live.running
    assert (running.action, running.seconds, running.expected_seconds) == ("compile p/1", 4.0, 10.0)
    # Two slots: what runs has 6 s to go; what is ready takes 10 s, and what waits for both 10 s more.
    assert live.left_seconds == pytest.approx(20.0)
    assert live_run(run, [], now=106.0).left_seconds is None
    later = msgspec.structs.replace(live, seconds=live.seconds + 1, left_seconds=1.0)
    assert how_far(later) == how_far(live) != how_far(msgspec.structs.replace(live, done=live.done + 1))
    text = "\n".join(status_lines([live], []))
    assert "1/4 done, 25 %, 6 s, about 20 s left" in text
    assert "compile p/1 runs on n1 for 4.0 s of about 10.0 s" in text


def test_what_differs_between_two_runs_is_named() -> None:
    """An action with another key had another input; one elsewhere, or that waited longer, says so."""
    line = AttemptLine(0, "n1", "ran", ticks=ticks_of((0.0, 0.0, None, None, 0.1, 0.1, 0.9, 1.0)), slot=0)
    first = history(head(), plan([()]), line, EndLine("ok", 1.0))
    elsewhere = AttemptLine(
        0, "n2", "ran", ticks=ticks_of((0.0, 0.0, None, None, 0.5, 0.5, 2.0, 2.0)), slot=0
    )
    second = history(head(), plan([()]), elsewhere, EndLine("ok", 2.0))
    second.actions[0] = type(second.actions[0])("compile p/0", "other", 0, ())
    (row,) = compare_histories(second, first)
    assert row.why == "input node wait"
    assert row.change_seconds == pytest.approx(0.6)
    assert row.change_wait_seconds == pytest.approx(0.4)


def test_a_failure_is_shown_with_its_message() -> None:
    """A report of a failed run has the tool's words, and the rest of what ran."""
    ticks = ticks_of((0.2, 0.2, None, None, 0.2, 0.2, None, 0.3))
    failed = AttemptLine(1, "n1", "failed", ticks=ticks, exit_code=1,
                         message="# p/1\n./x.go:3:5: undefined: y\n")  # fmt: skip
    ran = AttemptLine(0, "n1", "ran", ticks=ticks_of((0.0, 0.0, None, None, 0.0, 0.0, 0.2, 0.2)), slot=0)
    text = report_text(history(head(), plan([(), (0,)]), ran, failed, EndLine("failed", 0.4, 1)))
    assert "failed, 0.400 s" in text
    assert "./x.go:3:5: undefined: y" in text
    assert "1 ran" in text and "1 failed" in text


def test_clocks_that_disagree_are_shown_as_uncertain() -> None:
    """No duration is negative, and an order that can't be is not mended silently."""
    line = AttemptLine(0, "n1", "ran", ticks=ticks_of((0.5, 0.5, 0.499, 0.6, 0.6, 0.6, 0.7, 0.7)), slot=0)
    run = history(head(), plan([()]), line, EndLine("ok", 1.0))
    row = FRAMES["actions"](run).iloc[0]
    assert row.is_uncertain
    assert row.staging_seconds == pytest.approx(0.1)
    assert not FRAMES["actions"](History(drawn(3))).is_uncertain.any()


def test_twelve_times_ten_thousand_actions_are_as_many_rows() -> None:
    """Nothing is capped, merged or sampled."""
    count = 120_000
    lines = [
        AttemptLine(
            at,
            "n1",
            "ran",
            ticks=ticks_of(
                (at / 10, at / 10, None, None, at / 10, at / 10, at / 10 + 0.05, at / 10 + 0.0501)
            ),
            slot=0,
            peak_bytes=at,
        )
        for at in range(count)
    ]
    whole = content(head(), plan([()] * count), *lines, PhaseLine("run", 0.0, count / 10),
                    EndLine("ok", count / 10))  # fmt: skip
    run = History(parse("big", whole))
    found = FRAMES["actions"](run)
    assert len(found) == count
    assert found.peak_bytes.sum() == count * (count - 1) // 2
    assert (found.seconds > 0).all()
    assert headline(run).ran == count


def test_a_simulation_does_what_can_be_reckoned() -> None:
    """Two chains share two slots; one slot takes the sum; staging and publishing hold no slot."""
    graph = Graph({0: (), 1: (0,), 2: (), 3: (2,)})
    works = {number: WorkTime(1.0) for number in range(4)}
    assert makespan(graph, works, 1) == 4.0
    assert makespan(graph, works, 2) == 2.0
    assert makespan(graph, {**works, 0: WorkTime(1.0, after_seconds=0.5)}, 2) == 2.5
    assert makespan(graph, {**works, 1: WorkTime(1.0, before_seconds=0.25)}, 2) == 2.25
    assert makespan(Graph({}), {}, 2) == 0.0


def test_a_frame_refuses_no_missing_value() -> None:
    """What a row does not say is missing in the frame."""
    found = frame([{"run": "r"}], columns.ACTIONS)
    assert found.run[0] == "r"
    assert found.drop(columns="run").isna().all(axis=None)
