"""Which nodes may work, judged from what they said."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from luigigo.cluster.findings import (
    ClockDifference,
    Finding,
    Severity,
    View,
    judge,
    judge_clock,
    judge_views,
    seconds_text,
)
from luigigo.cluster.messages import GoFound, Probe, Sighting, Space
from luigigo.clusterfile import NodeEntry

GIB = 1 << 30
GOOD = Probe(
    hostname="n1",
    user="me",
    python="3.11.7",
    version="1.0",
    code_digest="c0de",
    cpus=4,
    memory_bytes=8 * GIB,
    share=Space(100 * GIB, None),
    share_flaw="",
    cache_path="/tmp/cache",
    cache=Space(100 * GIB, 1_000_000),
    cache_flaw="",
    token_flaw="",
    go=GoFound("go1.27.3", "d1", "/usr/local/go/bin/go"),
    go_flaw="",
    c_compiler="gcc",
    c_digest="cc",
    c_flaw="",
)
AT_ONCE = Sighting(0.0, True)
NEVER = Sighting(None, False)
LISTED = Sighting(None, True)


def found(entry: NodeEntry | None = None, **changes: Any) -> list[Finding]:
    """What is wrong with a node that differs from a good one in this."""
    return judge(entry or NodeEntry("n1"), msgspec.structs.replace(GOOD, **changes), GOOD)


def test_a_node_like_this_one_has_nothing_wrong() -> None:
    """Paths and free memory may differ."""
    other = GoFound("go1.27.3", "d1", "/opt/go/bin/go")
    assert found(go=other, hostname="x", python="3.12.0") == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"share_flaw": "/shared is not there", "share": None}, "share: /shared is not there"),
        ({"cache_flaw": "somebody's", "cache": None}, "cache: somebody's"),
        ({"token_flaw": "the token file cannot be read"}, "the token file cannot be read"),
        ({"version": "0.9"}, "luigigo 0.9 there, 1.0 here"),
        ({"code_digest": "other"}, "luigigo 1.0 is not the same code there as here"),
        ({"go": None, "go_flaw": "no Go toolchain"}, "Go: no Go toolchain"),
        (
            {"go": GoFound("go1.26.1", "d2", "/opt/go/bin/go")},
            "Go: go1.26.1 (/opt/go/bin/go) there, go1.27.3 (/usr/local/go/bin/go) here",
        ),
        ({"go": GoFound("go1.27.3", "d2", "/opt/go/bin/go")}, "Go: another go1.27.3 than here: the tools of"),
    ],
)
def test_what_keeps_a_node_from_working(changes: dict[str, Any], words: str) -> None:
    """Such a node is left out; both sides of a difference are named."""
    (finding,) = found(**changes)
    assert finding.severity is Severity.BAD
    assert finding.what.startswith(words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"c_compiler": "", "c_digest": "", "c_flaw": "gcc not found"}, "C compiler: gcc not found"),
        ({"c_digest": "other"}, "C compiler: gcc is not the same there as here"),
        ({"share": Space(100 << 20, None)}, "share: 100 MB free"),
        ({"cache": Space(10 << 20, 1_000_000)}, "cache /tmp/cache: 10 MB free"),
        ({"cache": Space(100 * GIB, 12)}, "cache /tmp/cache: 12 inodes free"),
        ({"memory_bytes": 512 << 20}, "memory: 512 MB"),
    ],
)
def test_what_a_node_can_work_with(changes: dict[str, Any], words: str) -> None:
    """A warning, and the node works."""
    (finding,) = found(**changes)
    assert finding.severity is Severity.WARNING
    assert finding.what == words


def test_memory_that_a_node_does_not_have_is_a_warning() -> None:
    """The file may promise more than there is."""
    (finding,) = found(NodeEntry("n1", memory_bytes=16 * GIB))
    assert finding.what == "memory: the file says 16384 MB, it has 8192 MB"


def test_without_a_c_compiler_here_nobody_needs_one() -> None:
    """No cgo is planned on this machine."""
    here = msgspec.structs.replace(GOOD, c_compiler="", c_digest="")
    assert judge(NodeEntry("n1"), GOOD, here) == []


def test_clocks_apart() -> None:
    """What asking took is not held against a clock."""
    assert judge_clock("n1", ClockDifference(2.5, 1.0)) == []
    (ahead,) = judge_clock("n1", ClockDifference(5.0, 0.1))
    (behind,) = judge_clock("n1", ClockDifference(-5.0, 0.1))
    assert ahead.what == "clock: 5.0 s ahead of this machine's"
    assert behind.what == "clock: 5.0 s behind this machine's"


def views(*rows: tuple[str, str, Sighting, Sighting]) -> dict[tuple[str, str], View]:
    """Views by reader and writer."""
    return {(reader, writer): View(reader, writer, *seen) for reader, writer, *seen in rows}


def test_a_node_that_never_sees_the_heads_files_has_another_file_system() -> None:
    """It is left out; others are not."""
    seen = views(
        ("n1", "head", NEVER, NEVER),
        ("head", "n1", NEVER, NEVER),
        ("n2", "head", AT_ONCE, AT_ONCE),
        ("n2", "n1", NEVER, NEVER),
    )
    (finding,) = judge_views(seen, "head", 3.0)
    assert (finding.node, finding.severity) == ("n1", Severity.BAD)
    assert finding.what == "share: n1 does not see what head writes"


def test_a_head_that_never_sees_a_nodes_files() -> None:
    """The node is the one that is left out."""
    (finding,) = judge_views(views(("head", "n1", NEVER, NEVER)), "head", 3.0)
    assert (finding.node, finding.what) == ("n1", "share: head does not see what n1 writes")


def test_a_file_that_only_a_listing_shows_is_late_not_lost() -> None:
    """The share caches names for long; builds wait for it."""
    seen = views(("n1", "head", AT_ONCE, LISTED), ("n1", "n2", AT_ONCE, Sighting(1.5, True)))
    (finding,) = judge_views(seen, "head", 3.0)
    assert finding.severity is Severity.WARNING
    assert finding.what == "share: sees files late (from head > 3 s, n2 1.50 s)"


def test_times_for_people() -> None:
    """The first look is at once."""
    assert [seconds_text(seconds, 3.0) for seconds in (0.0, 0.25, 3.0)] == ["at once", "0.25 s", "> 3 s"]
