"""What a client says while no node can run its build."""

from __future__ import annotations

from luigigo.client.vacancy import PATIENCE_SECONDS, SAY_AGAIN_SECONDS, Fallback, Vacancy

WAITS = Fallback(builds_here=False, seconds=5.0)
BUILDS = Fallback(builds_here=True, seconds=5.0)
WHY = ("n1 is drained: luigigo cluster up starts it again", "n2 has go1.26.8, not this build's Go")


def said(vacancy: Vacancy, begin: float, end: float) -> list[tuple[float, str]]:
    """What it says in that time, looking each half second, and when."""
    times = [begin + number / 2 for number in range(int(2 * (end - begin)))]
    return [(now, text) for now in times if (text := vacancy.due(now))]


def test_the_user_is_told_why_for_each_node_and_again_every_minute() -> None:
    """The first time after a moment's patience, with a line for each node; then with what is so by then."""
    vacancy = Vacancy("head:8082", WAITS, 0.0)
    assert vacancy.note(0, WHY, 1.0) == ""
    [(first_at, first), (second_at, second)] = said(vacancy, 1.0, 1.0 + 2 * SAY_AGAIN_SECONDS)
    assert PATIENCE_SECONDS < first_at - 1.0 <= PATIENCE_SECONDS + 0.5
    assert SAY_AGAIN_SECONDS < second_at - first_at <= SAY_AGAIN_SECONDS + 0.5
    assert first == second
    assert first.startswith("no worker at head:8082 can run this build: waiting for one (")
    assert first.splitlines()[1:] == [f"  {line}" for line in WHY]
    vacancy.note(0, WHY[1:], 200.0)
    [(_, third)] = said(vacancy, 200.0, 201.0)
    assert third.splitlines()[1:] == [f"  {WHY[1]}"]


def test_where_nobody_is_connected_that_is_said() -> None:
    """A cluster without a worker has no node with a reason of its own."""
    vacancy = Vacancy("head:8082", WAITS, 0.0)
    vacancy.note(0, (), 0.0)
    [(_, text)] = said(vacancy, 0.0, 10.0)
    assert text.splitlines()[1:] == ["  no node is connected"]


def test_when_workers_are_here_that_is_said_once() -> None:
    """And only to who was told that there are none; the next time that all are gone is news again."""
    vacancy = Vacancy("head:8082", WAITS, 0.0)
    assert vacancy.note(2, (), 0.0) == ""
    assert said(vacancy, 0.0, 100.0) == []
    vacancy.note(0, (), 100.0)
    assert len(said(vacancy, 100.0, 110.0)) == 1
    assert vacancy.note(1, (), 110.0) == "a worker is here: going on"
    assert vacancy.note(2, (), 111.0) == ""
    vacancy.note(0, (), 112.0)
    assert len(said(vacancy, 112.0, 120.0)) == 1


def test_a_client_that_may_builds_itself_after_a_while() -> None:
    """It says how long it will wait still, and builds no earlier than that, nor where a worker came."""
    vacancy = Vacancy("head:8082", BUILDS, 0.0)
    assert not vacancy.is_time_to_build_here(9.0), "luigid has not said yet who is there"
    vacancy.note(0, (), 10.0)
    [(_, text)] = said(vacancy, 10.0, 14.0)
    assert "building here in 2 s" in text
    assert not vacancy.is_time_to_build_here(15.0)
    assert vacancy.is_time_to_build_here(15.5)
    vacancy.note(1, (), 15.6)
    assert not vacancy.is_time_to_build_here(30.0)


def test_one_who_waits_never_builds() -> None:
    """Where building here is not wanted, time changes nothing."""
    vacancy = Vacancy("head:8082", WAITS, 0.0)
    vacancy.note(0, (), 0.0)
    assert not vacancy.is_time_to_build_here(1e6)
