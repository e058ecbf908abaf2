"""Put binaries from the store where the user wants them: in one step each wherever a rename is possible."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from concurrent.futures import wait
from typing import BinaryIO

from luigigo.builds.destinations import (
    MAGIC_BYTES,
    Delivery,
    Site,
    SiteKind,
    deliveries,
    is_remembered,
    is_replaced,
    refusal,
)
from luigigo.builds.planned import PlannedBuild
from luigigo.builds.session import Session
from luigigo.errors import ContentMissing, LuigigoError, PlaceTaken, StoreError
from luigigo.execution.events import Delivered
from luigigo.messages import for_user
from luigigo.model import Output
from luigigo.store.staging import CHUNK_BYTES, staged

_MODE = 0o777
"""A program's permissions, before the umask."""
_UNMOVABLE = frozenset({errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS})
"""Why a file cannot be made in a folder, or renamed there, that can perhaps be written itself."""


def look(path: str, variables: Mapping[str, str]) -> Site:
    """What lies at a path. Opens nothing but files, so it waits for nobody."""
    is_symlink = os.path.islink(path)
    takes_moves = _takes_moves(os.path.dirname(path), variables)
    try:
        found = os.stat(path)
    except OSError:
        return Site(SiteKind.NOTHING, is_symlink, takes_moves=takes_moves)
    kind = _kind(found.st_mode)
    return Site(
        kind,
        is_symlink,
        size_bytes=found.st_size,
        head=_head(path) if kind is SiteKind.FILE else b"",
        is_executable=bool(found.st_mode & stat.S_IXUSR),
        takes_moves=takes_moves,
    )


def _kind(mode: int) -> SiteKind:
    if stat.S_ISREG(mode):
        return SiteKind.FILE
    if stat.S_ISDIR(mode):
        return SiteKind.FOLDER
    return SiteKind.PIPE if stat.S_ISFIFO(mode) else SiteKind.OTHER


def _head(path: str) -> bytes:
    try:
        # It may be a pipe by now, whose other end nobody opens.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    with open(descriptor, "rb") as file:
        return file.read(MAGIC_BYTES)


def _takes_moves(folder: str, variables: Mapping[str, str]) -> bool:
    """Whether go build could rename from its work folder: the same file system, and no setgid folder."""
    work = variables.get("GOTMPDIR") or variables.get("TMPDIR") or "/tmp"
    try:
        target = os.stat(folder)
        return target.st_dev == os.stat(work).st_dev and not target.st_mode & stat.S_ISGID
    except OSError:
        return False


def is_delivered(delivery: Delivery, build: PlannedBuild, session: Session) -> bool:
    """Whether the place holds exactly the binary that the plan's sources make.

    Of a pipe or a device nobody can tell: it does when this process has written to it.
    """
    output = binary_of(delivery, build)
    if output is None:
        return False
    site = look(delivery.path, session.variables)
    if site.kind is SiteKind.NOTHING:
        return False
    was_written = (delivery.path, output.digest) in session.written
    if not is_remembered(site):
        return was_written
    if not was_written and (not site.is_executable or (site.is_symlink and is_replaced(site))):
        return False
    try:
        hashes = session.builds.context.hashes
        return site.size_bytes == output.size_bytes and hashes.digest(delivery.path) == output.digest
    except OSError:
        return False


def binary_of(delivery: Delivery, build: PlannedBuild, *, is_linked: bool = False) -> Output | None:
    """The binary in the store, or None while it is not linked.

    `is_linked`: it is known to be, so its record is worth waiting for.
    """
    record = build.executor.known.record(delivery.root.action, is_done=is_linked)
    return None if record is None else record.outputs["binary"]


def deliver(delivery: Delivery, build: PlannedBuild, session: Session) -> None:
    """Put the binary into its place as go build does, in one step where the place can be renamed to.

    Raises `PlaceTaken` for a place that go build leaves alone, and `StoreError` naming the place when it
    cannot be written. The rules are those of moveOrCopyFile in cmd/go/internal/work/shell.go.
    """
    output = binary_of(delivery, build, is_linked=True)
    if output is None:
        raise ContentMissing(
            f"luigigo: {delivery.root.package} was linked, but its record is gone: build again"
        )
    path = delivery.path
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        site = _free_site(delivery, session)
        with open(build.executor.open_output(delivery.root.action, output), "rb") as binary:
            if not (is_replaced(site) and _replace(binary, delivery, session)):
                _write_into(binary, path)
    except OSError as error:
        raise StoreError(f"luigigo: cannot write {path}: {error.strerror}") from error
    session.written.add((path, output.digest))


def _free_site(delivery: Delivery, session: Session) -> Site:
    site = look(delivery.path, session.variables)
    reason = refusal(delivery.root.package, delivery.name, site)
    if reason:
        raise PlaceTaken(reason)
    return site


def _replace(binary: BinaryIO, delivery: Delivery, session: Session) -> bool:
    """Copy the binary beside its place and rename it there; False where that is not possible.

    An earlier one runs on undisturbed. A folder with setgid or an access list gives the copy what it gives
    every new file.
    """
    try:
        with staged(delivery.path, _MODE) as copy:
            shutil.copyfileobj(binary, copy, CHUNK_BYTES)
            # The user may have put something there meanwhile.
            _free_site(delivery, session)
    except OSError as error:
        if error.errno not in _UNMOVABLE:
            raise
        return False
    return True


def _write_into(binary: BinaryIO, path: str) -> None:
    """Write the binary into what lies there: a mounted file, a pipe, a device, what a symbolic link names."""
    binary.seek(0)
    # A pipe waits here for who reads it.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
    try:
        while chunk := memoryview(binary.read(CHUNK_BYTES)):
            while chunk:
                chunk = chunk[os.write(descriptor, chunk) :]
    except OSError as error:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise
        # Half a binary looks like a whole one.
        os.ftruncate(descriptor, 0)
        raise StoreError(f"luigigo: cannot write {path}, which is empty now: {error.strerror}") from error
    finally:
        os.close(descriptor)


def finish(build: PlannedBuild, output: str, session: Session) -> None:
    """Deliver what is not in place, and remember that it is.

    What goes wrong with one binary keeps no other from its place. Raises the first error, with the words of
    all.
    """
    wanted = deliveries(build.plan, output)
    with session.phases.during("deliver"):
        _deliver_all(wanted, build, session)
        remember(build, output, session)
    session.tell(Delivered(tuple(delivery.path for delivery in wanted)))


def _deliver_all(wanted: Iterable[Delivery], build: PlannedBuild, session: Session) -> None:
    # What is written from now on is no change of what the plan rests on.
    wait([build.keeping])
    errors: list[LuigigoError] = []
    for delivery in wanted:
        if not is_delivered(delivery, build, session):
            try:
                deliver(delivery, build, session)
            except (PlaceTaken, StoreError) as error:
                errors.append(error)
    if len(errors) > 1:
        raise type(errors[0])("\n".join(map(for_user, errors))) from errors[0]
    if errors:
        raise errors[0]


def remember(build: PlannedBuild, output: str, session: Session) -> None:
    """Remember that the binaries are in their places, for the next build to find nothing to do."""
    wanted = deliveries(build.plan, output)
    paths = [delivery.path for delivery in wanted]
    is_lasting = all(is_remembered(look(path, session.variables)) for path in paths)
    binaries = {delivery.path: binary_of(delivery, build) for delivery in wanted if is_lasting}
    digests = {path: binary.digest for path, binary in binaries.items() if binary is not None}
    session.builds.keep(build, digests)


def is_complete(build: PlannedBuild, output: str, session: Session) -> bool:
    """Whether every root is done and every binary in place."""
    if any(build.executor.known.record(root.action) is None for root in build.plan.roots):
        return False
    return all(is_delivered(delivery, build, session) for delivery in deliveries(build.plan, output))
