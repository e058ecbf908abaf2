"""Put binaries from the store where the user wants them, in one step each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

from luigigo.builds import PlannedBuild
from luigigo.destinations import Delivery, deliveries
from luigigo.errors import ContentMissing, StoreError
from luigigo.execution.equipment import Equipment
from luigigo.model import Output
from luigigo.session import Session
from luigigo.store.stathashes import StatHashes


def is_delivered(delivery: Delivery, build: PlannedBuild, hashes: StatHashes) -> bool:
    """Whether the place holds exactly the binary that the plan's sources make."""
    output = binary_of(delivery, build)
    if output is None:
        return False
    try:
        stat = os.stat(delivery.path)
        return stat.st_size == output.size_bytes and hashes.digest(delivery.path) == output.digest
    except OSError:
        return False


def binary_of(delivery: Delivery, build: PlannedBuild, *, is_linked: bool = False) -> Output | None:
    """The binary in the store, or None while it is not linked.

    `is_linked`: it is known to be, so its record is worth waiting for.
    """
    record = build.workshop.record(delivery.root.action, is_done=is_linked)
    return None if record is None else record.outputs["binary"]


def deliver(delivery: Delivery, build: PlannedBuild, equipment: Equipment) -> None:
    """Copy the binary beside its place and rename it there; an earlier one runs on undisturbed.

    Raises `StoreError` naming the place when it cannot be written.
    """
    output = binary_of(delivery, build, is_linked=True)
    if output is None:
        raise ContentMissing(
            f"luigigo: {delivery.root.package} was linked, but its record is gone: build again"
        )
    source = build.workshop.open_output(delivery.root.action, output)
    temporary = f"{delivery.path}.{os.getpid()}.tmp"
    try:
        os.makedirs(os.path.dirname(delivery.path), exist_ok=True)
        try:
            shutil.copyfile(source, temporary)
            os.chmod(temporary, 0o777 & ~_umask())
            os.replace(temporary, delivery.path)
        except BaseException:
            if os.path.lexists(temporary):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise StoreError(f"luigigo: cannot write {delivery.path}: {error.strerror}") from error
    equipment.hashes.remember(delivery.path, output.digest)


def finish(build: PlannedBuild, output: str, session: Session) -> list[str]:
    """Deliver what is not in place, and remember that it is. Returns the binaries' paths."""
    wanted = deliveries(build.plan, output)
    for delivery in wanted:
        if not is_delivered(delivery, build, session.builds.equipment.hashes):
            deliver(delivery, build, session.builds.equipment)
    paths = [delivery.path for delivery in wanted]
    session.builds.keep(build, _summary(paths, build), paths)
    return paths


def _summary(paths: Sequence[str], build: PlannedBuild) -> str:
    version = build.plan.toolchain.version
    return f"luigigo: {', '.join(paths)} up to date ({version})"


def is_complete(build: PlannedBuild, output: str, session: Session) -> bool:
    """Whether every root is done and every binary in place."""
    if any(build.workshop.record(root.action) is None for root in build.plan.roots):
        return False
    hashes = session.builds.equipment.hashes
    return all(is_delivered(delivery, build, hashes) for delivery in deliveries(build.plan, output))


def _umask() -> int:
    """The process' umask, read without a moment in which it is another, where the system allows."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            for line in status:
                if line.startswith("Umask:"):
                    return int(line.split()[1], 8)
    except (OSError, ValueError):
        pass
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
