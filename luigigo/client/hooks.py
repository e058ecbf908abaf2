"""Every assignment into Luigi. After `install`, `luigi` and `luigi.build` use luigigo's scheduling."""

from __future__ import annotations

import multiprocessing

import luigi.interface
import luigi.retcodes
import luigi.worker
from luigi.cmdline_parser import CmdlineParser

from luigigo.client import commandline
from luigigo.client.exit_codes import ReturnCodes
from luigigo.client.factory import SlotFactory
from luigigo.client.settings import supply, user_set


def install() -> None:
    """Put our factory, defaults and exit codes into Luigi; harmless when done before.

    Works from a module that `luigi --module` names: Luigi imports that before it looks these up. Values
    that the user configured stay.
    """
    luigi.interface._WorkerSchedulerFactory = SlotFactory
    luigi.retcodes.retcode = ReturnCodes
    # Python's own choice is another since 3.14, and starts a process that stays.
    luigi.worker.multiprocessing = multiprocessing.get_context("fork")
    CmdlineParser._build_parser = staticmethod(commandline.build_parser)
    CmdlineParser._possibly_exit_with_help = staticmethod(commandline.require_task)
    CmdlineParser.get_task_obj = commandline.make_task
    if not user_set("core", "workers"):
        from luigigo.machine import usable_cpus

        supply("core", "workers", str(usable_cpus()))
    # Two equal builds at once must both run; they share what they make.
    supply("core", "no_lock", "true")
    supply("core", "log_level", "INFO")
