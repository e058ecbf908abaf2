"""What would make a run shorter, each with the seconds that a simulation says it would gain. Pure.

Listing goes before all else, and is a gain as long as it takes.
None is invented: what gains less than `LEAST_SHARE` of the run is not worth a sentence.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence

import msgspec

from luigigo.attempts import Waits
from luigigo.reports.bypackage import PackageRow
from luigigo.reports.headline import Headline
from luigigo.reports.history import History
from luigigo.reports.simulation import WorkTime, makespan

MOST_FINDINGS = 5
LEAST_SHARE = 0.02
LEAST_SECONDS = 0.05
LEAST_COMPARED, LEAST_COMPARED_SECONDS = 8, 0.05
"""How many actions a node must share with others to be held against them, and how long each has to take."""
SLOWER = 1.2
"""How much longer it must take for them."""


class Improvement(msgspec.Struct, frozen=True):
    """One thing that could be changed."""

    gain_seconds: float
    """How much sooner the run would end."""
    text: str


def findings(
    history: History, head: Headline, packages: list[PackageRow], others: Sequence[History] = ()
) -> list[Improvement]:
    """At most five, what gains most first. `others` are runs whose nodes this one's are held against."""
    if not history.done:
        return []
    found = [
        *_chain(packages),
        *_slots(history),
        *_share(history),
        *_waits(history, lambda waits: waits.memory, "memory for what waited for it"),
        *_waits(history, lambda waits: waits.luigid, "a luigid that gives out at once what is ready"),
        *_client(history),
        *_slow_nodes(history, others),
    ]
    least = max(LEAST_SECONDS, LEAST_SHARE * head.makespan_seconds)
    return sorted(
        (each for each in found if each.gain_seconds >= least), key=lambda each: -each.gain_seconds
    )[:MOST_FINDINGS]


def _chain(packages: list[PackageRow]) -> list[Improvement]:
    dragging = [row for row in packages if row.is_on_longest_chain and row.drag_seconds]
    worst = max(dragging, key=lambda row: row.drag_seconds or 0.0, default=None)
    if worst is None:
        return []
    text = (
        f"{worst.package} takes {worst.seconds:.1f} s on the longest chain: without it, or with it in parts "
        "that need not wait for one another"
    )
    return [Improvement(worst.drag_seconds or 0.0, text)]


def _slots(history: History) -> list[Improvement]:
    graph, works, slots = history.graph, history.works, max(1, history.slots)
    gain = history.simulated_seconds - makespan(graph, works, 2 * slots)
    return [Improvement(gain, f"twice as many slots, {2 * slots} instead of {slots}")]


def _share(history: History) -> list[Improvement]:
    """What staging and publishing cost: nothing where something else ran meanwhile."""
    if not any(step.is_remote for step in history.steps):
        return []
    graph, slots = history.graph, max(1, history.slots)
    as_it_was = {
        number: msgspec.structs.replace(work, before_seconds=history.done[number].staging_seconds)
        for number, work in history.works.items()
    }
    at_once = {number: WorkTime(work.slot_seconds) for number, work in as_it_was.items()}
    gain = makespan(graph, as_it_was, slots) - makespan(graph, at_once, slots)
    return [Improvement(gain, "a share that hands over and takes what actions read and make at once")]


def _waits(history: History, seconds: Callable[[Waits], float], text: str) -> list[Improvement]:
    """What waits of one kind cost: nothing where something else ran meanwhile."""
    waited = {number: seconds(step.waits) for number, step in history.done.items()}
    if not any(waited.values()):
        return []
    as_it_was = {
        number: msgspec.structs.replace(work, before_seconds=waited[number])
        for number, work in history.works.items()
    }
    gain = makespan(history.graph, as_it_was, max(1, history.slots)) - history.simulated_seconds
    return [Improvement(gain, text)]


def _slow_nodes(history: History, others: Sequence[History]) -> list[Improvement]:
    """Nodes that took longer for the same actions than others did, in this run or before."""
    seconds: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    for run in (history, *(each for each in others if each.run != history.run)):
        for number, step in run.done.items():
            if step.line.outcome == "ran" and step.slot_seconds > LEAST_COMPARED_SECONDS:
                seconds[run.actions[number].key].append((step.node, step.slot_seconds))
    found = []
    for name in sorted(history.nodes):
        ratios = []
        for number, step in history.done.items():
            elsewhere = [took for node, took in seconds[history.actions[number].key] if node != name]
            if step.node == name and elsewhere and step.slot_seconds > LEAST_COMPARED_SECONDS:
                ratios.append(step.slot_seconds / statistics.median(elsewhere))
        if len(ratios) >= LEAST_COMPARED and statistics.median(ratios) >= SLOWER:
            found.append(_slow_node(history, name, statistics.median(ratios), len(ratios)))
    return found


def _slow_node(history: History, name: str, ratio: float, count: int) -> Improvement:
    graph, works, slots = history.graph, history.works, max(1, history.slots)
    mended = {
        number: msgspec.structs.replace(work, slot_seconds=work.slot_seconds / ratio)
        if history.done[number].node == name
        else work
        for number, work in works.items()
    }
    gain = history.simulated_seconds - makespan(graph, mended, slots)
    return Improvement(gain, f"node {name} took {ratio:.1f} times as long as others for {count} same actions")


def _client(history: History) -> list[Improvement]:
    phases = history.phase_seconds()
    listing = phases.get("list", 0.0) + phases.get("plan", 0.0)
    return [
        Improvement(listing, "listing and planning, before anything runs: the go command and the C compilers")
    ]
