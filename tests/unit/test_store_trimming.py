"""Trimming: a store comes back below its bound by itself, in as many goes as it takes."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from test_store_upkeep import DAY, HOUR, NOW, Yard, key_of

from luigigo.store import trimming
from luigigo.store.inventory import Inventory, StoredFile, content_bytes
from luigigo.store.layout import folders_in
from luigigo.store.upkeep import verify

SIZE = 100_000
BOUND = 350_000


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    """Six actions; a was used longest ago."""
    made = Yard(tmp_path / "store")
    for number, name in enumerate("abcdef"):
        made.build(name, name.encode() * SIZE, (9 - number) * DAY)
    return made


def trim(yard: Yard, now: float = NOW, bound: int | None = BOUND) -> int:
    """How many records went."""
    report = trimming.trim(str(yard.root), bound, now)
    assert verify(str(yard.root), yard.damage.append).damage == ()
    return 0 if report is None else report.removed_records


def test_the_least_recently_used_go(yard: Yard) -> None:
    """Until nine tenths of the bound are left."""
    assert trim(yard) == 3
    assert yard.names() == {"d", "e", "f"}


def test_it_is_done_once_a_day(yard: Yard) -> None:
    """Also when there was nothing to do; a mark from the future counts for nothing."""
    assert trim(yard, NOW, bound=10 * SIZE) == 0
    assert trim(yard, NOW + 23 * HOUR) == 0
    assert trimming.last_trimmed(str(yard.root)) == pytest.approx(NOW)
    assert trim(yard, NOW + 25 * HOUR) == 3
    os.utime(yard.root / "trimmed", (NOW + 9 * DAY, NOW + 9 * DAY))
    assert trim(yard, NOW + 2 * DAY, bound=150_000) == 2


def test_without_a_bound_only_rubbish_goes(yard: Yard) -> None:
    """Old plans, what never got published and dead pins; records stay."""
    plan = yard.root / "plans" / yard.store.write_plan(b"plan")
    staging = yard.record("a").parent / ".staging-x"
    staging.write_bytes(b"1")
    pin = Path(yard.store.begin_run("run", []).path)
    for path in (plan, staging, pin):
        yard.age(path, 2 * DAY)
    assert trim(yard, bound=None) == 0
    assert yard.names() == set("abcdef")
    assert not plan.exists() and not staging.exists() and not pin.exists()


def test_what_was_used_lately_stays_over_the_bound(yard: Yard) -> None:
    """Within a day, and the hour by which a use may be noted too early."""
    for name in "abcdef":
        yard.age(yard.record(name), 24.5 * HOUR)
    yard.age(yard.record("b"), 26 * HOUR)
    assert trim(yard, bound=1) == 1
    assert yard.names() == set("acdef")


def test_what_a_pin_holds_stays_over_the_bound(yard: Yard) -> None:
    """However long ago it was used."""
    yard.store.begin_run("run", [key_of("a")])
    assert trim(yard, bound=1) == 5
    assert yard.names() == {"a"}


def test_what_is_not_the_stores_own_stays(yard: Yard) -> None:
    """A file of another name, in the store's own folders and beside them."""
    mine = [yard.record("a").parent / "notes.txt", yard.root / "plans" / "notes.txt", yard.root / "mine"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
        yard.age(path, 99 * DAY)
    trimming.trim(str(yard.root), 1, NOW)
    assert yard.names() == set()
    assert all(path.exists() for path in mine)


def test_a_trim_goes_on_where_time_was_too_short(yard: Yard) -> None:
    """At the end of the next build, and not a day later; meanwhile the store is whole."""
    goes = 0
    while len(yard.names()) > 3:
        # Time is up as soon as it is looked at again.
        ticks = itertools.count()
        trimming.trim(str(yard.root), BOUND, NOW, lambda ticks=ticks: float(next(ticks)))
        assert verify(str(yard.root), yard.damage.append).damage == ()
        assert trimming.is_due(trimming.last_trimmed(str(yard.root)), NOW) or yard.names() == set("def")
        goes += 1
        assert goes < 20, "it gets nowhere"
    assert goes > 1
    trim(yard)
    assert yard.names() == {"d", "e", "f"}
    assert not (yard.root / "trimming").exists()


def test_what_was_looked_at_is_not_read_again(yard: Yard) -> None:
    """With time for two records a go, three goes look at six."""
    looks = []
    for _ in range(3):
        ticks = itertools.count()
        found = trimming.take_inventory(
            str(yard.root), looks[-1] if looks else None, lambda ticks=ticks: next(ticks) >= 2
        )
        looks.append(found)
    assert [len(look.records) for look in looks] == [2, 4, 6]
    assert [look.is_complete for look in looks] == [False, False, True]


def test_a_crash_leaves_a_whole_store(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it happens: no record names what is gone."""
    unlink = os.unlink

    class Crash(BaseException):
        pass

    for stop in range(1, 4):
        left = itertools.count()

        def crash(path: str, left: itertools.count[int] = left, stop: int = stop) -> None:
            if next(left) == stop:
                raise Crash
            unlink(path)

        with monkeypatch.context() as patch:
            patch.setattr(os, "unlink", crash)
            with pytest.raises(Crash):
                trimming.trim(str(yard.root), 1, NOW + stop * 2 * DAY)
        assert verify(str(yard.root), yard.damage.append).damage == ()


def test_a_planted_look_removes_nothing_elsewhere(yard: Yard, tmp_path: Path) -> None:
    """What another user left as a look's rest is believed no path."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    record = yard.record("a").stat()
    os.utime(precious, (record.st_mtime, record.st_mtime))
    planted = StoredFile(str(precious), key_of("a"), record.st_size, record.st_mtime)
    (yard.root / "trimming").write_bytes(trimming._codec.encode(Inventory([planted], {}, False)))
    trimming.trim(str(yard.root), 1, NOW)
    assert precious.exists()
    assert yard.names() == set()


def test_the_size_is_estimated_where_time_is_short(yard: Yard) -> None:
    """By the folders that were looked at."""
    folders = folders_in(f"{yard.root}/cas")
    assert content_bytes(folders, lambda: False) == 6 * SIZE
    assert content_bytes(folders, lambda: True) == 6 * SIZE
    assert len(folders) == 6


def test_a_store_that_cannot_be_written_is_left(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is raised and nothing goes."""

    def refuse(*arguments: object) -> int:
        raise PermissionError(13, "no")

    monkeypatch.setattr(os, "open", refuse)
    assert trimming.trim(str(yard.root), 1, NOW) is None
    assert yard.names() == set("abcdef")


def test_a_reader_that_may_not_set_times_notes_its_use(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """By an equal record of its own, so that nobody trims what other users need."""

    def refuse(*arguments: object) -> None:
        raise PermissionError(1, "not yours")

    with monkeypatch.context() as patch:
        patch.setattr(os, "utime", refuse)
        assert yard.store.read_record(key_of("a")) is not None
    trim(yard)
    assert yard.names() == {"a", "e", "f"}
