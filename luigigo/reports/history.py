"""A run as a graph of actions and a list of steps, as reports look at it. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cached_property

import msgspec

from luigigo.attempts import Moments, NodeInfo, Waits, span
from luigigo.reports.simulation import Graph, WorkTime, makespan
from luigigo.runrecords.lines import AttemptLine
from luigigo.runrecords.reading import RunRecord

DONE = ("ran", "cutoff", "hit")
"""Outcomes after which an action's outputs are there."""


class Step(msgspec.Struct, frozen=True):
    """One attempt at an action, with its times in seconds since the run began."""

    number: int
    """Of its action."""
    attempt: int
    """1 for the action's first in this run."""
    line: AttemptLine
    moments: Moments
    waits: Waits

    @property
    def node(self) -> str:
        """Where it was."""
        return self.line.node

    @property
    def is_remote(self) -> bool:
        """Whether a node's worker had it, which publishes without a slot."""
        return self.moments.received is not None

    @property
    def slot_start(self) -> float | None:
        """When it had its slot."""
        return self.moments.started

    @property
    def slot_end(self) -> float | None:
        """When it needed its slot no more: nodes publish without one."""
        moments = self.moments
        if self.is_remote and moments.tools_ended is not None:
            return moments.tools_ended
        return moments.ended

    @property
    def slot_seconds(self) -> float:
        """How long it had a slot, without what it waited there for other builds."""
        return span(self.slot_start, self.slot_end) - self.waits.builds

    @property
    def seconds(self) -> float:
        """From its slot to its end, likewise."""
        return span(self.moments.started, self.moments.ended) - self.waits.builds

    @property
    def staging_seconds(self) -> float:
        """How long what it reads was on its way to its node."""
        return span(self.moments.given, self.moments.staged) if self.is_remote else 0.0

    @property
    def publishing_seconds(self) -> float:
        """From its tools' end to its own, where tools ran or what serves was filed."""
        return span(self.moments.tools_ended, self.moments.ended)

    @property
    def tools_seconds(self) -> float:
        """How long its tools ran."""
        return span(self.moments.tools_started, self.moments.tools_ended)

    @property
    def slot_wait_seconds(self) -> float:
        """How long it was ready and waited for a free slot."""
        moments = self.moments
        waited = span(moments.ready, moments.started) - self.staging_seconds
        return max(0.0, waited - self.waits.memory - self.waits.luigid)

    @property
    def is_uncertain(self) -> bool:
        """Whether its times are not in the order in which they must have been: two clocks disagree."""
        known = [each for each in msgspec.structs.astuple(self.moments) if each is not None]
        return known != sorted(known)


class Counts(msgspec.Struct, frozen=True):
    """How many actions of a run ended how."""

    ran: int
    cutoff: int
    hit: int
    """Those that were done before the run, and those that somebody else had done by their turn."""
    failed: int
    requeued: int
    """Attempts that came to no end."""


class History:
    """One run: its actions, what each attempt did, and the machines."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self.run = record.run
        self.actions = record.actions
        self.modules = _modules(record)
        self.seconds = record.seconds
        self.steps = _steps(record)
        self.hits = {
            hit.action: (hit, line.runs)
            for line in record.hits
            for hit in line.hits
            if hit.action not in self.last
        }
        """By number, what was done before the run, and the runs that made it."""

    @cached_property
    def last(self) -> dict[int, Step]:
        """By number, each action's last attempt that came to an end."""
        return {step.number: step for step in self.steps if step.line.outcome != "requeued"}

    @cached_property
    def done(self) -> dict[int, Step]:
        """Those of them after which the action was done."""
        return {number: step for number, step in self.last.items() if step.line.outcome in DONE}

    @cached_property
    def counts(self) -> Counts:
        """How many actions ended how."""
        ended = Counter(step.line.outcome for step in self.last.values())
        return Counts(
            ran=ended["ran"],
            cutoff=ended["cutoff"],
            hit=ended["hit"] + len(self.hits),
            failed=ended["failed"],
            requeued=sum(step.line.outcome == "requeued" for step in self.steps),
        )

    @property
    def saved_seconds(self) -> float:
        """What the actions had taken once whose outputs served."""
        before = sum(hit.seconds for hit, _ in self.hits.values())
        return before + sum(step.line.saved_seconds for step in self.done.values())

    @property
    def client_seconds(self) -> float:
        """How long the client was in all phases but the one in which actions ran."""
        return sum(seconds for name, seconds in self.phase_seconds().items() if name != "run")

    @property
    def what(self) -> str:
        """The projects that were built, each with what was built in it."""
        return "; ".join(" ".join((plan.project, *plan.packages)) for plan in self.record.plans)

    @cached_property
    def packages(self) -> dict[str, list[int]]:
        """The actions by package."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for number, action in enumerate(self.actions):
            if action.id:
                found[self.package(number)].append(number)
        return dict(found)

    @cached_property
    def steps_of(self) -> dict[str, list[Step]]:
        """The attempts by node, of each that ever took part."""
        found: dict[str, list[Step]] = {name: [] for name in self.nodes}
        for step in self.steps:
            found.setdefault(step.node, []).append(step)
        return found

    @cached_property
    def graph(self) -> Graph:
        """What was done in the run, with what waits for what."""
        return Graph({number: self.actions[number].dependencies for number in self.done})

    @cached_property
    def works(self) -> dict[int, WorkTime]:
        """What each action took that was done in the run."""
        return {
            number: WorkTime(step.slot_seconds, after_seconds=max(0.0, step.seconds - step.slot_seconds))
            for number, step in self.done.items()
        }

    @cached_property
    def simulated_seconds(self) -> float:
        """How long its work takes in its slots when nothing but work takes time."""
        return makespan(self.graph, self.works, max(1, self.slots))

    @cached_property
    def dependents(self) -> dict[int, list[int]]:
        """By number, the actions that wait for an action."""
        found: dict[int, list[int]] = {number: [] for number in range(len(self.actions))}
        for number, action in enumerate(self.actions):
            for dependency in action.dependencies:
                found.setdefault(dependency, []).append(number)
        return found

    @cached_property
    def nodes(self) -> dict[str, NodeInfo]:
        """The machines that could run actions, by name; slots as many as were seen, where nobody told."""
        found = self.record.known_nodes
        most = dict.fromkeys(found, 0)
        for step in self.steps:
            if step.node in most:
                most[step.node] = max(most[step.node], step.line.slot + 1)
        return {
            name: node if node.slots else msgspec.structs.replace(node, slots=max(1, most[name]))
            for name, node in found.items()
        }

    @cached_property
    def slots(self) -> int:
        """How many slots all nodes have."""
        return sum(node.slots for node in self.nodes.values())

    def kind(self, number: int) -> str:
        """What an action does: `compile`, `cgo`, `link` or `preprofile`."""
        return self.actions[number].id.partition(" ")[0]

    def package(self, number: int) -> str:
        """The package of an action, with its program in brackets for a variant."""
        return self.actions[number].id.partition(" ")[2]

    def outcome(self, number: int) -> str:
        """What became of an action; "" where it was not begun."""
        step = self.last.get(number)
        if step is not None:
            return step.line.outcome
        return "hit" if number in self.hits else ""

    def hit_made_by(self, number: int) -> str:
        """The run that made what was done before this one; "" where that is not known."""
        hit, runs = self.hits[number]
        return runs[hit.run] if 0 <= hit.run < len(runs) else ""

    def phase_seconds(self) -> dict[str, float]:
        """How long the client was in each phase."""
        found: dict[str, float] = {}
        for phase in self.record.phases:
            found[phase.name] = found.get(phase.name, 0.0) + phase.end - phase.start
        return found


def _steps(record: RunRecord) -> list[Step]:
    """The attempts, in the order in which they ended."""
    timed = [(line.times, line) for line in record.attempts]
    tried: Counter[int] = Counter()
    found = []
    for times, line in sorted(timed, key=_order):
        tried[line.action] += 1
        found.append(Step(line.action, tried[line.action], line, Moments(*times), Waits(*line.waits)))
    return found


def _order(timed: tuple[tuple[float | None, ...], AttemptLine]) -> tuple[float, int]:
    times, line = timed
    known = [each for each in times if each is not None]
    return (known[-1] if known else 0.0, line.action)


def _modules(record: RunRecord) -> list[str]:
    found = [""] * len(record.actions)
    for plan in record.plans:
        for at, action in enumerate(plan.actions):
            if 0 <= action.module < len(plan.modules):
                found[plan.first + at] = plan.modules[action.module]
    return found
