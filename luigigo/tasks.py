"""The Luigi tasks of a build: `BuildBinary` → `LinkBinary` → `CompilePackage` and the rest of the graph.

Tasks are small: a package's name first, for readable ids, and the plan's digest. What a task does is the
workshop's affair; when it runs is the scheduler's.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import luigi
import msgspec
from luigi.cmdline_parser import CmdlineParser

from luigigo import session
from luigigo.errors import LuigigoError, UsageError, for_user
from luigigo.golang import quoted
from luigigo.golang.actions import CgoSpec, CToolchain, LinkSpec
from luigigo.golang.request import BuildRequest, check
from luigigo.machine import node_name
from luigigo.model import ActionId, ActionRecord
from luigigo.parameters import OutputParameter, ProjectParameter
from luigigo.scheduling import hooks
from luigigo.scheduling.factory import ClientSide, use_client_side, use_memory_budget
from luigigo.scheduling.interrupts import interrupt_callbacks
from luigigo.scheduling.protocol import Needs, Progress
from luigigo.scheduling.remote import Terms

if TYPE_CHECKING:
    from luigigo.builds import PlannedBuild
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
        return session.current().builds.workshop(self._plan).record(self._action_id)  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"action record {self.key}"


class ActionTask(luigi.Task):  # type: ignore[misc]
    """One action of a plan. Its key is fixed when the plan is made, so `output()` needs no I/O."""

    runs_in_slot = True
    """`run` waits for processes; it needs no process of its own."""
    retry_count = 1
    """A compile that failed fails again."""

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
        return session.current().builds.workshop(self.plan).plan.actions[self.action_id]

    def requires(self) -> list[ActionTask]:
        """A task for each action that this one reads."""
        shared = _tasks_of(self.plan)
        return [shared.task(dependency) for dependency in self.action.dependencies]

    def deps(self) -> list[ActionTask]:
        """What the scheduler has to know: the requirements that were not done when the plan was made."""
        shared = _tasks_of(self.plan)
        return [shared.task(each) for each in self.action.dependencies if each not in shared.done]

    def output(self) -> RecordTarget:
        """The action's record."""
        return RecordTarget(self.action, self.plan)

    @property
    def priority(self) -> float:
        """The longest chain of work that starts here, in milliseconds."""
        return _tasks_of(self.plan).priority(self.action_id)

    @property
    def predicted_peak_bytes(self) -> int:
        """What its tools are expected to take, for admission."""
        return session.current().builds.workshop(self.plan).appetite(self.action).peak_bytes

    @property
    def needs(self) -> Needs:
        """What it asks of a node of a cluster."""
        workshop = session.current().builds.workshop(self.plan)
        action = self.action
        compilers = action.spec.compilers if isinstance(action.spec, CgoSpec | LinkSpec) else None
        return Needs(
            key=action.key,
            toolchain=workshop.toolchain,
            compilers=compilers.identity if isinstance(compilers, CToolchain) else compilers or "",
            peak_bytes=self.predicted_peak_bytes,
            anywhere=workshop.runs_anywhere(action),
            wants_commands=session.current().wants_commands,
        )

    def complete(self) -> bool:
        """Whether its record is in the store."""
        known = _tasks_of(self.plan).known_state(self.action_id)
        return bool(super().complete()) if known is None else known

    def run(self) -> None:
        """Do the action, or find that it is done. Raises `ActionError`."""
        session.current().builds.workshop(self.plan).perform(self.action_id)


class CompilePackage(ActionTask):
    """Compile one Go package; publish its export data and its object.

    A package that is compiled for one program alone is called `path [program]`.
    """

    import_path = luigi.Parameter(description="The package.")
    plan = luigi.Parameter(description="Digest of the plan that it belongs to.")

    @property
    def action_id(self) -> ActionId:
        return ActionId(f"compile {self.import_path}")


class BuildCgo(ActionTask):
    """Run cgo and the C compiler for one package; waits for nothing."""

    import_path = luigi.Parameter(description="The package.")
    plan = luigi.Parameter(description="Digest of the plan that it belongs to.")

    @property
    def action_id(self) -> ActionId:
        return ActionId(f"cgo {self.import_path}")


class PrepareProfile(ActionTask):
    """Turn a CPU profile into the form that the compiler reads."""

    profile = luigi.Parameter(description="The profile's path.")
    plan = luigi.Parameter(description="Digest of the plan that it belongs to.")

    @property
    def action_id(self) -> ActionId:
        return ActionId(f"preprofile {self.profile}")


class LinkBinary(ActionTask):
    """Link one program; publish the binary."""

    import_path = luigi.Parameter(description="The program's main package.")
    plan = luigi.Parameter(description="Digest of the plan that it belongs to.")

    @property
    def action_id(self) -> ActionId:
        return ActionId(f"link {self.import_path}")


_PRUNE_HOLDS_SECONDS = 10.0
"""How long one look at the store answers for every action of a plan that nobody began."""

_CLASSES: dict[str, type[ActionTask]] = {
    "compile": CompilePackage,
    "cgo": BuildCgo,
    "preprofile": PrepareProfile,
    "link": LinkBinary,
}


class _PlanTasks:
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
        if build is None or not build.workshop.is_untouched:
            return None
        return action_id in self.done if time.monotonic() - build.made < _PRUNE_HOLDS_SECONDS else None

    def priority(self, action_id: ActionId) -> float:
        """Luigi's priority of an action."""
        return 0 if self._build is None else round(self._build.remaining_seconds[action_id] * 1000)


_plan_tasks: dict[str, _PlanTasks] = {}


def _tasks_of(plan: str) -> _PlanTasks:
    return _plan_tasks.setdefault(plan, _PlanTasks(plan))


class BuildBinary(luigi.Task):  # type: ignore[misc]
    """Build Go programs, byte-identical to `go build -trimpath -buildvcs=false -ldflags=-buildid=`.

    The parameters are `go build`'s flags. Complete when every binary is in place and is the one that the
    sources make. Depend on it, or subclass it, as on any task.
    """

    runs_in_slot = True
    retry_count = 1

    project = ProjectParameter(description="A folder inside a Go module, or module/path@version.")
    package = luigi.Parameter(
        default=".", description="What to build: a package, a pattern such as ./cmd/..., or a main .go file."
    )
    output = OutputParameter(
        default="", description="The binary's file, or a folder for several; by default as go build's -o."
    )
    tags = luigi.Parameter(default="", description="Build tags, comma-separated.")
    ldflags = luigi.Parameter(default="", description="Flags for the linker.")
    gcflags = luigi.Parameter(default="", description="Flags for the compiler.")
    asmflags = luigi.Parameter(default="", description="Flags for the assembler.")
    race = luigi.BoolParameter(default=False, description="Detect data races.")
    buildmode = luigi.Parameter(default="default", description="exe or pie.")
    pgo = luigi.Parameter(default="auto", description="A CPU profile, auto (default.pgo) or off.")
    mod = luigi.Parameter(
        default="",
        description="readonly, vendor or mod; say --BuildBinary-mod, for --mod is short for --module.",
    )
    modfile = luigi.Parameter(default="", description="Another go.mod to read.")
    goos = luigi.Parameter(default="", description="The target's operating system.")
    goarch = luigi.Parameter(default="", description="The target's architecture.")
    cgo_enabled = luigi.Parameter(default="", description="1 or 0.")
    buildvcs = luigi.Parameter(
        default="false", description="Stamp the version control's state: true, auto or false."
    )

    destination = ""
    """The value of --output."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _under_luigi_command(lambda: check(self.request))

    def clone(self, cls: Any = None, **kwargs: Any) -> Any:
        kwargs.setdefault("output", self.destination)
        return super().clone(cls, **kwargs)

    @classmethod
    def of(cls, request: BuildRequest, output: str) -> BuildBinary:
        """The task of a request."""
        values = msgspec.structs.asdict(request)
        values["package"] = quoted.join(values.pop("packages"))
        for name in _REPEATED:
            values[name] = "".join(f"{value}\n" for value in values[name])
        return cls(output=output, **values)

    @property
    def request(self) -> BuildRequest:
        """The parameters as a request."""
        return BuildRequest(
            project=self.project,
            packages=tuple(quoted.split(self.package)) or (".",),
            tags=self.tags,
            ldflags=_lines(self.ldflags),
            gcflags=_lines(self.gcflags),
            asmflags=_lines(self.asmflags),
            race=self.race,
            buildmode=self.buildmode,
            pgo=self.pgo,
            mod=self.mod,
            modfile=self.modfile,
            goos=self.goos,
            goarch=self.goarch,
            cgo_enabled=self.cgo_enabled,
            buildvcs=self.buildvcs,
        )

    def planned(self) -> PlannedBuild:
        """The plan of this build, made once a process. Raises `LuigigoError`s with the whole message."""
        from luigigo import reporting

        here = session.current()
        reporting.ensure_observer(here)
        build = here.builds.plan(self.request, self.destination)
        _tasks_of(build.digest).use(build)
        return build

    def requires(self) -> list[ActionTask]:
        """A task for each program, or package that is no program."""
        build = self.planned()
        shared = _tasks_of(build.digest)
        return [shared.task(root.action) for root in build.plan.roots]

    def deps(self) -> list[ActionTask]:
        """What the scheduler has to know: the roots that are not done."""
        done = self.planned().done
        return [task for task in self.requires() if task.action_id not in done]

    def targets(self) -> list[luigi.Target]:
        """What `output()` returns: the binaries in their places; records, where nothing is put in place."""
        from luigigo.destinations import deliveries

        build = self.planned()
        wanted = deliveries(build.plan, self.destination)
        if wanted:
            return [luigi.LocalTarget(delivery.path) for delivery in wanted]
        shared = _tasks_of(build.digest)
        return [shared.task(root.action).output() for root in build.plan.roots]

    def complete(self) -> bool:
        """Whether every binary is in place and is the one that the sources make now."""
        here = session.current()
        if here.up_to_date(self.request, self.destination) is not None:
            return True
        from luigigo import delivery

        here.builds.refresh(self.request, self.destination)
        build = self.planned()
        if not delivery.is_complete(build, self.destination, here):
            return False
        delivery.finish(build, self.destination, here)
        return True

    def run(self) -> None:
        """Put the binaries into place."""
        from luigigo import delivery

        here = session.current()
        try:
            delivery.finish(self.planned(), self.destination, here)
        except LuigigoError as error:
            here.say(for_user(error))
            raise
        here.save()


_REPEATED = ("ldflags", "gcflags", "asmflags")
"""Flags that may be given several times; as a parameter, one value a line."""


def _lines(text: str) -> tuple[str, ...]:
    """One value a line; an empty line is an empty value, which `-gcflags=` is."""
    return tuple(text.removesuffix("\n").split("\n")) if text else ()


def _under_luigi_command(checked: Callable[[], object]) -> None:
    """Raise a wrong argument as what ends Luigi's command with its exit code and no traceback."""
    try:
        checked()
    except UsageError as error:
        if CmdlineParser.get_instance() is None:
            raise
        print(f"luigigo: {error}", file=sys.stderr, flush=True)
        raise SystemExit(int(error.exit_code)) from None


def _observe_elsewhere(task: Any, progress: Progress) -> None:
    """Let the observers hear of what a node did, and remember what it took."""
    if isinstance(task, ActionTask):
        session.current().builds.note_elsewhere(task.plan, task.action_id, progress)


def _terms() -> Terms:
    from luigigo import __version__

    here = session.current()
    return Terms(
        node=node_name(),
        version=__version__,
        observe=_observe_elsewhere,
        help=lambda: here.builds.help(),
        renew=lambda: here.builds.renew_leases(),
        falls_back=here.config.fallback == "local",
    )


interrupt_callbacks.append(session.stop)
use_client_side(ClientSide(_terms, lambda shared: session.current().adopt_cluster(shared)))
use_memory_budget(session.memory_budget)
hooks.install()
