"""What a cluster is: the file that describes one, and the clusters that this user has started.

Knows nothing of connections, daemons or the store.

```yaml
shared: /shared/luigigo     # the same path on every host
scheduler: {host: head}     # port: 8082, bind: ADDRESS, tls_certificate, tls_key, tls_ca: FILE
nodes:                      # where `up` starts workers; may be left out where Slurm does
  - {host: n1}              # slots: 16, memory: 64G, user: NAME, key: FILE, port: 22
# cache: /scratch/me        a folder on every node's own disk; cache_size: 20G
# idle_exit: 8h             after which daemons without work end by themselves; 0 for never
# token_file, python, go    by default made by `cluster up` and `cluster bootstrap`, below `shared`
```
"""

from __future__ import annotations

from luigigo.clusterfile.description import ClusterDescription, NodeEntry, SchedulerPlace, is_host
from luigigo.clusterfile.folders import private_folder
from luigigo.clusterfile.known import KnownCluster, find_known, known_clusters, remember
from luigigo.clusterfile.local import LOOPBACK, announce, find_access, find_local
from luigigo.clusterfile.reading import as_file, parse_cluster, read_cluster

__all__ = [
    "LOOPBACK",
    "ClusterDescription",
    "KnownCluster",
    "NodeEntry",
    "SchedulerPlace",
    "announce",
    "as_file",
    "find_access",
    "find_known",
    "find_local",
    "is_host",
    "known_clusters",
    "parse_cluster",
    "private_folder",
    "read_cluster",
    "remember",
]
