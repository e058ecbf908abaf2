"""What would make a run shorter, each with the seconds that a simulation says it would gain. Pure.

None is invented: what gains less than `LEAST_SHARE` of the run is not worth a sentence.
"""

from __future__ import annotations

import msgspec

from luigigo.reports import occupancy
from luigigo.reports.bypackage import PackageRow
from luigigo.reports.headline import Headline, graph_of, works_of
from luigigo.reports.history import History
from luigigo.reports.simulation import Work, makespan

MOST_FINDINGS = 5
LEAST_SHARE = 0.02
LEAST_SECONDS = 0.05


class Finding(msgspec.Struct, frozen=True):
    """One thing that could be changed."""

    gain_seconds: float
    """How much sooner the run would end."""
    text: str


def findings(history: History, head: Headline, packages: list[PackageRow]) -> list[Finding]:
    """At most five, what gains most first."""
    if not history.done:
        return []
    found = [
        *_chain(packages),
        *_slots(history),
        *_share(history),
        *_idle(history, occupancy.MEMORY, "actions waited for memory while slots were idle"),
        *_idle(history, occupancy.LUIGID, "ready actions were given out late while slots were idle"),
        *_client(history),
    ]
    least = max(LEAST_SECONDS, LEAST_SHARE * head.makespan_seconds)
    return sorted(
        (each for each in found if each.gain_seconds >= least), key=lambda each: -each.gain_seconds
    )[:MOST_FINDINGS]


def _chain(packages: list[PackageRow]) -> list[Finding]:
    dragging = [row for row in packages if row.is_on_longest_chain and row.drag_seconds]
    worst = max(dragging, key=lambda row: row.drag_seconds or 0.0, default=None)
    if worst is None:
        return []
    text = (
        f"{worst.package} takes {worst.seconds:.1f} s on the longest chain: without it, or with it in parts "
        "that need not wait for one another"
    )
    return [Finding(worst.drag_seconds or 0.0, text)]


def _slots(history: History) -> list[Finding]:
    graph, works, slots = graph_of(history), works_of(history), max(1, history.slots)
    gain = makespan(graph, works, slots) - makespan(graph, works, 2 * slots)
    return [Finding(gain, f"twice as many slots, {2 * slots} instead of {slots}")]


def _share(history: History) -> list[Finding]:
    """What staging and publishing cost: nothing where something else ran meanwhile."""
    if not any(step.is_remote for step in history.steps):
        return []
    graph, slots = graph_of(history), max(1, history.slots)
    as_it_was = {
        number: msgspec.structs.replace(work, before_seconds=history.done[number].staging_seconds)
        for number, work in works_of(history).items()
    }
    at_once = {number: Work(work.slot_seconds) for number, work in as_it_was.items()}
    gain = makespan(graph, as_it_was, slots) - makespan(graph, at_once, slots)
    return [Finding(gain, "a share that hands over and takes what actions read and make at once")]


def _idle(history: History, cause: str, text: str) -> list[Finding]:
    seconds = occupancy.totals(history).get(cause, 0.0)
    return [Finding(seconds / max(1, history.slots), text)]


def _client(history: History) -> list[Finding]:
    phases = history.phase_seconds()
    listing = phases.get("list", 0.0) + phases.get("plan", 0.0)
    return [
        Finding(listing, "listing and planning, before anything runs: the go command and the C compilers")
    ]
