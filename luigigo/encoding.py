"""Text that stands for any bytes, in records and on a terminal. Knows no record and no file.

Names, arguments and variables of a Unix system are bytes. Python has them as text in which each byte that is
no UTF-8 is a lone surrogate (PEP 383, `os.fsdecode`). Encoders of JSON and MessagePack refuse those. So a
record that has any is written in a second form, which begins with a byte that neither format begins with:
each such byte, and each zero byte, is a zero byte and two hexadecimal digits there. A record that has none
is written as ever.
"""

from __future__ import annotations

import codecs
import re
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, Generic, TextIO, TypeVar

import msgspec

T = TypeVar("T")

_MARK = b"\xc1"
"""No MessagePack and no UTF-8 has this byte."""
_RAW = re.compile("[\0\udc80-\udcff]")
_ESCAPED = re.compile("\0(00|[89a-f][0-9a-f])")
_ON_TERMINAL = "luigigo.bytes"
_making = threading.Lock()
"""msgspec learns of a record when its first decoder is made. A thread that makes one for the same record
meanwhile sees half of what is known, and decoding with that ends the process (seen with 0.22)."""


class Codec(Generic[T]):
    """Encodes records of one type and decodes them as they were, whatever bytes their texts stand for."""

    def __init__(self, form: ModuleType, type: Any, **options: Any) -> None:
        """`form` is `msgspec.json` or `msgspec.msgpack`; `options` are those of its encoder."""
        self._encode: Callable[[Any], bytes] = form.Encoder(**options).encode
        with _making:
            self._decode: Callable[[bytes | str], T] = form.Decoder(type).decode
        self._decode_tree: Callable[[bytes], Any] = form.Decoder().decode
        self._type = type
        # What a tree of builtins may hold: JSON has neither bytes nor keys that are no texts.
        self._str_keys = form is msgspec.json
        self._native = () if self._str_keys else (bytes,)

    def encode(self, value: T) -> bytes:
        """The bytes of a record; different ones for different records."""
        try:
            return self._encode(value)
        except UnicodeEncodeError:
            tree = msgspec.to_builtins(value, builtin_types=self._native, str_keys=self._str_keys)
            return _MARK + self._encode(_map_texts(_escape, tree))

    def encode_indented(self, value: T) -> bytes:
        """The same with JSON laid out for people, where it is JSON."""
        data = self.encode(value)
        return data if data[:1] == _MARK else msgspec.json.format(data) + b"\n"

    def decode(self, data: bytes | str) -> T:
        """The record. Raises `msgspec.MsgspecError` or `UnicodeDecodeError` for anything else."""
        if isinstance(data, str) or data[:1] != _MARK:
            return self._decode(data)
        try:
            tree = _map_texts(_unescape, self._decode_tree(data[1:]))
        except RecursionError as error:
            raise msgspec.DecodeError("it is nested too deeply") from error
        decoded: T = msgspec.convert(tree, self._type, builtin_types=self._native, str_keys=self._str_keys)
        return decoded


def let_bytes_through(*streams: TextIO | None) -> None:
    """Let text that stands for bytes leave by these streams as those bytes; what they lack is escaped.

    Without it Python writes `\\udce9` to stderr for a byte that is no UTF-8, and fails on stdout. Streams
    that are no files are left as they are.
    """
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=_ON_TERMINAL)


def replace_invalid(text: str) -> str:
    """The text as Go's encoding/json writes it: U+FFFD for each byte that is no UTF-8."""
    return re.sub("[\udc80-\udcff]", "\ufffd", text)


def legible(text: str) -> str:
    """The text as every format can hold it: each byte that is no UTF-8 as an escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def _bytes_or_escapes(error: UnicodeError) -> tuple[str | bytes, int]:
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


codecs.register_error(_ON_TERMINAL, _bytes_or_escapes)


def _escape(text: str) -> str:
    return _RAW.sub(lambda match: f"\0{ord(match[0]) & 0xFF:02x}", text)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: bytes.fromhex(match[1]).decode(errors="surrogateescape"), text)


def _map_texts(change: Callable[[str], str], tree: Any) -> Any:
    """The tree of lists, mappings and scalars with every text in it changed."""
    if isinstance(tree, str):
        return change(tree)
    if isinstance(tree, dict):
        return {_map_texts(change, key): _map_texts(change, value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_map_texts(change, item) for item in tree]
    return tree
