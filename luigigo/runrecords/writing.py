"""Appends a run's lines to its record. Never fails a build: what cannot be written is said once."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from luigigo.runrecords.lines import CLIENT_FILE, AnyLine, codec
from luigigo.store.layout import run_folder

BEAT_SECONDS = 5.0
"""How often a writer is asked what is to be told of the moment."""
FLUSH_SECONDS = 1.0
"""How long a line waits for others, to be written with them: one request to the share for all."""


class RunWriter:
    """One writer's file of a run, which it alone appends to. Safe for threads."""

    def __init__(
        self, root: str, run_id: str, on_failure: Callable[[str], None], name: str = CLIENT_FILE
    ) -> None:
        """Nothing is made before the first flush. `on_failure` gets one line for the user, at most once."""
        self.path = f"{run_folder(root, run_id)}/{name}"
        self.beat: Callable[[], Sequence[AnyLine]] = lambda: ()
        """Asked in the writer's own thread, every `BEAT_SECONDS` once something was said."""
        self._on_failure = on_failure
        self._lines: list[bytes] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._has_failed = False
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def be_quiet(self) -> None:
        """Say nothing from now on where nothing can be written."""
        self._on_failure = lambda text: None

    def put(self, *lines: AnyLine) -> None:
        """Append lines, soon."""
        if self._has_failed or self._closed.is_set():
            return
        encoded = [codec.encode(line) + b"\n" for line in lines]
        with self._lock:
            self._lines += encoded
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="run record", daemon=True)
                self._thread.start()
        self._wake.set()

    def close(self) -> None:
        """Write what is left. Never fails."""
        self._closed.set()
        self._wake.set()
        self._flush()
        if self._thread is not None:
            self._thread.join(FLUSH_SECONDS)

    def _serve(self) -> None:
        beaten = time.monotonic()
        while not self._closed.is_set():
            self._wake.wait(BEAT_SECONDS)
            self._wake.clear()
            self._closed.wait(FLUSH_SECONDS)
            if time.monotonic() - beaten >= BEAT_SECONDS:
                beaten = time.monotonic()
                self.put(*self.beat())
            self._flush()

    def _flush(self) -> None:
        with self._writing:
            with self._lock:
                lines, self._lines = self._lines, []
            if not lines or self._has_failed:
                return
            try:
                self._append(b"".join(lines))
            except OSError as error:
                self._has_failed = True
                self._on_failure(f"luigigo: this run is not recorded: {self.path}: {error.strerror}")

    def _append(self, content: bytes) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            descriptor = os.open(self.path, flags, 0o666)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            descriptor = os.open(self.path, flags, 0o666)
        try:
            while content:
                content = content[os.write(descriptor, content) :]
        finally:
            os.close(descriptor)


def remove_record(root: str, run_id: str) -> bool:
    """Remove a run's record, and its folder where that holds nothing else; say whether there was one."""
    folder = run_folder(root, run_id)
    try:
        os.unlink(f"{folder}/{CLIENT_FILE}")
    except OSError:
        return False
    with suppress(OSError):
        os.rmdir(folder)
    return True
