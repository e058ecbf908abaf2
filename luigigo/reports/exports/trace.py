"""A run as Chrome trace JSON, which Perfetto and chrome://tracing open. Pure.

A process a node, a thread a slot; what is staged and published has threads of its own, so that no two slices
of one thread overlap. The client's phases and both critical paths are threads of the first process.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from luigigo.encoding import legible
from luigigo.reports.history import History, Step
from luigigo.reports.lanes import lanes
from luigigo.reports.paths import chain_that_happened, longest_chain

CLIENT = 1
PHASES, LONGEST, HAPPENED = 1, 2, 3
STAGING, PUBLISHING = 1000, 2000
"""The first thread of what is staged to a node, and of what it publishes; slots count from 1."""
Event = dict[str, Any]


def trace(history: History) -> bytes:
    """The whole file."""
    events = [*_client(history), *_nodes(history), *_arrows(history), *_counters(history)]
    whole = {"displayTimeUnit": "ms", "otherData": {"run": history.run}, "traceEvents": events}
    return json.dumps(whole, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def _micros(seconds: float) -> float:
    return round(1e6 * seconds, 1)


def _slice(place: tuple[int, int], name: str, start: float, end: float, **arguments: object) -> Event:
    return {
        "ph": "X",
        "pid": place[0],
        "tid": place[1],
        "name": legible(name),
        "ts": _micros(start),
        "dur": max(0.0, _micros(end) - _micros(start)),
        "args": {name: legible(str(value)) for name, value in arguments.items() if value not in (None, "")},
    }


def _named(kind: str, pid: int, tid: int, name: str, order: int) -> Iterator[Event]:
    yield {"ph": "M", "pid": pid, "tid": tid, "name": f"{kind}_name", "args": {"name": legible(name)}}
    yield {"ph": "M", "pid": pid, "tid": tid, "name": f"{kind}_sort_index", "args": {"sort_index": order}}


def _client(history: History) -> Iterator[Event]:
    yield from _named("process", CLIENT, 0, "client", 0)
    for tid, name in ((PHASES, "phases"), (LONGEST, "longest chain"), (HAPPENED, "what happened last")):
        yield from _named("thread", CLIENT, tid, name, tid)
    for phase in history.record.phases:
        yield _slice((CLIENT, PHASES), phase.name, phase.start, phase.end)
    chains = (
        (LONGEST, [history.done[number] for number in longest_chain(history)]),
        (HAPPENED, [link.step for link in chain_that_happened(history)]),
    )
    for tid, steps in chains:
        before = 0.0
        for step in steps:
            if step.slot_start is not None and step.slot_end is not None:
                # Of a chain that goes on by a slot, one ends where the next begins, as exactly as clocks are.
                start = max(before, step.slot_start)
                before = max(start, step.slot_end)
                yield _slice((CLIENT, tid), history.actions[step.number].id, start, before)


def _processes(history: History) -> dict[str, int]:
    return {name: number for number, name in enumerate(sorted(history.nodes), CLIENT + 1)}


def _nodes(history: History) -> Iterator[Event]:
    for name, pid in _processes(history).items():
        yield from _named("process", pid, 0, name, pid)
        steps = history.steps_of[name]
        yield from _slots(history, pid, steps)
        for first, kind, spans in (
            (
                STAGING,
                "staging",
                [(s.moments.given, s.moments.staged if s.is_remote else None) for s in steps],
            ),
            (
                PUBLISHING,
                "publishing",
                [(s.slot_end, s.moments.ended if s.is_remote else None) for s in steps],
            ),
        ):
            yield from _beside(history, (pid, first, kind), steps, spans)


def _slots(history: History, pid: int, steps: list[Step]) -> Iterator[Event]:
    by_slot: defaultdict[int, list[Step]] = defaultdict(list)
    for step in steps:
        if step.slot_start is not None and step.slot_end is not None:
            by_slot[max(0, step.line.slot)].append(step)
    extra = len(by_slot) and max(by_slot) + 1
    for slot, mine in sorted(by_slot.items()):
        given = lanes((step.slot_start, step.slot_end) for step in mine)
        for lane in sorted(set(given)):
            # A slot has one at a time; where clocks say otherwise, the second gets a thread beside it.
            tid = 1 + slot + lane * extra
            yield from _named(
                "thread", pid, tid, f"slot {slot}" + (" (uncertain)" if lane else ""), 10 * slot + lane
            )
        for step, lane in zip(mine, given, strict=True):
            yield _action(history, (pid, 1 + slot + lane * extra), step)


def _action(history: History, place: tuple[int, int], step: Step) -> Event:
    line = step.line
    return _slice(
        place,
        history.actions[step.number].id,
        step.slot_start or 0.0,
        step.slot_end or 0.0,
        outcome=line.outcome,
        module=history.modules[step.number],
        cpu_seconds=line.cpu_seconds or "",
        peak_bytes=line.peak_bytes or "",
        waited_seconds=round(step.slot_wait_seconds + step.waits.memory + step.waits.luigid, 4) or "",
        message=line.message or line.cause,
    ) | {"cat": line.outcome}


def _beside(
    history: History,
    place: tuple[int, int, str],
    steps: list[Step],
    spans: list[tuple[float | None, float | None]],
) -> Iterator[Event]:
    pid, first, kind = place
    given = lanes(spans)
    for lane in sorted(set(given) - {-1}):
        yield from _named("thread", pid, first + lane, f"{kind} {lane}", first + lane)
    for step, lane, (start, end) in zip(steps, given, spans, strict=True):
        if lane >= 0 and start is not None and end is not None:
            yield _slice((pid, first + lane), history.actions[step.number].id, start, end) | {"cat": kind}


def _arrows(history: History) -> Iterator[Event]:
    """To each action from the dependency that came last."""
    processes = _processes(history)
    for step in history.last.values():
        ended = [
            history.last[each] for each in history.actions[step.number].dependencies if each in history.last
        ]
        last = max(ended, key=lambda each: each.slot_end or 0.0, default=None)
        if last is None or last.slot_end is None or step.slot_start is None:
            continue
        for phase, other, moment in (("s", last, last.slot_end), ("f", step, step.slot_start)):
            event = {
                "ph": phase,
                "pid": processes.get(other.node, CLIENT),
                "tid": 1 + max(0, other.line.slot),
                "id": step.number,
                "name": "waits for",
                "cat": "dependency",
                # Within the slice that it leaves, for it binds to the one that it lies in.
                "ts": _micros(moment) - (0.1 if phase == "s" else 0.0),
            }
            yield event | ({"bp": "e"} if phase == "f" else {})


def _counters(history: History) -> Iterator[Event]:
    running = [(step.slot_start, step.slot_end, 1) for step in history.steps]
    ready = [(step.moments.ready, step.slot_start, 1) for step in history.steps]
    granted = [(step.slot_start, step.slot_end, step.line.peak_bytes) for step in history.steps]
    for name, spans in (("ready", ready), ("running", running), ("memory of what runs", granted)):
        for moment, value in _levels(spans):
            yield {"ph": "C", "pid": CLIENT, "name": name, "ts": _micros(moment), "args": {"value": value}}
    for line in history.record.nodes:
        slots = sum(node.slots for node in line.nodes)
        yield {"ph": "C", "pid": CLIENT, "name": "slots", "ts": _micros(line.at), "args": {"value": slots}}


def _levels(spans: Iterable[tuple[float | None, float | None, int]]) -> Iterator[tuple[float, int]]:
    changes: defaultdict[float, int] = defaultdict(int)
    for start, end, amount in spans:
        if start is not None and end is not None and end > start:
            changes[start] += amount
            changes[end] -= amount
    level = 0
    for moment in sorted(changes):
        level += changes[moment]
        yield moment, level
