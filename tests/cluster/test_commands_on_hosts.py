"""`luigigo cluster …` and `luigigo doctor` on real hosts: SSH, a shared file system, luigid and workers."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosts import Host, Network, Result
from moosefs import MooseFS
from tools import wait_for, wait_for_port

NODES = ("n1", "n2", "n3")
WORKER = r"-m luigigo worker "
SCHEDULER = r"-m luigigo scheduler "


class Cluster:
    """One test's cluster, commanded from the head."""

    def __init__(self, network: Network, shared: Path, local: Path) -> None:
        self.network = network
        self.shared = shared
        self.local = local
        self.file = local / "cluster.yaml"
        self.describe()

    def describe(
        self, nodes: str = "", scheduler: str = "", more: str = "", shared: Path | None = None
    ) -> None:
        """Write the cluster's file."""
        listed = nodes or "".join(f"  - {{host: {name}, slots: 2}}\n" for name in NODES)
        self.network.head.view(self.file).write_text(
            f"shared: {shared or self.shared}\nscheduler: {{host: head{scheduler}}}\ncache: {self.local}\n"
            f"{more}nodes:\n{listed}"
        )

    def __call__(self, *arguments: str | Path, check: bool = True, timeout: float = 60.0) -> Result:
        """Run `luigigo` on the head."""
        env = {"XDG_CONFIG_HOME": str(self.local / "config")}
        return self.network.head.run(["luigigo", *arguments], env, self.local, timeout, check)

    def up(self, *options: str, check: bool = True) -> Result:
        """`luigigo cluster up FILE`."""
        return self("cluster", "up", self.file, *options, check=check)

    def doctor(self, *options: str) -> Result:
        """`luigigo doctor FILE`."""
        return self("doctor", self.file, *options, check=False)

    def workers(self) -> dict[str, list[int]]:
        """The processes of workers on each node."""
        return {name: self.network[name].pids(WORKER) for name in NODES if self.network[name].runs}

    def states(self) -> dict[str, str]:
        """The state of each node, as `status` shows it."""
        lines = self("cluster", "status").stdout.splitlines()
        return {words[0]: words[1] for line in lines[1:] if (words := line.split()) and words[0] in NODES}


@pytest.fixture
def cluster(network: Network, shared: Path, local: Path) -> Cluster:
    return Cluster(network, shared, local)


@pytest.fixture
def changed(network: Network) -> Iterator[Host]:
    """A node whose mounts and routes a test may change; it is switched off afterwards."""
    yield network["n1"]
    if network["n1"].runs:
        switch_off(network["n1"])


def left_out(result: Result) -> dict[str, str]:
    """Which nodes are left out, and why."""
    found = re.findall(r"^(\S+): left out: (.*)$", result.stdout, re.M)
    return dict(found)


def switch_off(host: Host) -> None:
    """Switch a host off, so that it can be switched on again at once."""
    host.stop()
    # The kernel takes the cable away by and by; it may be gone already.
    with contextlib.suppress(AssertionError):
        host.network.switch(f"link del {host.name}\n")


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
