"""A real Slurm on the hosts: its controller on one, its nodes on others, MUNGE on all.

`srun` and the like need no settings on these hosts: the configuration lies over `/etc/slurm` there, and
MUNGE's socket is at its usual place in each host's own `/run`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hosts import LOCAL, Host, Network, Result
from processes import Process
from tools import LONGEST_WAIT_SECONDS, not_installed, wait_for

TOOLS = ("munged", "slurmctld", "slurmd", "srun", "sbatch", "scancel", "squeue", "sinfo", "scontrol")
SETTINGS = Path("/etc/slurm")
OWN = LOCAL / "slurm"
"""The daemons' folder on each host's own disk."""
MUNGE = Path("/run/munge")


def missing() -> str:
    """Why there can be no Slurm on this machine; empty where there can."""
    if absent := not_installed(TOOLS):
        return absent
    return "" if SETTINGS.is_dir() else f"there is no {SETTINGS}"


class Slurm:
    """A Slurm with one partition, from `start` to `stop`."""

    def __init__(
        self, network: Network, controller: Host | None = None, nodes: Sequence[Host] = (), cpus: int = 2
    ) -> None:
        """By default the network's first host controls all others."""
        self.network = network
        self.controller = controller or network.head
        self.nodes = list(nodes) or [one for one in network.hosts.values() if one is not self.controller]
        self.cpus = cpus
        self.folder = self.controller.folder / "slurm"
        """Settings, key and logs, on the machine."""
        self._daemons: list[Process] = []

    @property
    def hosts(self) -> list[Host]:
        """All hosts of this Slurm, the controller first."""
        return [self.controller, *(node for node in self.nodes if node is not self.controller)]

    def start(self) -> None:
        """Start all daemons and return when every node takes jobs."""
        self._write_files()
        for host in self.hosts:
            self._prepare(host)
        self._daemon(self.controller, ["slurmctld", "-D", "-c"])
        for node in self.nodes:
            self._daemon(node, ["slurmd", "-D"])
        wait_for(self._all_idle, "idle nodes")

    def _write_files(self) -> None:
        (self.folder / "settings").mkdir(parents=True, exist_ok=True)
        names = ",".join(node.name for node in self.nodes)
        (self.folder / "settings" / "slurm.conf").write_text(
            f"ClusterName=tests\nSlurmctldHost={self.controller.name}\nSlurmUser=root\nSlurmdUser=root\n"
            "AuthType=auth/munge\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\n"
            "JobAcctGatherType=jobacct_gather/none\nMpiDefault=none\nSelectType=select/cons_tres\n"
            "SelectTypeParameters=CR_CPU\nSlurmdParameters=config_overrides\nReturnToService=2\n"
            f"StateSaveLocation={OWN}/state\nSlurmdSpoolDir={OWN}/%n\n"
            f"SlurmctldPidFile={OWN}/slurmctld.pid\nSlurmdPidFile={OWN}/%n.pid\n"
            "SlurmdTimeout=10\nKillWait=2\nSchedulerParameters=batch_sched_delay=0,sched_min_interval=0\n"
            f"NodeName={names} CPUs={self.cpus} State=UNKNOWN\n"
            f"PartitionName=all Nodes={names} Default=YES MaxTime=INFINITE State=UP\n"
        )
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(64))
        key.chmod(0o600)

    def _prepare(self, host: Host) -> None:
        """Lay the settings over the machine's, and start MUNGE."""
        if not host.mounted(SETTINGS):
            host.run(["mount", "--bind", self.folder / "settings", SETTINGS])
        host.run(["mkdir", "-p", OWN / "state", MUNGE])
        places = [f"--key-file={self.folder}/munge.key", f"--seed-file={OWN}/munge.seed"]
        self._daemon(host, ["munged", "--foreground", "--force", *places])
        wait_for(host.view(MUNGE / "munge.socket.2").exists, "MUNGE's socket")

    def _daemon(self, host: Host, argv: Sequence[str | Path]) -> None:
        self._daemons.append(host.start(argv, log=self.folder / f"{host.name}-{argv[0]}.log"))

    def _all_idle(self) -> bool:
        for daemon in self._daemons:
            assert daemon.poll() is None, f"{daemon.popen.args!r} has ended; its log is in {self.folder}"
        states = self.controller.run(["sinfo", "--noheader", "--Node", "--format", "%T"], check=False)
        return states.stdout.split() == ["idle"] * len(self.nodes)

    def stop(self) -> None:
        """End all daemons and what they run, and take the settings away."""
        for host in self.hosts:
            if host.runs:
                host.kill(r"^(\S*/)?(slurm|munged)")
        for daemon in self._daemons:
            daemon.wait()
        self._daemons.clear()
        for host in self.hosts:
            if host.runs and host.mounted(SETTINGS):
                host.run(["umount", "--lazy", SETTINGS])
                host.run(["rm", "-rf", OWN, MUNGE])

    def srun(self, argv: Sequence[str | Path], *options: str, check: bool = True) -> Result:
        """Run a program by `srun` on the controller's host, to its end."""
        return self.controller.run(["srun", *options, *argv], check=check)

    def sbatch(self, *arguments: str | Path) -> int:
        """Submit a script by `sbatch` and return the job's number."""
        return int(self.controller.run(["sbatch", "--parsable", *arguments]).stdout.split(";")[0])

    def scancel(self, *arguments: str | int) -> None:
        """Cancel jobs."""
        self.controller.run(["scancel", *map(str, arguments)])

    def squeue(self) -> dict[int, str]:
        """The states of the jobs that wait or run."""
        lines = self.controller.run(["squeue", "--noheader", "--format", "%A %T"]).stdout.splitlines()
        return {int(line.split()[0]): line.split()[1] for line in lines}

    def state(self, job: int) -> str:
        """The state of a job, which may have ended a while ago."""
        shown = self.controller.run(["scontrol", "show", "job", str(job)]).stdout
        found = re.search(r"\bJobState=(\S+)", shown)
        assert found is not None, shown
        return found[1]

    def wait_for_state(self, job: int, state: str, seconds: float = LONGEST_WAIT_SECONDS) -> None:
        """Return as soon as a job is in a state."""
        wait_for(lambda: self.state(job) == state, f"job {job} to be {state}", seconds)


@contextmanager
def running(network: Network) -> Iterator[Slurm]:
    """A Slurm on all hosts within the block."""
    slurm = Slurm(network)
    try:
        slurm.start()
        yield slurm
    finally:
        slurm.stop()
