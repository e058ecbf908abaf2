"""A real shared file system for the hosts: MooseFS, its servers on one host, mounted through FUSE on any.

How long a host believes what it has looked up is an option of each mount, so that hosts can be made to see
the share as old as NFS clients do. All of its files are in the host's folder and on the host's own disk.
"""

from __future__ import annotations

import errno
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hosts import Host, Network
from processes import Process
from tools import not_installed, wait_for, wait_for_port

NEW_METADATA = Path("/var/lib/mfs/metadata.mfs.empty")
TOOLS = ("mfsmaster", "mfschunkserver", "mfsmount", "mfssetgoal", "mfsscadmin", "mfssetquota", "mfsdelquota")
CONTROL = Path("/mnt/.moosefs")
"""Where the servers' host mounts the whole share for the commands of this module."""
MASTER_PORT = 9421
CHUNKS_PORT = 9422
SERVERS = "^mfs(master|chunkserver) "
RECOVERY_SECONDS = 240.0
"""How long what uses the share may take when the servers were gone: a mount that lost the master while it
wrote finds its own lock there, which holds for two minutes."""


def missing() -> str:
    """Why there can be no MooseFS on this machine; empty where there can."""
    if absent := not_installed(TOOLS):
        return absent
    if not NEW_METADATA.exists():
        return f"there is no {NEW_METADATA}"
    return "" if Path("/dev/fuse").exists() else "there is no /dev/fuse"


class MooseFS:
    """A share whose servers run on a host of the network, by default on its first."""

    def __init__(self, network: Network, on: Host | None = None) -> None:
        self.network = network
        self.on = on or network.head
        self.folder = self.on.folder / "moosefs"
        """The servers' configuration, data and logs, on the machine."""
        self._servers: list[Process] = []
        self._mounts: dict[tuple[str, str], str] = {}
        self._disturbed = False

    def start(self) -> None:
        """Make an empty share and return when files can be written on it."""
        self._write_files()
        self.start_servers()
        self.mount(self.on, CONTROL)
        self.on.run(["mfssetgoal", "-r", "1", CONTROL])
        wait_for(self._has_space, "space on the share")

    def _write_files(self) -> None:
        common = "WORKING_USER=root\nWORKING_GROUP=root\nNICE_LEVEL=0\nDISABLE_OOM_KILLER=0\n"
        for name in ("master", "chunks", "disk"):
            (self.folder / name).mkdir(parents=True)
        shutil.copy(NEW_METADATA, self.folder / "master" / "metadata.mfs")
        self._write_exports("rw")
        (self.folder / "topology.cfg").write_text("")
        (self.folder / "disk.cfg").write_text(f"{self.folder}/disk -2GiB\n")
        (self.folder / "master.cfg").write_text(
            f"{common}DATA_PATH={self.folder}/master\nEXPORTS_FILENAME={self.folder}/exports.cfg\n"
            f"TOPOLOGY_FILENAME={self.folder}/topology.cfg\n"
        )
        (self.folder / "chunks.cfg").write_text(
            f"{common}DATA_PATH={self.folder}/chunks\nHDD_CONF_FILENAME={self.folder}/disk.cfg\n"
            f"MASTER_HOST={self.on.address}\nMASTER_RECONNECTION_DELAY=1\n"
        )

    def start_servers(self) -> None:
        """Start the servers on what is on their disk, which may be what a crash left."""
        programs = (("mfsmaster", "master", MASTER_PORT), ("mfschunkserver", "chunks", CHUNKS_PORT))
        for program, name, port in programs:
            recover = ["-a"] if program == "mfsmaster" else []
            argv: list[str | Path] = [program, "-f", *recover, "-c", self.folder / f"{name}.cfg", "start"]
            self._servers.append(self.on.start(argv, log=self.folder / f"{name}.log"))
            wait_for_port(self.on.address, port)

    def crash_servers(self) -> None:
        """Kill the servers without a chance to write anything down."""
        for server in self._servers:
            server.kill()
            server.wait()
        self._servers.clear()

    def _has_space(self) -> bool:
        probe = self.on.view(CONTROL / ".probe")
        try:
            probe.write_text("space")
            probe.unlink()
        except OSError as error:
            assert error.errno == errno.ENOSPC, error
            return False
        return True

    # Mounts

    def mount(
        self,
        host: Host,
        path: str | Path,
        attribute_seconds: float = 1.0,
        entry_seconds: float = 0.0,
        directory_entry_seconds: float = 1.0,
        negative_seconds: float = 0.0,
        options: str = "",
    ) -> None:
        """Mount the share on a host, which then believes what it has looked up for so long."""
        times = f"mfsattrcacheto={attribute_seconds},mfsentrycacheto={entry_seconds}"
        times += f",mfsdirentrycacheto={directory_entry_seconds},mfsnegentrycacheto={negative_seconds}"
        others = "mfsnice=0,mfsallowoomkiller,mfserroronnospace" + (f",{options}" if options else "")
        self._mounts[host.name, str(path)] = f"{times},{others}"
        self._mount(host.name, str(path))

    def _mount(self, name: str, path: str) -> None:
        host = self.network[name]
        host.run(["mkdir", "-p", path], cwd="/")
        host.run(["mfsmount", path, "-H", self.on.address, "-o", self._mounts[name, path]], cwd="/")

    def unmount(self, host: Host, path: str | Path, lazily: bool = False) -> None:
        """Take the share away from a host; `lazily` works even while it is used."""
        del self._mounts[host.name, str(path)]
        host.run(["umount", *(["--lazy"] if lazily else []), path], cwd="/")

    def repair(self) -> None:
        """Have the servers running and undisturbed and the share where it was mounted; hosts must run."""
        if any(server.poll() is not None for server in self._servers):
            self.crash_servers()
        if not self._servers:
            self.start_servers()
        self.resume()
        for name, path in self._mounts:
            if not self.network[name].mounted(path):
                self._mount(name, path)
        if self._disturbed:
            self.unfill()
            self.set_read_only(False)
            self._disturbed = False

    # Disturbances

    def pause(self) -> None:
        """Stop the servers where they are: whoever uses the share waits."""
        self.on.pause(SERVERS)

    def resume(self) -> None:
        """Let the servers go on."""
        self.on.resume(SERVERS)

    def pause_for(self, seconds: float) -> None:
        """Have the share gone for so long."""
        with self.paused():
            time.sleep(seconds)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The share is gone within the block."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def _write_exports(self, access: str) -> None:
        text = f"* / {access},alldirs,admin,maproot=0:0\n* . rw\n"
        (self.folder / "exports.cfg").write_text(text)

    def set_read_only(self, wanted: bool) -> None:
        """Let nobody write on the share, or everybody; mounts may wait three seconds to connect again."""
        self._disturbed = True
        self._write_exports("ro" if wanted else "rw")
        self.on.kill("^mfsmaster ", signal.SIGHUP)
        probe = self.on.view(CONTROL / ".probe")
        wait_for(lambda: can_make(probe) is not wanted, "the master to read its exports")

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Nobody can write on the share within the block (EROFS)."""
        self.set_read_only(True)
        try:
            yield
        finally:
            self.set_read_only(False)

    def fill(self, error: int = errno.ENOSPC) -> None:
        """Have no space for new files' content: with ENOSPC no free chunks, with EDQUOT no quota.

        As on other full shares, empty files and folders can still be made, and files can be renamed. ENOSPC
        may come only after some seconds, in which the mount tries again.
        """
        self._disturbed = True
        if error == errno.EDQUOT:
            self.on.run(["mfssetquota", "-L", "1", CONTROL])
        else:
            self._set_labels("X")

    def unfill(self) -> None:
        """Have space again."""
        self.on.run(["mfsdelquota", "-L", CONTROL])
        self._set_labels("*")

    def _set_labels(self, labels: str) -> None:
        """Let new chunks only go to servers with these labels; there is one server, without any."""
        self.on.run(["mfsscadmin", CONTROL, "modify", "-f", "-m", "s", "-C", labels, "-K", "*", "1"])

    @contextmanager
    def full(self, error: int = errno.ENOSPC) -> Iterator[None]:
        """The share is full within the block; see `fill`."""
        self.fill(error)
        try:
            yield
        finally:
            self.unfill()


def can_make(probe: Path) -> bool:
    """Whether a file can be made and removed."""
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        assert error.errno == errno.EROFS, error
        return False
    return True
