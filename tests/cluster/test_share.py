"""The shared file system of the tests behaves, and misbehaves, as real ones do."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hosts import Host, Network
from moosefs import MooseFS
from tools import wait_for


def write(host: Host, path: Path, text: str = "text") -> None:
    """Write a file as a host does."""
    host.view(path).write_text(text)


def refusal(host: Host, path: Path) -> int:
    """The error number with which a host cannot write a file."""
    with pytest.raises(OSError) as caught:
        write(host, path, "x" * 100_000)
    assert caught.value.errno is not None
    return caught.value.errno


def test_what_one_host_writes_another_reads(network: Network, shared: Path) -> None:
    """A file written on one host is on the others at once."""
    network["n1"].run(["tee", shared / "letter"], text="hello")
    for name in ("head", "n2", "n3"):
        assert network[name].run(["cat", shared / "letter"]).stdout == "hello"


def test_a_name_looked_up_too_early_stays_missing(
    network: Network, shared: Path, stale: Callable[..., Path]
) -> None:
    """A host that looked for a file goes on to miss it for seconds, until it lists the folder."""
    folder = stale(30.0)
    early, late = network["n1"].view(folder), network["n2"].view(folder)
    assert not (early / "file").exists()
    write(network["n3"], shared / "file")
    assert (late / "file").exists()
    assert (network["n1"].view(shared) / "file").exists()
    assert not (early / "file").exists()
    assert "file" in [path.name for path in early.iterdir()]
    assert (early / "file").read_text() == "text"


def test_a_missing_name_appears_by_itself(network: Network, shared: Path, stale: Callable[..., Path]) -> None:
    """What was looked up in vain is there after the time of negative look-ups, not before."""
    early = network["n1"].view(stale(0.0, negative_seconds=3.0)) / "file"
    assert not early.exists()
    looked_up = time.monotonic()
    write(network["n2"], shared / "file")
    wait_for(early.exists, "the file")
    assert 2.5 < time.monotonic() - looked_up < 30


def test_a_removed_file_stays(network: Network, shared: Path, stale: Callable[..., Path]) -> None:
    """A host that has looked at a file still sees it when another has removed it."""
    folder = stale(30.0)
    write(network["n2"], shared / "file")
    assert (network["n1"].view(folder) / "file").stat().st_size == 4
    network["n2"].view(shared / "file").unlink()
    assert (network["n1"].view(folder) / "file").stat().st_size == 4
    assert not (network["n3"].view(folder) / "file").exists()


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_share_refuses_content(network: Network, share: MooseFS, shared: Path, error: int) -> None:
    """No host can write into a full share, and all can as soon as there is space again."""
    with share.full(error):
        for host in network.hosts.values():
            assert refusal(host, shared / host.name) == error
    for host in network.hosts.values():
        write(host, shared / host.name)


def test_a_read_only_share_refuses_files(network: Network, share: MooseFS, shared: Path) -> None:
    """No host can write on a read-only share, and all can read there."""
    write(network["n1"], shared / "file")
    with share.read_only():
        for host in network.hosts.values():
            assert refusal(host, shared / host.name) == errno.EROFS
            assert host.view(shared / "file").read_text() == "text"
    for host in network.hosts.values():
        write(host, shared / host.name)


def test_who_uses_a_paused_share_waits(network: Network, share: MooseFS, shared: Path) -> None:
    """While the servers are gone programs hang, and go on when they are back."""
    with share.paused():
        writer = network["n1"].start(["touch", shared / "file"])
        time.sleep(1)
        assert writer.poll() is None
    assert writer.wait() == 0
    assert network["n2"].view(shared / "file").exists()


def test_servers_come_back_after_a_crash(network: Network, share: MooseFS, shared: Path) -> None:
    """What was written is there when killed servers have been started again."""
    write(network["n1"], shared / "file")
    assert network["n2"].run(["cat", shared / "file"]).stdout == "text"
    share.crash_servers()
    share.start_servers()
    assert network["n3"].run(["cat", shared / "file"]).stdout == "text"


def test_a_host_that_boots_again_can_mount_the_share(network: Network, share: MooseFS, shared: Path) -> None:
    """A repair mounts the share where a host has lost it, and starts its servers where their host was off."""
    write(network["n1"], shared / "file")
    for host in (network["n2"], network.head):
        host.stop()
    network.repair()
    share.repair()
    for host in network.hosts.values():
        assert host.run(["cat", shared / "file"]).stdout == "text"
