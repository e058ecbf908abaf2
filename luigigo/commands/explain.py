"""`luigigo explain`: why something was built again, or was not."""

from __future__ import annotations

import os

import msgspec

from luigigo.config import read_config
from luigigo.errors import UsageError
from luigigo.model import ActionId
from luigigo.nearest import nearest
from luigigo.reports.explaintext import import_lines, package_lines, run_lines
from luigigo.reports.history import History
from luigigo.reports.pairing import latest_histories, paired
from luigigo.reports.reading import read_history
from luigigo.runrecords.naming import LATEST


class ExplainOptions(msgspec.Struct, frozen=True):
    """What `luigigo explain` was asked."""

    run: str = LATEST
    against: str = ""
    imports: bool = False
    script: str = ""


def explain(package: str, options: ExplainOptions) -> None:
    """Print why a run did what it did, or why one package was built. Raises `UsageError`."""
    history = read_history(options.run)
    if package:
        _require_package(history, package)
    elif options.imports or options.script:
        flag = "--imports" if options.imports else "--script DIR"
        raise UsageError(f"{flag} is about one package: luigigo explain {flag} PACKAGE")
    if options.script:
        print(_write_script(history, package, os.path.abspath(options.script)))
        return
    if options.imports:
        lines = import_lines(history, package)
    elif package:
        lines = package_lines(paired(history, options.against), package)
    else:
        lines = run_lines(paired(history, options.against), latest_histories())
    print("\n".join(lines))


def _write_script(history: History, package: str, folder: str) -> str:
    """Make a folder from which the package's action can be run again alone; what to do with it."""
    from luigigo.builds import session
    from luigigo.golang.run.repeating import write_repetition

    numbers = history.packages[package]
    failed = [n for n in numbers if n in history.last and history.last[n].line.outcome == "failed"]
    compiles = [n for n in numbers if history.kind(n) == "compile"]
    action_id = ActionId(history.actions[(failed or compiles or numbers)[0]].id)
    here = session.open_with(read_config(os.environ))
    try:
        for line in history.record.plans:
            executor = here.builds.executor(line.plan)  # type: ignore[arg-type]
            if action_id in executor.plan.actions:
                action, inputs = executor.plan.actions[action_id], executor.input_paths(action_id)
                path = write_repetition(action, executor.plan, here.builds.context, inputs, folder)
                return f"{action_id}: sh {path}"
    finally:
        here.close()
    raise UsageError(f"no plan of run {history.run} has {action_id}")


def _require_package(history: History, package: str) -> None:
    if package not in history.packages:
        close = ", ".join(nearest(package, history.packages)) or "none: it planned nothing"
        raise UsageError(f"run {history.run} has no package {package}; the nearest are {close}")
