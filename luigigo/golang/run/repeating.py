"""Puts one action into a folder, with all that it reads and a script of its commands, to look into it."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping

import msgspec

from luigigo.errors import UsageError
from luigigo.execution.context import ExecutionContext
from luigigo.golang.actions import Action, Plan
from luigigo.golang.run.job import Job, JobFailed
from luigigo.golang.run.rehearsal import IdleRunner, rehearse
from luigigo.golang.run.sources import package_files, unpacked
from luigigo.process import Command

SCRIPT = "run.sh"
INPUTS = "inputs"
_HEAD = """\
#!/bin/sh
# {label}: the commands of one action of luigigo's, with what it reads beside them.
set -ex
"""
_REST = "# What follows depends on what these commands make.\n"


def write_repetition(
    action: Action, plan: Plan, context: ExecutionContext, inputs: Mapping[str, str], folder: str
) -> str:
    """Fill a new folder with an action's inputs and a script; return the script's path.

    `inputs` are the paths of what the dependencies made, by name. Raises `UsageError` where the folder holds
    something already or cannot be written, or where a source is no longer what the action read.
    """
    try:
        if os.path.isdir(folder) and os.listdir(folder):
            raise UsageError(f"{folder} is not empty: name a new folder")
        return _fill(action, plan, context, inputs, folder)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from error


def _fill(
    action: Action, plan: Plan, context: ExecutionContext, inputs: Mapping[str, str], folder: str
) -> str:
    copied = _copy_inputs(inputs, folder)
    idle = IdleRunner()
    here = msgspec.structs.replace(context, runner=idle, work_dir=folder, observe=lambda event: None)
    job = Job.start(action, plan, here, unpacked(action, here), "")
    changed = job.changed_source()
    if changed:
        raise UsageError(f"{changed} is no longer what {action.label} read: it cannot be repeated")
    try:
        rest = "" if rehearse(job, copied) else _REST
    except JobFailed as failed:
        raise UsageError(str(failed)) from None
    _copy_sources(action, job, folder)
    path = os.path.join(folder, SCRIPT)
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(_HEAD.format(label=action.label))
        for command in idle.commands:
            file.write(_lines(command))
        file.write(rest)
    os.chmod(path, 0o755)
    return path


def _copy_inputs(inputs: Mapping[str, str], folder: str) -> dict[str, str]:
    """Where the copies of what the dependencies made are, by name."""
    os.makedirs(os.path.join(folder, INPUTS), exist_ok=True)
    copied = {}
    for number, (name, path) in enumerate(sorted(inputs.items())):
        copied[name] = os.path.join(folder, INPUTS, f"{number:04}{os.path.splitext(path)[1]}")
        shutil.copyfile(path, copied[name])
    return copied


def _copy_sources(action: Action, job: Job, folder: str) -> None:
    """Keep the package's files beside the script: the commands read them where they were."""
    for number, file in enumerate(package_files(action)):
        name = os.path.normpath(file.name)
        source = name if os.path.isabs(name) else job.layout.source(file.name)
        if os.path.isabs(name) or name.startswith(".."):
            name = f"elsewhere/{number:04}-{os.path.basename(name)}"
        target = os.path.join(folder, "sources", name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(source, target)


def _lines(command: Command) -> str:
    """A command as a shell takes it, with nothing of the shell's own environment."""
    variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in sorted(command.env.items()))
    return f"cd {shlex.quote(command.cwd)}\nenv -i {variables} {shlex.join(command.argv)}\n"
