"""What a C compiler said is told after all that its package imports, and not after one of these failed."""

from __future__ import annotations

import msgspec
import pytest

from luigigo.builds.withheld import Withheld
from luigigo.execution.events import ActionEnded, Event, MessageReplayed, Outcome
from luigigo.golang.actions import Action, Kind, Plan, Sources, Toolchain
from luigigo.model import ActionId, ActionKey, Digest, ImportPath, Told

WORDS = (Told("warning\n"),)


def action(name: str, kind: Kind, imports: tuple[str, ...] = (), cgo: str | None = None) -> Action:
    return Action(
        ActionId(name), kind, ImportPath(name), name, ActionKey(f"key of {name}"), Digest(""),
        msgspec.UNSET, Sources(""),  # type: ignore[arg-type]
        tuple((ImportPath(each), ActionId(each)) for each in imports), None if cgo is None else ActionId(cgo),
    )  # fmt: skip


ACTIONS = (
    action("base", Kind.COMPILE),
    action("low", Kind.COMPILE, ("base",)),
    action("c", Kind.CGO),
    action("middle", Kind.COMPILE, ("low",), "c"),
    action("more c", Kind.CGO),
    action("above", Kind.COMPILE, ("middle",), "more c"),
)
PLAN = Plan(
    Toolchain("go1.27.3", "/go", "/go/tool", {}, Digest("")),
    "/project",
    {each.id: each for each in ACTIONS},
    (),
    named_count=1,
    built_count=0,
)


@pytest.fixture
def withheld() -> Withheld:
    """Of a plan of which nothing is done: `above`, with C, imports `middle`, with C, and that `low`."""
    made = Withheld()
    made.add(PLAN, ())
    return made


def ended(name: str, outcome: Outcome = Outcome.RAN, told: tuple[Told, ...] = ()) -> ActionEnded:
    return ActionEnded(ActionKey(f"key of {name}"), "", "", name, outcome, 0.0, "", told)


def words(events: tuple[Event, ...]) -> int:
    """How many of the events tell something."""
    return sum(bool(isinstance(event, ActionEnded | MessageReplayed) and event.told) for event in events)


def test_words_come_when_all_imports_are_done(withheld: Withheld) -> None:
    """The action ends at once for whoever counts; what it said follows, once."""
    first = withheld.take(ended("c", told=WORDS))
    assert [type(event) for event in first] == [ActionEnded] and words(first) == 0
    assert words(withheld.take(ended("base"))) == 0
    assert withheld.take(ended("low"))[1:] == (MessageReplayed(WORDS),)
    assert words(withheld.take(ended("middle"))) == words(withheld.release()) == 0


def test_words_that_come_last_are_told_at_once(withheld: Withheld) -> None:
    """Those of a C compiler that failed as well, and those of packages without C in any case."""
    assert words(withheld.take(ended("base", told=WORDS))) == 1
    withheld.take(ended("low"))
    assert words(withheld.take(ended("c", Outcome.FAILED, WORDS))) == 1


@pytest.mark.parametrize("failed", ["base", "low", "c"])
def test_words_are_dropped_after_a_failure_below(withheld: Withheld, failed: str) -> None:
    """However far below it was, and whether the C compiler was content or not."""
    withheld.take(ended("more c", Outcome.FAILED, WORDS))
    withheld.take(ended(failed, Outcome.FAILED, WORDS))
    # The words of the C that failed itself stand; those of the one above it are gone.
    assert words(withheld.release()) == (1 if failed == "c" else 0)
    assert words(withheld.release()) == 0


def test_words_of_a_run_that_was_interrupted_are_told(withheld: Withheld) -> None:
    """Nothing failed; the package's turn just did not come."""
    withheld.take(ended("c", told=WORDS))
    assert words(withheld.release()) == 1


def test_words_of_an_earlier_build_wait_as_well() -> None:
    """Unless the package is done too: then all below it is."""
    made = Withheld()
    made.add(PLAN, (ActionId("c"),))
    assert made.replay(ActionKey("key of c"), WORDS) == ()
    withheld = Withheld()
    withheld.add(PLAN, (ActionId("c"), ActionId("middle")))
    assert withheld.replay(ActionKey("key of c"), WORDS) == (MessageReplayed(WORDS),)
    assert withheld.replay(ActionKey("key of base"), WORDS) == (MessageReplayed(WORDS),)
