"""Keeping a node's cache within its size."""

from __future__ import annotations

import os
from pathlib import Path

from luigigo.store.nodecache import YOUNG_SECONDS, CachedContent, CacheKeeper, choose_old

NOW = 1_000_000.0
OLD = NOW - 2 * YOUNG_SECONDS


def name(number: int) -> str:
    return f"{number:064x}"


def entries(*ages: float) -> list[CachedContent]:
    """Files of 10 bytes, used so many seconds ago."""
    return [CachedContent(str(number), 10, NOW - age) for number, age in enumerate(ages)]


def make_file(folder: Path, number: int, used_at: float, size: int = 100) -> Path:
    """A content in its shard."""
    path = folder / name(number)[-2:] / name(number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (used_at, used_at))
    return path


def make_bundle(folder: Path, number: int, used_at: float, size: int = 100) -> Path:
    """A folder with a bundle's files."""
    path = folder / name(number)
    (path / "sub").mkdir(parents=True)
    (path / "sub" / "file").write_bytes(b"x" * size)
    os.utime(path, (used_at, used_at))
    return path


def test_within_the_limit_nothing_goes() -> None:
    """A cache that is not too large is left alone, however old it is."""
    assert choose_old(entries(9000, 8000), 20, 20, NOW) == []


def test_what_was_used_longest_ago_goes_first() -> None:
    """Entries go in the order of their use until nine tenths of the limit are kept."""
    kept = entries(9000, 8000, 7000, 6000)
    assert choose_old(kept, 40, 35, NOW) == kept[:1]
    assert choose_old(kept, 40, 30, NOW) == kept[:2]


def test_what_is_young_stays() -> None:
    """What was used a moment ago may be in use, and stays even when the limit does not hold."""
    kept = entries(9000, YOUNG_SECONDS - 1, 0)
    assert choose_old(kept, 30, 1, NOW) == kept[:1]


def test_trimming_removes_files_and_bundles(tmp_path: Path) -> None:
    """Contents in shards and folders of bundles are one cache, of which the oldest go."""
    contents, bundles = tmp_path / "contents", tmp_path / "bundles"
    oldest = make_bundle(bundles, 1, OLD)
    older = make_file(contents, 2, OLD + 1)
    stays = make_file(contents, 3, OLD + 2)
    young = make_bundle(bundles, 4, NOW)
    keeper = CacheKeeper([str(contents), str(bundles), str(tmp_path / "absent")], 250)
    assert keeper.trim(NOW) == 200
    assert [path.exists() for path in (oldest, older, stays, young)] == [False, False, True, True]
    assert keeper.size_bytes() == 200
    assert sorted(os.listdir(bundles)) == [young.name]


def test_other_files_are_not_touched(tmp_path: Path) -> None:
    """What is not named by a digest is somebody else's."""
    (tmp_path / "notes").write_bytes(b"x" * 1000)
    os.utime(tmp_path / "notes", (OLD, OLD))
    keeper = CacheKeeper([str(tmp_path)], 10)
    assert keeper.trim(NOW) == 0
    assert (tmp_path / "notes").exists()


def test_a_half_removed_bundle_is_removed_the_next_time(tmp_path: Path) -> None:
    """What a keeper that was killed left of a bundle goes, and does not keep its successor from going."""
    half = make_bundle(tmp_path, 1, OLD).rename(tmp_path / f"{name(1)}.removed")
    again = make_bundle(tmp_path, 1, OLD)
    keeper = CacheKeeper([str(tmp_path)], 10)
    assert keeper.trim(NOW) == 100
    assert not half.exists()
    assert not again.exists()


def test_what_is_read_at_the_moment_is_never_removed(tmp_path: Path) -> None:
    """Neither where the cache is too large nor where the disk is full, until the last reader has ended."""
    held, other = make_file(tmp_path, 1, OLD), make_bundle(tmp_path, 2, OLD)
    keeper = CacheKeeper([str(tmp_path)], 10)
    with keeper.hold([name(1)]):
        with keeper.hold([name(1), name(3)]):
            assert keeper.trim(NOW) == 100
        assert not other.exists()
        assert keeper.make_room() == 0
        assert held.exists()
    assert keeper.make_room() == 100
    assert not held.exists()


def test_room_is_made_of_all_that_nobody_reads(tmp_path: Path) -> None:
    """However young it is, and also of what a keeper that was killed left."""
    young = [make_file(tmp_path, 1, NOW), make_bundle(tmp_path, 2, NOW)]
    half = make_bundle(tmp_path, 3, OLD).rename(tmp_path / f"{name(3)}.removed")
    assert CacheKeeper([str(tmp_path)], 10_000).make_room() == 200
    assert not any(path.exists() for path in (*young, half))


def test_one_who_keeps_nothing_can_make_no_room() -> None:
    """A client's store is no cache."""
    assert CacheKeeper().make_room() == 0
