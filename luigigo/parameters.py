"""The parameters of `BuildBinary` that are more than a text."""

from __future__ import annotations

from typing import Any

import luigi

from luigigo.golang.request import absolute_output, absolute_project


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
        return absolute_output(value)


class ProjectParameter(luigi.Parameter):  # type: ignore[misc]
    """A folder, made absolute, or a `module/path@version`."""

    def normalize(self, value: str) -> str:
        """Tell the one from the other: a folder that is there is a folder."""
        return absolute_project(value)
