"""The Luigi tasks of a plan's actions: `LinkBinary` → `CompilePackage` and the rest of the graph.

Tasks are small: a package's name first, for readable ids, and the plan's digest. What a task does is the
executor's affair; when it runs is the scheduler's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import luigi
import msgspec
from luigi.parameter import ParameterVisibility
from luigi.task import task_id_str

from luigigo.builds import session
from luigigo.client.slot_worker import current_turn, leave_slot
from luigigo.golang.actions import CgoSpec, CToolchain, Kind, LinkSpec
from luigigo.golang.features import c_feature, go_feature
from luigigo.model import ActionId, ActionRecord
from luigigo.protocol.messages import Needs
from luigigo.scheduling import page

if TYPE_CHECKING:
    from luigigo.builds.planned import PlannedBuild
    from luigigo.golang.actions import Action


class RecordTarget(luigi.Target):  # type: ignore[misc]
    """An action's record in the store; it exists when the action is done and its content is there."""

    def __init__(self, action: Action, plan: str) -> None:
        self.key = action.key
        self._action_id = action.id
        self._plan = plan

    def exists(self) -> bool:
        """Whether the action is done."""
        return self.record() is not None

    def record(self) -> ActionRecord | None:
        """The record, or None."""
        return session.current().builds.executor(self._plan).known.record(self._action_id)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"record of {self._action_id}"


class ActionTask(luigi.Task):  # type: ignore[misc]
    """One action of a plan. Its key is fixed when the plan is made, so `output()` needs no I/O."""

    runs_in_slot = True
    """`run` waits for processes; it needs no process of its own."""
    retry_count = 1
    """A compile that failed fails again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Luigi leaves hidden parameters out of ids, and equal packages of two plans are two tasks.
        self.task_id = task_id_str(self.get_task_family(), self.to_str_params(only_significant=True))

    @classmethod
    @cache
    def get_params(cls) -> Any:
        """The parameters; cached, for Luigi asks some ten times a task."""
        return super().get_params()

    @property
    def action_id(self) -> ActionId:
        """The action's id in its plan."""
        raise NotImplementedError

    @property
    def action(self) -> Action:
        """The action. Raises `ContentMissing` when the plan is not in the store."""
        return session.current().builds.executor(self.plan).plan.actions[self.action_id]

    def requires(self) -> list[ActionTask]:
        """A task for each action that this one reads."""
        shared = tasks_of(self.plan)
        return [shared.task(dependency) for dependency in self.action.dependencies]

    def deps(self) -> list[ActionTask]:
        """What the scheduler has to know: the requirements that were not done when the plan was made."""
        shared = tasks_of(self.plan)
        return [shared.task(each) for each in self.action.dependencies if each not in shared.done]

    def output(self) -> RecordTarget:
        """The action's record."""
        return RecordTarget(self.action, self.plan)

    @property
    def priority(self) -> float:
        """The longest chain of work that starts here, in milliseconds."""
        return tasks_of(self.plan).priority(self.action_id)

    @property
    def predicted_peak_bytes(self) -> int:
        """What its tools are expected to take, for admission."""
        return session.current().builds.executor(self.plan).memory.estimate(self.action).peak_bytes

    @property
    def needs(self) -> Needs:
        """What it asks of a node of a cluster."""
        executor = session.current().builds.executor(self.plan)
        action = self.action
        compilers = action.spec.compilers if isinstance(action.spec, CgoSpec | LinkSpec) else None
        c_toolchain = compilers.identity if isinstance(compilers, CToolchain) else compilers or ""
        return Needs(
            key=action.key,
            features=(go_feature(executor.toolchain), *([c_feature(c_toolchain)] if c_toolchain else [])),
            peak_bytes=self.predicted_peak_bytes,
            anywhere=executor.runs_anywhere(action),
            wants_commands=session.current().wants_commands,
            run=session.current().run_id,
        )

    def complete(self) -> bool:
        """Whether its record is in the store."""
        known = tasks_of(self.plan).known_state(self.action_id)
        return bool(super().complete()) if known is None else known

    def run(self) -> None:
        """Do the action, or find that it is done. Raises `ActionError`."""
        here = session.current()
        executor = here.builds.executor(self.plan)
        turn = msgspec.structs.replace(current_turn(), run=here.run_id)
        try:
            executor.perform(self.action_id, leave_slot=leave_slot, turn=turn)
        finally:
            ended = executor.ended.get(self.action_id)
            if ended is not None:
                self._show(page.did(ended.outcome.value, ended.seconds, ended.node))

    def _show(self, what: str) -> None:
        """Let Luigi's page say what was done. A luigid that does not answer is no fault of the action's."""
        show: Callable[[str], None] | None = getattr(self, "set_status_message", None)
        if show is not None:
            with suppress(Exception):
                show(what)

    def __repr__(self) -> str:
        """By the package alone: the plan's digest tells a reader nothing."""
        name, value = next(iter(self.to_str_params(only_public=True).items()))
        return f"{self.task_family}({name}={value})"


class PackageTask(ActionTask):
    """One action of a package."""

    kind: ClassVar[Kind]
    import_path = luigi.Parameter(description="The package; of a link, the program's main package.")
    plan = luigi.Parameter(
        description="Digest of the plan that it belongs to.", visibility=ParameterVisibility.HIDDEN
    )

    @property
    def action_id(self) -> ActionId:
        return ActionId(f"{self.kind.value} {self.import_path}")


class CompilePackage(PackageTask):
    """Compile one Go package; publish its export data and its object.

    A package that is compiled for one program alone is called `path [program]`.
    """

    kind = Kind.COMPILE


class BuildCgo(PackageTask):
    """Run cgo and the C compiler for one package; waits for nothing."""

    kind = Kind.CGO


class LinkBinary(PackageTask):
    """Link one program; publish the binary."""

    kind = Kind.LINK


class PrepareProfile(ActionTask):
    """Turn a CPU profile into the form that the compiler reads."""

    profile = luigi.Parameter(description="The profile's path.")
    plan = luigi.Parameter(
        description="Digest of the plan that it belongs to.", visibility=ParameterVisibility.HIDDEN
    )

    @property
    def action_id(self) -> ActionId:
        return ActionId(f"preprofile {self.profile}")


_PRUNE_HOLDS_SECONDS = 10.0
"""How long one look at the store answers for every action of a plan that nobody began."""

_CLASSES: dict[str, type[ActionTask]] = {
    "compile": CompilePackage,
    "cgo": BuildCgo,
    "preprofile": PrepareProfile,
    "link": LinkBinary,
}


class PlanTasks:
    """The tasks of one plan, made once each: Luigi's task objects are dear, and imports share them."""

    def __init__(self, plan: str) -> None:
        self._plan = plan
        self._tasks: dict[ActionId, ActionTask] = {}
        self._build: PlannedBuild | None = None
        self.done: frozenset[ActionId] = frozenset()

    def use(self, build: PlannedBuild) -> None:
        """Know what is done and how long the rest takes."""
        self._build = build
        self.done = frozenset(build.done)

    def task(self, action_id: ActionId) -> ActionTask:
        """The task of an action."""
        task = self._tasks.get(action_id)
        if task is None:
            kind, _, name = action_id.partition(" ")
            task = self._tasks[action_id] = _CLASSES[kind](name, self._plan)
        return task

    def known_state(self, action_id: ActionId) -> bool | None:
        """Whether an action is done, as far as a plan knows that was looked through moments ago.

        Asking a share for a name that is absent makes it remember the absence: what other nodes publish
        there would stay unseen for seconds.
        """
        build = self._build
        if build is None or not build.executor.is_untouched:
            return None
        return action_id in self.done if time.monotonic() - build.made < _PRUNE_HOLDS_SECONDS else None

    def priority(self, action_id: ActionId) -> float:
        """Luigi's priority of an action."""
        return 0 if self._build is None else round(self._build.remaining_seconds[action_id] * 1000)


_plan_tasks: dict[str, PlanTasks] = {}


def tasks_of(plan: str) -> PlanTasks:
    """The tasks of the plan with this digest."""
    return _plan_tasks.setdefault(plan, PlanTasks(plan))
