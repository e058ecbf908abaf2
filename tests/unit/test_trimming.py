"""What lies beside the store in a cache folder stays small, and what a setting says of the store's size."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from luigigo.builds import trimming, uptodate
from luigigo.commands import store as store_commands
from luigigo.config import STORE_BYTES, Config, read_config
from luigigo.errors import StoreError, UsageError
from luigigo.footprint import Places, take
from luigigo.model import Digest
from luigigo.store import Store
from luigigo.store.pins import Pin
from luigigo.store.shareclock import agreed_time
from luigigo.store.trimming import last_trimmed

DAY = 86_400.0
NOW = time.time()
NAME, OTHER = "a" * 64, "b" * 64


def write(path: Path, age: float = 0.0) -> Path:
    """A file that was used so long ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("content")
    os.utime(path, (NOW - age, NOW - age))
    return path


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A cache folder with a store."""
    made = Config(cache=str(tmp_path / "cache"))
    Store.open_at(made.store_root)
    return made


def test_answers_that_nobody_asks_for_go(config: Config) -> None:
    """After a month, with the links to them and what was never finished; other files stay."""
    folder = Path(config.cache)
    old = [write(folder / "kept" / NAME, 31 * DAY), write(folder / "probes" / f"{NAME}.1.2", 31 * DAY)]
    young = write(folder / "kept" / OTHER, 29 * DAY)
    links = [folder / "kept" / ("c" * 64), folder / "kept" / ("d" * 64)]
    links[0].symlink_to(NAME)
    links[1].symlink_to(OTHER)
    mine = write(folder / "kept" / "notes", 99 * DAY)
    trimming.trim(config, NOW)
    assert not any(path.exists() for path in old)
    assert young.exists() and links[1].exists() and mine.exists()
    trimming.trim(config, NOW + 2 * DAY)
    assert not young.exists() and not any(link.is_symlink() for link in links)


def test_copies_of_a_shared_store_have_a_bound(config: Config, tmp_path: Path) -> None:
    """That of the setting, or that of a store of one's own."""
    config = Config(cache=config.cache, shared=str(tmp_path / "share"), store_bytes=10)
    Store.open_at(config.store_root)
    old = write(Path(config.cache) / "contents" / "aa" / NAME, 2 * DAY)
    young = write(Path(config.cache) / "contents" / "bb" / OTHER)
    trimming.trim(config, NOW)
    assert not old.exists() and young.exists()


@pytest.mark.parametrize("hours", [-30, 30])
def test_nothing_goes_by_a_clock_that_is_not_the_stores(config: Config, hours: int) -> None:
    """What is old is told by the clock of the store's file system; a host that differs removes nothing."""
    store = Store.open_at(config.store_root)
    plan = Path(config.store_root) / "plans" / store.write_plan(b"plan")
    with pytest.raises(StoreError, match=r"30\.0 hours (ahead of|behind)"):
        agreed_time(config.store_root, time.time() + hours * 3600)
    trimming.trim_if_clocks_agree(config, time.time() + hours * 3600)
    assert plan.exists() and last_trimmed(config.store_root) is None
    write(plan, 2 * DAY)
    trimming.trim_if_clocks_agree(config, time.time() + 60)
    assert not plan.exists()
    assert not [entry for entry in plan.parent.iterdir() if entry.name.startswith(".")]


@pytest.mark.parametrize("command", ["gc", "clean"])
def test_the_commands_remove_nothing_then(
    config: Config, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """They end with the difference, and 6 as for other troubles of a store."""
    digest = Store.open_at(config.store_root).write_plan(b"plan")
    monkeypatch.setenv("LUIGIGO_CACHE", config.cache)
    ahead = time.time() + 30 * 3600
    monkeypatch.setattr(store_commands.time, "time", lambda: ahead)
    with pytest.raises(StoreError, match="nothing was removed: this host's clock is 30") as told:
        store_commands.collect("", "12h") if command == "gc" else store_commands.clean()
    assert told.value.exit_code == 6
    assert (Path(config.store_root) / "plans" / digest).exists()


def test_clean_leaves_what_is_not_the_stores_own(config: Config) -> None:
    """In its own folders and beside them; the rest goes, however young."""
    folder = Path(config.cache)
    Store.open_at(config.store_root).publish_bytes(b"content")
    Store.open_at(config.store_root).write_plan(b"plan")
    gone = [write(folder / place / NAME) for place in ("kept", "probes", "sources")]
    stays = [write(folder / place / "notes") for place in ("kept", "sources", "store/cas/aa", "mine")]
    report = trimming.clean(config, NOW)
    assert report.left_bytes == 0 and report.kept == ()
    assert not any(path.exists() for path in gone) and all(path.exists() for path in stays)
    assert not list((folder / "store" / "plans").iterdir())


def test_clean_leaves_what_a_build_holds(config: Config) -> None:
    """And the copies that it may read."""
    output = Store.open_at(config.store_root).publish_bytes(b"content")
    copy = write(Path(config.cache) / "sources" / NAME)
    pin = Pin(config.store_root, "run", [output.digest])
    assert trimming.clean(config, NOW).left_bytes == 7
    assert copy.exists()
    pin.end()
    assert trimming.clean(config, NOW).left_bytes == 0
    assert not copy.exists()


def test_an_up_to_date_build_uses_what_it_would_need(config: Config) -> None:
    """Its records and its plan get today's time, once a day; else one look at one file is all."""
    root = Path(config.store_root)
    used = [write(root / "actions" / "aa" / NAME, 9 * DAY), write(root / "plans" / OTHER, 9 * DAY)]
    footprint = take(Places(), time.time_ns(), lambda stat, path: True)
    assert footprint is not None
    place = uptodate.Place(f"{config.cache}/kept/{NAME}")
    made = uptodate.Kept(uptodate.FORMAT, Digest(OTHER), footprint, records=bytes.fromhex(NAME))
    uptodate.write(place, made)
    uptodate.note_use(place, made, config.store_root, NOW)
    assert all(path.stat().st_mtime < NOW - DAY for path in used)
    uptodate.note_use(place, made, config.store_root, NOW + DAY)
    assert all(path.stat().st_mtime > NOW - DAY for path in used)
    assert os.stat(place.path).st_mtime > NOW - DAY


@pytest.mark.parametrize(
    ("setting", "shared", "bound"),
    [
        ("", "", STORE_BYTES),
        ("", "/share", None),
        ("store_bytes=20G", "", 20 << 30),
        ("store_bytes=1000", "/share", 1000),
        ("store_bytes=0", "", None),
        ("store_bytes=none", "", None),
    ],
)
def test_the_bound_of_a_store(tmp_path: Path, setting: str, shared: str, bound: int | None) -> None:
    """A store of one's own has one unless it is told not to, a shared one only where it is told to."""
    (tmp_path / "luigi.cfg").write_text(f"[luigigo]\ncache=/cache\n{setting}\n")
    variables = {"LUIGI_CONFIG_PATH": str(tmp_path / "luigi.cfg"), "LUIGIGO_SHARED": shared}
    assert read_config(variables).store_bound_bytes == bound


def test_a_bound_that_is_no_size_is_refused(tmp_path: Path) -> None:
    """With what was wanted."""
    (tmp_path / "luigi.cfg").write_text("[luigigo]\nstore_bytes=much\n")
    with pytest.raises(UsageError, match="store_bytes=much: wanted a size"):
        read_config({"LUIGI_CONFIG_PATH": str(tmp_path / "luigi.cfg"), "HOME": str(tmp_path)})
