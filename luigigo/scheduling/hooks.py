"""Every assignment into Luigi. After `install`, `luigi` and `luigi.build` use luigigo's scheduling."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import luigi.interface
import luigi.retcodes
from luigi.cmdline_parser import CmdlineParser
from luigi.task_register import Register

from luigigo.scheduling.factory import SlotFactory
from luigigo.scheduling.outcome import ReturnCodes
from luigigo.scheduling.settings import supply, user_set

_stock_build_parser: Any = CmdlineParser._build_parser
_parsers: dict[tuple[str | None, bool, int], ArgumentParser] = {}


def _build_parser(root_task: str | None = None, help_all: bool = False) -> ArgumentParser:
    """Luigi's parser, built once for each set of known tasks.

    Luigi builds nine equal ones a command, each with every parameter of every task: a fifth of the time
    of a command that has nothing to do.
    """
    key = (root_task, help_all, len(Register._reg))
    parser = _parsers.get(key)
    if parser is None:
        parser = _parsers[key] = _stock_build_parser(root_task, help_all)
    return parser


def install() -> None:
    """Put our factory, defaults and exit codes into Luigi; harmless when done before.

    Works from a module that `luigi --module` names: Luigi imports that before it looks these up. Values
    that the user configured stay.
    """
    luigi.interface._WorkerSchedulerFactory = SlotFactory
    luigi.retcodes.retcode = ReturnCodes
    CmdlineParser._build_parser = staticmethod(_build_parser)
    if not user_set("core", "workers"):
        from luigigo.machine import usable_cpus

        supply("core", "workers", str(usable_cpus()))
    # Two equal builds at once must both run; they share what they make.
    supply("core", "no_lock", "true")
    supply("core", "log_level", "INFO")
