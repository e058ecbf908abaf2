"""Upkeep: counting, verifying and collecting garbage."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from luigigo.model import ActionRecord, ImportPath, Output
from luigigo.store import StatHashes, Store, inventory
from luigigo.store.pins import live_pins
from luigigo.store.upkeep import KindStats, gc, stats, verify

HOUR = 3600.0
DAY = 24 * HOUR
NOW = time.time()


def key_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


class Yard:
    """A store whose files can be made as old as needed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.damage: list[str] = []
        self.store = Store.open_at(str(root), None, StatHashes(), self.damage.append)

    def build(self, name: str, content: bytes, age: float, kind: str = "compile") -> Output:
        """An action that was done and last used `age` seconds ago, with one content."""
        output = self.store.publish_bytes(content)
        record = ActionRecord(key_of(name), kind, ImportPath(name), {"export": output}, 1.0, 1.0, 1, "n1")
        self.store.write_record(record)
        self.age(self.record(name), age)
        self.age(self.content(output), age)
        return output

    def record(self, name: str) -> Path:
        return self.root / "actions" / key_of(name)[:2] / key_of(name)

    def content(self, output: Output) -> Path:
        return self.root / "cas" / output.digest[:2] / output.digest

    def age(self, path: Path, age: float) -> None:
        os.utime(path, (NOW - age, NOW - age))

    def names(self) -> set[str]:
        """Which of the actions a to f still have a record."""
        return {name for name in "abcdef" if self.record(name).exists()}


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path / "store")


def test_an_empty_store_needs_nothing(yard: Yard) -> None:
    """No folder is there yet."""
    assert stats(str(yard.root)).contents == 0
    assert verify(str(yard.root), yard.damage.append).damage == ()
    assert gc(str(yard.root), 0, 0.0, NOW).removed_records == 0


def test_stats_count_everything(yard: Yard) -> None:
    """Contents, records by kind, plans, and what is not published."""
    yard.build("a", b"12345", 0)
    yard.build("b", b"123", 0)
    yard.build("c", b"123", 0, kind="link")
    yard.store.write_plan(b"1234567")
    (yard.record("a").parent / ".staging-x").write_bytes(b"12")
    yard.record("f").parent.mkdir(exist_ok=True)
    yard.record("f").write_bytes(b"broken")
    counted = stats(str(yard.root))
    assert (counted.contents, counted.content_bytes) == (2, 8)
    assert (counted.plans, counted.plan_bytes) == (1, 7)
    assert (counted.staging_files, counted.staging_bytes) == (1, 2)
    assert counted.records == 4
    assert counted.record_bytes == sum(yard.record(name).stat().st_size for name in "abcf")
    assert counted.by_kind == {
        "compile": KindStats(2, 8),
        "damaged": KindStats(1, 0),
        "link": KindStats(1, 3),
    }


def test_verify_is_content_with_a_sound_store(yard: Yard) -> None:
    """It counts what it looked at and removes nothing."""
    for name in "abc":
        yard.build(name, name.encode(), 0)
    yard.store.write_plan(b"plan")
    report = verify(str(yard.root), yard.damage.append)
    assert (report.contents, report.records, report.plans) == (3, 3, 1)
    assert report.damage == () and report.removed == 0
    assert yard.damage == []


def test_verify_finds_all_that_is_broken(yard: Yard) -> None:
    """Corrupt and truncated content, records of absent content, broken records, plans, and strays."""
    corrupt = yard.content(yard.build("a", b"aaaa", 0))
    truncated = yard.content(yard.build("b", b"bbbb", 0))
    yard.content(yard.build("c", b"cccc", 0)).unlink()
    yard.build("d", b"dddd", 0)
    yard.build("e", b"eeee", 0)
    corrupt.chmod(0o644)
    corrupt.write_bytes(b"aaax")
    truncated.chmod(0o644)
    truncated.write_bytes(b"bb")
    yard.record("d").write_bytes(yard.record("d").read_bytes()[:-5])
    plan = yard.root / "plans" / yard.store.write_plan(b"plan")
    plan.write_bytes(b"plan?")
    stray = corrupt.parent / "notes.txt"
    stray.write_text("mine")
    report = verify(str(yard.root), yard.damage.append)
    assert yard.names() == {"e"}
    assert not corrupt.exists() and not truncated.exists() and not plan.exists()
    assert stray.exists()
    # Three contents and strays, the four records and the plan.
    assert len(report.damage) == 8 and report.removed == 7
    assert list(report.damage) == yard.damage
    assert verify(str(yard.root), yard.damage.append).damage == (
        f"{stray} is not a file of the store; left in place",
    )


def test_gc_by_age_removes_what_was_not_used(yard: Yard) -> None:
    """Records and their contents; a content that a younger record names stays."""
    yard.build("a", b"old", 3 * DAY)
    yard.build("b", b"both", 3 * DAY)
    kept = yard.build("c", b"both", DAY)
    report = gc(str(yard.root), None, 2 * DAY, NOW)
    assert yard.names() == {"c"}
    assert yard.store.has_content(kept)
    assert (report.removed_records, report.removed_contents) == (2, 1)
    assert stats(str(yard.root)).content_bytes == 4
    left = stats(str(yard.root))
    assert report.left_bytes == left.content_bytes + left.record_bytes


def test_gc_by_size_removes_the_least_recently_used(yard: Yard) -> None:
    """Down to the limit and no further."""
    for number, name in enumerate("abcdef"):
        yard.build(name, name.encode() * 100_000, (6 - number) * DAY)
    report = gc(str(yard.root), 350_000, None, NOW)
    assert yard.names() == {"d", "e", "f"}
    assert report.left_bytes <= 350_000
    assert report.freed_bytes > 300_000
    assert gc(str(yard.root), 350_000, None, NOW).freed_bytes == 0


def test_gc_without_limits_keeps_every_record(yard: Yard) -> None:
    """Only rubbish goes."""
    yard.build("a", b"a", 1000 * DAY)
    assert gc(str(yard.root), None, None, NOW).freed_bytes == 0
    assert yard.names() == {"a"}


def test_gc_keeps_what_a_pin_names(yard: Yard) -> None:
    """Records by key with their contents, and contents by digest, however old."""
    yard.build("a", b"a", 9 * DAY)
    yard.build("b", b"b", 9 * DAY)
    bundle = yard.store.publish_bytes(b"sources")
    yard.age(yard.content(bundle), 9 * DAY)
    pin = yard.store.begin_run("run-1", [key_of("a"), bundle.digest])
    report = gc(str(yard.root), 0, 0.0, NOW)
    assert yard.names() == {"a"}
    assert yard.store.has_content(bundle)
    assert report.kept[0].records == 1 and report.left_bytes > 0
    pin.end()
    gc(str(yard.root), 0, 0.0, NOW)
    assert yard.names() == set()
    assert not yard.store.has_content(bundle)


def test_gc_keeps_what_was_used_since_the_oldest_live_pin(yard: Yard) -> None:
    """What a running build made or found is not in its pin by name."""
    yard.store.begin_run("run-1", [])
    later = NOW + 5 * HOUR
    os.utime(yard.root / "runs" / "run-1" / "pin", (later, later))
    yard.build("a", b"a", -HOUR)
    yard.build("b", b"b", 3 * HOUR)
    gc(str(yard.root), 0, 0.0, later)
    assert yard.names() == {"a"}


def test_a_pin_that_is_not_renewed_lapses(yard: Yard) -> None:
    """A crashed build protects nothing after ten minutes; a renewed one does."""
    yard.build("a", b"a", 9 * DAY)
    pin = yard.store.begin_run("run-1", [key_of("a")])
    yard.age(Path(pin.path), 700)
    pin.renew()
    gc(str(yard.root), 0, 0.0, NOW)
    assert yard.names() == {"a"}
    yard.age(Path(pin.path), 700)
    gc(str(yard.root), 0, 0.0, NOW)
    assert yard.names() == set()
    assert not Path(pin.path).exists()
    pin.renew()
    assert live_pins(str(yard.root), NOW).keys == {key_of("a")}
    pin.end()
    pin.end()
    assert list((yard.root / "runs").iterdir()) == []


def test_a_damaged_live_pin_protects_what_is_recent(yard: Yard) -> None:
    """It is not taken for no pin."""
    pin = yard.store.begin_run("run-1", [])
    Path(pin.path).write_bytes(b"{")
    pins = live_pins(str(yard.root), NOW)
    assert pins.keys == frozenset() and pins.oldest_start is not None


@pytest.mark.parametrize("run_id", ["", "..", "a/b", ".hidden", "a\0", "x" * 300])
def test_a_run_id_that_is_no_file_name_is_refused(yard: Yard, run_id: str) -> None:
    """It never leads out of the store."""
    with pytest.raises(ValueError, match="cannot name a run"):
        yard.store.begin_run(run_id, [])


def test_gc_keeps_what_is_young(yard: Yard) -> None:
    """A build that has no pin yet may just have made it."""
    yard.build("a", b"a", 300)
    yard.build("b", b"b", 900)
    gc(str(yard.root), 0, 0.0, NOW)
    assert yard.names() == {"a"}


def test_gc_keeps_old_records_with_young_content(yard: Yard) -> None:
    """Content published again just now is about to be named again."""
    output = yard.build("a", b"a", DAY)
    yard.age(yard.content(output), 60)
    gc(str(yard.root), 0, 0.0, NOW)
    assert yard.names() == set()
    assert yard.store.has_content(output)


def test_gc_drops_content_that_no_record_names(yard: Yard) -> None:
    """After an hour, for its record may be on its way; it makes room before any record has to."""
    recent, old = yard.store.publish_bytes(b"recent"), yard.store.publish_bytes(b"x" * 100_000)
    yard.age(yard.content(recent), 1800)
    yard.age(yard.content(old), 2 * HOUR)
    yard.build("a", b"a" * 100_000, 9 * DAY)
    report = gc(str(yard.root), 150_000, None, NOW)
    assert yard.store.has_content(recent) and not yard.store.has_content(old)
    assert yard.names() == {"a"}
    assert report.removed_contents == 1


def test_gc_sweeps_staging_files_and_plans(yard: Yard) -> None:
    """What a killed publisher left, after an hour; plans that were not used for a day."""
    yard.build("a", b"a", 0)
    staged = []
    for folder in (yard.record("a").parent, yard.root / "plans", yard.root / "runs" / "r"):
        folder.mkdir(parents=True, exist_ok=True)
        for age in (1800.0, 2 * HOUR):
            staged.append(folder / f".staging-{age}")
            staged[-1].write_bytes(b"1234")
            yard.age(staged[-1], age)
    old, new = (yard.root / "plans" / yard.store.write_plan(plan) for plan in (b"old", b"new"))
    yard.age(old, 2 * DAY)
    report = gc(str(yard.root), None, None, NOW)
    assert [path.exists() for path in staged] == [True, False] * 3
    assert new.exists() and not old.exists()
    assert (report.removed_staging, report.removed_plans, report.freed_bytes) == (3, 1, 15)


def test_gc_spares_what_is_used_while_it_works(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that is read between looking and removing stays, and so does its content."""
    output = yard.build("a", b"a", 9 * DAY)
    take = inventory.take_inventory

    def take_then_use(root: str) -> inventory.Inventory:
        found = take(root)
        yard.store.read_record(key_of("a"))
        return found

    monkeypatch.setattr(inventory, "take_inventory", take_then_use)
    gc(str(yard.root), 0, 0.0, NOW)
    assert yard.names() == {"a"}
    assert yard.store.has_content(output)


def test_gc_goes_on_when_a_file_cannot_be_removed(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stays counts as left, and its content stays with it."""
    output = yard.build("a", b"a", 9 * DAY)
    yard.build("b", b"b", 9 * DAY)
    unlink = os.unlink

    def refuse(path: str) -> None:
        if path == str(yard.record("a")):
            raise PermissionError(1, "no")
        unlink(path)

    monkeypatch.setattr(os, "unlink", refuse)
    report = gc(str(yard.root), 0, 0.0, NOW)
    assert report.removed_records == 1 and report.removed_contents == 1
    assert yard.store.has_content(output)
