"""A run as the JSON of `go build -debug-actiongraph` (cmd/go/internal/work/action.go, actionJSON). Pure.

Tools for that form show what the go command did; here each action of a plan is one of its actions.
"""

from __future__ import annotations

import json
import time
from typing import Any

from luigigo.encoding import legible
from luigigo.reports.history import History

_MODES = {"compile": "build", "cgo": "cgo run", "link": "link", "preprofile": "preprocess PGO profile"}


def actiongraph(history: History) -> bytes:
    """The whole file: a list of actions, roots first, numbered by their place in it."""
    order = _roots_first(history)
    places = {number: place for place, number in enumerate(order)}
    began = history.record.head.started if history.record.head is not None else 0.0
    actions = [_action(history, number, places, began) for number in order]
    return (json.dumps(actions, ensure_ascii=True, indent="\t") + "\n").encode()


def _roots_first(history: History) -> list[int]:
    known = [number for number in range(len(history.actions)) if history.actions[number].id]
    return known[::-1]


def _action(history: History, number: int, places: dict[int, int], began: float) -> dict[str, Any]:
    action, step = history.actions[number], history.last.get(number)
    found: dict[str, Any] = {
        "ID": places[number],
        "Mode": _MODES.get(history.kind(number), history.kind(number)),
        "Package": legible(history.package(number)),
        "Deps": [places[each] for each in action.dependencies if each in places],
        "Priority": len(places) - 1 - places[number],
        "ActionID": action.key,
    }
    if step is None:
        return found | {"Cmd": None}
    moments = step.moments
    for name, moment in (
        ("TimeReady", moments.ready),
        ("TimeStart", moments.started),
        ("TimeDone", moments.ended),
    ):
        if moment is not None:
            found[name] = _stamp(began + moment)
    if step.line.outcome in ("ran", "failed"):
        found |= {"NeedBuild": True, "CmdReal": round(1e9 * step.tools_seconds)}
        found["CmdUser"] = round(1e9 * step.line.cpu_seconds)
    return found | {"Cmd": None}


def _stamp(moment: float) -> str:
    """A time as Go's encoding/json writes it."""
    whole, part = divmod(round(1e9 * moment), 10**9)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{part:09}Z"
