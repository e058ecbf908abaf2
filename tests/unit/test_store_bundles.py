"""Bundles: one file that holds many."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from luigigo.errors import StoreError
from luigigo.store.bundles import pack, unpack

ITEMS = [("b.go", b"package b"), ("a/deep/er.txt", b""), ("a/x", bytes(range(256)) * 5000), ("é", b"1")]
BAD_NAMES = ["", "/etc/passwd", "../up", "a/../../up", "a//b", "./a", "a/", "..", "nul\0"]


def forge(header: object, body: bytes) -> bytes:
    encoded = msgspec.msgpack.encode(header)
    return b"luigigo bundle 1\n" + len(encoded).to_bytes(8, "big") + encoded + body


SOUND = forge([(b"b.go", 9), (b"a", 3)], b"package bxyz")


def test_what_is_forged_here_would_be_sound(tmp_path: Path) -> None:
    """So that the forgeries that are refused are refused for what is wrong in them."""
    (tmp_path / "bundle").write_bytes(SOUND)
    assert unpack(str(tmp_path / "bundle"), str(tmp_path / "out")) == ["b.go", "a"]


def packed(folder: Path, items: list[tuple[str, bytes]]) -> Path:
    """A bundle of such files."""
    named = []
    for number, (name, content) in enumerate(items):
        source = folder / f"source{number}"
        source.write_bytes(content)
        named.append((name, str(source)))
    digests = pack(named, str(folder / "bundle"))
    assert digests == [hashlib.sha256(content).hexdigest() for _, content in items]
    return folder / "bundle"


@pytest.mark.parametrize(
    "items", [ITEMS, [], [(os.fsdecode(b"\xff.go"), b"x")]], ids=["some", "none", "bytes"]
)
def test_files_come_back_in_order(tmp_path: Path, items: list[tuple[str, bytes]]) -> None:
    """Names, which are bytes, contents and order are kept, and what was packed is told by its digests."""
    bundle = packed(tmp_path, items)
    assert unpack(str(bundle), str(tmp_path / "out")) == [name for name, _ in items]
    for name, content in items:
        assert (tmp_path / "out" / name).read_bytes() == content


def test_links_become_files(tmp_path: Path) -> None:
    """A bundle holds names and contents only: what is unpacked leads nowhere."""
    (tmp_path / "secret").write_text("content")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    pack([("x.go", str(tmp_path / "link"))], str(tmp_path / "bundle"))
    assert str(tmp_path).encode() not in (tmp_path / "bundle").read_bytes()
    unpack(str(tmp_path / "bundle"), str(tmp_path / "out"))
    assert not (tmp_path / "out" / "x.go").is_symlink()
    assert (tmp_path / "out" / "x.go").read_text() == "content"


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    """Neither packed nor, when somebody forged a bundle, unpacked."""
    bundle = tmp_path / "in" / "bundle"
    bundle.parent.mkdir()
    with pytest.raises(StoreError):
        pack([(name, os.devnull)], str(bundle))
    bundle.write_bytes(forge([(name.encode(), 1)], b"x"))
    with pytest.raises(StoreError):
        unpack(str(bundle), str(tmp_path / "in" / "out"))
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "bundle"]


def test_one_name_twice_is_refused(tmp_path: Path) -> None:
    """One of the two would be lost."""
    with pytest.raises(StoreError, match="'a'"):
        packed(tmp_path, [("a", b"1"), ("a", b"2")])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"luigigo bundle 1\n",
        b"luigigo bundle 9\n" + SOUND[17:],
        SOUND[:-1],
        SOUND[:30],
        SOUND + b"x",
        b"luigigo bundle 1\n" + b"\xff" * 8 + b"x",
        forge([(b"a", -1), (b"b", 2)], b"x"),
        forge([(b"a", 1 << 62)], b"x"),
        forge({"a": 1}, b"x"),
        forge([("text", 1)], b"x")[:-2],
    ],
)
def test_what_is_no_sound_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    """Nothing is written of a bundle whose sizes do not add up."""
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
