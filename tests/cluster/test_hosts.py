"""What tests with several hosts rest on: the hosts and their share behave, and misbehave, as real ones do."""

from __future__ import annotations

from pathlib import Path

from hosts import Network
from tools import wait_for


def test_each_host_has_a_name_and_processes_of_its_own(network: Network) -> None:
    """Hosts see their own name, and no process of another host."""
    for name, host in network.hosts.items():
        assert host.run(["hostname"]).stdout == f"{name}\n"
    sleeper = network["n1"].start(["sleep", "1001"])
    wait_for(lambda: network["n1"].pids("^sleep 1001$") == [sleeper.pid], "the program")
    assert network["n2"].pids("^sleep 1001$") == []
    assert "sleep 1001" not in network["n2"].run(["ps", "ax", "-o", "args"]).stdout


def test_what_one_host_writes_another_reads(network: Network, shared: Path) -> None:
    """A file written on one host is on the other at once."""
    network["n1"].run(["tee", shared / "letter"], text="hello")
    assert network["n2"].run(["cat", shared / "letter"]).stdout == "hello"
