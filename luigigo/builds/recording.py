"""Writes down how a run goes, for `luigigo report`. It decides nothing, and nothing waits for it."""

from __future__ import annotations

import math
import platform
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from luigigo import __version__
from luigigo.attempts import Attempt
from luigigo.builds.phases import Phase, Phases
from luigigo.currentfolder import folder_or_none
from luigigo.execution.events import (
    ActionEnded,
    ActionRequeued,
    ActionStarted,
    Delivered,
    Event,
    NodesKnown,
    Outcome,
)
from luigigo.golang.modules import module_of
from luigigo.machine import node_name
from luigigo.messages import shown
from luigigo.model import ActionId, ActionKey, ActionRecord, digest_of
from luigigo.runrecords.lines import (
    SHORT_DIGEST,
    VERSION,
    AnyLine,
    AttemptLine,
    EndLine,
    Head,
    HitEntry,
    HitsLine,
    NodesLine,
    NowLine,
    PhaseLine,
    PlanLine,
    PlannedAction,
    UnderWay,
    brief,
    planned_name,
    ticks_of,
)
from luigigo.runrecords.writing import RunWriter
from luigigo.store.owners import this_process

if TYPE_CHECKING:
    from luigigo.golang.actions import Plan
    from luigigo.golang.request import BuildRequest


def new_run_id(now: float) -> str:
    """A name for a run that begins at `now`, in seconds since 1970: later ones sort after it.

    Its last word is the part of the second, in 4096ths, and a number drawn at random.
    """
    fraction, drawn = int(now % 1 * 0x1000), secrets.randbelow(0x1000)
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{fraction:03x}{drawn:03x}"


def request_name(request: BuildRequest) -> str:
    """What equal requests are called: the same packages of the same folder, whatever the flags."""
    return digest_of(request.project, request.packages)[:SHORT_DIGEST]


AGAIN_SECONDS = 60.0
"""After so long what runs is told again, though nothing has changed."""


class Recorder:
    """The record of one run of this process, from its first plan to its end. Safe for threads."""

    def __init__(self, root: str, phases: Phases, on_failure: Callable[[str], None]) -> None:
        """`phases` began with the command; `on_failure` gets one line where nothing can be recorded."""
        self._phases = phases
        self._began = time.time() - (time.monotonic() - phases.started)
        self.run_id = new_run_id(self._began)
        self._writer = RunWriter(root, self.run_id, on_failure)
        self._writer.beat = self._now_lines
        self._running: dict[ActionKey, UnderWay] = {}
        self._told_running: tuple[UnderWay, ...] = ()
        self._told_at = 0.0
        self._numbers: dict[ActionKey, int] = {}
        self._count = 0
        self._waiting: list[AnyLine] | None = []
        """Written once something is done: who only asks for a plan leaves no record. None from then on."""
        self._has_failed = False
        self._error = ""
        self._paths: tuple[str, ...] = ()
        self._lock = threading.Lock()

    def note_plan(
        self, plan: Plan, digest: str, request: BuildRequest, done: Mapping[ActionId, ActionRecord]
    ) -> None:
        """Write down what is to be done, and what is done; what an earlier plan has as well counts once."""
        with self._lock:
            first = self._count
            for action in plan.actions.values():
                if action.key not in self._numbers:
                    self._numbers[action.key] = self._count
                    self._count += 1
            self._put(self._plan_line(plan, digest, request, first))
            hits = {
                number: record
                for action_id, record in done.items()
                if (number := self._numbers[plan.actions[action_id].key]) >= first
            }
            if hits:
                self._put(_hits_line(hits))

    def note_error(self, error: str) -> None:
        """Write down why nothing can be done."""
        self._error = self._error or error

    def __call__(self, event: Event) -> None:
        """Take one event, from any thread."""
        with self._lock:
            self._take(event)
            self._put_phases(self._phases.take())

    def _take(self, event: Event) -> None:
        if isinstance(event, ActionStarted | Delivered):
            self._begin()
        if isinstance(event, ActionStarted):
            self._note_started(event)
        elif isinstance(event, ActionEnded | ActionRequeued):
            self._running.pop(event.key, None)
        if isinstance(event, ActionEnded):
            self._note_ended(event)
        elif isinstance(event, ActionRequeued) and event.cause:
            self._put_attempt(
                event.key, event.attempt, AttemptLine(0, event.node, "requeued", cause=event.cause)
            )
        elif isinstance(event, NodesKnown):
            self._put(NodesLine(self._at(time.monotonic()), event.nodes, event.scheduler))
        elif isinstance(event, Delivered):
            self._paths += event.paths

    def close(self, outcome: str, exit_code: int = 0, error: str = "") -> str:
        """The run is over: `ok`, `failed` or `interrupted`. Returns its id, "" where nothing was done.

        Never fails.
        """
        with self._lock:
            error = self._error or error
            if error and self._waiting is not None:
                # Where nothing was done, why not is all that there is to say to the user.
                self._writer.be_quiet()
                self._begin()
            self._put_phases(self._phases.end())
            # An action's failure says it already.
            shown_error = "" if self._has_failed else error
            self._put(EndLine(outcome, self._at(time.monotonic()), exit_code, shown_error, self._paths))
            was_recorded = self._waiting is None
        self._writer.close()
        return self.run_id if was_recorded else ""

    def _put(self, *lines: AnyLine) -> None:
        if self._waiting is None:
            self._writer.put(*lines)
        else:
            self._waiting += lines

    def _begin(self) -> None:
        if self._waiting is None:
            return
        waiting, self._waiting = self._waiting, None
        head = Head(
            version=VERSION,
            run=self.run_id,
            started=self._began,
            command=tuple(sys.argv),
            folder=folder_or_none(),
            node=node_name(),
            owner=this_process(),
            luigigo=__version__,
            python=platform.python_version(),
            plans=tuple(line.plan for line in waiting if isinstance(line, PlanLine)),
        )
        self._put(head, *waiting)

    def _at(self, moment: float) -> float:
        return round(moment - self._phases.started, 4)

    def _put_phases(self, phases: Iterable[Phase]) -> None:
        for phase in phases:
            self._put(PhaseLine(phase.name, self._at(phase.start), self._at(phase.end)))

    def _plan_line(self, plan: Plan, digest: str, request: BuildRequest, first: int) -> PlanLine:
        modules = module_of(plan)
        names = tuple(dict.fromkeys(modules.values()))
        at = {name: number for number, name in enumerate(names)}
        numbers = {action_id: self._numbers[action.key] for action_id, action in plan.actions.items()}
        new = {numbers[action_id]: action for action_id, action in plan.actions.items()}
        return PlanLine(
            plan=digest,
            request=request_name(request),
            project=request.project,
            packages=request.packages,
            toolchain=plan.toolchain.version,
            first=first,
            modules=names,
            actions=tuple(
                PlannedAction(
                    planned_name(new[number].id),
                    new[number].key[:SHORT_DIGEST],
                    at[modules[new[number].package]],
                    tuple(numbers[each] for each in new[number].dependencies),
                )
                for number in range(first, self._count)
            ),
            roots=tuple(numbers[root.action] for root in plan.roots),
        )

    def _note_started(self, event: ActionStarted) -> None:
        number = self._numbers.get(event.key)
        if number is not None:
            since = self._at(time.monotonic())
            self._running[event.key] = UnderWay(number, event.node or node_name(), since)

    def _now_lines(self) -> tuple[NowLine, ...]:
        """What runs, if that is not what was told last, or was told long ago: silence is taken for death."""
        with self._lock:
            running, now = tuple(self._running.values()), time.monotonic()
            is_news = running != self._told_running
            if not is_news and not (running and now - self._told_at >= AGAIN_SECONDS):
                return ()
            self._told_running, self._told_at = running, now
            return (NowLine(self._at(now), running),)

    def _note_ended(self, event: ActionEnded) -> None:
        has_failed = event.outcome is Outcome.FAILED
        self._has_failed |= has_failed
        line = AttemptLine(
            0,
            event.node,
            event.outcome.value,
            saved_seconds=brief(event.saved_seconds),
            exit_code=event.exit_code,
            message=shown(event.told) if has_failed else "",
        )
        self._put_attempt(event.key, event.attempt, line)

    def _put_attempt(self, key: ActionKey, attempt: Attempt, line: AttemptLine) -> None:
        """Write a line down with what the attempt itself tells."""
        number = self._numbers.get(key)
        if number is None:
            return
        times = msgspec.structs.astuple(attempt.moments)
        filled = msgspec.structs.replace(
            line,
            action=number,
            ticks=ticks_of([None if each is None else self._at(each) for each in times]),
            slot=attempt.slot,
            waits=_without_zeros(*msgspec.structs.astuple(attempt.waits)),
            cpu_seconds=brief(attempt.cpu_seconds),
            peak_bytes=attempt.peak_bytes,
            read_bytes=attempt.read_bytes,
            written_bytes=attempt.written_bytes,
            made=tuple(output.digest[:SHORT_DIGEST] for _, output in sorted(attempt.made.items())),
            made_by=attempt.made_by,
            uncertainty_seconds=brief(math.ceil(attempt.uncertainty_seconds * 1e4) / 1e4),
            content_key=attempt.content_key[:SHORT_DIGEST],
        )
        self._put(filled)


def _hits_line(done: Mapping[int, ActionRecord]) -> HitsLine:
    """What was done before, by number."""
    runs = dict.fromkeys(record.run for record in done.values() if record.run)
    at = {run: number for number, run in enumerate(runs)}
    hits = (
        HitEntry(number, round(record.seconds, 4), at.get(record.run, -1)) for number, record in done.items()
    )
    return HitsLine(tuple(hits), tuple(runs))


def _without_zeros(*seconds: float) -> tuple[float, ...]:
    """Rounded, without the zeros at the end."""
    rounded = [round(each, 4) for each in seconds]
    while rounded and not rounded[-1]:
        rounded.pop()
    return tuple(rounded)
