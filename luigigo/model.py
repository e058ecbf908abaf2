"""The words that every layer shares, as frozen records. Knows no file, process or task."""

from __future__ import annotations

import hashlib
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
    messages: str = ""
    """What the tools printed though they succeeded, such as a C compiler's warnings."""
    content_key: str = ""
    """The content key that it is filed under as well; "" for none."""
