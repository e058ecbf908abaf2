"""Answers of C compilers and linkers, kept with what they rest on. Knows nothing of what they mean."""

from __future__ import annotations

import os
import threading
from typing import TypeVar

import msgspec

from luigigo.encoding import Codec
from luigigo.footprint import Footprint, Places, Trusts, holds, take
from luigigo.model import Digest

T = TypeVar("T")


def answer_codec(kind: type[T]) -> Codec[tuple[Footprint, T]]:
    """How answers of one kind are written. To be made while a module is loaded, not by threads."""
    return Codec(msgspec.msgpack, tuple[Footprint, kind])  # type: ignore[valid-type]


class Answers:
    """A folder of answers, each valid while all that it rests on is as it was. Safe for threads."""

    def __init__(self, folder: str, trusts: Trusts) -> None:
        """`trusts` says whose files' times carry each change (`filesystems`)."""
        self._folder = folder
        self._trusts = trusts

    def recall(self, key: Digest, codec: Codec[tuple[Footprint, T]]) -> T | None:
        """The answer that was kept under the key, or None when there is none that still holds."""
        try:
            with open(os.path.join(self._folder, key), "rb") as file:
                footprint, answer = codec.decode(file.read())
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return answer if holds(footprint) else None

    def keep(
        self, key: Digest, answer: T, places: Places, started_ns: int, codec: Codec[tuple[Footprint, T]]
    ) -> None:
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
                file.write(codec.encode((footprint, answer)))
            os.replace(temporary, path)
        except OSError:
            # No loss but of time.
            return
