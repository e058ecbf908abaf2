"""Which cluster a command means: the file that it names, or the only one that was ever started."""

from __future__ import annotations

from luigigo.clusterfile import ClusterDescription, known_clusters, read_cluster
from luigigo.errors import UsageError


def choose(file: str) -> ClusterDescription:
    """The cluster of a file, or the only known one when `file` is "". Raises `UsageError`."""
    if file:
        return read_cluster(file)
    known = [cluster for cluster in known_clusters() if cluster.file]
    if len(known) == 1:
        return read_cluster(known[0].file)
    if not known:
        raise UsageError("no cluster is known yet: name its file, or start one: luigigo cluster up FILE")
    listed = "".join(f"\n  {cluster.host}:{cluster.port}  {cluster.file}" for cluster in known)
    raise UsageError(f"several clusters are known; say which with --cluster FILE:{listed}")
