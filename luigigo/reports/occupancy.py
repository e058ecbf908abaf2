"""What each slot did at each moment, and why the idle ones were idle. Pure.

Every slot-second of a run has one cause, so that all of them add up to slots × makespan. A slot that runs
nothing is idle for the first of these reasons that holds on its node: something is being staged for it, an
action waits for memory, or for luigid to give it out, something is being published that others may wait for;
else the client has not begun, or delivers; else no action is ready.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

import msgspec

from luigigo.reports.history import History, Step

RUNNING, STAGING, PUBLISHING, MEMORY, LUIGID = "running", "staging", "publishing", "memory", "luigid"
NOTHING_READY = "nothing ready"
ABSENT = "absent"
"""The node was not there."""
_IDLE_CAUSES = (STAGING, MEMORY, LUIGID)


class Stretch(msgspec.Struct, frozen=True):
    """A time in which nothing changed, on one node."""

    node: str
    start: float
    end: float
    slots: dict[str, int]
    """By cause, how many slots."""


def stretches(history: History) -> Iterator[Stretch]:
    """The whole run on all nodes, from 0 to its end, in order of time."""
    changes = _changes(history)
    counts: dict[str, defaultdict[str, int]] = {name: defaultdict(int) for name in history.nodes}
    phase, present = "start", _present_at_first(history)
    times = sorted({0.0, *(time for time in changes if 0 < time < history.seconds), history.seconds})
    for start, end in pairwise(times):
        for kind, name, step in changes.get(start, ()):
            if kind == "phase":
                phase = name
            elif kind == "nodes":
                present = frozenset(name.split("\0"))
            elif name in counts:
                counts[name][kind] += step
        published = sum(each[PUBLISHING] for each in counts.values())
        for name, node in history.nodes.items():
            slots, published = _divide(counts[name], node.slots, published, phase, name in present)
            yield Stretch(name, start, end, slots)


def _divide(
    counts: defaultdict[str, int], slots: int, published: int, phase: str, is_present: bool
) -> tuple[dict[str, int], int]:
    """By cause, the slots of a node; and how many actions that are published explain no idle slot yet."""
    if not is_present and not counts[RUNNING]:
        return {ABSENT: slots}, published
    found = {RUNNING: min(slots, counts[RUNNING])}
    left = slots - found[RUNNING]
    for cause in _IDLE_CAUSES:
        found[cause] = min(left, counts[cause])
        left -= found[cause]
    found[PUBLISHING] = min(left, published)
    left -= found[PUBLISHING]
    found[NOTHING_READY if phase == "run" else phase] = left
    return {cause: count for cause, count in found.items() if count}, published - found[PUBLISHING]


def _present_at_first(history: History) -> frozenset[str]:
    lines = history.record.nodes
    return frozenset(node.name for node in lines[0].nodes) if lines else frozenset(history.nodes)


_Change = tuple[str, str, int]


def _changes(history: History) -> dict[float, list[_Change]]:
    """By time, what changes then: the kind, whose, and by how much."""
    found: defaultdict[float, list[_Change]] = defaultdict(list)
    for step in history.steps:
        for cause, start, end in _spans(step):
            if end > start:
                found[max(0.0, start)].append((cause, step.node, 1))
                found[end].append((cause, step.node, -1))
    for phase in history.record.phases:
        found[phase.start].append(("phase", phase.name, 0))
    # A run without an end has told only the phases that were over.
    if history.record.end is None and history.record.phases:
        found[history.record.phases[-1].end].append(("phase", "run", 0))
    for line in history.record.nodes[1:]:
        found[line.at].append(("nodes", "\0".join(node.name for node in line.nodes), 0))
    return found


def _spans(step: Step) -> Iterator[tuple[str, float, float]]:
    moments, waits = step.moments, step.waits
    if step.slot_start is not None and step.slot_end is not None:
        yield RUNNING, step.slot_start, step.slot_end
    if moments.given is not None:
        yield LUIGID, moments.given - waits.luigid, moments.given
        if step.is_remote:
            yield MEMORY, moments.given - waits.luigid - waits.memory, moments.given - waits.luigid
            if moments.staged is not None:
                yield STAGING, moments.given, moments.staged
        elif moments.started is not None:
            yield MEMORY, moments.started - waits.memory, moments.started
    if step.is_remote and moments.tools_ended is not None and moments.ended is not None:
        yield PUBLISHING, moments.tools_ended, moments.ended


def slot_seconds(history: History) -> dict[str, dict[str, float]]:
    """By node, and by cause: slot-seconds, which add up to the node's slots × makespan."""
    found: dict[str, dict[str, float]] = {name: {} for name in history.nodes}
    for stretch in stretches(history):
        seconds = stretch.end - stretch.start
        mine = found[stretch.node]
        for cause, count in stretch.slots.items():
            mine[cause] = mine.get(cause, 0.0) + count * seconds
    return found


def totals(history: History) -> dict[str, float]:
    """The same for all nodes together, the most first."""
    found: defaultdict[str, float] = defaultdict(float)
    for by_cause in slot_seconds(history).values():
        for cause, seconds in by_cause.items():
            found[cause] += seconds
    return dict(sorted(found.items(), key=lambda item: -item[1]))
