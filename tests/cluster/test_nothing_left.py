"""What `luigigo cluster down` leaves on nodes and head: logs and caches, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import signal
from pathlib import Path

import pytest
from clusters import MODULE, write_many
from commanding import NODES, WORKER, Cluster
from hosts import HOME, LOCAL, Host, Network
from processes import command_line
from tools import wait_for

OWN_FOLDERS = (LOCAL, HOME, Path("/run"), Path("/dev/shm"))
"""Where a host has files of its own."""
SLOW = tuple(f"slow{number}" for number in range(8))
COMPILE = rf"/compile .* -p {MODULE}/slow"
STAYS = (
    r"luigigo-0-\w+/(contents|sources|compilers|probes)/.*",
    r"luigigo-0-\w+/(hashes|probe-hashes|timings|toolchain|work)",
    r"luigigo-0-\w+/head_8082\.json",
    r"luigigo-0-\w+/(worker|scheduler)-head_8082\.(log|json\.lock)",
)
"""Of a worker's or luigid's folder: caches, an empty folder for work, the cluster's description, logs."""


@pytest.fixture
def cluster(network: Network, shared: Path, local: Path) -> Cluster:
    return Cluster(network, shared, local)


def found(host: Host) -> dict[str, set[str]]:
    """Everything on a host that a program may leave there, but for what the go command keeps of its own."""
    net = Path(f"/proc/{host.init}/net")
    unix = [line.split() for line in (net / "unix").read_text().splitlines()[1:]]
    tcp = [line.split() for name in ("tcp", "tcp6") for line in (net / name).read_text().splitlines()[1:]]
    return {
        "processes": {command_line(pid) for pid in host.pids()},
        "mounts": set(Path(f"/proc/{host.init}/mounts").read_text().splitlines()),
        "sockets": {words[7] for words in unix if len(words) > 7} | {w[1] for w in tcp if w[3] == "0A"},
        "files": {path for folder in OWN_FOLDERS for path in files(host, folder)},
    }


def files(host: Host, folder: Path) -> set[str]:
    """All files and empty folders below a folder, as the host names them."""
    top = host.view(folder)
    return {
        f"{folder}/{os.path.relpath(os.path.join(parent, name), top)}"
        for parent, folders, names in os.walk(top)
        for name in [*names, *(each for each in folders if not os.listdir(os.path.join(parent, each)))]
        if not re.search(r"/\.cache/go-build(/|$)|/go/telemetry(/|$)", parent)
    }


def test_nothing_is_left(cluster: Cluster, tmp_path: Path) -> None:
    """Neither by a worker that was killed nor by those that were told to end while they compile."""
    head, nodes = cluster.network.head, {name: cluster.network[name] for name in NODES}
    write_many(tmp_path, slow=SLOW)
    project = cluster.local / "project"
    shutil.copytree(tmp_path, head.view(project))
    before = {host.name: found(host) for host in (head, *nodes.values())}
    cluster.up()
    own = {"XDG_CONFIG_HOME": f"{cluster.local}/config", "LUIGIGO_CACHE": f"{cluster.local}/client"}
    build = ["luigigo", "build", project, "--cluster", cluster.file, "-o", cluster.local / "program"]
    client = head.start(build, own | {"GOENV": "off", "GOPROXY": "off", "GOTOOLCHAIN": "local"})
    wait_for(lambda: all(host.pids(COMPILE) for host in nodes.values()), "a compile on each node")
    nodes["n1"].kill(WORKER)
    cluster("cluster", "down")
    head.kill(r"luigigo build ", signal.SIGINT)
    _, errors = client.communicate()
    assert client.popen.returncode == 130, errors
    for host in (head, *nodes.values()):
        after = found(host)
        own_folder = rf"{cluster.local}/({'|'.join(STAYS)})"
        of_client = rf"{cluster.local}/(client|config)/.*" if host is head else "-"
        after["files"] = {
            path for path in after["files"] if not re.fullmatch(f"{own_folder}|{of_client}", path)
        }
        left = {kind: sorted(after[kind] - before[host.name][kind]) for kind in after}
        assert not any(left.values()), (host.name, left)
    assert not any(os.listdir(work) for work in head.view(cluster.local).glob("client/work"))
