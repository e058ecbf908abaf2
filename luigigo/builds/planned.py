"""A request's plan as it is scheduled, and what it rests on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress

import msgspec

from luigigo.builds import uptodate
from luigigo.builds.critical_path import expected_seconds, remaining_path_seconds
from luigigo.builds.planning import Planned, describe_go
from luigigo.builds.planning_places import known_before, unread
from luigigo.execution.events import BuildPlanned, Expected
from luigigo.execution.timings import Timings
from luigigo.filesystems import FileSystems
from luigigo.footprint import Exempt, Places, take
from luigigo.golang.request import BuildRequest
from luigigo.golang.run.executor import ActionExecutor
from luigigo.model import ActionId, ActionRecord, Digest
from luigigo.store.staging import staged

_FRESH_SECONDS = 1.0
"""A plan this young is what the caller has just made; it is not looked at again."""


class PlannedBuild:
    """A request's plan, ready to be scheduled: what is done, and how long the rest takes."""

    def __init__(
        self, digest: Digest, executor: ActionExecutor, done: dict[ActionId, ActionRecord], timings: Timings
    ) -> None:
        """`done` is what `executor` found to be done."""
        self.digest = digest
        self.keeping: Future[tuple[uptodate.Place, uptodate.Kept] | None] = Future()
        """Looks at what the plan rests on while its actions run."""
        self.executor = executor
        self.plan = executor.plan
        self.done = done
        self.made = time.monotonic()
        self._timings = timings
        self._remaining: dict[ActionId, float] | None = None

    @property
    def kept(self) -> tuple[uptodate.Place, uptodate.Kept] | None:
        """Where the plan may be kept, with what it rests on; None where that is not certain."""
        return self.keeping.result()

    @property
    def remaining_seconds(self) -> dict[ActionId, float]:
        """For each action, the longest chain of work that starts with it."""
        if self._remaining is None:
            self._remaining = remaining_path_seconds(self.plan, self._timings.seconds)
        return self._remaining

    def outlook(self) -> BuildPlanned:
        """What is done and what has to be, with how long that is going to take."""
        actions = self.plan.actions
        done = {actions[action_id].key: record.seconds for action_id, record in self.done.items()}
        needed = {}
        for action_id in self.needed():
            known = self._timings.seconds(action_id)
            seconds = expected_seconds(actions[action_id]) if known is None else known
            expected = Expected(seconds, self.remaining_seconds[action_id], known is not None)
            needed[actions[action_id].key] = expected
        return BuildPlanned(done, needed)

    def may_be_stale(self) -> bool:
        """Whether something that the plan was made from has changed, as far as that can be seen."""
        if time.monotonic() - self.made < _FRESH_SECONDS:
            return False
        return self.kept is None or not self.kept[1].holds

    def needed(self) -> Iterator[ActionId]:
        """The actions that have to run for the roots, as far as is known before they do."""
        waiting = [root.action for root in self.plan.roots]
        seen: set[ActionId] = set()
        while waiting:
            action_id = waiting.pop()
            if action_id in seen or action_id in self.done:
                continue
            seen.add(action_id)
            yield action_id
            waiting += self.plan.actions[action_id].dependencies


class PlanningStart(msgspec.Struct, frozen=True):
    """When a plan was begun, and what was not there then."""

    started_ns: int
    absent: frozenset[str]

    @classmethod
    def begin(cls, request: BuildRequest, variables: Mapping[str, str]) -> PlanningStart:
        """Look around before anything is asked."""
        started_ns = time.time_ns()
        paths = () if request.is_remote_module else known_before(request.project, variables)
        # Without a current folder nobody knows where settings are looked for.
        with suppress(OSError):
            return cls(started_ns, frozenset(path for path in paths if not os.path.lexists(path)))
        return cls(started_ns, frozenset())

    def kept(
        self, plan: Digest, planned: Planned, places: Places, outputs: list[str]
    ) -> uptodate.Kept | None:
        """What to keep of the plan, which rests on these places.

        None when it is not certain that nothing changed meanwhile.
        """
        exempt = Exempt(unread(outputs, planned.packages), self.absent)
        with suppress(OSError):
            footprint = take(places, self.started_ns, FileSystems().trusts, exempt)
            if footprint is not None:
                return uptodate.Kept(uptodate.FORMAT, plan, footprint, toolchain=describe_go(planned))
        return None


def is_other_toolchain(cache: str, toolchain: str) -> bool:
    """Whether the last plan in this cache had another toolchain; from now on it is this one."""
    path, content = os.path.join(cache, "toolchain"), os.fsencode(toolchain)
    with suppress(OSError), open(path, "rb") as file:
        if file.read() == content:
            return False
    with suppress(OSError), staged(path, 0o644) as file:
        file.write(content)
    return True
