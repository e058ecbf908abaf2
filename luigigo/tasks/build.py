"""The Luigi task of a build, `BuildBinary`, and what joins Luigi and the process that builds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import luigi
import msgspec

from luigigo.attempts import NodeInfo
from luigigo.builds import session
from luigigo.client import exit_codes, hooks
from luigigo.client.callbacks import ClientCallbacks
from luigigo.client.factory import ClientSide, use_client_side, use_memory_budget
from luigigo.client.local_worker import result_callbacks, run_callbacks
from luigigo.client.signals import end_callbacks, interrupt_callbacks
from luigigo.encoding import let_bytes_through
from luigigo.errors import ExitCode, LuigigoError
from luigigo.execution.events import NodesKnown, RunEnded
from luigigo.golang.request import BuildFlags, BuildRequest, check
from luigigo.machine import node_name, processor_name
from luigigo.messages import for_user
from luigigo.protocol.messages import Progress
from luigigo.scheduling.resting import rest_callbacks
from luigigo.tasks.actions import ActionTask, tasks_of
from luigigo.tasks.parameters import (
    OutputParameter,
    PackagesParameter,
    ProjectParameter,
    TextsParameter,
    under_luigi_command,
)

if TYPE_CHECKING:
    from luigigo.builds.planned import PlannedBuild


class BuildBinary(luigi.Task):  # type: ignore[misc]
    """Build Go programs, byte-identical to `go build -trimpath -buildvcs=false -ldflags=-buildid=`.

    The parameters are `go build`'s flags. Complete when every binary is in place and is the one that the
    sources make. Depend on it, or subclass it, as on any task.
    """

    runs_in_slot = True
    retry_count = 1

    project = ProjectParameter(
        default=".", description="A folder inside a Go module, or module/path@version; the current folder."
    )
    package = PackagesParameter(
        default=(".",),
        description="What to build: a package, a pattern such as ./cmd/..., or a main .go file.",
    )
    output = OutputParameter(
        default="", description="The binary's file, or a folder for several; by default as go build's -o."
    )
    tags = luigi.Parameter(default="", description="Build tags, comma-separated.")
    ldflags = TextsParameter(default=(), description="Flags for the linker.")
    gcflags = TextsParameter(default=(), description="Flags for the compiler.")
    asmflags = TextsParameter(default=(), description="Flags for the assembler.")
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

    modcacherw = luigi.BoolParameter(
        default=False, description="Leave new folders of the module cache writable."
    )
    rebuild = luigi.BoolParameter(
        default=False, description="Compile everything again, whatever is in the store."
    )

    destination = ""
    """The value of --output."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        under_luigi_command(lambda: check(self.request))

    def clone(self, cls: Any = None, **kwargs: Any) -> Any:
        kwargs.setdefault("output", self.destination)
        return super().clone(cls, **kwargs)

    @classmethod
    def of(cls, request: BuildRequest, output: str) -> BuildBinary:
        """The task of a request."""
        values = msgspec.structs.asdict(request)
        return cls(output=output, package=values.pop("packages"), **values)

    @property
    def request(self) -> BuildRequest:
        """The parameters as a request."""
        flags = {name: getattr(self, name) for name in BuildFlags.__struct_fields__}
        # A subclass may have parameters of its own by these names, whose values are plain texts.
        flags |= {name: TextsParameter.values_of(flags[name]) for name in _REPEATED}
        packages = PackagesParameter.values_of(self.package) or (".",)
        return BuildRequest(project=self.project, packages=packages, **flags)

    def planned(self) -> PlannedBuild:
        """The plan of this build, made once a process. Raises `LuigigoError`s with the whole message."""
        from luigigo.builds import reporters

        here = session.current()
        reporters.ensure_observer(here)
        build = here.builds.plan(self.request, self.destination)
        tasks_of(build.digest).use(build)
        return build

    @property
    def luigigo_page(self) -> str | None:
        """Where luigid serves the report of the run that this build is part of."""
        run_id = session.current().run_id
        return f"/luigigo/report/{run_id}" if run_id else None

    def requires(self) -> list[ActionTask]:
        """A task for each program, or package that is no program."""
        build = self.planned()
        shared = tasks_of(build.digest)
        return [shared.task(root.action) for root in build.plan.roots]

    def deps(self) -> list[ActionTask]:
        """What the scheduler has to know: the roots that are not done."""
        done = self.planned().done
        return [task for task in self.requires() if task.action_id not in done]

    def targets(self) -> luigi.Target | list[luigi.Target]:
        """What `output()` returns: the binary in its place, or the record where nothing is put in place.

        A list of them where the build is of several.
        """
        found = self._all_targets()
        return found[0] if len(found) == 1 else found

    def _all_targets(self) -> list[luigi.Target]:
        from luigigo.builds.destinations import deliveries

        build = self.planned()
        wanted = deliveries(build.plan, self.destination)
        if wanted:
            return [luigi.LocalTarget(delivery.path) for delivery in wanted]
        shared = tasks_of(build.digest)
        return [shared.task(root.action).output() for root in build.plan.roots]

    def complete(self) -> bool:
        """Whether every binary is in place and is the one that the sources make now. Puts nothing there."""
        here = session.current()
        if here.up_to_date(self.request, self.destination) is not None:
            return True
        from luigigo.builds import delivery

        if not self.rebuild:
            here.builds.refresh(self.request, self.destination)
        build = self.planned()
        if not delivery.is_complete(build, self.destination, here):
            return False
        delivery.remember(build, self.destination, here)
        return True

    def run(self) -> None:
        """Put the binaries into place."""
        from luigigo.builds import delivery

        here = session.current()
        try:
            delivery.finish(self.planned(), self.destination, here)
        except LuigigoError as error:
            here.say(for_user(error))
            raise
        here.save()


_REPEATED = ("ldflags", "gcflags", "asmflags")
"""Flags that may be given several times."""


def _observe_elsewhere(task: Any, progress: Progress) -> None:
    """Let the observers hear of what a node did, and remember what it took."""
    if isinstance(task, ActionTask):
        session.current().builds.note_elsewhere(task.plan, task.action_id, progress)


def _publish_again(task: Any) -> bool:
    """Let a node find again what was put into the store for a task."""
    return isinstance(task, ActionTask) and session.current().builds.publish_again(task.plan)


def _note_slots(count: int) -> None:
    """Let the run's record know that actions run from now on, and in how many slots of this process."""
    here = session.existing()
    if here is None:
        return
    here.phases.enter("run")
    if count and here.run_id:
        own = NodeInfo(node_name(), count, here.budget_bytes(), processor_name())
        here.record(NodesKnown((own,)))


def _note_result(succeeded: bool, was_interrupted: bool) -> None:
    """Let the observers know that one of Luigi's runs is over."""
    here = session.existing()
    if here is None:
        return
    if here.observers:
        here.tell(RunEnded(succeeded))
    if here.rests:
        outcome = "ok" if succeeded else "interrupted" if was_interrupted else "failed"
        here.end_record(outcome, 0 if succeeded else int(exit_codes.noted() or ExitCode.BUILD_FAILED))


def _callbacks() -> ClientCallbacks:
    here = session.current()
    return ClientCallbacks(
        node=node_name(),
        note_nodes=lambda nodes, scheduler: here.record(NodesKnown(nodes, scheduler)),
        observe=_observe_elsewhere,
        memory_bytes=lambda: here.builds.context.budget_bytes,
        publish_again=_publish_again,
        renew=lambda: here.builds.renew_pins(),
        falls_back=here.config.fallback == "local",
    )


interrupt_callbacks.append(session.stop)
end_callbacks.append(session.end_run)
result_callbacks.append(_note_result)
run_callbacks.append(_note_slots)
rest_callbacks.append(session.rest)
use_client_side(ClientSide(_callbacks, lambda shared: session.current().adopt_cluster(shared)))
use_memory_budget(session.memory_budget)
hooks.install()
let_bytes_through(sys.stderr)
