"""Fixtures with several hosts and a file system that they share."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import hosts
import moosefs
import pytest
import slurm as slurms
from clusters import cluster, compiled, idle_cluster, many, references, seed
from hosts import LOCAL, Network
from moosefs import MooseFS
from slurm import Slurm

__all__ = ["cluster", "compiled", "idle_cluster", "many", "references", "seed"]

SHARE = Path("/mnt/share")
"""Where the share is mounted on every host."""

MountStale = Callable[..., Path]


def require(reason: str) -> None:
    """Skip the test for a reason, if there is one; a machine that checks changes must not have any."""
    if reason and os.environ.get("CI") == "true":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def session_hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """The hosts head, n1, n2 and n3, made once."""
    require(hosts.missing())
    with Network(folder=tmp_path_factory.mktemp("hosts")) as network:
        yield network


@pytest.fixture(scope="session")
def session_share(session_hosts: Network) -> MooseFS:
    """The share that is mounted on all hosts, made once."""
    require(moosefs.missing())
    share = MooseFS(session_hosts)
    share.start()
    for host in session_hosts.hosts.values():
        share.mount(host, SHARE)
    return share


@pytest.fixture
def share(session_hosts: Network, session_share: MooseFS) -> Iterator[MooseFS]:
    """The share at `/mnt/share` of all hosts; whatever a test does to hosts and share is undone after it."""
    yield session_share
    session_hosts.repair()
    session_share.repair()


@pytest.fixture
def network(session_hosts: Network, share: MooseFS) -> Network:
    """The hosts head, n1, n2 and n3 with a share at `/mnt/share`, undisturbed and without programs."""
    return session_hosts


@pytest.fixture
def folder_name(request: pytest.FixtureRequest) -> str:
    """A name for the folders of one test."""
    return re.sub(r"\W+", "-", request.node.name).strip("-")


@pytest.fixture
def shared(network: Network, folder_name: str) -> Path:
    """A folder on the share that only this test has, as hosts name it; all of them see it."""
    folder = SHARE / folder_name
    network.head.view(folder).mkdir()
    for host in network.hosts.values():
        host.view(folder).stat()
    return folder


@pytest.fixture
def local(network: Network, folder_name: str) -> Path:
    """A folder on each host's own disk that only this test has, as hosts name it."""
    folder = LOCAL / folder_name
    for host in network.hosts.values():
        host.view(folder).mkdir()
    return folder


@pytest.fixture
def stale(network: Network, share: MooseFS, shared: Path) -> Iterator[MountStale]:
    """Mounts the share once more on all hosts, which there believe for seconds what they have looked up.

    `stale(SECONDS)` returns the test's shared folder under the new mount. Single times can be set by
    `stale(SECONDS, negative_seconds=X)`; see `MooseFS.mount`.
    """
    paths: list[Path] = []

    def mount(seconds: float = 30.0, **times: float) -> Path:
        path = Path(f"/mnt/stale{len(paths)}")
        paths.append(path)
        kinds = ("attribute_seconds", "entry_seconds", "directory_entry_seconds", "negative_seconds")
        for host in network.hosts.values():
            share.mount(host, path, options="", **(dict.fromkeys(kinds, seconds) | times))
        return path / shared.name

    yield mount
    network.repair()
    for path in paths:
        for host in network.hosts.values():
            share.unmount(host, path, lazily=True)


@pytest.fixture
def slurm(network: Network) -> Iterator[Slurm]:
    """A Slurm whose controller is on head and whose nodes are n1, n2 and n3, without jobs."""
    require(slurms.missing())
    with slurms.running(network) as started:
        yield started


@pytest.fixture
def other_go() -> str:
    """The go command of another release."""
    found = os.environ.get("LUIGIGO_TEST_GO126") or shutil.which("go", path="/usr/local/go/bin")
    require("" if found else "no Go 1.26: set LUIGIGO_TEST_GO126 to its go command")
    return str(found)
