"""Builds, looks and builds again, until somebody has had enough.

One thread decides (`rounds`); others only tell it that something stirred, that a process ended, or that a key
was pressed.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TextIO

import msgspec

from luigigo.builds.uptodate import WATCHED_VARIABLE
from luigigo.builds.watched import Watched, Watching, read_watching
from luigigo.errors import ExitCode
from luigigo.filesystems import TRUSTED, FileSystems
from luigigo.footprint import joined
from luigigo.process import Command, Grouped, start_group
from luigigo.watching.looks import Basis, Beginning, WatchedPlaces
from luigigo.watching.rounds import Act, Happening, Round, WatchPhase, after
from luigigo.watching.said import changed_text, ended_line

if TYPE_CHECKING:
    from luigigo.watching.notices import Notices

SHARE_SECONDS = 1.0
"""Between two looks at what lies on a share, of whose changes elsewhere the kernel hears nothing."""
LOOK_SECONDS = 10.0
"""Between two looks at the rest that can be edited."""
CLOSED_SECONDS = 60.0
"""Between two looks at what nobody edits: the toolchain and the module cache."""
CLEAR = "\x1b[H\x1b[2J\x1b[3J"


class Follower(Protocol):
    """What is done with what was built."""

    def before_build(self) -> None:
        """A build is about to begin."""

    def after_build(self, left: Watching, changed: Sequence[str]) -> None:
        """A build has succeeded, after these files had changed."""

    def stop(self) -> None:
        """End what runs, and wait until it is gone."""


class WatchEvent(msgspec.Struct, frozen=True):
    """What another thread tells."""

    happening: Happening
    exit_code: int = 0


class WatchRequest(msgspec.Struct, frozen=True):
    """What is built again and again."""

    arguments: tuple[str, ...]
    """Of `luigigo build`."""
    place_path: str
    """A file for what each build leaves (`builds.watched`)."""
    variables: dict[str, str]
    folder: str
    """In which it was asked for."""
    folders: tuple[str, ...] = ()
    """Into which builds may write."""


class Watch:
    """One request that is built whenever what it rests on changes."""

    def __init__(self, request: WatchRequest, follower: Follower | None, stream: TextIO) -> None:
        self._request, self._follower, self._stream = request, follower, stream
        self._queue: queue.SimpleQueue[WatchEvent | ExitCode] = queue.SimpleQueue()
        self._state, self._basis = Round(), Basis()
        self._watched = Watched(joined(()))
        self._places = WatchedPlaces(self._watched)
        self._notices = self._listen()
        self._lock = threading.Lock()
        self._dirty: set[str] = set()
        self._changed: list[str] = []
        self._build: Grouped | None = None
        self._began, self._beginning = 0.0, Beginning(0)
        self._is_failing = False
        self._held: list[bytes] | None = None
        self._limit = ""
        self._checks = _Checks()

    def run(self) -> int:
        """Go on until `end` is called; return the exit code. On the way out nothing is left running."""
        try:
            self._happen(Happening.ASKED)
            while True:
                told = self._next()
                if isinstance(told, ExitCode):
                    return int(told)
                self._take(told)
        finally:
            self._close()

    def ask(self) -> None:
        """Build now. From any thread."""
        self._queue.put(WatchEvent(Happening.ASKED))

    def end(self, code: ExitCode = ExitCode.OK) -> None:
        """End the watch with an exit code. From any thread."""
        self._queue.put(code)

    def _next(self) -> WatchEvent | ExitCode:
        while True:
            now = time.monotonic()
            due_at = self._state.due_at
            if due_at is not None and now >= due_at:
                return WatchEvent(Happening.DUE)
            wait = min([self._checks.next_at, *([] if due_at is None else [due_at])]) - now
            try:
                return self._queue.get(timeout=max(0.0, wait))
            except queue.Empty:
                if self._checks.is_due(time.monotonic()):
                    self._check(time.monotonic())

    def _take(self, told: WatchEvent) -> None:
        if told.happening is Happening.ENDED:
            self._end_build(told.exit_code)
        else:
            self._happen(told.happening)

    def _happen(self, happening: Happening) -> None:
        self._state, act = after(self._state, happening, time.monotonic())
        if act is Act.LOOK and self._look():
            self._happen(Happening.DIFFERS)
        elif act is Act.LOOK:
            self._follow()
            self._happen(Happening.SAME)
        elif act is Act.BUILD:
            self._begin_build()
        elif act is Act.CANCEL and self._build is not None:
            self._build.signal(signal.SIGTERM)

    def _note(self, folder: str, name: str) -> None:
        """From the thread that hears of events."""
        if folder and not self._places.notices(folder, name):
            return
        with self._lock:
            is_known = bool(self._dirty)
            self._dirty.add(folder)
        # One look sees all; but how long it has been quiet depends on each of them.
        if not is_known or self._state.phase in (WatchPhase.STIRRED, WatchPhase.CANCELLING):
            self._queue.put(WatchEvent(Happening.STIR))

    def _check(self, now: float) -> None:
        """Find what no event told of."""
        within = self._checks.take(now)
        if self._basis.changed(self._places.look(within), within):
            with self._lock:
                self._dirty |= within
            self._happen(Happening.STIR)

    def _look(self) -> bool:
        """Whether a content changed where something stirred."""
        with self._lock:
            dirty, self._dirty = self._dirty, set()
        within = None if "" in dirty else dirty
        found = self._basis.changed(self._places.look(within), within)
        if found:
            self._note_changed(found)
            with self._lock:
                self._dirty |= dirty
        return bool(found)

    def _note_changed(self, found: Iterable[str]) -> None:
        self._changed = list(dict.fromkeys((*self._changed, *found)))

    def _begin_build(self) -> None:
        with self._lock:
            dirty, self._dirty = self._dirty, set()
        within = None if "" in dirty else dirty
        if within is None or within:
            look = self._places.look(within)
            self._note_changed(self._basis.changed(look, within))
            self._basis.renew(self._places, look, within)
        self._began, self._beginning = time.monotonic(), Beginning.now(self._request.folders)
        if self._follower is not None:
            self._follower.before_build()
        with suppress(FileNotFoundError):
            os.unlink(self._request.place_path)
        argv = [sys.executable, "-m", "luigigo", "build", *self._request.arguments]
        variables = {**self._request.variables, WATCHED_VARIABLE: self._request.place_path}
        self._held = [] if self._is_failing and self._stream.isatty() else None
        try:
            build = start_group(Command(tuple(argv), self._request.folder, variables), is_heard=True)
        except OSError as error:
            print(f"luigigo: cannot build in {self._request.folder}: {error.strerror}", file=self._stream)
            self._queue.put(WatchEvent(Happening.ENDED, int(ExitCode.BUILD_FAILED)))
            return
        self._build = build
        threading.Thread(target=self._await, args=(build,), name="build", daemon=True).start()

    def _await(self, build: Grouped) -> None:
        """From the build's own thread: hand on what it says, and tell that it has ended."""
        assert build.output is not None
        with build.output as output:
            while chunk := os.read(output.fileno(), 1 << 16):
                if self._state.phase is WatchPhase.CANCELLING:
                    continue
                if self._held is None:
                    self._write(chunk)
                else:
                    self._held.append(chunk)
        self._queue.put(WatchEvent(Happening.ENDED, build.wait()))

    def _write(self, content: bytes) -> None:
        self._stream.flush()
        self._stream.buffer.write(content)
        self._stream.flush()

    def _end_build(self, exit_code: int) -> None:
        self._build = None
        was_cancelled = self._state.phase is WatchPhase.CANCELLING
        left = None if was_cancelled else read_watching(self._request.place_path)
        changed = self._changed
        if exit_code == 0 and not was_cancelled:
            # Until then nobody has done anything with them, and a changed test is still to be run.
            self._changed = []
        if not was_cancelled:
            self._say_end(ended_line(changed_text(changed), exit_code, left, time.monotonic() - self._began))
            self._is_failing = exit_code != 0
        self._happen(Happening.ENDED)
        if was_cancelled:
            return
        if exit_code == 0 and left is not None and self._follower is not None:
            self._follower.after_build(left, changed)
        if left is not None and left.watched is not None:
            self._adopt(left.watched, is_whole=left.is_whole)

    def _say_end(self, line: str) -> None:
        """Put it below what the build said; an error that it mended goes."""
        if self._is_failing and self._stream.isatty():
            self._stream.write(CLEAR)
        if self._held:
            self._write(b"".join(self._held))
        print(line, file=self._stream, flush=True)

    def _adopt(self, watched: Watched, *, is_whole: bool) -> None:
        """Look from now on at what the build has named."""
        if not is_whole:
            watched = msgspec.structs.replace(
                self._watched,
                places=self._watched.places | watched.places,
                sources={**self._watched.sources, **watched.sources},
            )
        self._watched, self._places = watched, WatchedPlaces(watched)
        self._follow()
        hears = self._notices is not None
        self._checks = _Checks.of(self._places.parents(), self._places, time.monotonic(), hears=hears)
        if self._basis.adopt(self._places, self._places.look(), self._beginning):
            with self._lock:
                self._dirty.add("")
            self._happen(Happening.STIR)

    def _follow(self) -> None:
        """Hear of all folders that matter, those that came or were made anew since the last time as well."""
        if self._notices is not None:
            self._notices.follow(self._places.parents())
            self._say_limit(self._notices.limit)

    def _listen(self) -> Notices | None:
        """None where watchdog is too old for it: on Python 3.10."""
        try:
            from luigigo.watching.notices import Notices
        except ImportError:
            return None
        return Notices(self._note)

    def _say_limit(self, limit: str) -> None:
        if limit and limit != self._limit:
            print(
                f"luigigo: the kernel watches no more folders for this user: raise {limit} "
                f"(sysctl {limit}=N); until then some changes are found after {LOOK_SECONDS:.0f} s",
                file=self._stream,
                flush=True,
            )
        self._limit = limit

    def _close(self) -> None:
        if self._notices is not None:
            self._notices.close()
        if self._build is not None:
            self._build.signal(signal.SIGTERM)
            while self._build is not None:
                told = self._queue.get()
                if isinstance(told, WatchEvent) and told.happening is Happening.ENDED:
                    self._build = None
        if self._follower is not None:
            self._follower.stop()


class _Checks:
    """When to look at which folders, whether anything was heard of them or not."""

    def __init__(self, groups: Mapping[float, frozenset[str]] = {}, now: float = 0.0) -> None:
        self._groups = {seconds: folders for seconds, folders in groups.items() if folders}
        self._next = {seconds: now + seconds for seconds in self._groups}

    @classmethod
    def of(cls, folders: Mapping[str, None], places: WatchedPlaces, now: float, *, hears: bool) -> _Checks:
        """By where the folders lie, and whether anything is heard of them in between."""
        systems = FileSystems()
        groups: dict[float, set[str]] = {SHARE_SECONDS: set(), LOOK_SECONDS: set(), CLOSED_SECONDS: set()}
        for folder in folders:
            if places.is_closed(folder):
                groups[CLOSED_SECONDS].add(folder)
            elif hears and systems.kind_at(os.path.realpath(folder)) in TRUSTED:
                groups[LOOK_SECONDS].add(folder)
            else:
                groups[SHARE_SECONDS].add(folder)
        return cls({seconds: frozenset(each) for seconds, each in groups.items()}, now)

    @property
    def next_at(self) -> float:
        """When the next look is due."""
        return min(self._next.values(), default=time.monotonic() + LOOK_SECONDS)

    def is_due(self, now: float) -> bool:
        """Whether one is."""
        return any(now >= at for at in self._next.values())

    def take(self, now: float) -> set[str]:
        """The folders to look at now."""
        due = [seconds for seconds, at in self._next.items() if now >= at]
        self._next.update({seconds: now + seconds for seconds in due})
        return set().union(*(self._groups[seconds] for seconds in due))
