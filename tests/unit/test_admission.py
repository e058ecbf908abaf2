"""Which claimed tasks may start, so that their predicted memory fits."""

from __future__ import annotations

import random

import pytest

from luigigo.scheduling.admission import Admission


def make_admission(budget_bytes: int | None, **running: int) -> Admission:
    """An admission where these tasks run already."""
    admission = Admission(budget_bytes)
    for task_id, predicted_bytes in running.items():
        assert admission.claim(task_id, predicted_bytes)
    return admission


def test_what_fits_starts() -> None:
    """Tasks start as long as their sum fits the budget, to the last byte."""
    admission = make_admission(10, a=4, b=6)
    assert not admission.claim("c", 1)
    assert admission.held == ("c",)


def test_no_budget_is_no_limit() -> None:
    """Without a budget every task starts."""
    assert make_admission(None, a=1 << 60).claim("b", 1 << 60)


def test_a_task_larger_than_the_budget_runs_alone() -> None:
    """A task that can never fit starts once nothing else claims memory, and then keeps others out."""
    admission = make_admission(10, a=1)
    assert not admission.claim("huge", 99)
    assert admission.release("a") == ["huge"]
    assert not admission.claim("b", 1)
    assert admission.release("huge") == ["b"]


def test_a_smaller_task_passes_a_held_one() -> None:
    """A later task starts beside a held one if both will fit when those before the hold have ended."""
    admission = make_admission(10, a=6)
    assert not admission.claim("big", 7)
    assert admission.claim("small", 3)
    assert admission.release("a") == ["big"]


def test_a_passing_task_does_not_delay_the_held_one() -> None:
    """A later task that fits now, but would keep the held one from its place, is held behind it."""
    admission = make_admission(10, a=6)
    assert not admission.claim("big", 7)
    assert not admission.claim("late", 4)
    assert admission.release("a") == ["big"]
    assert admission.release("big") == ["late"]


def test_passing_tasks_share_the_room_that_is_left() -> None:
    """All that passed since the hold count together against the held task's place."""
    admission = make_admission(10, a=6)
    assert not admission.claim("big", 7)
    assert admission.claim("first", 2)
    assert not admission.claim("second", 2)
    assert admission.release("first") == ["second"]


def test_an_exclusive_task_runs_alone() -> None:
    """An exclusive task waits for all others, and none starts while it waits or runs."""
    admission = make_admission(None, a=0)
    assert not admission.claim("alone", exclusive=True)
    assert not admission.claim("b")
    assert admission.release("a") == ["alone"]
    assert not admission.claim("c")
    assert admission.release("alone") == ["b", "c"]


def test_releasing_a_held_task_makes_way() -> None:
    """A held task that is taken back no longer keeps others waiting."""
    admission = make_admission(None, a=0)
    assert not admission.claim("alone", exclusive=True)
    assert not admission.claim("b")
    assert admission.release("alone") == ["b"]


def test_a_second_claim_is_an_error() -> None:
    """A task claims once until it is released."""
    admission = make_admission(10, a=1)
    with pytest.raises(ValueError, match="a has claimed already"):
        admission.claim("a", 1)


def test_never_over_budget_and_never_alone_with_an_exclusive_one() -> None:
    """Whatever comes and goes, the running tasks fit, or all but one of them claim nothing."""
    for seed in range(60):
        chance = random.Random(seed)
        admission, claims, running = Admission(100), {}, set()
        for step in range(300):
            if chance.random() < 0.55 and len(admission.held) < 6:
                task_id = f"t{step}"
                claims[task_id] = (chance.choice([0, 5, 30, 60, 100, 250]), chance.random() < 0.1)
                if admission.claim(task_id, *claims[task_id]):
                    running.add(task_id)
            elif running:
                ended = chance.choice(sorted(running))
                running.discard(ended)
                running.update(admission.release(ended))
            sizes = [claims[task_id][0] for task_id in running]
            assert sum(sizes) <= 100 or sum(size > 0 for size in sizes) == 1
            assert len(running) <= 1 or not any(claims[task_id][1] for task_id in running)
            assert running or not admission.held


def test_the_longest_held_starts_when_those_before_it_have_ended() -> None:
    """However many small tasks keep coming, the front of the held ones starts no later than promised."""
    for seed in range(60):
        chance = random.Random(seed)
        admission, running, before, front = Admission(100), set(), set(), None
        for step in range(400):
            if chance.random() < 0.6 and len(admission.held) < 6:
                if admission.claim(f"t{step}", chance.choice([1, 10, 40, 80, 300]), chance.random() < 0.05):
                    running.add(f"t{step}")
            elif running:
                ended = chance.choice(sorted(running))
                running.discard(ended)
                running.update(admission.release(ended))
            now_front = admission.held[0] if admission.held else None
            if now_front != front:
                front, before = now_front, set(running)
            assert front is None or before & running
