"""What tests with several hosts rest on: hosts behave, and misbehave, as real ones do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hosts import LOCAL, Host, Network
from processes import Process, parent_of
from tools import wait_for

CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], 22), timeout=3)"
SPIN = """
import sys, time
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    pass
print(time.process_time())
"""
HOARD = "import sys; print(len(bytes(1) * int(sys.argv[1])))"
MAKE_AND_WAIT = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from hosts import Network
with Network(("a", "b"), Path(sys.argv[2])) as network:
    network["a"].start(["sleep", "1002"])
    print(network.uplink, *(host.init for host in network.hosts.values()), flush=True)
    time.sleep(1000)
"""


def reaches(host: Host, other: Host) -> bool:
    """Whether a connection to the other host's sshd comes about."""
    return host.run([sys.executable, "-c", CONNECT, other.address], check=False).returncode == 0


def left_of(uplink: str) -> list[Path]:
    """What is still on the machine of a network."""
    parents = (parent_of("cpu"), parent_of("memory"))
    groups = [
        parent / name for parent in parents for name in os.listdir(parent) if name.startswith(f"{uplink}-")
    ]
    device = Path("/sys/class/net") / uplink
    return [*groups, device] if device.exists() else groups


def test_each_host_has_a_name_and_processes_of_its_own(network: Network) -> None:
    """Hosts see their own name, and no process of another host."""
    for name, host in network.hosts.items():
        assert host.run(["hostname"]).stdout == f"{name}\n"
    sleeper = network["n1"].start(["sleep", "1001"])
    wait_for(lambda: network["n1"].pids("^sleep 1001$") == [sleeper.pid], "the program")
    assert network["n2"].pids("^sleep 1001$") == []
    seen = [path.read_bytes() for path in network["n2"].view("/proc").glob("[0-9]*/cmdline")]
    assert seen and b"sleep\x001001\0" not in seen


def test_each_host_has_a_disk_and_a_home_of_its_own(network: Network, local: Path) -> None:
    """What a host writes on its own disk and into its home, no other host finds; identities differ."""
    for folder in (str(local), "/root", "/run", "/dev/shm", "/mnt"):
        network["n1"].run(["touch", f"{folder}/only-n1"])
        assert network["n1"].run(["ls", f"{folder}/only-n1"]).returncode == 0
        assert network["n2"].run(["ls", f"{folder}/only-n1"], check=False).returncode != 0
        network["n1"].run(["rm", f"{folder}/only-n1"])
    for file in ("/etc/machine-id", "/proc/sys/kernel/random/boot_id"):
        identities = {host.run(["cat", file]).stdout for host in network.hosts.values()}
        assert len(identities) == len(network.hosts)


def test_environments_are_from_scratch(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program on a host has none of the test's variables, only the caller's and a few defaults."""
    monkeypatch.setenv("LEAKED", "yes")
    environment = network["n1"].run(["env"], env={"GIVEN": "yes"}, cwd=LOCAL).stdout.split()
    assert "GIVEN=yes" in environment and "HOME=/root" in environment
    assert not any(line.startswith("LEAKED") for line in environment)


def test_head_reaches_all_hosts_by_ssh(network: Network) -> None:
    """OpenSSH on the head host needs neither options nor answers."""
    for name, host in network.hosts.items():
        assert network.head.run(["ssh", name, "hostname"]).stdout == f"{name}\n"
        assert network.head.run(["ssh", host.address, "hostname"]).stdout == f"{name}\n"
    by_settings = ["ssh", "-F", str(network.ssh_config), "n2", "hostname"]
    assert network["n1"].run(by_settings).stdout == "n2\n"


def test_a_cut_cable_ends_connections(network: Network) -> None:
    """Without its cable a host is reached by nobody, and with it again by all."""
    alive = ["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2"]
    session = network.head.start(["ssh", *alive, "n1", "sleep", "1003"])
    wait_for(lambda: network["n1"].pids("^sleep 1003$"), "the session")
    network["n1"].cut()
    assert not reaches(network.head, network["n1"])
    assert not reaches(network["n1"], network["n2"])
    assert reaches(network.head, network["n2"])
    assert session.wait() == 255
    network["n1"].mend()
    wait_for(lambda: reaches(network.head, network["n1"]), "the cable")
    assert reaches(network["n1"], network["n2"])


def test_a_power_cut_is_not_announced(network: Network, local: Path) -> None:
    """A host that is switched off sends nothing; booted again, it has its disk and none of its programs."""
    node = network["n1"]
    node.run(["tee", local / "kept"], text="kept")
    boot = node.run(["cat", "/proc/sys/kernel/random/boot_id"]).stdout
    session = network.head.start(["ssh", "n1", "sleep", "1004"])
    wait_for(lambda: node.pids("^sleep 1004$"), "the session")
    node.stop()
    time.sleep(1)
    assert session.poll() is None
    assert not reaches(network.head, node)
    node.boot()
    assert reaches(network.head, node)
    assert node.run(["cat", local / "kept"]).stdout == "kept"
    assert node.run(["cat", "/proc/sys/kernel/random/boot_id"]).stdout != boot
    assert node.pids("sleep 1004") == []


def test_processor_share_holds_for_all_processes_together(network: Network) -> None:
    """Two programs that spin on a host with a fifth of a processor get that much together."""
    node = network["n1"]
    node.limit_cpu(0.2)
    spinning = [node.start([sys.executable, "-c", SPIN, "4"]) for _ in range(2)]
    used = sum(float(process.communicate()[0]) for process in spinning)
    assert 0.1 < used < 1.3
    node.limit_cpu(None)
    assert (node.group.cpu / "cpu.cfs_quota_us").read_text() == "-1\n"


def test_memory_limit_kills(network: Network) -> None:
    """A program that wants more memory than its host has is killed; without the limit it runs."""
    node = network["n1"]
    node.limit_memory(100 << 20)
    assert node.run([sys.executable, "-c", HOARD, str(300 << 20)], check=False).returncode == -signal.SIGKILL
    node.limit_memory(None)
    node.run([sys.executable, "-c", HOARD, str(300 << 20)])


def test_paused_programs_go_on(network: Network) -> None:
    """A paused program does nothing until it is resumed or killed, and its end is then seen."""
    program = network["n1"].start(["sleep", "0.5"])
    wait_for(lambda: network["n1"].pause("^sleep 0.5"), "the program")
    with pytest.raises(subprocess.TimeoutExpired):
        program.wait(timeout=2)
    network["n1"].resume("^sleep 0.5")
    assert program.wait() == 0
    for kill in (
        lambda one: network["n1"].kill("^sleep 1009"),
        Process.kill,
        lambda one: network["n1"].stop(),
    ):
        program = network["n1"].start(["sleep", "1009"])
        wait_for(lambda: network["n1"].pause("^sleep 1009"), "the program")
        kill(program)
        assert program.wait() == -signal.SIGKILL


def test_programs_are_ended_as_by_a_terminal(network: Network) -> None:
    """Signals reach a program and its children, and a program that takes too long is killed."""
    program = network["n1"].start(["sleep", "1005"])
    program.interrupt()
    assert program.wait() == -signal.SIGINT
    with pytest.raises(subprocess.TimeoutExpired):
        network["n1"].run(["sh", "-c", "sleep 1006; true"], timeout=0.5)
    wait_for(lambda: network["n1"].pids("sleep 1006") == [], "the end")


def test_hidden_folders_look_empty_on_one_host(network: Network, tmp_path: Path) -> None:
    """A folder of the machine can be hidden from one host, and is seen by the others."""
    (tmp_path / "file").touch()
    network["n1"].hide(tmp_path)
    assert network["n1"].run(["ls", tmp_path]).stdout == ""
    assert network["n2"].run(["ls", tmp_path]).stdout == "file\n"


def test_repair_undoes_everything(network: Network) -> None:
    """After a repair all hosts run, are connected and unlimited, and run nobody's programs."""
    network["n1"].stop()
    network["n2"].cut()
    network["n2"].limit_cpu(0.05)
    network["n3"].start(["sleep", "1007"])
    wait_for(lambda: network["n3"].pause("sleep 1007"), "the program")
    network.repair()
    wait_for(lambda: network["n3"].pids("sleep 1007") == [], "the end")
    assert reaches(network["n1"], network["n2"]) and reaches(network["n2"], network["n3"])
    assert (network["n2"].group.cpu / "cpu.cfs_quota_us").read_text() == "-1\n"


def test_networks_are_apart(network: Network, tmp_path: Path) -> None:
    """Two networks at a time share neither names nor addresses, and nothing is left of one that ended."""
    with Network(("head", "n1"), tmp_path) as other:
        assert other.subnet != network.subnet
        assert not reaches(other["n1"], network["n1"]) and not reaches(network["n1"], other["n1"])
        assert reaches(other.head, other["n1"])
    assert left_of(other.uplink) == []
    assert reaches(network.head, network["n1"])


def test_nothing_is_left_of_a_killed_test(tmp_path: Path) -> None:
    """When the process that made a network is killed, its hosts, groups and devices go away."""
    folder = Path(__file__).parent
    argv = [sys.executable, "-c", MAKE_AND_WAIT, str(folder), str(tmp_path / "hosts")]
    maker = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert maker.stdout is not None
    uplink, *pids = maker.stdout.readline().split()
    assert left_of(uplink) and all(Path(f"/proc/{pid}").exists() for pid in pids)
    os.kill(maker.pid, signal.SIGKILL)
    maker.communicate()
    wait_for(lambda: not left_of(uplink), "the groups and the device")
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "the hosts")
