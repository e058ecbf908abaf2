"""What a user can do next, in the words of the command that was typed: each has flags of its own."""

from __future__ import annotations

import sys
from enum import Enum


class TypedCommand(Enum):
    """How this process came to schedule tasks."""

    LUIGI = "luigi"
    BUILD = "luigigo build"
    PYTHON = "luigi.build"


_typed = TypedCommand.PYTHON


def typed(command: TypedCommand) -> None:
    """Say which command was typed. Luigi's own is recognised."""
    global _typed
    _typed = command


def in_use() -> TypedCommand:
    """The command that was typed."""
    parsing = sys.modules.get("luigi.cmdline_parser")
    if parsing is not None and parsing.CmdlineParser.get_instance() is not None:
        return TypedCommand.LUIGI
    return _typed


def without_luigid(command: TypedCommand) -> str:
    """How to schedule in this process instead of by a luigid."""
    return {
        TypedCommand.LUIGI: "use --local-scheduler",
        TypedCommand.BUILD: "leave out --scheduler-host, --scheduler-port and --cluster",
        TypedCommand.PYTHON: "say local_scheduler=True",
    }[command]


def without_workers(command: TypedCommand) -> str:
    """How to build here when a luigid has no workers."""
    return {
        TypedCommand.LUIGI: "LUIGIGO_FALLBACK=local builds here",
        TypedCommand.BUILD: "--fallback local builds here",
        TypedCommand.PYTHON: "LUIGIGO_FALLBACK=local builds here",
    }[command]
