"""Why an action ran again whose inputs are those of another run."""

from __future__ import annotations

import msgspec

from luigigo.reports.explaining import GONE, LATER, NO_OTHER, NOT_DONE, why_it_ran_again
from luigigo.reports.history import History
from tests.runrecording import drawn


def named(run: str, seed: int = 3) -> History:
    """A made-up run, of the same actions each time, with an id."""
    return History(msgspec.structs.replace(drawn(seed), run=run))


def test_only_an_earlier_run_can_have_left_what_is_gone() -> None:
    """What an earlier run had done is gone; of a later one nothing can have been there yet."""
    middle = named("20260102-000000-b")
    number = next(iter(middle.done))
    assert why_it_ran_again(number, middle, None) == NO_OTHER
    assert why_it_ran_again(number, middle, named("20260101-000000-a")) == GONE
    assert why_it_ran_again(number, middle, named("20260103-000000-c")) == LATER


def test_what_an_earlier_run_had_not_done_is_not_called_gone() -> None:
    """An action that the earlier run does not have, or that failed in it, was not done."""
    later, earlier = named("20260102-000000-b"), named("20260101-000000-a")
    number = next(iter(later.done))
    earlier.last.pop(number)
    assert why_it_ran_again(number, later, earlier) == NOT_DONE
