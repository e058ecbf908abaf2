"""What C compilers say of a package is told when go build would come to that package. Pure.

Here a package's C is compiled as soon as there is room, for it needs nothing of the packages that it imports.
go build compiles it when these are done (Builder.build in cmd/go/internal/work/exec.go), and not at all after
one of them failed: then it has nothing to say of that C either.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator

import msgspec

from luigigo.execution.events import ActionEnded, Event, MessageReplayed, Outcome
from luigigo.golang.actions import Kind, Plan
from luigigo.model import ActionId, ActionKey, Told


class _Turn(msgspec.Struct, frozen=True):
    """When go build would come to the C of a package."""

    plan: Plan
    compile: ActionKey
    imported: tuple[ActionId, ...]
    """What has to be done before: all that the package's compile needs beside the C."""


class Withheld:
    """The words that wait for their turn. May be used by any thread."""

    def __init__(self) -> None:
        self._turns: dict[ActionKey, _Turn] = {}
        self._done: set[ActionKey] = set()
        self._failed: set[ActionKey] = set()
        self._words: dict[ActionKey, tuple[Told, ...]] = {}
        self._lock = threading.Lock()

    def add(self, plan: Plan, done: Collection[ActionId]) -> None:
        """Know a plan, and which of its actions are done."""
        with self._lock:
            for action in plan.actions.values():
                if action.kind is Kind.COMPILE and action.cgo is not None:
                    imported = tuple(each for each in action.dependencies if each != action.cgo)
                    self._turns[plan.actions[action.cgo].key] = _Turn(plan, action.key, imported)
            self._done.update(plan.actions[each].key for each in done)

    def replay(self, key: ActionKey, told: tuple[Told, ...]) -> tuple[Event, ...]:
        """What to tell now of what an action said when it was done, before this build."""
        with self._lock:
            if key not in self._turns:
                return (MessageReplayed(told),)
            self._words[key] = told
            return tuple(self._due())

    def take(self, event: Event) -> tuple[Event, ...]:
        """What to tell now that this happened."""
        if not isinstance(event, ActionEnded):
            return (event,)
        with self._lock:
            (self._failed if event.outcome is Outcome.FAILED else self._done).add(event.key)
            if event.told and event.key in self._turns:
                self._words[event.key] = event.told
                event = msgspec.structs.replace(event, told=())
            return (event, *self._due())

    def release(self) -> tuple[Event, ...]:
        """What is left to tell at the end of a run: nothing of packages that go build never comes to."""
        with self._lock:
            told = [
                words for key, words in self._words.items() if not self._follows_a_failure(self._turns[key])
            ]
            self._words.clear()
            self._failed.clear()
        return tuple(MessageReplayed(words) for words in told)

    def _due(self) -> Iterator[Event]:
        for key in tuple(self._words):
            turn = self._turns[key]
            actions = turn.plan.actions
            if turn.compile in self._done or all(actions[each].key in self._done for each in turn.imported):
                yield MessageReplayed(self._words.pop(key))

    def _follows_a_failure(self, turn: _Turn) -> bool:
        actions, seen, left = turn.plan.actions, set(turn.imported), list(turn.imported)
        while left:
            action = actions[left.pop()]
            if action.key in self._failed:
                return True
            if action.key in self._done:
                continue
            new = set(action.dependencies) - seen
            seen |= new
            left += new
        return False
