"""Several hosts on one machine, each with a name, an address, processes, a home and a local disk of its own.

A host is a set of Linux namespaces with a real sshd in it, on a bridge that is in a namespace as well.
On every host `/mnt/local` and root's home are folders of that host, `/run`, `/dev/shm` and the rest of `/mnt`
are empty, and all else is the machine's. Everything ends with the test process, even where that is killed.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pwd
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from processes import Group, Process, children_of, is_stopped, matching, namespace_of, parent_pid, send
from ssh import Client, write_server
from tools import LONGEST_WAIT_SECONDS, PATH, call, free_subnet, not_installed, tool, wait_for, wait_for_port

HERE = Path(__file__).parent
HOME = Path(pwd.getpwuid(0).pw_dir)
LOCAL = Path("/mnt/local")
"""A host's own disk, on that host."""
EMPTY = (Path("/mnt"), Path("/run"), Path("/dev/shm"))
SYSTEM = r"^(\S*sshd -D |sshd: .*\[listener\]|mfs)"
"""Command lines of what `Host.repair` leaves alone."""
TOOLS = ("ip", "nsenter", "unshare", "setsid", "env", "ssh", "ssh-keygen", "sshd")

Result = subprocess.CompletedProcess[str]
numbers = itertools.count()


def missing() -> str:
    """Why there can be no hosts on this machine; empty where there can."""
    if os.geteuid() != 0:
        return "only root can make hosts"
    if absent := not_installed(TOOLS):
        return absent
    for folder in EMPTY:
        if not folder.is_dir():
            return f"there is no {folder}"
    if not Path("/sys/fs/cgroup/cpu/cgroup.procs").exists():
        return "the cpu controller of cgroup v1 is not mounted"
    return ""


class Host:
    """One host of a network; it runs from `boot` to `stop`."""

    def __init__(self, network: Network, name: str, address: str) -> None:
        self.network = network
        self.name = name
        self.address = address
        self.port = f"port-{name}"
        self.mac = "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))
        self.folder = network.folder / name
        """Where the host's files are on the machine: `home`, `local`, `sshd.log` and its configuration."""
        self.home = network.folder / "home" if network.home == "shared" else self.folder / "home"
        self.group = Group(f"{network.uplink}-{name}")
        self.init = 0
        """The machine's number of the host's first process; 0 while the host is off."""
        self._unshare: subprocess.Popen[str] | None = None

    # Power

    def prepare(self) -> None:
        """Make the host's files and control groups."""
        for folder in (self.folder, self.home, self.folder / "local" / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
        write_server(self.folder, self.name, self.address, self.network.client, f"{LOCAL}/tmp")
        (self.folder / "machine-id").write_text(uuid.uuid4().hex + "\n")
        self.network.undo(self.group)

    def _plan(self) -> str:
        (self.folder / "boot_id").write_text(f"{uuid.uuid4()}\n")
        mounts = [("tmpfs", str(folder)) for folder in EMPTY]
        mounts += [(str(self.home), str(HOME)), (str(self.folder / "local"), str(LOCAL))]
        mounts += [(str(self.network.folder / "hosts"), "/etc/hosts")]
        mounts += [(str(self.folder / "boot_id"), "/proc/sys/kernel/random/boot_id")]
        if Path("/etc/machine-id").exists():
            mounts += [(str(self.folder / "machine-id"), "/etc/machine-id")]
        kept = [str(path) for path in self.network.kept()]
        return json.dumps({"name": self.name, "kept": kept, "mounts": mounts, "folders": ["/run/sshd"]})

    def boot(self) -> None:
        """Switch the host on, up to a listening sshd."""
        self._begin_boot()
        self._finish_boot()

    def _begin_boot(self) -> None:
        namespaces = ("--mount", "--uts", "--ipc", "--pid", "--net")
        first = [sys.executable, "-I", "-S", str(HERE / "firstprocess.py"), self._plan()]
        with open(self.folder / "boot.log", "ab") as log:
            self._unshare = subprocess.Popen(
                [tool("unshare"), *namespaces, "--mount-proc", "--kill-child", *first],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
                preexec_fn=self.group.enter,
                cwd="/",
            )

    def _finish_boot(self) -> None:
        assert self._unshare is not None and self._unshare.stdout is not None
        ready = self._unshare.stdout.readline()
        assert ready == "ready\n", f"{self.name}: {(self.folder / 'boot.log').read_text()}"
        self.init = children_of(self._unshare.pid)[0]
        self.network.plug(self)
        loopback = f"link set lo up\naddr add {self.address}/24 dev eth0\nlink set eth0 up\n"
        call([tool("nsenter"), "--target", str(self.init), "--net", tool("ip"), "-batch", "-"], loopback)
        sshd = [tool("sshd"), "-D", "-e", "-f", str(self.folder / "sshd_config")]
        self.start(sshd, log=self.folder / "sshd.log")
        wait_for_port(self.address, 22)

    def stop(self) -> None:
        """Switch the host off: no process gets a chance, and nobody on the network is told."""
        assert self._unshare is not None and self._unshare.stdout is not None
        self.cut()
        os.kill(self.init, signal.SIGKILL)
        send(self.group.processes(), signal.SIGCONT)
        self._unshare.wait(LONGEST_WAIT_SECONDS)
        self._unshare.stdout.close()
        self.network.unplug(self)
        self.init = 0

    def mounted(self, path: str | Path) -> bool:
        """Whether something is mounted there."""
        mounts = Path(f"/proc/{self.init}/mounts").read_text().splitlines()
        return str(path) in (line.split()[1] for line in mounts)

    @property
    def runs(self) -> bool:
        """Whether the host is on."""
        return self.init != 0

    # Programs

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """What a program on the host has as its environment: a few settings, and the caller's."""
        own = {"HOME": str(HOME), "PATH": PATH, "TMPDIR": f"{LOCAL}/tmp", "LANG": "C.UTF-8"}
        return own | {"USER": "root", "LOGNAME": "root", "SHELL": "/bin/bash"} | dict(more or {})

    def start(
        self,
        argv: Sequence[str | Path],
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
        cwd: str | Path = LOCAL,
        stdin: int = subprocess.DEVNULL,
    ) -> Process:
        """Start a program on the host, in a session of its own; it writes to the log or into pipes."""
        assert self.runs, f"{self.name} is off"
        namespaces = ("--mount", "--uts", "--ipc", "--net", "--pid")
        entrance = [tool("nsenter"), "--target", str(self.init), *namespaces, tool("setsid")]
        with contextlib.ExitStack() as stack:
            out = subprocess.PIPE if log is None else stack.enter_context(open(log, "ab")).fileno()
            popen = subprocess.Popen(
                [*entrance, tool("env"), "-C", str(cwd), *map(str, argv)],
                env=self.environment(env),
                stdin=stdin,
                stdout=out,
                stderr=out,
                text=True,
                start_new_session=True,
                preexec_fn=self.group.enter,
                cwd="/",
            )
        self.network.remember(popen)
        return Process(popen)

    def run(
        self,
        argv: Sequence[str | Path],
        env: Mapping[str, str] | None = None,
        cwd: str | Path = LOCAL,
        timeout: float = LONGEST_WAIT_SECONDS,
        check: bool = True,
        text: str | None = None,
    ) -> Result:
        """Run a program on the host to its end, which with `check` must be a success."""
        stdin = subprocess.DEVNULL if text is None else subprocess.PIPE
        process = self.start(argv, env, cwd=cwd, stdin=stdin)
        out, err = process.communicate(text, timeout)
        done = Result([str(word) for word in argv], process.popen.returncode, out, err)
        assert not check or done.returncode == 0, f"{self.name}: {done}"
        return done

    def view(self, path: str | Path) -> Path:
        """The machine's way to a file as this host sees it, through the host's own mounts."""
        return Path(f"/proc/{self.init}/root") / str(path).lstrip("/")

    def hide(self, path: str | Path) -> None:
        """Lay an empty folder of the host's over a folder of the machine's, or an empty file over a file."""
        cover = self.folder / "hidden" / uuid.uuid4().hex
        if Path(path).is_dir():
            cover.mkdir(parents=True)
        else:
            cover.parent.mkdir(exist_ok=True)
            cover.touch(mode=0o600)
        self.run([tool("mount"), "--bind", cover, path], cwd="/")

    # Disturbances

    def pids(self, pattern: str = "") -> list[int]:
        """The machine's numbers of the host's processes whose command line has a match of the pattern.

        A program that was just started may not be there yet.
        """
        namespace = namespace_of(self.init)
        inside = (
            pid for pid in self.group.processes() if namespace_of(pid) == namespace and pid != self.init
        )
        return matching(inside, pattern)

    def kill(self, pattern: str, number: int = signal.SIGKILL) -> list[int]:
        """Send a signal to the processes whose command line has a match, and say to which."""
        found = self.pids(pattern)
        if number == signal.SIGSTOP:
            # A child that has not begun its own program yet has its parent's command line, and the parent
            # waits for it to begin: if both were stopped, the parent would never be.
            found = [pid for pid in found if parent_pid(pid) not in found]
        waiting = self.group.waiting_for(found)
        send(found, number)
        if number in (signal.SIGKILL, signal.SIGCONT):
            send(waiting, signal.SIGCONT)
        return found

    def pause(self, pattern: str) -> list[int]:
        """Stop the matching processes where they are."""
        found = self.kill(pattern, signal.SIGSTOP)
        for pid in self.group.waiting_for(found):
            wait_for(partial(is_stopped, pid), "the pause")
        return found

    def resume(self, pattern: str) -> list[int]:
        """Let paused processes go on."""
        return self.kill(pattern, signal.SIGCONT)

    def repair(self) -> None:
        """Undo all disturbances, kill what is not of the system, and switch the host on."""
        if not self.runs:
            self.boot()
        send(self.group.processes(), signal.SIGCONT)
        self.limit_cpu(None)
        self.limit_memory(None)
        self.mend()
        of_system = set(self.pids(SYSTEM))
        send((pid for pid in self.pids() if pid not in of_system), signal.SIGKILL)

    def cut(self) -> None:
        """Pull the host's network cable."""
        self.network.switch(f"link set {self.port} down\n")

    def mend(self) -> None:
        """Plug the cable in again."""
        self.network.switch(f"link set {self.port} up\n")

    def limit_cpu(self, share: float | None) -> None:
        """Let all of the host's processes together have this many processors; `None` ends that."""
        self.group.limit_cpu(share)

    def limit_memory(self, size: int | None) -> None:
        """Let all of the host's processes together have this many bytes; `None` ends that."""
        self.group.limit_memory(size)


class Network:
    """Hosts on a bridge, as long as the `with` block lasts; the machine has an address on it, too."""

    def __init__(
        self,
        names: Sequence[str] = ("head", "n1", "n2", "n3"),
        folder: Path | None = None,
        home: str = "own",
        visible: Iterable[Path] = (),
    ) -> None:
        """`home` is `own` or `shared`; `visible` are folders to be kept where they would be hidden."""
        assert folder is not None and home in ("own", "shared")
        self.folder = folder
        self.home = home
        self.uplink = f"lg{os.getpid()}x{next(numbers)}"
        """The machine's interface; also how names of control groups begin."""
        self.client = Client(folder / "client")
        """How the head host reaches all hosts by SSH; it is in the head's `~/.ssh`, too."""
        self.ssh_config, self.known_hosts = self.client.config, self.client.known_hosts
        self.subnet = free_subnet(os.getpid() * 13 + next(numbers) * 4099)
        self.address = f"{self.subnet}.254"
        self.hosts = {name: Host(self, name, f"{self.subnet}.{i}") for i, name in enumerate(names, 1)}
        self.head = self.hosts[names[0]]
        self._visible = [Path(sys.prefix), Path(sys.base_prefix), HERE.parent.parent, folder, *visible]
        self._guard: subprocess.Popen[str] | None = None
        self._started: list[subprocess.Popen[str]] = []

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def __enter__(self) -> Network:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[Any] | None, error: Any, traceback: TracebackType | None) -> None:
        self.close()

    def _start(self) -> None:
        program = [sys.executable, "-I", "-S", str(HERE / "guard.py")]
        self._guard = subprocess.Popen(
            [tool("unshare"), "--net", *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            cwd="/",
        )
        assert self._guard.stdout is not None and self._guard.stdout.readline() == "ready\n"
        self.switch(
            "link add bridge type bridge forward_delay 0\nlink set bridge up\n"
            f"link add machine type veth peer name {self.uplink} netns {os.getpid()}\n"
            "link set machine master bridge\nlink set machine up\n"
        )
        machine = f"addr add {self.address}/24 dev {self.uplink}\nlink set {self.uplink} up\n"
        call([tool("ip"), "-batch", "-"], machine)
        self._write_files()
        for host in self.hosts.values():
            host._begin_boot()
        for host in self.hosts.values():
            host._finish_boot()

    def _write_files(self) -> None:
        self.client.make_key()
        for host in self.hosts.values():
            host.prepare()
        addresses = {host.name: host.address for host in self.hosts.values()}
        self.client.write(addresses, {name: self[name].folder / "hostkey.pub" for name in addresses})
        self.client.install(self.head.home)
        everybody = {"localhost": "127.0.0.1", "machine": self.address} | addresses
        lines = [f"{address} {name}\n" for name, address in everybody.items()]
        (self.folder / "hosts").write_text("".join(lines))

    def kept(self) -> list[Path]:
        """The folders that hosts see although what is around them is hidden."""
        hidden = (HOME, *EMPTY)
        return [
            path for path in self._visible if path.is_dir() and any(path.is_relative_to(h) for h in hidden)
        ]

    def undo(self, group: Group) -> None:
        """Make a host's control groups, which the guard will remove with all processes in them."""
        assert self._guard is not None and self._guard.stdin is not None
        self._guard.stdin.writelines(f"{folder}\n" for folder in group.folders)
        self._guard.stdin.flush()
        group.make()

    def switch(self, batch: str) -> None:
        """Run commands of `ip` where the bridge is."""
        assert self._guard is not None
        call([tool("nsenter"), "--target", str(self._guard.pid), "--net", tool("ip"), "-batch", "-"], batch)

    def plug(self, host: Host) -> None:
        """Connect a host that has just been switched on."""
        self.switch(
            f"link add {host.port} type veth peer name eth0 address {host.mac} netns {host.init}\n"
            f"link set {host.port} master bridge\nlink set {host.port} up\n"
        )

    def unplug(self, host: Host) -> None:
        """Take away the cable of a host that was switched off; the kernel may have done so already."""
        with contextlib.suppress(AssertionError):
            self.switch(f"link del {host.port}\n")

    def remember(self, popen: subprocess.Popen[str]) -> None:
        """Take note of a child of this process, to wait for it at the end."""
        self._started = [*(one for one in self._started if one.poll() is None), popen]

    def repair(self) -> None:
        """Have all hosts running and undisturbed, without anybody's programs."""
        for host in self.hosts.values():
            host.repair()

    def close(self) -> None:
        """Take everything away; it may be called again."""
        if self._guard is None:
            return
        with contextlib.suppress(AssertionError):
            self.switch("link del machine\n")
        self._guard.communicate(timeout=LONGEST_WAIT_SECONDS)
        assert self._guard.returncode == 0, "not all of the network could be taken away"
        for popen in [*self._started, *(host._unshare for host in self.hosts.values() if host._unshare)]:
            popen.wait(LONGEST_WAIT_SECONDS)
            for pipe in (popen.stdin, popen.stdout, popen.stderr):
                if pipe is not None:
                    pipe.close()
        self._guard = None
