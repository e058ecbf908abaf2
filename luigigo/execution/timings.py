"""What actions took before: seconds for the critical path, memory for admission. One file a node."""

from __future__ import annotations

import os
import threading

import msgspec

from luigigo.encoding import Codec

_MOST = 100_000


class Timing(msgspec.Struct, frozen=True, array_like=True):
    """The last run of one action."""

    seconds: float
    peak_bytes: int
    gogc: str = ""


_codec = Codec[dict[str, Timing]](msgspec.msgpack, dict[str, Timing])


class Timings:
    """Earlier runs by action id, such as `compile net/http`. Safe for threads."""

    def __init__(self, file: str | None = None) -> None:
        self._file = file
        self._known: dict[str, Timing] = {}
        self._changed = False
        self._lock = threading.Lock()

    @classmethod
    def load(cls, file: str) -> Timings:
        """Read what earlier builds saved; a file that is absent or damaged counts as empty."""
        timings = cls(file)
        try:
            with open(file, "rb") as saved:
                timings._known = _codec.decode(saved.read())
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            pass
        return timings

    def seconds(self, action: str) -> float | None:
        """How long the action took last time, or None."""
        timing = self._known.get(action)
        return None if timing is None else timing.seconds

    def earlier(self, action: str) -> Timing | None:
        """Its last run, or None."""
        return self._known.get(action)

    def gogc(self, action: str) -> str:
        """The GOGC of its last run; "" for the tools' own, and for none."""
        timing = self._known.get(action)
        return "" if timing is None else timing.gogc

    def note(self, action: str, timing: Timing) -> None:
        """Remember a run. The latest one counts: source and machine change."""
        with self._lock:
            # Last in the order, so that what was not run for longest is forgotten first.
            self._known.pop(action, None)
            self._known[action] = timing
            self._changed = True

    def save(self) -> None:
        """Write the file if anything was noted. Raises `OSError`."""
        with self._lock:
            if self._file is None or not self._changed:
                return
            kept = dict(list(self._known.items())[-_MOST:])
            temporary = f"{self._file}.{os.getpid()}"
            with open(temporary, "wb") as file:
                file.write(_codec.encode(kept))
            os.replace(temporary, self._file)
            self._changed = False
