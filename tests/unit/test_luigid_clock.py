"""How a peer knows luigid's clock."""

from __future__ import annotations

import math

from luigigo.protocol.clock import MOST_SAMPLES, LuigidClock


def test_the_narrowest_of_late_counts() -> None:
    """A moment is moved by what the quickest answer told, and is off by no more than half its time."""
    clock = LuigidClock()
    assert clock.uncertainty_seconds == math.inf
    # luigid is 1,000 s ahead; the first answer is slow one way, the second quick, the third slow again.
    clock.note(1010.0, earliest=10.0, latest=10.5)
    clock.note(1020.01, earliest=20.0, latest=20.02)
    clock.note(1030.3, earliest=30.0, latest=30.3)
    assert math.isclose(clock.uncertainty_seconds, 0.01)
    assert math.isclose(clock.to_luigid(5.0), 1005.0)
    assert math.isclose(clock.from_luigid(clock.to_luigid(7.0)), 7.0)


def test_clocks_that_drift_apart_are_followed() -> None:
    """An old answer counts no more, however quick it was."""
    clock = LuigidClock()
    clock.note(100.0, earliest=0.0, latest=0.0)
    for second in range(MOST_SAMPLES):
        clock.note(second + 101.0, earliest=float(second), latest=second + 0.2)
    assert math.isclose(clock.to_luigid(0.1), 101.0)


def test_another_luigids_clock_is_learned_anew() -> None:
    """What was known of an earlier luigid's clock is used only until something is known of this one's."""
    clock = LuigidClock()
    clock.note(100.0, earliest=0.0, latest=0.0)
    clock.forget()
    clock.note(500.0, earliest=1.0, latest=1.2)
    assert math.isclose(clock.to_luigid(1.1), 500.0)
