"""One maker for each action on a machine: builds at the same time share what they make while it is made.

A claim is a listening socket with an abstract name (unix(7)): no file, and the kernel takes it back when its
process ends, by whatever signal. Who can bind the name makes the action. Who cannot connects to it and waits
for the connection to end: nobody ever accepts it, so that it ends with the claim.

Nobody waits for ever. A claim is held only by a thread that has its slot and memory, whose tools run or which
publishes; a thread that waits holds no claim. So all waiting is for what runs; what runs ends, and with it
the claim. A process that is stopped (SIGSTOP, Ctrl-Z) runs nothing, another user's socket is no claim, and
nor is a name that nobody listens to: none of them is waited for. The work is then done twice, to the same
bytes, as it is where there are no abstract names.
"""

from __future__ import annotations

import errno
import hashlib
import os
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

import msgspec

CHECK_SECONDS = 0.1
"""How often who waits asks whether to go on."""
LISTEN_SECONDS = 0.5
"""How long a name may be bound before somebody listens there."""
_PAUSE_SECONDS = 0.005
_BACKLOG = 4096
_PEER = struct.Struct("3i")
"""struct ucred: pid, uid, gid."""

Made = TypeVar("Made")

_open: set[socket.socket] = set()
"""The claims of this process. A forked child gives up its copies: it would hold what it does not make."""
_forking = threading.Lock()
"""Held while a claim's socket comes or goes, and while the process forks."""


def _give_up_copies() -> None:
    for each in _open:
        each.close()
    _open.clear()
    _forking.release()


os.register_at_fork(before=_forking.acquire, after_in_parent=_forking.release, after_in_child=_give_up_copies)


class Turn(msgspec.Struct, frozen=True):
    """What somebody does around waiting."""

    check: Callable[[], None] = lambda: None
    """Called now and then; raises to wait no more."""
    leave: Callable[[], Callable[[], None]] = lambda: lambda: None
    """Called before waiting; what it returns is called when there is something to make after all."""


class Claim:
    """The right to make something, or nobody's word against it. Ends with the block, or the process."""

    def __init__(self, listener: socket.socket | None = None) -> None:
        """Without a listener nobody is kept from making the same."""
        self._listener = listener

    def __enter__(self) -> Claim:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listener is not None:
            _close(self._listener)


class Holder:
    """Another thread or process of this user that makes it."""

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self._connection = connection
        self._pid = pid

    def wait(self, check: Callable[[], None]) -> None:
        """Return when it has ended or was stopped. Raises what `check` raises."""
        with self._connection:
            poller = select.poll()
            poller.register(self._connection, select.POLLIN)
            while not poller.poll(CHECK_SECONDS * 1000):
                check()
                if _is_stopped(self._pid):
                    return


class Claims:
    """The claims on what goes into one store. Safe for threads and for any number of processes."""

    def __init__(self, store_root: str = "") -> None:
        """Of the store in that folder; without one, or without abstract names, nobody waits for anybody."""
        self._prefix = b""
        if store_root and sys.platform == "linux":
            try:
                folder = os.stat(store_root)
            except OSError:
                return
            # By whatever path it is called.
            self._prefix = f"{folder.st_dev}:{folder.st_ino}:".encode()

    def make_once(
        self, key: str, find: Callable[[], Made | None], make: Callable[[], Made], turn: Turn
    ) -> Made:
        """What `find` gives when no other is making it, else what `make` gives while no other makes it.

        `find` is called after each wait, and once more before `make`. Raises what the functions raise.
        """
        claim = self._take(key)
        while isinstance(claim, Holder):
            come_back = turn.leave()
            claim.wait(turn.check)
            found = find()
            if found is not None:
                return found
            # It failed there, or died.
            come_back()
            claim = self._take(key)
        with claim:
            found = find()
            return make() if found is None else found

    def _take(self, key: str) -> Claim | Holder:
        if not self._prefix:
            return Claim()
        digest = hashlib.sha256(self._prefix + key.encode()).hexdigest()
        name = f"\0luigigo-{os.geteuid()}-{digest}".encode()
        deadline = time.monotonic() + LISTEN_SECONDS
        try:
            while time.monotonic() < deadline:
                taken = _bind(name) or _connect(name)
                if taken is not None:
                    return taken
                # It ended in between, or does not listen yet.
                time.sleep(_PAUSE_SECONDS)
        except OSError:
            # No descriptor is left, or a sandbox forbids it.
            pass
        return Claim()


def _bind(name: bytes) -> Claim | None:
    """The claim, or None when the name is taken. Raises `OSError`."""
    with _forking:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        _open.add(listener)
    try:
        listener.bind(name)
        listener.listen(_BACKLOG)
    except OSError as error:
        _close(listener)
        if error.errno == errno.EADDRINUSE:
            return None
        raise
    return Claim(listener)


def _connect(name: bytes) -> Claim | Holder | None:
    """Who holds the name; a claim beside whom not to wait for; None when nobody answers. Raises `OSError`."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        connection.connect(name)
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        pid, uid, _ = _PEER.unpack(credentials)
    except (ConnectionRefusedError, BlockingIOError):
        connection.close()
        return None
    except BaseException:
        connection.close()
        raise
    if uid != os.geteuid() or _is_stopped(pid):
        connection.close()
        return Claim()
    return Holder(connection, pid)


def _close(listener: socket.socket) -> None:
    with _forking:
        _open.discard(listener)
        listener.close()


def _is_stopped(pid: int) -> bool:
    """Whether the process was stopped by a signal or a debugger; False where that cannot be told."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2][:1] in (b"T", b"t")
    except OSError:
        return False
