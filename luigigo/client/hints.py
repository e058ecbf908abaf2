"""What a user can do next, in the words of the command that was typed: each has flags of its own."""

from __future__ import annotations

import sys
from enum import Enum


class Command(Enum):
    """How this process came to schedule tasks."""

    LUIGI = "luigi"
    BUILD = "luigigo build"
    PYTHON = "luigi.build"


_typed = Command.PYTHON


def typed(command: Command) -> None:
    """Say which command was typed. Luigi's own is recognised."""
    global _typed
    _typed = command


def in_use() -> Command:
    """The command that was typed."""
    parsing = sys.modules.get("luigi.cmdline_parser")
    if parsing is not None and parsing.CmdlineParser.get_instance() is not None:
        return Command.LUIGI
    return _typed


def without_luigid(command: Command) -> str:
    """How to schedule in this process instead of by a luigid."""
    return {
        Command.LUIGI: "use --local-scheduler",
        Command.BUILD: "leave out --scheduler-host, --scheduler-port and --cluster",
        Command.PYTHON: "say local_scheduler=True",
    }[command]


def without_workers(command: Command) -> str:
    """How to build here when a luigid has no workers."""
    return {
        Command.LUIGI: "LUIGIGO_FALLBACK=local builds here",
        Command.BUILD: "--fallback local builds here",
        Command.PYTHON: "LUIGIGO_FALLBACK=local builds here",
    }[command]
