"""Which actions of Go a worker agrees to do. Pure: all is checked before anything is looked up by it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from luigigo.model import ActionId, Digest
from luigigo.protocol.messages import Grant, Made
from luigigo.store.layout import is_digest, is_run_id
from luigigo.worker.families import TaskRefused

FAMILIES = {
    "CompilePackage": ("compile", "import_path"),
    "BuildCgo": ("cgo", "import_path"),
    "LinkBinary": ("link", "import_path"),
    "PrepareProfile": ("preprofile", "profile"),
}
"""The task families that a worker runs, with the kind of action and the parameter that names it."""

_LONGEST_NAME = 4096


class Assignment(msgspec.Struct, frozen=True):
    """One action that the worker was given."""

    task_id: str
    lease: int
    plan: Digest
    action: ActionId
    peak_bytes: int = 0
    """What was set aside for it."""
    probably_done: bool = False
    wants_commands: bool = False
    run: str = ""
    """The run that wants it, for the record of what it makes."""
    made: dict[str, Made] = {}
    """By action key, what it reads of those that were done in this run."""


def action_of(family: str, params: Mapping[str, str]) -> tuple[Digest, ActionId]:
    """The plan and the action of a task. Raises `TaskRefused` for any but luigigo's with proper parameters.

    Whether the plan has such an action is learned from the plan, which is checked against its digest.
    """
    if family not in FAMILIES:
        raise TaskRefused(f"a worker runs no {family[:100]!r}")
    kind, parameter = FAMILIES[family]
    if set(params) != {parameter, "plan"}:
        raise TaskRefused(f"{family} has the parameters {parameter} and plan, and no others")
    name, plan = params[parameter], params["plan"]
    if not is_digest(plan):
        raise TaskRefused(f"{family}: the plan is no digest: {plan[:100]!r}")
    if not name or len(name) > _LONGEST_NAME or "\0" in name:
        raise TaskRefused(f"{family}: {parameter} is no name: {name[:100]!r}")
    return Digest(plan), ActionId(f"{kind} {name}")


def assignment_of(grant: Grant) -> Assignment:
    """The assignment of a grant. Raises `TaskRefused` as `action_of` does."""
    plan, action = action_of(grant.family, grant.params)
    return Assignment(
        task_id=grant.task_id,
        lease=grant.lease,
        plan=plan,
        action=action,
        peak_bytes=grant.peak_bytes,
        probably_done=grant.probably_done,
        wants_commands=grant.wants_commands,
        run=grant.run if is_run_id(grant.run) else "",
        made=sound(grant.made),
    )


def sound(made: dict[str, Made]) -> dict[str, Made]:
    """What actions made, as luigid says. Raises `TaskRefused` unless all of it is called by digests."""
    for key, outputs in made.items():
        if not all(is_digest(name) for name in (key, *(output.digest for output in outputs.values()))):
            raise TaskRefused(f"what {key[:100]!r} made is not called by digests")
    return made
