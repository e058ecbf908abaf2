"""What each slot did at each moment, and why the idle ones were idle. Pure.

Every slot-second of a run has one cause, so that all of them add up to slots × makespan. A slot that runs
nothing is idle for the first of these reasons that holds on its node: something is being staged for it, an
action waits for memory, or for luigid to give it out, something is being published that others may wait for;
else the client has not begun, or delivers; else no action is ready.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias

import msgspec
import numpy
from numpy.typing import NDArray

from luigigo.reports.history import History, Step

RUNNING, STAGING, PUBLISHING, MEMORY, LUIGID = "running", "staging", "publishing", "memory", "luigid"
NOTHING_READY = "nothing ready"
ABSENT = "absent"
"""The node was not there."""
Times: TypeAlias = NDArray[numpy.float64]
Counts: TypeAlias = NDArray[numpy.int64]
Truths: TypeAlias = NDArray[numpy.bool_]
_IDLE_CAUSES = (STAGING, MEMORY, LUIGID)


class NodeUse(msgspec.Struct, frozen=True):
    """What one node's slots did from each of the run's edges to the next."""

    node: str
    slots: dict[str, Counts]
    """By cause, how many slots."""


class SlotUse(msgspec.Struct, frozen=True):
    """What all slots of a run did. Between two edges nothing changes."""

    edges: Times
    """In seconds, from 0 to the run's end."""
    nodes: list[NodeUse]


@lru_cache(maxsize=4)
def slot_use(history: History) -> SlotUse:
    """What each slot of a run did at each moment."""
    spans = [(*each, step.node) for step in history.steps for each in _spans(step) if each[2] > each[1]]
    phases = _phases(history)
    presence = [(line.at, frozenset(node.name for node in line.nodes)) for line in history.record.nodes]
    moments = [moment for _, start, end, _ in spans for moment in (start, end)]
    moments += [start for start, _ in phases] + [at for at, _ in presence]
    inside = [moment for moment in moments if 0 < moment < history.seconds]
    edges = numpy.unique(numpy.array([0.0, *inside, history.seconds]))
    published = _counted(edges, [each for each in spans if each[0] == PUBLISHING])
    of_node: defaultdict[str, list[_Span]] = defaultdict(list)
    for each in spans:
        of_node[each[3]].append(each)
    nodes = []
    for name, node in history.nodes.items():
        present = _present(edges, presence, name)
        slots, published = _divide(edges, of_node[name], node.slots, published, present)
        nodes.append(NodeUse(name, _with_phases(edges, slots, phases)))
    return SlotUse(edges, nodes)


_Span = tuple[str, float, float, str]


def _counted(edges: Times, spans: Iterable[_Span]) -> Counts:
    """How many of the spans hold from each edge to the next."""
    changes = numpy.zeros(len(edges), dtype=numpy.int64)
    known = list(spans)
    if known:
        last = len(edges) - 1
        starts = numpy.searchsorted(edges, [max(0.0, start) for _, start, _, _ in known])
        ends = numpy.searchsorted(edges, [end for _, _, end, _ in known])
        numpy.add.at(changes, numpy.minimum(starts, last), 1)
        numpy.add.at(changes, numpy.minimum(ends, last), -1)
    return numpy.cumsum(changes)[:-1]


def _divide(
    edges: Times, spans: list[_Span], slots: int, published: Counts, present: Truths
) -> tuple[dict[str, Counts], Counts]:
    """By cause, a node's slots; and how many actions under publication explain no idle slot yet."""
    counts = {
        cause: _counted(edges, [each for each in spans if each[0] == cause])
        for cause in (RUNNING, *_IDLE_CAUSES)
    }
    is_there = present | (counts[RUNNING] > 0)
    left = numpy.where(is_there, slots, 0)
    found = {ABSENT: slots - left}
    for cause in (RUNNING, *_IDLE_CAUSES):
        found[cause] = numpy.minimum(left, counts[cause])
        left = left - found[cause]
    found[PUBLISHING] = numpy.minimum(left, published)
    found[NOTHING_READY] = left - found[PUBLISHING]
    return found, published - found[PUBLISHING]


def _with_phases(
    edges: Times, slots: dict[str, Counts], phases: list[tuple[float, str]]
) -> dict[str, Counts]:
    """The same, where what was idle while the client did something else is that phase's."""
    idle = slots.pop(NOTHING_READY)
    at = numpy.searchsorted([start for start, _ in phases], edges[:-1], side="right") - 1
    for number, (_, name) in enumerate(phases):
        cause = NOTHING_READY if name == "run" else name
        mine = numpy.where(at == number, idle, 0)
        slots[cause] = slots[cause] + mine if cause in slots else mine
    return {cause: counts for cause, counts in slots.items() if counts.any()}


def _present(edges: Times, presence: list[tuple[float, frozenset[str]]], name: str) -> Truths:
    """Whether a node was there from each edge to the next; at first, as it was told first."""
    if not presence:
        return numpy.ones(len(edges) - 1, dtype=bool)
    at = numpy.searchsorted([at for at, _ in presence], edges[:-1], side="right") - 1
    return numpy.array([name in names for _, names in presence])[numpy.maximum(at, 0)]


def _phases(history: History) -> list[tuple[float, str]]:
    """When each of the client's phases began; the first holds from the beginning."""
    phases = history.record.phases
    found = [(phase.start, phase.name) for phase in phases]
    # A run without an end has told only the phases that were over.
    if history.record.end is None and phases:
        found.append((phases[-1].end, "run"))
    return sorted([(-1.0, "start"), *found])


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


@lru_cache(maxsize=4)
def slot_seconds(history: History) -> Mapping[str, Mapping[str, float]]:
    """By node, and by cause: slot-seconds, which add up to the node's slots × makespan."""
    use = slot_use(history)
    lengths = numpy.diff(use.edges)
    return {
        node.node: {cause: float(counts @ lengths) for cause, counts in node.slots.items()}
        for node in use.nodes
    }


@lru_cache(maxsize=4)
def totals(history: History) -> Mapping[str, float]:
    """The same for all nodes together, the most first."""
    found: defaultdict[str, float] = defaultdict(float)
    for by_cause in slot_seconds(history).values():
        for cause, seconds in by_cause.items():
            found[cause] += seconds
    return dict(sorted(found.items(), key=lambda item: -item[1]))


@lru_cache(maxsize=4)
def over_time(history: History, bins: int) -> Mapping[str, Times]:
    """By cause, the mean number of slots in each of so many equal parts of the run."""
    use = slot_use(history)
    lengths = numpy.diff(use.edges)
    cuts = numpy.linspace(0.0, history.seconds, bins + 1)
    width = history.seconds / bins
    found: dict[str, Times] = {}
    for node in use.nodes:
        for cause, counts in node.slots.items():
            sums = numpy.concatenate(([0.0], numpy.cumsum(counts * lengths)))
            means = numpy.diff(numpy.interp(cuts, use.edges, sums)) / width
            found[cause] = found[cause] + means if cause in found else means
    return found
