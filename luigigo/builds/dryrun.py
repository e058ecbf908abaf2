"""`luigigo build -n`: the commands of what is to be done, and none of them run."""

from __future__ import annotations

import shutil
from typing import TextIO

import msgspec

from luigigo.builds.planned import PlannedBuild
from luigigo.builds.reporting import show_command
from luigigo.errors import ActionError
from luigigo.execution.context import ExecutionContext
from luigigo.execution.events import CommandStarted, Event
from luigigo.golang.actions import Action
from luigigo.golang.run.job import Job, JobFailed
from luigigo.golang.run.rehearsal import IdleRunner, rehearse
from luigigo.golang.run.sources import unpacked


def show(build: PlannedBuild, context: ExecutionContext, out: TextIO) -> None:
    """Print what would run for what is not done, dependencies first. Raises `ActionError` as a build does.

    What follows from files that only the commands before would make (cgo's) cannot be known; a line says so.
    """

    def print_command(event: Event) -> None:
        if isinstance(event, CommandStarted):
            print(show_command(event), file=out)

    idle = msgspec.structs.replace(context, runner=IdleRunner(), observe=print_command)
    needed = set(build.needed())
    for action_id, action in build.plan.actions.items():
        if action_id in needed:
            print(f"\n#\n# {action.label}\n#\n", file=out)
            _show_action(action, build, idle, out)


def _show_action(action: Action, build: PlannedBuild, idle: ExecutionContext, out: TextIO) -> None:
    gogc = build.executor.memory.estimate(action).gogc
    job = Job.start(action, build.plan, idle, unpacked(action, idle), gogc)
    inputs = {str(path): f"{job.layout.object_dir}/_pkg_.a" for path, _ in action.imports}
    for name, dependency in ((" cgo", action.cgo), (" profile", action.profile)):
        if dependency is not None:
            inputs[name] = f"{job.layout.object_dir}/{name.strip()}"
    try:
        if not rehearse(job, inputs):
            print(f"# {action.label}: what follows depends on what these commands make", file=out)
    except JobFailed as failed:
        raise ActionError(str(failed)) from None
    finally:
        shutil.rmtree(job.layout.object_dir, ignore_errors=True)
