"""The actions of Go, as a family of a worker's."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import msgspec

from luigigo.attempts import Attempt, SlotTurn
from luigigo.execution.events import ActionEnded, CommandStarted, Event
from luigigo.protocol.messages import Grant, Prefetch, Usage
from luigigo.worker.assignment import FAMILIES, Assignment, action_of, assignment_of, sound
from luigigo.worker.families import Family, TaskRefused, Took
from luigigo.worker.node import NodeContext

_log = logging.getLogger("luigigo.worker")


class _Noted(msgspec.Struct):
    """What the events of one action told."""

    assignment: Assignment
    ended: ActionEnded | None = None
    commands: list[tuple[str, tuple[str, ...]]] = []


class GoActions:
    """Runs the actions of plans, from the share alone."""

    def __init__(self, node_context: NodeContext) -> None:
        self._node_context = node_context
        self._current = threading.local()
        self._latest: object = None

    def table(self) -> dict[str, Family]:
        """Itself, for each of its families."""
        return dict.fromkeys(FAMILIES, self)

    def parse(self, grant: Grant) -> Assignment:
        """The plan's action. Raises `TaskRefused`."""
        return assignment_of(grant)

    def stage(self, assignment: Assignment) -> None:
        """Bring plan, sources and inputs here, and look whether this node has the C toolchain."""
        node_context = self._node_context
        node_context.require_folder()
        executor = node_context.executor(assignment.plan)
        action = executor.plan.actions.get(assignment.action)
        if action is None:
            raise TaskRefused(f"plan {assignment.plan} has no action {assignment.action[:200]!r}")
        node_context.require_c(executor, action)
        executor.known.learn(assignment.made)
        executor.stage(assignment.action, probably_done=assignment.probably_done)

    def run(self, assignment: Assignment, tools_ended: Callable[[], None]) -> Took:
        """Do the action, or find that it is done."""
        noted = self._current.noted = _Noted(assignment)
        executor = self._node_context.executor(assignment.plan)
        executor.memory.reserve(assignment.action, assignment.peak_bytes)
        try:
            turn = SlotTurn(run=assignment.run)
            record = executor.perform(assignment.action, tools_ended, turn=turn)
        finally:
            self._current.noted = None
        seen = noted.ended
        usage = Usage(
            outcome=seen.outcome.value if seen is not None else "ran",
            gogc=self._node_context.context.timings.gogc(assignment.action),
            saved_seconds=seen.saved_seconds if seen is not None else 0.0,
            said=record.said,
            commands=tuple(noted.commands),
        )
        return Took(usage, record.outputs, seen.attempt if seen is not None else Attempt())

    def fetch(self, message: Prefetch) -> None:
        """Bring here what an action will read of those that are done."""
        plan, action = action_of(message.task.family, message.task.params)
        if (plan, action) != self._latest:
            self._latest = plan, action
            _log.info("fetching ahead for %s", action)
        executor = self._node_context.executor(plan)
        executor.known.learn(sound(message.made))
        for each in message.done:
            executor.fetch(action, action_of(each.family, each.params)[1])

    def save(self) -> None:
        """Write the caches of stats and timings."""
        self._node_context.save()

    def observe(self, event: Event) -> None:
        """Note what the action of this thread does."""
        noted: _Noted | None = getattr(self._current, "noted", None)
        if noted is None:
            return
        if isinstance(event, ActionEnded):
            noted.ended = event
        elif isinstance(event, CommandStarted) and noted.assignment.wants_commands:
            noted.commands.append((event.cwd, event.argv))
