"""The parameters of `BuildBinary` that are more than a text."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import luigi
from luigi.cmdline_parser import CmdlineParser

from luigigo.errors import LuigigoError, UsageError
from luigigo.golang import quoted
from luigigo.golang.request import absolute_output, absolute_project
from luigigo.messages import for_user

T = TypeVar("T")


def under_luigi_command(checked: Callable[[], T]) -> T:
    """What `checked` returns; an error of ours ends Luigi's command with its exit code and no traceback."""
    try:
        return checked()
    except LuigigoError as error:
        if CmdlineParser.get_instance() is None:
            raise
        print(for_user(error), file=sys.stderr, flush=True)
        raise SystemExit(int(error.exit_code)) from None


class OutputParameter(luigi.Parameter):  # type: ignore[misc]
    """`--output`, beside the method `output()` that every Luigi task has.

    On the class it is a parameter; on a task, reading it gives the method and setting it keeps the value
    as `destination`.
    """

    def __get__(self, task: Any, owner: Any = None) -> Any:
        return self if task is None else task.targets

    def __set__(self, task: Any, value: str) -> None:
        task.destination = value

    def normalize(self, value: str) -> str:
        """Absolute, so that equal builds from different folders are different tasks."""
        return under_luigi_command(lambda: absolute_output(value))


class ProjectParameter(luigi.Parameter):  # type: ignore[misc]
    """A folder, made absolute, or a `module/path@version`."""

    def normalize(self, value: str) -> str:
        """Tell the one from the other: a folder that is there is a folder."""
        return under_luigi_command(lambda: absolute_project(value))


class TextsParameter(luigi.Parameter):  # type: ignore[misc]
    """Any number of texts of any letters: a flag that may come several times.

    As a text it is a JSON list, or, where there is one value, that value as it is: on the command line and in
    luigi.cfg one plain text is one value. What `serialize` gives `parse` takes for the same.
    """

    def parse(self, text: str | list[str]) -> tuple[str, ...]:
        """The values of one text; of each in turn where the command line has several."""
        given = [text] if isinstance(text, str) else text
        return tuple(value for each in given for value in self.values_of(each))

    def serialize(self, values: Sequence[str]) -> str:
        """The shortest text that stands for the values."""
        values = self.values_of(values)
        text = self._plain_text(values)
        return text if self.values_of(text) == values else json.dumps(list(values))

    def normalize(self, values: str | Sequence[str]) -> tuple[str, ...]:
        """A tuple, from Python's own lists and texts as well."""
        return self.values_of(values)

    @classmethod
    def values_of(cls, given: str | Sequence[str]) -> tuple[str, ...]:
        """The values of one text, or those that are given as such."""
        if not isinstance(given, str):
            return tuple(given)
        listed = _json_list(given)
        return cls._plain_values(given) if listed is None else listed

    @staticmethod
    def _plain_values(text: str) -> tuple[str, ...]:
        return (text,) if text else ()

    @staticmethod
    def _plain_text(values: tuple[str, ...]) -> str:
        return "".join(values)

    @classmethod
    def _parser_kwargs(cls, param_name: str, task_name: str | None = None) -> dict[str, Any]:
        return {**super()._parser_kwargs(param_name, task_name), "action": "append"}


class PackagesParameter(TextsParameter):
    """Packages: as a text with blanks between them, and in quotes where they have blanks themselves."""

    @staticmethod
    def _plain_values(text: str) -> tuple[str, ...]:
        try:
            return tuple(quoted.split(text))
        except UsageError:
            return (text,)

    @staticmethod
    def _plain_text(values: tuple[str, ...]) -> str:
        try:
            return quoted.join(values)
        except UsageError:
            return ""


def _json_list(text: str) -> tuple[str, ...] | None:
    """The texts of a JSON list of texts; None for any other text."""
    if not text.startswith("["):
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return None
    is_list = isinstance(values, list) and all(isinstance(value, str) for value in values)
    return tuple(values) if is_list else None
