"""What observers make of a build's events: counts, the share that is done, about how long the rest takes."""

from __future__ import annotations

import pytest

from luigigo.builds.progress import Remaining, Tally, seconds_left
from luigigo.execution.events import (
    ActionEnded,
    ActionRequeued,
    ActionStarted,
    BuildPlanned,
    Delivered,
    Expected,
    Outcome,
)
from luigigo.model import ActionKey


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def expected(seconds: float, path_seconds: float = 0.0, is_known: bool = True) -> Expected:
    return Expected(seconds, path_seconds or seconds, is_known)


def started(key: str) -> ActionStarted:
    return ActionStarted(ActionKey(key), f"package {key}")


def ended(key: str, outcome: Outcome = Outcome.RAN, saved_seconds: float = 0.0) -> ActionEnded:
    return ActionEnded(
        ActionKey(key), "compile", key, f"package {key}", outcome, 1.0, "n1", saved_seconds=saved_seconds
    )


def planned(done: dict[str, float], **needed: Expected) -> BuildPlanned:
    return BuildPlanned(
        {ActionKey(key): seconds for key, seconds in done.items()},
        {ActionKey(key): each for key, each in needed.items()},
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tally(clock: Clock) -> Tally:
    return Tally(clock)


def test_the_rest_takes_its_longest_chain_or_its_work_shared_by_the_slots() -> None:
    """Whichever is more; what runs is counted by what is left of it."""
    chain = [Remaining(expected(2, 12)), Remaining(expected(10))]
    assert seconds_left(chain, 8) == 12
    assert seconds_left([Remaining(expected(2, 12), ran_seconds=1.5), Remaining(expected(10))], 8) == 10.5
    many = [Remaining(expected(3)) for _ in range(8)]
    assert seconds_left(many, 2) == 12
    assert seconds_left([Remaining(expected(3), ran_seconds=9), *many], 2) == 12


def test_what_is_mostly_unknown_has_no_time() -> None:
    """Nothing is promised that earlier runs do not bear out; nothing is left of nothing."""
    known, new = Remaining(expected(4)), Remaining(expected(2, is_known=False))
    assert seconds_left([known, known, new], 1) == 10
    assert seconds_left([known, new, new], 1) is None
    assert seconds_left([], 4) is None


def test_a_line_says_what_has_to_be_done_and_how_long_it_takes(tally: Tally, clock: Clock) -> None:
    """What was done before counts in neither number, and there is no line of nothing."""
    assert tally.line() == "planning, 0 s"
    tally.note(planned({"old": 5.0}, a=expected(10, 40), b=expected(30)))
    assert tally.line() == "0/2 done, 0 %, 0 s"
    tally.note(started("a"))
    clock.now += 4
    assert tally.line() == "0/2 done, 0 %, 4 s, about 36 s left"
    clock.now += 6
    tally.note(ended("a"))
    assert tally.line() == "1/2 done, 25 %, 10 s, about 30 s left"
    tally.note(started("b"))
    tally.note(ended("b"))
    assert tally.line() == "2/2 done, 100 %, 10 s"


def test_an_action_is_counted_once(tally: Tally) -> None:
    """By two builds of a process, on a second node after the first was lost, and when it runs again."""
    tally.note(planned({"std": 2.0}, shared=expected(1), one=expected(1)))
    tally.note(planned({"std": 2.0}, shared=expected(1), two=expected(1)))
    assert tally.total == 3
    for key, outcome in (("shared", Outcome.RAN), ("shared", Outcome.HIT), ("one", Outcome.CUTOFF)):
        tally.note(started(key))
        tally.note(ended(key, outcome, 0.0 if outcome is Outcome.RAN else 3.0))
    tally.note(started("two"))
    tally.note(ActionRequeued(ActionKey("two")))
    assert list(tally.running) == []
    tally.note(started("two"))
    tally.note(ended("two", Outcome.FAILED))
    tally.note(started("two"))
    tally.note(ended("two"))
    assert (tally.done, tally.total) == (3, 3)
    assert tally.counts == {Outcome.RAN: 2, Outcome.CUTOFF: 1, Outcome.HIT: 1, Outcome.FAILED: 0}
    assert tally.saved_seconds == 5.0
    tally.note(started("std"))
    assert tally.done <= tally.total
    tally.note(ended("std"))
    assert (tally.done, tally.total) == (4, 4)
    assert tally.counts[Outcome.HIT] == 0
    assert tally.saved_seconds == 3.0


def test_the_closing_line_says_what_ran_and_what_was_saved(tally: Tally, clock: Clock) -> None:
    """With the binaries by their names from here; one action is no `actions`."""
    tally.note(planned({"x": 20.0, "y": 11.0}, a=expected(1)))
    tally.note(ended("a"))
    clock.now += 4.2
    assert tally.closing_line() == "luigigo: checked: 1 action ran, 2 cached, 4.2 s (31 s saved)"
    tally.note(ended("b", Outcome.CUTOFF, 2.0))
    tally.note(Delivered(("/bin/x",)))
    assert tally.closing_line().endswith("bin/x: 1 action ran, 1 cut off, 2 cached, 4.2 s (33 s saved)")
