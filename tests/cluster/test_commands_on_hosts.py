"""`luigigo cluster …` on real hosts: SSH, a shared file system, luigid and workers."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from commanding import NODES, SCHEDULER, WORKER, Cluster, left_out, switch_off
from hosts import Network
from moosefs import MooseFS
from tools import wait_for


@pytest.fixture
def cluster(network: Network, shared: Path, local: Path) -> Cluster:
    return Cluster(network, shared, local)


def test_up_starts_luigid_and_a_worker_on_each_node(cluster: Cluster) -> None:
    """All are ready when it returns, and known without the file from then on."""
    result = cluster.up()
    assert left_out(result) == {}
    assert "luigid at head:8082 started" in result.stdout
    assert cluster.states() == dict.fromkeys(NODES, "ready")
    assert all(len(pids) == 1 for pids in cluster.workers().values())
    known = json.loads(
        cluster.network.head.view(cluster.local / "config/luigigo/clusters/head_8082.json").read_text()
    )
    assert known["shared"] == str(cluster.shared)


def test_luigid_on_another_host_than_the_commands(cluster: Cluster) -> None:
    """It is started, read and stopped over SSH; this machine may be one of the nodes."""
    head = cluster.network.head
    head.view(cluster.file).write_text(
        f"shared: {cluster.shared}\nscheduler: {{host: n1}}\ncache: {cluster.local}\n"
        "nodes: [{host: head}, {host: n1}, {host: n2}]\n"
    )
    assert left_out(cluster.up()) == {}
    assert (head.pids(SCHEDULER), len(cluster.network["n1"].pids(SCHEDULER))) == ([], 1)
    assert len(head.pids(WORKER)) == len(cluster.network["n1"].pids(WORKER)) == 1
    assert "node head" in cluster("cluster", "logs", "--scheduler", "n1").stdout
    assert "connected to luigid" in cluster("cluster", "logs", "head").stdout
    cluster.network["n1"].kill(SCHEDULER)
    cluster("cluster", "down")
    for name in ("head", "n1", "n2"):
        assert cluster.network[name].pids(WORKER) == []


def test_up_twice_is_harmless(cluster: Cluster) -> None:
    """The second starts nothing, also when both run at the same time."""
    head = cluster.network.head
    env = {"XDG_CONFIG_HOME": str(cluster.local / "config")}
    both = [head.start(["luigigo", "cluster", "up", cluster.file], env) for _ in range(2)]
    for process in both:
        out, err = process.communicate()
        assert process.returncode == 0, out + err
    workers, luigid = cluster.workers(), head.pids(SCHEDULER)
    assert [len(pids) for pids in workers.values()] == [1, 1, 1] and len(luigid) == 1
    again = cluster.up()
    assert "ran already" in again.stdout
    assert (cluster.workers(), head.pids(SCHEDULER)) == (workers, luigid)


def test_down_ends_everything(cluster: Cluster) -> None:
    """No process stays; a second time finds nothing to do."""
    cluster.up()
    result = cluster("cluster", "down")
    assert re.findall(r"^(n\d) +(.*?) *$", result.stdout, re.M) == [(name, "stopped") for name in NODES]
    assert "luigid on head: stopped" in result.stdout
    assert cluster.workers() == {name: [] for name in NODES}
    assert cluster.network.head.pids(SCHEDULER) == []
    again = cluster("cluster", "down")
    assert "luigid on head: not running" in again.stdout
    assert "stopped" not in again.stdout
    assert "does not answer" in cluster("cluster", "status", check=False).stderr


def test_down_works_without_luigid(cluster: Cluster) -> None:
    """Workers are found by the state files on their nodes, also those that are stuck."""
    cluster.up()
    cluster.network.head.kill(SCHEDULER)
    cluster.network["n2"].pause(WORKER)
    result = cluster("cluster", "down", cluster.file)
    assert re.findall(r"^(n\d) +(.*?) *$", result.stdout, re.M) == [
        ("n1", "stopped"),
        ("n2", "killed"),
        ("n3", "stopped"),
    ]
    assert cluster.workers() == {name: [] for name in NODES}


def test_workers_outlive_the_connection_and_the_head(cluster: Cluster, share: MooseFS) -> None:
    """After the head was switched off and on, `down` finds them."""
    cluster.up()
    before = cluster.workers()
    switch_off(cluster.network.head)
    cluster.network.head.boot()
    share.repair()
    assert cluster.workers() == before
    cluster("cluster", "down", cluster.file)
    assert cluster.workers() == {name: [] for name in NODES}


def test_a_process_that_got_a_workers_number_is_not_stopped(cluster: Cluster) -> None:
    """A node was switched off and on: its state file names a process that is another's now."""
    cluster.up()
    node = cluster.network["n1"]
    state = next(node.view(cluster.local).glob("luigigo-*-n1/worker-*.json"))
    cluster("cluster", "down")
    stranger = node.start(["sleep", "600"])
    inside = node.run(["pgrep", "-x", "sleep"]).stdout.strip()
    forged = {"pid": int(inside), "start_time": "1", "boot_id": "x", "argv": []}
    state.write_text(json.dumps(forged))
    assert "not running" in cluster("cluster", "down", check=False).stdout
    assert stranger.poll() is None
    assert cluster.up().returncode == 0
    assert cluster.states()["n1"] == "ready"


def test_logs_of_workers_and_of_luigid(cluster: Cluster) -> None:
    """With and without FILE; the last lines only, if wanted."""
    cluster.up()
    for arguments in (("n1",), (str(cluster.file), "n1"), ("--cluster", str(cluster.file), "n1")):
        assert "connected to luigid" in cluster("cluster", "logs", *arguments).stdout
    assert cluster("cluster", "logs", "n1", "-n", "1").stdout.count("\n") == 1
    assert "node n1" in cluster("cluster", "logs", "head").stdout
    unknown = cluster("cluster", "logs", "n9", check=False)
    assert (unknown.returncode, "has no node 'n9'; it has n1, n2, n3" in unknown.stderr) == (2, True)


def test_a_log_can_be_followed(cluster: Cluster) -> None:
    """What is added appears, until Ctrl-C."""
    cluster.up()
    head = cluster.network.head
    env = {"XDG_CONFIG_HOME": str(cluster.local / "config")}
    follower = head.start(["luigigo", "cluster", "logs", "-f", "n1"], env)
    assert follower.stdout is not None
    while "connected to luigid" not in follower.stdout.readline():
        pass
    log = next(cluster.network["n1"].view(cluster.local).glob("luigigo-*-n1/worker-*.log"))
    with log.open("a") as file:
        file.write("news\x1b[31m\n")
    while "news" not in (line := follower.stdout.readline()):
        pass
    assert line == "news\ufffd[31m\n"
    follower.send_signal(signal.SIGINT)
    assert follower.wait() == 130


def test_drain_gives_a_node_nothing_more(cluster: Cluster) -> None:
    """Its worker ends, the others go on, and `up` brings it back."""
    cluster.up()
    assert "n2 gets nothing more to do" in cluster("cluster", "drain", "n2").stdout
    again = cluster.up()
    assert left_out(again) == {}
    assert cluster.states() == dict.fromkeys(NODES, "ready")
    cluster("cluster", "drain", "n2")
    wait_for(lambda: not cluster.workers()["n2"], "the drained worker")
    assert cluster.states() == {"n1": "ready", "n2": "not", "n3": "ready"}
    assert cluster("cluster", "drain", "n2", check=False).returncode == 1


def test_a_node_that_is_off_is_left_out(cluster: Cluster) -> None:
    """The others go on; the reason is said."""
    switch_off(cluster.network["n2"])
    result = cluster.up()
    assert list(left_out(result)) == ["n2"]
    assert "SSH cannot reach it" in left_out(result)["n2"]
    assert cluster.states() == {"n1": "ready", "n2": "not", "n3": "ready"}
    down = cluster("cluster", "down", check=False)
    assert down.returncode == 1 and list(left_out(down)) == ["n2"]


def test_a_node_that_hangs_is_left_out(cluster: Cluster) -> None:
    """Its sshd takes the connection and never answers."""
    cluster.network["n2"].pause("sshd")
    started = time.monotonic()
    assert list(left_out(cluster.up())) == ["n2"]
    assert time.monotonic() - started < 45


def test_without_any_node_up_fails(cluster: Cluster) -> None:
    """Exit code 1, and each node's reason."""
    cluster.describe("  - {host: n7}\n  - {host: n8}\n")
    result = cluster.up(check=False)
    assert result.returncode == 1
    assert set(left_out(result)) == {"n7", "n8"}


@pytest.fixture
def ssh_folder(cluster: Cluster) -> Iterator[Path]:
    """The user's SSH settings on the head, which are put back afterwards."""
    folder = cluster.network.head.home / ".ssh"
    before = {file: file.read_bytes() for file in folder.iterdir()}
    yield folder
    for file in folder.iterdir():
        file.unlink()
    for file, content in before.items():
        file.write_bytes(content)
        file.chmod(0o600)


def test_the_way_leads_over_another_host(cluster: Cluster, ssh_folder: Path) -> None:
    """ProxyJump of the user's configuration is obeyed, and the host key of the hop is checked, too."""
    known_hosts, jumped = ssh_folder / "jumped_hosts", "Host n2\n  ProxyJump n1\n"
    known_hosts.write_text(cluster.network.known_hosts.read_text())
    settings = (ssh_folder / "config").read_text()
    settings = settings.replace(str(cluster.network.known_hosts), str(known_hosts))
    (ssh_folder / "config").write_text(jumped + settings)
    assert left_out(cluster.doctor()) == {}
    lines = known_hosts.read_text().splitlines()
    known_hosts.write_text("\n".join(line for line in lines if not line.startswith("n1,")) + "\n")
    refused = left_out(cluster.doctor())
    assert set(refused) == {"n1", "n2"}
    assert all("is not known" in reason for reason in refused.values())


def test_a_key_of_its_own_for_a_node(cluster: Cluster, ssh_folder: Path) -> None:
    """`key:` is used where SSH's own settings name none."""
    (ssh_folder / "id_ed25519").rename(ssh_folder / "build_key")
    settings = (ssh_folder / "config").read_text()
    (ssh_folder / "config").write_text(re.sub(r"\n *IdentityFile .*", "", settings))
    assert set(left_out(cluster.doctor())) == set(NODES)
    cluster.describe("  - {host: n1, key: ~/.ssh/build_key, user: root, port: 22}\n  - {host: n2}\n")
    assert list(left_out(cluster.doctor())) == ["n2"]


def test_an_unknown_host_key_is_refused(cluster: Cluster) -> None:
    """Unless told otherwise; from then on the host is known."""
    known_hosts = cluster.network.head.home / ".ssh" / "known_hosts"
    files = {known_hosts, cluster.network.known_hosts}
    before = {file: file.read_text() for file in files}
    try:
        for file in files:
            file.write_text("# mine\n")
        refused = cluster.up(check=False)
        assert refused.returncode == 1
        assert all("is not known" in reason for reason in left_out(refused).values())
        assert left_out(cluster.up("--accept-new-host-keys")) == {}
        assert any(file.read_text().startswith("# mine\n10.") for file in files)
        assert left_out(cluster.doctor()) == {}
    finally:
        for file, text in before.items():
            file.write_text(text)


def test_a_changed_host_key_is_always_refused(cluster: Cluster) -> None:
    """Somebody may be in between."""
    known_hosts = cluster.network.head.home / ".ssh" / "known_hosts"
    files = {known_hosts, cluster.network.known_hosts}
    before = {file: file.read_text() for file in files}
    other = (cluster.network["n3"].folder / "hostkey.pub").read_text()
    own = (cluster.network["n1"].folder / "hostkey.pub").read_text()
    try:
        for file, text in before.items():
            file.write_text(text.replace(own.split()[1], other.split()[1]))
        result = cluster.up("--accept-new-host-keys")
        assert list(left_out(result)) == ["n1"]
        assert "its host key has CHANGED" in left_out(result)["n1"]
    finally:
        for file, text in before.items():
            file.write_text(text)


def test_a_login_that_is_refused(cluster: Cluster) -> None:
    """The user is named with what must work."""
    cluster.describe("  - {host: n1, user: nobody}\n  - {host: n2}\n")
    reasons = left_out(cluster.up())
    assert list(reasons) == ["n1"]
    assert "`ssh nobody@n1` must work without a password" in reasons["n1"]


def test_over_tls(cluster: Cluster) -> None:
    """luigid shows a certificate that the cluster's file names; workers and commands check it."""
    head = cluster.network.head
    certificate, key = cluster.shared / "head.pem", cluster.shared / "head.key"
    subject = ["-subj", "/CN=head", "-addext", "subjectAltName=DNS:head"]
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    head.run([*new, "-keyout", key, "-out", certificate])
    cluster.describe(scheduler=f", tls_certificate: {certificate}, tls_key: {key}")
    cluster.up()
    assert cluster.states() == dict.fromkeys(NODES, "ready")
    cluster.describe()
    assert cluster("cluster", "status", cluster.file, check=False).returncode == 1


@pytest.mark.parametrize("command", ["status", "down", "up"])
def test_without_a_known_cluster_the_file_is_asked_for(cluster: Cluster, command: str) -> None:
    """Exit code 2, and what to do."""
    result = cluster("cluster", command, check=False)
    assert result.returncode == 2
    assert "no cluster is known yet" in result.stderr
