"""Answers of C compilers and linkers, kept with what they rest on. Knows nothing of what they mean."""

from __future__ import annotations

import os
import threading
from typing import Any, TypeVar

import msgspec

from luigigo.encoding import Codec
from luigigo.footprint import Footprint, Places, Trusts, holds, take
from luigigo.model import Digest

T = TypeVar("T")


class Answers:
    """A folder of answers, each valid while all that it rests on is as it was. Safe for threads."""

    def __init__(self, folder: str, trusts: Trusts) -> None:
        """`trusts` says whose files' times carry each change (`filesystems`)."""
        self._folder = folder
        self._trusts = trusts

    def recall(self, key: Digest, kind: type[T]) -> T | None:
        """The answer that was kept under the key, or None when there is none that still holds."""
        try:
            with open(os.path.join(self._folder, key), "rb") as file:
                footprint, answer = _codec(kind).decode(file.read())
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return answer if holds(footprint) else None

    def keep(self, key: Digest, answer: object, places: Places, started_ns: int) -> None:
        """Keep an answer that was asked for at `started_ns`, if it is certain what it rests on."""
        footprint = take(places, started_ns, self._trusts)
        if footprint is None:
            return
        path = os.path.join(self._folder, key)
        # Threads ask the same at the same moment.
        temporary = f"{path}.{os.getpid()}.{threading.get_ident()}"
        try:
            os.makedirs(self._folder, exist_ok=True)
            with open(temporary, "wb") as file:
                file.write(_codec(type(answer)).encode((footprint, answer)))
            os.replace(temporary, path)
        except OSError:
            # No loss but of time.
            return


_codecs: dict[object, Codec[Any]] = {}


def _codec(kind: Any) -> Codec[Any]:
    return _codecs.setdefault(kind, Codec(msgspec.msgpack, tuple[Footprint, kind]))
