"""`luigigo explain`: why something was built again, or was not."""

from __future__ import annotations

import msgspec

from luigigo.errors import UsageError
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


def explain(package: str, options: ExplainOptions) -> None:
    """Print why a run did what it did, or why one package was built. Raises `UsageError`."""
    history = read_history(options.run)
    if package:
        _require_package(history, package)
    elif options.imports:
        raise UsageError("--imports explains one package: luigigo explain --imports PACKAGE")
    if options.imports:
        lines = import_lines(history, package)
    elif package:
        lines = package_lines(paired(history, options.against), package)
    else:
        lines = run_lines(paired(history, options.against), latest_histories())
    print("\n".join(lines))


def _require_package(history: History, package: str) -> None:
    known = {history.package(number) for number in range(len(history.actions)) if history.actions[number].id}
    if package not in known:
        close = ", ".join(nearest(package, known)) or "none: it planned nothing"
        raise UsageError(f"run {history.run} has no package {package}; the nearest are {close}")
