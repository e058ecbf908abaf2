"""What Luigi's page shows of tasks, for people. Pure.

The page puts what `get_task_status_message` and `get_scheduler_message_response` give, and the names in a
graph, into its HTML as they are (visualiserApp.js: showStatusMessage, draw). All else it escapes itself.
"""

from __future__ import annotations

import html
from collections.abc import Mapping


def did(outcome: str, seconds: float, node: str) -> str:
    """What an action did, in a few words: `ran 1.2 s on n1`, `cut off`, `cached`, `failed on n1`."""
    where = f" on {node}" if node else ""
    if outcome == "ran":
        return f"ran {seconds:.1f} s{where}" if seconds >= 1 else f"ran {seconds:.2f} s{where}"
    return {"cutoff": "cut off", "hit": "cached"}.get(outcome, f"{outcome}{where}")


def row_params(
    public: Mapping[str, str], hidden: Mapping[str, str], status_message: str | None
) -> dict[str, str]:
    """The parameters that a row shows; of an action, which has hidden ones, with what it did."""
    said = {"did": status_message} if hidden and status_message else {}
    return {**public, **said}


def node_name(family: str, public: Mapping[str, str], hidden: Mapping[str, str]) -> str:
    """How a graph's node is called, as HTML: an action by its package, any other task by its family."""
    package = next(iter(public.values()), "") if hidden else ""
    if not package:
        return html.escape(family)
    return html.escape(package if family == "CompilePackage" else f"{package} ({family})")


def given(params: Mapping[str, str]) -> dict[str, str]:
    """The parameters that a command has to name: not those that say nothing."""
    return {name: value for name, value in params.items() if value not in ("", "False")}


def escaped(message: object) -> object:
    """A message as HTML; what is no text stays."""
    return html.escape(message) if isinstance(message, str) else message
