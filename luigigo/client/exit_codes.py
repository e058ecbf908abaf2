"""The exit code of a run of Luigi: what the errors of the run ask for, unless the user asked otherwise."""

from __future__ import annotations

from typing import Any

import luigi.retcodes

from luigigo.client.settings import user_set
from luigigo.errors import ExitCode, LuigigoError

_stock_retcode: Any = luigi.retcodes.retcode
_noted: list[ExitCode] = []

DEFAULT_CODES = {
    "missing_data": ExitCode.BUILD_FAILED,
    "task_failed": ExitCode.BUILD_FAILED,
    "already_running": ExitCode.BUILD_FAILED,
    "not_run": ExitCode.BUILD_FAILED,
    "scheduling_error": ExitCode.PLAN_FAILED,
    "unhandled_exception": ExitCode.INTERNAL,
}
"""For each of Luigi's `[retcode]` settings, the code where no error of ours says which."""


def note(error: LuigigoError) -> None:
    """Let the run end with this error's exit code. The first one noted counts: later ones follow from it."""
    _noted.append(error.exit_code)


def noted() -> ExitCode | None:
    """The exit code of the first error since the last `reset`, if there was one."""
    return _noted[0] if _noted else None


def reset() -> None:
    """Begin a run: nothing is noted."""
    _noted.clear()


class ReturnCodes:
    """Stands where Luigi's `retcode` section stands: a code for each way that a run can end badly.

    Made while Luigi's command line is parsed, asked after the run: what the user set wins over what the
    run noted, and that wins over `DEFAULT_CODES`.
    """

    def __init__(self) -> None:
        stock = _stock_retcode()
        self._chosen = {name: getattr(stock, name) for name in DEFAULT_CODES if user_set("retcode", name)}

    def _code(self, name: str) -> int:
        chosen = self._chosen.get(name)
        if chosen is not None:
            return int(chosen)
        return int(noted() or DEFAULT_CODES[name])

    @property
    def missing_data(self) -> int:
        """For external tasks that are not there."""
        return self._code("missing_data")

    @property
    def task_failed(self) -> int:
        """For a task whose `run` failed."""
        return self._code("task_failed")

    @property
    def already_running(self) -> int:
        """For tasks that another worker was running when this one left."""
        return self._code("already_running")

    @property
    def not_run(self) -> int:
        """For tasks that the scheduler never gave to this worker."""
        return self._code("not_run")

    @property
    def scheduling_error(self) -> int:
        """For a task whose `complete` or `requires` failed."""
        return self._code("scheduling_error")

    @property
    def unhandled_exception(self) -> int:
        """For an exception that no one caught."""
        return self._code("unhandled_exception")
