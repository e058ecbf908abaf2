"""Finds for a run the one that it is held against, and both their plans in the store."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from luigigo.errors import StoreError, UsageError
from luigigo.golang.actions import Plan, plan_codec
from luigigo.reports.explaining import Comparing
from luigigo.reports.history import History
from luigigo.reports.reading import all_histories, read_history, store_root
from luigigo.runrecords.naming import run_ids
from luigigo.runrecords.reading import read_run
from luigigo.runrecords.retention import RUNS_KEPT
from luigigo.store import Store


class Pair(msgspec.Struct):
    """A run, and the one that it is held against, where there is one whose plan is known."""

    history: History
    other: History | None
    comparing: Comparing | None


def paired(history: History, against: str) -> Pair:
    """The run beside another: the one that is named, else the last of the same request before it."""
    root = store_root(None)
    other = read_history(against) if against else _before(root, history)
    if other is None:
        return Pair(history, None, None)
    plans, before = _plans(root, history), _plans(root, other)
    if not plans or not before:
        if against:
            gone = other.run if plans else history.run
            raise UsageError(
                f"the plan of run {gone} is not in the store any more: those of the last {RUNS_KEPT} runs are"
            )
        return Pair(history, other, None)
    return Pair(history, other, Comparing(_beside(plans, before)))


def _beside(plans: Sequence[tuple[str, Plan]], before: Sequence[tuple[str, Plan]]) -> list[tuple[Plan, Plan]]:
    """Each plan with one of the same request, or with any where there is none: the one most like it.

    A request is one whatever its flags.
    """
    found = []
    for request, plan in plans:
        same = [other for each, other in before if each == request] or [other for _, other in before]
        found.append((plan, same[0] if len(same) == 1 else _most_like(plan, same)))
    return found


def _most_like(plan: Plan, others: Sequence[Plan]) -> Plan:
    inputs = _own_inputs(plan)
    return max(others, key=lambda other: len(inputs & _own_inputs(other)))


def _own_inputs(plan: Plan) -> set[tuple[str, str]]:
    return {(name, action.own_digest) for name, action in plan.actions.items()}


def _before(root: str, history: History) -> History | None:
    """The last run before this one that was asked for the same, and had planned it."""
    requests = {plan.request for plan in history.record.plans}
    return last_of(root, requests, [each for each in run_ids(root) if each < history.run])


def last_of(root: str, requests: Collection[str], runs: Sequence[str]) -> History | None:
    """The last of some runs that was asked for one of these requests."""
    for run in reversed(runs):
        try:
            record = read_run(root, run)
        except UsageError:
            continue
        if not {plan.request for plan in record.plans}.isdisjoint(requests):
            return History(record)
    return None


def plan_of(root: str, history: History) -> Plan | None:
    """The plan of a run, all its plans as one; None where one of them is not in the store any more."""
    plans = _plans(root, history)
    if not plans:
        return None
    actions = {name: action for _, plan in plans for name, action in plan.actions.items()}
    return msgspec.structs.replace(plans[-1][1], actions=actions)


def _plans(root: str, history: History) -> list[tuple[str, Plan]]:
    """The plans of a run, each with what was asked for; none where one is not in the store any more."""
    found = []
    for line in history.record.plans:
        try:
            plan = plan_codec.decode(Store.open_at(root).read_plan(line.plan))  # type: ignore[arg-type]
        except (StoreError, msgspec.MsgspecError):
            return []
        found.append((line.request, plan))
    return found


def latest_histories() -> list[History]:
    """The last runs of the store whose plans are kept, oldest first."""
    return list(all_histories(last=RUNS_KEPT))
