"""A cluster that is commanded as a user does it: `luigigo cluster …` and `luigigo doctor` on the head."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from hosts import Host, Network, Result

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
