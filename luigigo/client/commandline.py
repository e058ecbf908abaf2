"""What is wrong with a command of Luigi's, told as a command tells it: one line, and exit code 2.

Luigi prints a traceback for a parameter that is missing, a value that makes no sense and a task that is not
there, and ends with 4 or 1. All of it is looked at here before Luigi gets to it.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any, NoReturn

import luigi.interface
from luigi.cmdline_parser import CmdlineParser
from luigi.task_register import Register, TaskClassException, TaskClassNotFoundException

from luigigo.errors import ExitCode

_stock_build_parser: Any = CmdlineParser._build_parser
_stock_help: Any = CmdlineParser._possibly_exit_with_help
_stock_task: Any = CmdlineParser.get_task_obj
_parsers: dict[tuple[str | None, bool, int], ArgumentParser] = {}


def build_parser(root_task: str | None = None, help_all: bool = False) -> ArgumentParser:
    """Luigi's parser, built once for each set of known tasks.

    Luigi builds nine equal ones a command, each with every parameter of every task: a fifth of the time
    of a command that has nothing to do.
    """
    key = (root_task, help_all, len(Register._reg))
    parser = _parsers.get(key)
    if parser is None:
        parser = _parsers[key] = _stock_build_parser(root_task, help_all)
        # argparse would print all flags there are before it.
        parser.error = _refuse
    return parser


def require_task(parser: ArgumentParser, known_args: Any) -> None:
    """Print help where that is asked for; end the command that names no task, or none that is there."""
    _stock_help(parser, known_args)
    task = known_args.root_task
    if not task:
        _refuse(f"which task? There are {_task_names()}")
    try:
        Register.get_task_cls(task)
    except TaskClassNotFoundException:
        _refuse(f"there is no task {task}; there are {_task_names()}")
    except TaskClassException as error:
        _refuse(str(error))


def make_task(parser: CmdlineParser) -> Any:
    """The task of a command; ends the command where a value is missing or makes no sense."""
    task_class = Register.get_task_cls(parser.known_args.root_task)
    missing = _without_value(task_class, parser.known_args)
    if missing:
        _refuse(f"{task_class.get_task_family()} wants a value for {', '.join(missing)}")
    _without_value(luigi.interface.core, None)
    return _stock_task(parser)


def _without_value(task_class: Any, given: Any) -> list[str]:
    """The flags that have no value; ends the command at one whose value makes no sense."""
    family = task_class.get_task_family()
    missing = []
    for name, parameter in task_class.get_params():
        flag = f"--{name.replace('_', '-')}"
        text = getattr(given, name, None)
        try:
            if text:
                parameter.normalize(parameter.parse(text))
            elif not parameter.has_task_value(family, name):
                missing.append(flag)
        except Exception as error:
            _refuse(f"{flag}: {error or type(error).__name__}")
    return missing


def _task_names() -> str:
    """Those that are not Luigi's own."""
    tasks: list[Any] = [task for task in Register._get_reg().values() if isinstance(task, type)]
    own = [task for task in tasks if not task.__module__.startswith("luigi.")]
    return ", ".join(sorted(task.get_task_family() for task in own if not issubclass(task, luigi.Config)))


def _refuse(reason: str) -> NoReturn:
    line = " ".join(reason.split())
    print(f"luigigo: {line} (--help lists all flags)", file=sys.stderr, flush=True)
    raise SystemExit(int(ExitCode.USAGE))
