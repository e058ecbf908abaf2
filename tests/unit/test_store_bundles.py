"""Bundles: one file that holds many."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from luigigo.errors import StoreError
from luigigo.store.bundles import pack, pack_bytes, unpack, unpack_bytes

ITEMS = [("b.go", b"package b"), ("a/deep/er.txt", b""), ("a/x", bytes(range(256)) * 5000), ("é", b"1")]
BAD_NAMES = ["", "/etc/passwd", "../up", "a/../../up", "a//b", "./a", "a/", "..", "nul\0"]


def forge(header: object, body: bytes) -> bytes:
    encoded = msgspec.msgpack.encode(header)
    return b"luigigo bundle 1\n" + len(encoded).to_bytes(8, "big") + encoded + body


def test_bytes_come_back_in_order() -> None:
    """Names, contents and order are kept."""
    assert unpack_bytes(pack_bytes(ITEMS)) == ITEMS
    assert unpack_bytes(pack_bytes([])) == []


def test_files_come_back_in_order(tmp_path: Path) -> None:
    """A bundle of files is the bundle of their bytes, and unpacks to the same files."""
    sources = []
    for number, (name, content) in enumerate(ITEMS):
        source = tmp_path / f"source{number}"
        source.write_bytes(content)
        sources.append((name, str(source)))
    bundle = tmp_path / "bundle"
    pack(sources, str(bundle))
    assert bundle.read_bytes() == pack_bytes(ITEMS)
    assert unpack(str(bundle), str(tmp_path / "out")) == [name for name, _ in ITEMS]
    for name, content in ITEMS:
        assert (tmp_path / "out" / name).read_bytes() == content


def test_names_need_not_be_unicode(tmp_path: Path) -> None:
    """A file name is bytes."""
    name = os.fsdecode(b"\xff.go")
    assert unpack_bytes(pack_bytes([(name, b"x")])) == [(name, b"x")]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    """Neither packed nor, when somebody forged a bundle, unpacked."""
    with pytest.raises(StoreError):
        pack_bytes([(name, b"")])
    bundle = tmp_path / "in" / "bundle"
    bundle.parent.mkdir()
    bundle.write_bytes(forge([(name.encode(), 1)], b"x"))
    with pytest.raises(StoreError):
        unpack(str(bundle), str(tmp_path / "in" / "out"))
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "bundle"]


def test_one_name_twice_is_refused() -> None:
    """One of the two would be lost."""
    with pytest.raises(StoreError, match="'a'"):
        pack_bytes([("a", b"1"), ("a", b"2")])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"luigigo bundle 1\n",
        b"luigigo bundle 9\n" + pack_bytes(ITEMS)[17:],
        pack_bytes(ITEMS)[:-1],
        pack_bytes(ITEMS)[:30],
        pack_bytes(ITEMS) + b"x",
        b"luigigo bundle 1\n" + b"\xff" * 8 + b"x",
        forge([(b"a", -1), (b"b", 2)], b"x"),
        forge([(b"a", 1 << 62)], b"x"),
        forge({"a": 1}, b"x"),
        forge([("text", 1)], b"x")[:-2],
    ],
)
def test_what_is_no_sound_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    """Nothing is written of a bundle whose sizes do not add up."""
    with pytest.raises(StoreError):
        unpack_bytes(content)
    (tmp_path / "bundle").write_bytes(content)
    with pytest.raises(StoreError, match="bundle"):
        unpack(str(tmp_path / "bundle"), str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_file_that_changes_its_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A torn read is an error and leaves no bundle."""
    source = tmp_path / "source"
    source.write_bytes(b"12345")
    real = os.stat

    class Grown:
        st_size = 3

    monkeypatch.setattr(os, "stat", lambda path, **_: Grown if path == str(source) else real(path))
    with pytest.raises(StoreError, match="changed while"):
        pack([("a", str(source))], str(tmp_path / "bundle"))
    monkeypatch.undo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source"]


def test_an_absent_source_is_named(tmp_path: Path) -> None:
    """The error says which file."""
    with pytest.raises(StoreError, match="absent"):
        pack([("a", str(tmp_path / "absent"))], str(tmp_path / "bundle"))
