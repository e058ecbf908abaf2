"""`luigigo build --plan-only`: what would be built, and how long it would take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luigigo.builds.recording import request_name
from luigigo.commands.predict import forecast_lines, sources_text
from luigigo.model import ActionId
from luigigo.reports.forecast import Machines
from luigigo.reports.outlook import outlook
from luigigo.reports.pairing import last_of, plan_of
from luigigo.reports.text import seconds_text
from luigigo.reports.times import times_of_plan
from luigigo.runrecords.naming import run_ids

if TYPE_CHECKING:
    from luigigo.builds.planned import PlannedBuild
    from luigigo.builds.session import Session
    from luigigo.golang.request import BuildRequest
    from luigigo.reports.history import History

SHOWN = 8
"""How many names of many are shown."""


def outlook_lines(build: PlannedBuild, request: BuildRequest, here: Session, slots: int) -> list[str]:
    """What must run, what may, what is done, and how long that takes on this machine."""
    root = here.config.store_root
    before = last_of(root, {request_name(request)}, run_ids(root))
    needed = list(build.needed())
    found = outlook(build.plan, needed, None if before is None else plan_of(root, before))
    saved = sum(record.seconds for record in build.done.values())
    lines = [
        f"{len(build.plan.actions)} actions: {len(found.must)} must run, {len(found.may)} may, "
        f"{found.hits} {'is' if found.hits == 1 else 'are'} done ({seconds_text(saved)} saved)"
    ]
    lines += [f"must run: {_some(found.must)}"] if found.must else []
    if found.may:
        lines.append(f"may run, unless what they read comes out as before: {_some(found.may)}")
    if not needed:
        return [*lines, "nothing is to be done but to put the binaries into place"]
    context = here.builds.context
    machines = [_machines(before, here, slots)]
    cases = [("without those that may be spared", found.must)] if found.may else []
    for title, actions in (*cases, ("with all of them", tuple(needed))):
        times = times_of_plan(build.plan, actions, context.timings.seconds)
        lines += [f"{title}, {sources_text(times)}:", *forecast_lines(times, machines, 0.0)]
    return lines


def _machines(before: History | None, here: Session, slots: int) -> Machines:
    """The nodes of the last run of the same, for a build on a cluster; else this machine."""
    if here.config.shared and before is not None and before.nodes:
        return Machines(len(before.nodes), max(node.slots for node in before.nodes.values()))
    context = here.builds.context
    return Machines(1, slots or context.cpus, context.budget_bytes)


def _some(actions: tuple[ActionId, ...]) -> str:
    left = len(actions) - SHOWN
    return ", ".join(actions[:SHOWN]) + (f" and {left} more" if left > 0 else "")
