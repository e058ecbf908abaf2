"""Kinds of work that a worker runs, by the families of their tasks. Knows none of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from luigigo.attempts import Attempt
from luigigo.protocol.messages import Grant, Made, Prefetch, Usage


class TaskRefused(Exception):
    """luigid asks for what a worker never does; the text says what."""


class Lacking(Exception):
    """This node does not have a feature of which it finds out when it is asked; the text says why."""

    def __init__(self, feature: str, reason: str) -> None:
        super().__init__(reason)
        self.feature = feature


class Took(msgspec.Struct, frozen=True):
    """What a task took, and what of it others may need."""

    usage: Usage
    made: Made = {}
    attempt: Attempt = Attempt()
    """How it went by `time.monotonic`, as far as the family knows; slot, start and end are the worker's."""


class Family(Protocol):
    """One kind of work. All but `parse` run in threads of the worker's, several at a time."""

    def parse(self, grant: Grant) -> Any:
        """What is to be done, checked; `stage` and `run` get it. Touches no file. Raises `TaskRefused`."""

    def stage(self, work: Any) -> None:
        """Bring to this node what it reads; it has no slot meanwhile.

        Raises `TaskRefused`, `Lacking`, and `LuigigoError`s: `NodeTrouble` and other `StoreError`s where
        another node may do it, `SourcesMissing` where its client is to publish again, `SourcesElsewhere`
        where only that one can do it.
        """

    def run(self, work: Any, tools_ended: Callable[[], None]) -> Took:
        """Do it. `tools_ended` leaves the slot to another, and may be called once. Raises as `stage` does,
        and `ActionError` where it failed for good."""

    def fetch(self, message: Prefetch) -> None:
        """Bring to this node what a task will read that may never be given to it. Whatever goes wrong is
        logged."""

    def save(self) -> None:
        """Write caches, now and then."""
