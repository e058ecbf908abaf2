"""Why a run did what it did: for each action, what differs from another run, and what came of it. Pure.

A *root cause* is an action of which something of its own differs: a file, a flag, a tool. All others that
have another key have it because of what they wait for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from luigigo.golang.actions import Plan
from luigigo.golang.differences import Change, Difference, differences
from luigigo.model import ActionId
from luigigo.reports.history import DONE, History

NO_OTHER = "there is no earlier run of the same with a plan that is still in the store"
GONE = "its record, or what it had made, was not in the store any more: collected, or found damaged"
NOT_DONE = "it was not done in the other run either"
LATER = "the other run came later"


class Cause(msgspec.Struct, frozen=True):
    """One thing that differs, with what it brought about."""

    differences: tuple[Difference, ...]
    """What differs of each of `roots` itself."""
    roots: tuple[str, ...]
    """The actions that it differs of."""
    ran: tuple[str, ...]
    """What ran because of it."""
    without_cutoff: int
    """How many would have, if what nobody reads counted too: all whose key is another."""
    seconds: float
    """What those took that ran."""


class Explained(msgspec.Struct, frozen=True):
    """Why one action has another key, or none."""

    action: str
    own: tuple[Difference, ...]
    """What differs of the action itself."""
    because_of: tuple[str, ...]
    """The root causes below it, nearest first."""
    through: tuple[str, ...]
    """What it waits for, and has another key."""

    @property
    def is_changed(self) -> bool:
        """Whether its key is another at all."""
        return bool(self.own or self.because_of or self.through)


class _TwoPlans:
    """A plan beside an earlier one."""

    def __init__(self, plan: Plan, other: Plan) -> None:
        self.plan = plan
        self.other = other
        self._found: dict[ActionId, Explained] = {}
        for action_id in plan.actions:
            self._found[action_id] = self._explained(action_id)

    def _explained(self, action_id: ActionId) -> Explained:
        found = differences(action_id, self.plan, self.other)
        own = tuple(each for each in found if each.change is not Change.DEPENDENCY)
        through = tuple(each.name for each in found if each.change is Change.DEPENDENCY and each.new)
        below: dict[str, None] = {}
        for name in through:
            # A plan lists dependencies first.
            each = self._found[ActionId(name)]
            below.update(dict.fromkeys([name] if each.own else []))
            below.update(dict.fromkeys(each.because_of))
        return Explained(action_id, own, tuple(below), through)

    def all(self) -> dict[ActionId, Explained]:
        """Its actions, each with why it has another key."""
        return self._found


class Comparing:
    """The plans of a run, each beside the one of another run that it is held against."""

    def __init__(self, plans: Iterable[tuple[Plan, Plan]]) -> None:
        """Of an action that several plans have, the first counts in which its key is another."""
        self._found: dict[ActionId, Explained] = {}
        for plan, other in plans:
            for action_id, explained in _TwoPlans(plan, other).all().items():
                if action_id not in self._found or not self._found[action_id].is_changed:
                    self._found[action_id] = explained

    def of(self, action_id: str) -> Explained:
        """Why an action of the plans has another key."""
        return self._found[ActionId(action_id)]

    def changed(self) -> list[Explained]:
        """All actions whose key is another."""
        return [each for each in self._found.values() if each.is_changed]


def causes(history: History, comparing: Comparing) -> list[Cause]:
    """The root causes of what a run did, what cost most seconds first; equal ones of many actions as one."""
    alike: defaultdict[tuple[Difference, ...], list[str]] = defaultdict(list)
    for each in comparing.changed():
        if each.own:
            alike[_kind_of(each.own)].append(each.action)
    affected: defaultdict[str, list[str]] = defaultdict(list)
    for each in comparing.changed():
        for root in {*each.because_of, *([each.action] if each.own else [])}:
            affected[root].append(each.action)
    seconds = _seconds(history)
    found = []
    for kind, roots in alike.items():
        touched = list(dict.fromkeys(action for root in roots for action in affected[root]))
        ran = tuple(action for action in touched if action in seconds)
        found.append(Cause(kind, tuple(roots), ran, len(touched), sum(seconds[each] for each in ran)))
    return sorted(found, key=lambda cause: (-cause.seconds, cause.roots))


def _kind_of(own: Sequence[Difference]) -> tuple[Difference, ...]:
    """Differences that are the same for many actions, such as a tool's or a variable's."""
    return tuple(
        sorted(
            msgspec.structs.replace(each, name="" if each.change is Change.NEW else each.name) for each in own
        )
    )


def _seconds(history: History) -> dict[str, float]:
    """By action, what each took whose tools ran."""
    ran = (step for step in history.last.values() if step.line.outcome in ("ran", "failed"))
    return {history.actions[step.number].id: step.seconds for step in ran}


def why_it_ran_again(number: int, history: History, other: History | None) -> str:
    """Why an action ran whose key is that of the other run: ids of runs are in the order of their starts."""
    if other is None:
        return NO_OTHER
    if other.run > history.run:
        return LATER
    name = history.actions[number].id
    there = next((n for n, action in enumerate(other.actions) if action.id == name), None)
    if there is None:
        return NOT_DONE
    step = other.last.get(there)
    was_done = there in other.hits or (step is not None and step.line.outcome in DONE)
    return GONE if was_done else NOT_DONE


class TwoOutputs(msgspec.Struct, frozen=True):
    """The same inputs, and two outputs: a tool that is not deterministic, or a fault of luigigo's."""

    action: str
    content_key: str
    runs: tuple[str, str]
    made: tuple[str, str]


def two_outputs(histories: Iterable[History]) -> list[TwoOutputs]:
    """Each content key under which two runs made different outputs."""
    seen: dict[str, tuple[str, str]] = {}
    found: dict[str, TwoOutputs] = {}
    for history in histories:
        for step in history.steps:
            key, made = step.line.content_key, " ".join(step.line.made)
            if not key or not made or step.line.outcome != "ran":
                continue
            run, before = seen.setdefault(key, (history.run, made))
            if before != made and key not in found:
                name = history.actions[step.number].id
                found[key] = TwoOutputs(name, key, (run, history.run), (before, made))
    return list(found.values())


class ImportCost(msgspec.Struct, frozen=True):
    """What a package is there for, and what it costs."""

    package: str
    importers: tuple[str, ...]
    """The packages that import it directly."""
    chains: tuple[tuple[str, ...], ...]
    """From a root to it, shortest first."""
    only_for_it: tuple[str, ...]
    """The packages that would not be built without it."""
    seconds: float
    """What it and those take, as last measured: in this run, or when they were made."""


MOST_CHAINS = 5


def import_cost(history: History, package: str) -> ImportCost:
    """Through which imports a package comes to be built, and what it costs with all that only it needs."""
    numbers = [
        n for n in range(len(history.actions)) if history.actions[n].id and history.package(n) == package
    ]
    direct = sorted(
        {
            history.package(each)
            for number in numbers
            for each in history.dependents.get(number, ())
            if history.package(each) != package and history.kind(each) != "link"
        }
    )
    roots = [root for plan in history.record.plans for root in plan.roots]
    everything = _reached(history, roots, frozenset())
    without = _reached(history, roots, frozenset(numbers))
    lost = everything - without - set(numbers)
    costs = {number: step.seconds for number, step in history.done.items()}
    costs |= {number: hit.seconds for number, (hit, _) in history.hits.items() if number not in costs}
    return ImportCost(
        package=package,
        importers=tuple(direct),
        chains=tuple(_chains(history, numbers)),
        only_for_it=tuple(sorted({history.package(each) for each in lost})),
        seconds=sum(costs.get(each, 0.0) for each in (*numbers, *lost)),
    )


def _reached(history: History, roots: Iterable[int], closed: frozenset[int]) -> set[int]:
    """The actions that roots need, when some are left out. A link needs its program's compile alone."""
    waiting = [root for root in roots if root not in closed]
    seen = set(waiting)
    while waiting:
        number = waiting.pop()
        needed = history.actions[number].dependencies
        if history.kind(number) == "link":
            own = [each for each in needed if history.package(each) == history.package(number)]
            needed = tuple(own) or needed
        for each in needed:
            if each not in seen and each not in closed:
                seen.add(each)
                waiting.append(each)
    return seen


def _chains(history: History, numbers: list[int]) -> list[tuple[str, ...]]:
    """Chains of imports from roots to a package, the shortest first: one through each of some importers."""
    compiles = [number for number in numbers if history.kind(number) == "compile"] or numbers
    found: list[tuple[str, ...]] = []
    waiting: list[tuple[int, tuple[str, ...]]] = [(n, (history.package(n),)) for n in compiles]
    seen = set(compiles)
    for number, chain in waiting:
        above = [n for n in history.dependents.get(number, ()) if history.kind(n) != "link"]
        if not above:
            found.append(chain)
        for each in above:
            if each not in seen:
                seen.add(each)
                waiting.append((each, (history.package(each), *chain)))
        if len(found) >= MOST_CHAINS:
            break
    return found
