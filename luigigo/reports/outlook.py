"""What a build would do, as far as that is known before it does it (`--plan-only`). Pure."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from luigigo.golang.actions import Plan
from luigigo.model import ActionId


class Outlook(msgspec.Struct, frozen=True):
    """The actions of a plan by what will become of them."""

    must: tuple[ActionId, ...]
    """Something of their own is another than in the last build, or nothing like them is known."""
    may: tuple[ActionId, ...]
    """Only what they wait for changes: where that comes out as before, a cutoff spares them."""
    hits: int
    """How many are done."""


def outlook(plan: Plan, needed: Collection[ActionId], earlier: Plan | None) -> Outlook:
    """Which of the needed actions must run, held against the plan of the last build of the same."""
    known = {} if earlier is None else {each: action.own_digest for each, action in earlier.actions.items()}
    wanted = set(needed)
    must: list[ActionId] = []
    may: list[ActionId] = []
    for action_id, action in plan.actions.items():
        if action_id in wanted:
            is_same = known.get(action_id) == action.own_digest and not action.is_untold
            # What waits for nothing that runs is spared by nothing.
            is_spared = is_same and not wanted.isdisjoint(action.dependencies)
            (may if is_spared else must).append(action_id)
    return Outlook(tuple(must), tuple(may), len(plan.actions) - len(wanted))
