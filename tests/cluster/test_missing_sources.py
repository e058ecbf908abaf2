"""What a build put on the share for its nodes is gone: its client puts it there again."""

from __future__ import annotations

from pathlib import Path

from clusters import MODULE, NODES, Cluster

BUNDLE = b"luigigo bundle 1\n"
"""How the packed files of a package begin."""


def remove(cluster: Cluster, *, plans: bool) -> int:
    """Remove the bundles, and plans if wanted, from the share; how many files there were."""
    root = cluster.head.view(cluster.shared)
    found = [path for path in (root / "cas").glob("*/*") if path.read_bytes().startswith(BUNDLE)]
    if plans:
        found += [path for path in (root / "plans").rglob("*") if path.is_file()]
    for path in found:
        path.unlink()
    return len(found)


def test_sources_that_vanish_while_a_build_waits(idle_cluster: Cluster, seed: Path, many: Path) -> None:
    """They and the plan are published again, which is said once, and no node is set aside."""
    idle_cluster.seed()
    idle_cluster.start_scheduler()
    build = idle_cluster.build(idle_cluster.project(many))
    build.wait_said("no worker")
    assert remove(idle_cluster, plans=True) > 10
    idle_cluster.start_workers(*NODES)
    idle_cluster.end_identical(build, many)
    assert build.stderr.count("published again") == 1, build.stderr
    assert "is missing" not in build.stderr, build.stderr
    assert {node["state"] for node in idle_cluster.status().values()} == {"ready"}


def test_sources_that_vanish_while_nodes_build(cluster: Cluster, many: Path) -> None:
    """What nodes have not read yet is published again."""
    project = cluster.project(many)
    build = cluster.build(project)
    held = cluster.wait_running(f"{MODULE}/slow1")
    assert remove(cluster, plans=False)
    cluster.end_identical(build, many)
    assert held in NODES
