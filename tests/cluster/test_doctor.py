"""`luigigo doctor`, and `luigigo cluster up` with it, on hosts that something is wrong with."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commanding import NODES, Cluster, left_out, switch_off
from hosts import Host, Network
from moosefs import MooseFS
from tools import wait_for_port


@pytest.fixture
def cluster(network: Network, shared: Path, local: Path) -> Cluster:
    return Cluster(network, shared, local)


@pytest.fixture
def changed(network: Network) -> Iterator[Host]:
    """A node whose mounts and routes a test may change; it is switched off afterwards."""
    yield network["n1"]
    if network["n1"].runs:
        switch_off(network["n1"])


def test_doctor_finds_nothing_wrong(cluster: Cluster) -> None:
    """Before and after `up`; it starts nothing."""
    for running in ("does not run", "runs"):
        result = cluster.doctor()
        assert result.returncode == 0, result
        assert f"luigid at head:8082 {running}" in result.stdout
        assert "nothing is wrong" in result.stdout
        pairs = re.findall(
            r"^(head|n\d) +(head|n\d) +(at once|[\d.]+ s) +(at once|[\d.]+ s)", result.stdout, re.M
        )
        assert len(pairs) == 12
        assert any(cluster.workers().values()) == (running == "runs")
        cluster.up()


def test_another_toolchain_is_refused_by_name(cluster: Cluster, changed: Host) -> None:
    """Both versions are named; where it is missing, that."""
    import go  # type: ignore[import-not-found]

    changed.hide(Path(go.__file__).parent)
    result = cluster.doctor()
    assert result.returncode == 1
    reason = left_out(result)["n1"]
    assert reason.startswith("Go: ")
    assert (
        re.search(r"go1\.\d+\S* \(.*\) there, go1\.\d+\S* \(.*\) here", reason) or "no Go toolchain" in reason
    )
    assert list(left_out(cluster.up())) == ["n1"]


def test_a_missing_c_compiler_is_a_warning(cluster: Cluster, changed: Host) -> None:
    """The node works, for all but cgo."""
    found = changed.run(["sh", "-c", "readlink -f $(command -v gcc)"]).stdout.strip()
    changed.run(["mount", "--bind", "/dev/null", found], cwd="/")
    result = cluster.doctor()
    assert result.returncode == 1
    assert "n1: warning: C compiler" in result.stdout
    assert left_out(result) == {}


def test_a_share_that_is_not_mounted(cluster: Cluster, changed: Host) -> None:
    """The node is left out before it writes onto its own disk."""
    changed.run(["umount", "--lazy", "/mnt/share"], cwd="/")
    assert f"share: {cluster.shared} is not there" in left_out(cluster.doctor())["n1"]
    assert list(left_out(cluster.up())) == ["n1"]


def test_another_file_system_at_the_same_path(cluster: Cluster, changed: Host) -> None:
    """Folders of the same names do not deceive: the head's files are not seen there."""
    cluster.doctor()
    changed.run(["mount", "-t", "tmpfs", "none", cluster.shared], cwd="/")
    changed.run(["mkdir", "-m", "700", "-p", cluster.shared / "cluster" / "marks"], cwd="/")
    reason = left_out(cluster.doctor())["n1"]
    assert reason in ("share: n1 does not see what head writes", "share: head does not see what n1 writes")


def test_a_share_that_is_read_only_on_one_node(cluster: Cluster, changed: Host) -> None:
    """It could read, and never publish."""
    changed.run(["mount", "--bind", "/mnt/share", "/mnt/share"], cwd="/")
    changed.run(["mount", "-o", "remount,bind,ro", "/mnt/share"], cwd="/")
    assert "cannot be written: Read-only file system" in left_out(cluster.doctor())["n1"]


def test_a_share_that_is_read_only_for_all(cluster: Cluster, share: MooseFS) -> None:
    """Said once, for this machine, without a traceback."""
    with share.read_only():
        result = cluster.up(check=False)
    assert result.returncode == 6
    assert "Read-only file system" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_share_that_does_not_answer(cluster: Cluster, share: MooseFS) -> None:
    """The user is told, though the kernel lets no process go that waits for such a share."""
    with share.paused():
        doctor = cluster.network.head.start(["luigigo", "doctor", cluster.file])
        assert doctor.stderr is not None
        said = doctor.stderr.readline()
    assert f"the share {cluster.shared} does not answer within 20 s" in said
    assert doctor.wait() == 6


def test_a_cache_that_is_somebody_elses(cluster: Cluster, changed: Host) -> None:
    """The node is left out: what is planted there would be run."""
    place = cluster.local / "luigigo-0-n1"
    changed.run(["mkdir", "-m", "700", place])
    changed.run(["chown", "nobody", place])
    assert "must be this user's alone" in left_out(cluster.up())["n1"]


def test_slow_sight_is_measured(cluster: Cluster, stale: object) -> None:
    """Where absent names are remembered for long, a look-up that comes too early waits long."""
    shared = stale(30.0)  # type: ignore[operator]
    cluster.describe(shared=shared)
    result = cluster.doctor()
    assert left_out(result) == {}
    pairs = re.findall(r"^(n\d) +head +(at once|[\d.]+ s) +(> 3 s)", result.stdout, re.M)
    assert [name for name, _, _ in pairs] == list(NODES), result.stdout
    assert "n1: warning: share: sees files late" in result.stdout


def test_luigid_that_a_node_cannot_reach(cluster: Cluster, changed: Host) -> None:
    """A firewall on the way is found before a worker waits for ever."""
    address = cluster.network.head.address
    rule = ["ip", "rule", "add", "to", address, "dport", "8082", "pref", "10", "blackhole"]
    changed.run(rule)
    result = cluster.up()
    assert "luigid at head:8082 cannot be reached from there" in left_out(result)["n1"]
    assert cluster.states() == {"n1": "not", "n2": "ready", "n3": "ready"}


def test_a_stranger_on_luigids_port(cluster: Cluster) -> None:
    """It is told apart from luigid, and nothing is started."""
    cluster.network.head.start([sys.executable, "-m", "http.server", "8082"])
    wait_for_port(cluster.network.head.address, 8082)
    result = cluster.up(check=False)
    assert result.returncode == 1
    assert "no luigigo scheduler" in result.stderr or "answers with status 501" in result.stderr
    assert cluster.workers() == {name: [] for name in NODES}


def test_another_clusters_luigid_is_not_taken_over(cluster: Cluster) -> None:
    """Two clusters need two ports."""
    cluster.up()
    other = cluster.shared / "other"
    cluster.network.head.run(["mkdir", other])
    token = f"token_file: {cluster.shared}/cluster/token\n"
    cluster.describe(shared=other, more=token)
    result = cluster.up(check=False)
    assert result.returncode == 1
    assert f"serves {cluster.shared}, not {other}" in result.stderr
