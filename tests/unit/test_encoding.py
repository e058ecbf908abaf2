"""Records whose texts stand for any bytes, and streams that let them out."""

from __future__ import annotations

import io
import json
import random
from types import ModuleType

import msgspec
import pytest

from luigigo.encoding import Codec, let_bytes_through, replace_invalid
from luigigo.model import digest_of

_LETTERS = [chr(byte) for byte in range(0x20)] + [chr(0xDC80 + byte) for byte in range(0x80)]
_LETTERS += list("e9\\\"'é→\U0001f600")


class Name(msgspec.Struct, frozen=True, array_like=True):
    """A record that is written as a list."""

    name: str
    content: bytes = b""


class Folder(msgspec.Struct, frozen=True, tag="folder"):
    """One kind of a union, with texts in every place where they can be."""

    names: dict[str, Name]
    more: tuple[str, ...] = ()
    by_number: dict[int, str] = {}


class Number(msgspec.Struct, frozen=True, tag="number"):
    """The other kind."""

    value: int


_Records = list[Folder | Number]


def _folder(text: str) -> Folder:
    return Folder({text: Name(text, b"\xc1\xff")}, (text, "plain", text), {7: text})


def _texts() -> list[str]:
    chance = random.Random(20)
    return ["".join(chance.choices(_LETTERS, k=chance.randrange(12))) for _ in range(2000)]


@pytest.fixture(params=[msgspec.json, msgspec.msgpack])
def codec(request: pytest.FixtureRequest) -> Codec[_Records]:
    """A codec of either format."""
    form: ModuleType = request.param
    return Codec(form, _Records)


def test_any_bytes_come_back(codec: Codec[_Records]) -> None:
    """What is decoded is what was encoded, for texts of any bytes, zero bytes and lone halves included."""
    for text in _texts():
        records = [_folder(text), Number(3)]
        assert codec.decode(codec.encode(records)) == records


def test_plain_records_are_written_as_ever() -> None:
    """A record without such bytes is what msgspec itself makes of it."""
    records = [_folder("plain \0 é"), Number(3)]
    assert Codec[_Records](msgspec.json, _Records).encode(records) == msgspec.json.encode(records)
    assert Codec[_Records](msgspec.msgpack, _Records).encode(records) == msgspec.msgpack.encode(records)


def test_different_records_have_different_encodings(codec: Codec[_Records]) -> None:
    """No text is taken for another, such as for the escape of another."""
    texts = {*_texts(), "\udce9", "\0e9", "\\udce9", "\0\udce9", "\x0000e9", *"\ufffd\udcff"}
    assert len({codec.encode([_folder(text)]) for text in texts}) == len(texts)
    assert len({digest_of("key", [text]) for text in texts}) == len(texts)


def test_no_surrogate_but_a_byte_is_decoded(codec: Codec[_Records]) -> None:
    """What a peer makes up becomes text that can be a name, or an error that says so."""
    for crafted in (b"", b"[" * 5000, b"\x91" * 5000, b"\xff", b'["\\ud800"]', b'{"type":"folder"}'):
        with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError)):
            codec.decode(b"\xc1" + crafted)


def test_bytes_leave_by_a_stream() -> None:
    """A stream writes the bytes that a text stands for, and escapes what its encoding lacks."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    let_bytes_through(stream, None, io.StringIO())
    print("caf\udce9 →", file=stream, flush=True)
    assert raw.getvalue() == b"caf\xe9 \\u2192\n"


def test_invalid_bytes_are_replaced_one_by_one() -> None:
    """For each byte that is no UTF-8 there is one U+FFFD, as in what Go writes as JSON."""
    assert json.loads(json.dumps(replace_invalid("a\udce2\udc82é"))) == "a\ufffd\ufffdé"
