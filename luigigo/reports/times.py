"""How long each action of a run's plans takes: as measured in it, as the store knows, or by its size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping

import msgspec

from luigigo.builds.critical_path import expected_seconds
from luigigo.golang.actions import Plan
from luigigo.model import ActionId, ActionRecord
from luigigo.reports.forecast import Task
from luigigo.reports.history import History
from luigigo.reports.simulation import WorkTime

MEASURED, STORED, ESTIMATED = "measured in the run", "known from the store", "estimated from source size"
GUESS_FACTOR = 2**0.5
"""By how much an estimate may be off, either way."""


class Times(msgspec.Struct, frozen=True):
    """The tasks of a forecast, and how well their times are known."""

    tasks: dict[int, Task]
    sources: dict[str, int]
    """How many times come from where."""
    estimated: frozenset[int] = frozenset()
    """The tasks whose time is only estimated."""

    def scaled(self, package: str, factor: float) -> Times:
        """The same where one package takes so much of its time."""
        tasks = {
            number: msgspec.structs.replace(task, work=_scaled(task.work, factor))
            if task.name.partition(" ")[2] == package
            else task
            for number, task in self.tasks.items()
        }
        return msgspec.structs.replace(self, tasks=tasks)

    def guessed(self, factor: float) -> Times:
        """The same where all that is only estimated takes so much of that."""
        if not self.estimated:
            return self
        tasks = {
            number: msgspec.structs.replace(task, work=_scaled(task.work, factor))
            if number in self.estimated
            else task
            for number, task in self.tasks.items()
        }
        return msgspec.structs.replace(self, tasks=tasks)


def times_of_plan(
    plan: Plan, needed: Collection[ActionId], known_seconds: Callable[[ActionId], float | None]
) -> Times:
    """The needed actions of a plan: as long as they took when they ran last, else by their size.

    What sizes tell is set right by what is known of this machine: by how long all of that took for its size.
    """
    numbers = {action_id: number for number, action_id in enumerate(plan.actions)}
    known = {each: known_seconds(each) for each in plan.actions}
    seconds_known = sum(seconds or 0.0 for seconds in known.values())
    expected = sum(expected_seconds(plan.actions[each]) for each, seconds in known.items() if seconds)
    factor = seconds_known / expected if expected else 1.0
    tasks, sources = {}, Counter[str]()
    for each in needed:
        action, seconds = plan.actions[each], known[each]
        sources[ESTIMATED if seconds is None else STORED] += 1
        work = WorkTime(factor * expected_seconds(action) if seconds is None else seconds)
        tasks[numbers[each]] = Task(each, work, tuple(numbers[other] for other in action.dependencies))
    return Times(tasks, dict(sources), frozenset(numbers[each] for each in needed if known[each] is None))


def _scaled(work: WorkTime, factor: float) -> WorkTime:
    return msgspec.structs.replace(work, slot_seconds=factor * work.slot_seconds)


def times_of(
    history: History, plan: Plan | None = None, records: Mapping[str, ActionRecord] | None = None
) -> Times:
    """The actions of a run that were not done before it, and what each takes.

    `plan` and `records` (by action key) tell of what did not run.
    """
    tasks: dict[int, Task] = {}
    sources: Counter[str] = Counter()
    estimated: set[int] = set()
    for number, action in enumerate(history.actions):
        if not action.id or number in history.hits:
            continue
        step = history.done.get(number)
        planned = None if plan is None else plan.actions.get(action.id)  # type: ignore[call-overload]
        record = None if planned is None or records is None else records.get(planned.key)
        peak_bytes = 0
        if step is not None:
            source, peak_bytes = MEASURED, step.line.peak_bytes
            after = max(0.0, step.seconds - step.slot_seconds)
            work = WorkTime(step.slot_seconds, step.staging_seconds, after)
        elif record is not None:
            source, work, peak_bytes = STORED, WorkTime(record.seconds), record.peak_bytes
        elif planned is not None:
            source, work = ESTIMATED, WorkTime(expected_seconds(planned))
            estimated.add(number)
        else:
            continue
        sources[source] += 1
        tasks[number] = Task(action.id, work, action.dependencies, peak_bytes)
    return Times(tasks, dict(sources), frozenset(estimated))
