"""Judging what nodes said: which may work, and what is wrong, where, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum

import msgspec

from luigigo.cluster.messages import Probe, Sighting, Space
from luigigo.clusterfile import NodeEntry

LEAST_SHARE_BYTES = 1 << 30
LEAST_CACHE_BYTES = 1 << 30
LEAST_INODES = 10_000
LEAST_MEMORY_BYTES = 1 << 30
CLOCK_LIMIT_SECONDS = 2.0
"""The store trusts no stat younger than this; clocks further apart defeat it."""
SLOW_SECONDS = 1.0


class Severity(Enum):
    """What a finding means for the node."""

    BAD = "bad"
    """The node is left out."""
    WARNING = "warning"
    """The node works, perhaps not for every build, or slower."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong."""

    node: str
    severity: Severity
    what: str
    remedy: str = ""


class ClockDifference(msgspec.Struct, frozen=True):
    """How far a node's clock is from this machine's."""

    seconds: float
    """Positive when the node's clock is ahead."""
    uncertainty_seconds: float
    """Half of the time that asking took."""


class View(msgspec.Struct, frozen=True):
    """What one node sees of another's marks."""

    reader: str
    writer: str
    fresh: Sighting
    """Of a name that was never looked for before it was written."""
    awaited: Sighting
    """Of a name that was looked for, and found absent, before it was written."""


def judge(entry: NodeEntry, probe: Probe, reference: Probe) -> list[Finding]:
    """Everything wrong with one node, beside this machine's own probe."""
    return [
        *_share_findings(entry.name, probe),
        *_software_findings(entry.name, probe, reference),
        *_c_findings(entry.name, probe, reference),
        *_room_findings(entry, probe),
    ]


def _share_findings(node: str, probe: Probe) -> Iterator[Finding]:
    if probe.share_flaw:
        yield Finding(
            node, Severity.BAD, f"share: {probe.share_flaw}", "mount it there, writable for this user"
        )
    if probe.token_flaw:
        yield Finding(
            node, Severity.BAD, probe.token_flaw, f"log in as the user that owns it, not as {probe.user}"
        )
    if probe.cache_flaw:
        yield Finding(node, Severity.BAD, f"cache: {probe.cache_flaw}")
    yield from _space_findings(node, "share", probe.share, LEAST_SHARE_BYTES)
    yield from _space_findings(node, f"cache {probe.cache_path}", probe.cache, LEAST_CACHE_BYTES)


def _space_findings(node: str, what: str, space: Space | None, least_bytes: int) -> Iterator[Finding]:
    if space is None:
        return
    if space.free_bytes < least_bytes:
        left = space.free_bytes >> 20
        yield Finding(node, Severity.WARNING, f"{what}: {left} MB free", "free some space: luigigo store gc")
    if space.free_inodes is not None and space.free_inodes < LEAST_INODES:
        yield Finding(node, Severity.WARNING, f"{what}: {space.free_inodes} inodes free", "remove some files")


def _software_findings(node: str, probe: Probe, reference: Probe) -> Iterator[Finding]:
    remedy = "run luigigo cluster bootstrap, so that all nodes run the same"
    if probe.version != reference.version:
        yield Finding(node, Severity.BAD, f"luigigo {probe.version} there, {reference.version} here", remedy)
    elif probe.code_digest != reference.code_digest:
        yield Finding(
            node, Severity.BAD, f"luigigo {probe.version} is not the same code there as here", remedy
        )
    if probe.go is None:
        yield Finding(node, Severity.BAD, f"Go: {probe.go_flaw}", "run luigigo cluster bootstrap, or set go:")
    elif reference.go is not None and probe.go.digest != reference.go.digest:
        there, here = probe.go, reference.go
        if there.version == here.version:
            what = f"another {there.version} than here: the tools of {there.path} differ from {here.path}'s"
        else:
            what = f"{there.version} ({there.path}) there, {here.version} ({here.path}) here"
        yield Finding(node, Severity.BAD, f"Go: {what}", "run luigigo cluster bootstrap, or set go: to one")


def _c_findings(node: str, probe: Probe, reference: Probe) -> Iterator[Finding]:
    if probe.go is None or reference.go is None or not reference.c_compiler:
        # A head without a C compiler plans no cgo.
        return
    if not probe.c_compiler:
        reason = probe.c_flaw or "there is none"
        yield Finding(node, Severity.WARNING, f"C compiler: {reason}", "cgo packages are not built there")
    elif probe.c_digest != reference.c_digest:
        yield Finding(
            node,
            Severity.WARNING,
            f"C compiler: {probe.c_compiler} is not the same there as here",
            "cgo packages are not built there; install the same",
        )


def _room_findings(entry: NodeEntry, probe: Probe) -> Iterator[Finding]:
    if probe.memory_bytes < LEAST_MEMORY_BYTES:
        size = probe.memory_bytes >> 20
        yield Finding(entry.name, Severity.WARNING, f"memory: {size} MB", "large packages need more")
    if entry.memory_bytes > probe.memory_bytes:
        yield Finding(
            entry.name,
            Severity.WARNING,
            f"memory: the file says {entry.memory_bytes >> 20} MB, it has {probe.memory_bytes >> 20} MB",
            "correct memory: in the cluster's file",
        )


def judge_clock(node: str, difference: ClockDifference) -> list[Finding]:
    """Whether a node's clock is so wrong that young files look old."""
    apart = abs(difference.seconds) - difference.uncertainty_seconds
    if apart <= CLOCK_LIMIT_SECONDS:
        return []
    way = "ahead of" if difference.seconds > 0 else "behind"
    return [
        Finding(
            node,
            Severity.WARNING,
            f"clock: {abs(difference.seconds):.1f} s {way} this machine's",
            "run NTP there",
        )
    ]


def judge_views(views: Mapping[tuple[str, str], View], head: str, limit_seconds: float) -> list[Finding]:
    """What is wrong with how nodes see each other's files; `head` is where the marks' folder was made."""
    findings = []
    apart: set[str] = set()
    for (reader, writer), view in views.items():
        if head in (reader, writer) and not _is_seen(view.fresh) and not _is_seen(view.awaited):
            node = writer if reader == head else reader
            if node not in apart:
                findings.append(
                    Finding(
                        node,
                        Severity.BAD,
                        f"share: {reader} does not see what {writer} writes",
                        "mount the same file system at the same path on both",
                    )
                )
            apart.add(node)
    slow: dict[str, list[str]] = {}
    for (reader, writer), view in views.items():
        if reader not in apart and writer not in apart:
            latest = max(_seconds(view.fresh, limit_seconds), _seconds(view.awaited, limit_seconds))
            if latest > SLOW_SECONDS:
                slow.setdefault(reader, []).append(f"{writer} {seconds_text(latest, limit_seconds)}")
    findings += [
        Finding(
            reader,
            Severity.WARNING,
            f"share: sees files late (from {', '.join(sorted(writers))})",
            "builds wait for it; shorter cache times of the mount make them faster",
        )
        for reader, writers in slow.items()
    ]
    return findings


def seconds_text(seconds: float, limit_seconds: float) -> str:
    """A time to be seen, for people."""
    if seconds >= limit_seconds:
        return f"> {limit_seconds:.0f} s"
    return "at once" if seconds == 0 else f"{seconds:.2f} s"


def latest_seconds(sightings: list[Sighting], limit_seconds: float) -> float:
    """The longest that any of them took, the limit when one was not seen."""
    return max((_seconds(sighting, limit_seconds) for sighting in sightings), default=0.0)


def _is_seen(sighting: Sighting) -> bool:
    return sighting.seconds is not None or sighting.listed


def _seconds(sighting: Sighting, limit_seconds: float) -> float:
    return limit_seconds if sighting.seconds is None else sighting.seconds
