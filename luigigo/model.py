"""The words that every layer shares, as frozen records. Knows no file, process or task."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, NewType

import msgspec

from luigigo.encoding import Codec

ImportPath = NewType("ImportPath", str)
ActionKey = NewType("ActionKey", str)
"""Digest of everything that can change an action's output; a dependency counts by its action key."""
ContentKey = NewType("ContentKey", str)
"""The same, where a dependency counts by the digest of what the action reads of it."""
Digest = NewType("Digest", str)
"""A sha256 in lower-case hexadecimal: 64 characters."""
ActionId = NewType("ActionId", str)
"""An action's name inside its plan: its kind and its package, such as `compile net/http`."""


_encode = Codec[Any](msgspec.msgpack, Any).encode


def digest_of(*parts: object) -> Digest:
    """The digest of any tree of records, texts of any bytes and numbers, unambiguous by its encoding."""
    return Digest(hashlib.sha256(_encode(parts)).hexdigest())


class Output(msgspec.Struct, frozen=True):
    """One content in the store."""

    digest: Digest
    size_bytes: int


class Said(msgspec.Struct, frozen=True, array_like=True):
    """What a tool said, for any user and folder (`messages`)."""

    parts: tuple[str, ...]
    """The text, cut wherever it names the package's folder."""
    is_verbatim: bool = False
    """Whether the go command prints it as it is, with whole paths."""


class Told(msgspec.Struct, frozen=True, array_like=True):
    """The same for one user: the text with whole paths."""

    text: str
    folder: str = ""
    """The package's folder, whose files get short names; "" for a text that is shown as it is."""


class ActionRecord(msgspec.Struct, frozen=True):
    """What the store knows of an action that was done."""

    key: str
    """The action key that the record is filed under."""
    kind: str
    """`compile`, `cgo`, `link` or `preprofile`."""
    package: ImportPath
    outputs: dict[str, Output]
    """By role: `export` and `object` of a compile, `bundle` of a cgo, `binary` of a link, `profile`."""
    seconds: float
    """Wall time of the run that made the outputs."""
    cpu_seconds: float
    peak_bytes: int
    """The largest resident set of any one of its processes."""
    node: str
    said: tuple[Said, ...] = ()
    """What the tools printed though they succeeded, such as a C compiler's warnings."""
    messages: str = ""
    """Where earlier versions kept it, with names for one folder: a record that has this counts for none."""
    content_key: str = ""
    """The content key that it is filed under as well; "" for none."""
    run: str = ""
    """The run that made the outputs; "" where none was recorded."""


def told(said: Iterable[Said], folder: str) -> tuple[Told, ...]:
    """What was said, of the package that is in this folder here."""
    return tuple(Told(folder.join(each.parts), "" if each.is_verbatim else folder) for each in said)
