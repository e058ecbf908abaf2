"""The numbers from which the page draws its timeline: short, and the same for the same record. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from luigigo.encoding import legible
from luigigo.reports.history import History
from luigigo.reports.lanes import lanes
from luigigo.reports.paths import chain_that_happened, longest_chain

TICKS = 10_000
"""In a second: times are whole numbers of them."""
OUTCOMES = ("ran", "cutoff", "hit", "failed", "requeued")


def timeline_data(history: History) -> dict[str, Any]:
    """All that is known of the run's actions, as columns."""
    names = sorted(history.nodes)
    at = {name: number for number, name in enumerate(names)}
    modules = sorted(set(history.modules))
    steps = [step for step in history.steps if step.node in at]
    staging = _lanes((at[s.node], s.moments.given, s.moments.staged if s.is_remote else None) for s in steps)
    publishing = _lanes((at[s.node], s.slot_end, s.moments.ended if s.is_remote else None) for s in steps)
    of_step = {step.number: number for number, step in enumerate(steps)}
    return {
        "seconds": history.seconds,
        "nodes": [[legible(name), max(1, history.nodes[name].slots)] for name in names],
        "modules": [legible(module) for module in modules],
        "outcomes": OUTCOMES,
        "kinds": ("compile", "cgo", "link", "preprofile"),
        "actions": {
            "name": [legible(_short(history, number)) for number in range(len(history.actions))],
            "kind": [_kind(history, number) for number in range(len(history.actions))],
            "module": [modules.index(module) for module in history.modules],
            "needs": [[n - each for each in a.dependencies] for n, a in enumerate(history.actions)],
            "hit": {number: round(hit.seconds, 3) for number, (hit, _) in history.hits.items()},
        },
        "steps": {
            "action": [step.number for step in steps],
            "node": [at[step.node] for step in steps],
            "slot": [step.line.slot for step in steps],
            "outcome": [OUTCOMES.index(step.line.outcome) for step in steps],
            **{
                name: [_ticks(getattr(step.moments, name)) for step in steps]
                for name in ("ready", "given", "staged", "started", "tools_started", "tools_ended", "ended")
            },
            "slot_end": [_ticks(step.slot_end) for step in steps],
            "staging_lane": staging,
            "publishing_lane": publishing,
            "cpu": [round(1000 * step.line.cpu_seconds) for step in steps],
            "peak": [step.line.peak_bytes >> 20 for step in steps],
            "said": {
                number: legible(step.line.message or step.line.cause)
                for number, step in enumerate(steps)
                if step.line.message or step.line.cause
            },
        },
        "longest": longest_chain(history),
        "happened": [of_step[link.step.number] for link in chain_that_happened(history)],
    }


def as_json(data: object) -> str:
    """JSON that may stand in a page: nothing in it ends an element."""
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return written.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _ticks(moment: float | None) -> int:
    return -1 if moment is None else max(0, round(TICKS * moment))


def _kind(history: History, number: int) -> int:
    kinds = ("compile", "cgo", "link", "preprofile")
    kind = history.kind(number)
    return kinds.index(kind) if kind in kinds else 0


def _short(history: History, number: int) -> str:
    """The package without its module, which the page puts before it again; `=` begins a whole name."""
    package, module = history.package(number), history.modules[number]
    if module and module != "std" and package.startswith(module):
        return package.removeprefix(module)
    return f"={package}"


def _lanes(spans: Iterable[tuple[int, float | None, float | None]]) -> list[int]:
    """For each span its lane among those of its node; -1 for none."""
    given = list(spans)
    found = [-1] * len(given)
    for node in {node for node, _, _ in given}:
        mine = [at for at, (other, _, _) in enumerate(given) if other == node]
        for at, lane in zip(mine, lanes(given[each][1:] for each in mine), strict=True):
            found[at] = lane
    return found
