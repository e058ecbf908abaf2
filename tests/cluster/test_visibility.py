"""Builds over a share whose mounts believe for long what they have looked up, as those of NFS do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clusters import NODES, Cluster, write_many

PACKAGES = 200
CACHE_SECONDS = 30.0


def test_nodes_find_what_others_made(
    idle_cluster: Cluster, stale: Callable[..., Path], tmp_path: Path
) -> None:
    """From an empty store, more than two hundred packages are built without one failure.

    The node that links has fetched ahead, which must not ask for what is not there yet.
    """
    write_many(tmp_path, slow=(), imports=("net/http",))
    idle_cluster.describe(shared=stale(CACHE_SECONDS))
    idle_cluster.start()
    build = idle_cluster.end_identical(idle_cluster.build(idle_cluster.project(tmp_path)), tmp_path)
    compiled = {event["package"] for event in build.events if event.get("kind") == "compile"}
    assert len(compiled) >= PACKAGES
    assert {event["node"] for event in build.events if event["event"] == "action"} == set(NODES)
    assert {event["outcome"] for event in build.events if event["event"] == "action"} == {"ran"}
    # A node with a fault is named there.
    assert "node n" not in build.stderr
    logs = {name: idle_cluster.log_text(name) for name in NODES}
    assert "WARNING" not in "".join(logs.values())
    assert "not fetched ahead" not in "".join(logs.values())
    (link,) = [event for event in build.events if event.get("kind") == "link"]
    assert [name for name in NODES if "fetching ahead for link" in logs[name]] == [link["node"]]
