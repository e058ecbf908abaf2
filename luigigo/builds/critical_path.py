"""Which ready action goes first: the one with the longest chain of work behind it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from luigigo.golang.actions import Action, Kind, Plan, is_toolchains
from luigigo.model import ActionId

_SECONDS_PER_BYTE = {Kind.COMPILE: 2.8e-6, Kind.CGO: 4.5e-6}
"""What a never timed action takes for each byte of its source (all of gopls: 470 packages of modules)."""
_STANDARD_SECONDS_PER_BYTE = 1.8e-6
"""A compile of the standard library, which has tables and comments (255 packages)."""
_SECONDS_AT_LEAST = 0.03
_LINK_SECONDS = 1.0


def remaining_path_seconds(plan: Plan, earlier: Callable[[str], float | None]) -> dict[ActionId, float]:
    """For each action, the longest chain of work that starts with it, in seconds.

    The ready action with the largest value runs first: delaying it delays the makespan. `earlier` gives
    the seconds of an action's last run, or None. The plan lists dependencies first.
    """
    dependents: defaultdict[ActionId, list[ActionId]] = defaultdict(list)
    for action in plan.actions.values():
        for dependency in action.dependencies:
            dependents[dependency].append(action.id)
    remaining: dict[ActionId, float] = {}
    for action in reversed(plan.actions.values()):
        after = max((remaining[dependent] for dependent in dependents[action.id]), default=0.0)
        known = earlier(action.id)
        remaining[action.id] = (expected_seconds(action) if known is None else known) + after
    return remaining


def expected_seconds(action: Action) -> float:
    """What an action that was never timed is expected to take, from the size of its source."""
    if action.kind is Kind.LINK:
        return _LINK_SECONDS
    if action.kind is Kind.COMPILE and is_toolchains(action.sources.dir):
        return _SECONDS_AT_LEAST + action.sources.go_bytes * _STANDARD_SECONDS_PER_BYTE
    return _SECONDS_AT_LEAST + action.sources.go_bytes * _SECONDS_PER_BYTE.get(action.kind, 0.0)
