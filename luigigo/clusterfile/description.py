"""What a cluster is, as frozen records. Reads nothing but whether bootstrap's interpreter is there."""

from __future__ import annotations

import ipaddress
import os
import re
import sys

import msgspec

from luigigo.errors import UsageError

ENVIRONMENT = "env"
"""The name of bootstrap's virtual environment on the share."""
DEFAULT_PORT = 8082
DEFAULT_CACHE_BYTES = 20 << 30
DEFAULT_IDLE_EXIT_SECONDS = 8 * 3600.0

_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,252}")


def is_host(text: str) -> bool:
    """Whether the text can be a host's name or address; such a text is safe as a file's name."""
    if ":" in text:
        try:
            return ipaddress.ip_address(text).version == 6 and "%" not in text
        except ValueError:
            return False
    return _HOST.fullmatch(text) is not None


class SchedulerPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where luigid runs and how it is reached."""

    host: str
    port: int = DEFAULT_PORT
    bind: str = ""
    """The address to listen on; "" means the one that `host` resolves to."""
    tls_certificate: str = ""
    tls_key: str = ""
    tls_ca: str = ""
    """The certificates that a client trusts; "" trusts `tls_certificate` itself."""

    @property
    def trusted(self) -> str:
        """The file of certificates that clients check luigid's by; "" when there is no TLS."""
        return self.tls_ca or self.tls_certificate


class NodeEntry(msgspec.Struct, frozen=True):
    """One machine that builds."""

    host: str
    slots: int = 0
    """How many actions at once; 0: as many as usable processors."""
    memory_bytes: int = 0
    """What its actions may use together; 0 asks the machine and its control groups."""
    user: str = ""
    """Who logs in; "" leaves it to the user's SSH configuration."""
    key: str = ""
    """The file of the private key; "" leaves it to the SSH configuration and agent."""
    port: int = 0
    """SSH's port; 0 leaves it to the SSH configuration."""

    @property
    def name(self) -> str:
        """What the node is called in tables, records and commands."""
        return self.host


class ClusterDescription(msgspec.Struct, frozen=True):
    """One cluster, as its file describes it."""

    shared: str
    scheduler: SchedulerPlace
    nodes: tuple[NodeEntry, ...]
    """Where `up` starts workers; none where something else does, such as Slurm."""
    cache: str = ""
    """A folder on every node's own disk; "" is /tmp."""
    cache_bytes: int = DEFAULT_CACHE_BYTES
    token_file: str = ""
    idle_exit_seconds: float = DEFAULT_IDLE_EXIT_SECONDS
    """How long a daemon stays without work; 0 is for ever."""
    python: str = ""
    go: str = ""
    file: str = ""
    """The absolute path that it was read from."""

    @property
    def token_path(self) -> str:
        """The file of the token that lets clients and workers in."""
        return self.token_file or os.path.join(self.state_dir, "token")

    @property
    def state_dir(self) -> str:
        """The private folder of state files and logs, on the share; of mode 700."""
        return os.path.join(self.shared, "cluster")

    @property
    def interpreter(self) -> str:
        """The Python that nodes run luigigo with: configured, else bootstrap's, else this one."""
        # Resolved, so that a daemon keeps the environment that it was started from when there is a newer one.
        folder = os.path.realpath(os.path.join(self.shared, ENVIRONMENT))
        bootstrapped = os.path.join(folder, "bin", "python")
        return self.python or (bootstrapped if os.path.lexists(bootstrapped) else sys.executable)

    def cache_of(self, node: str) -> str:
        """The folder of a node's caches on its own disk; make it with `private_folder`."""
        if not is_host(node):
            raise UsageError(f"{node!r} cannot name a node: letters, digits, '.', '_' and '-' only")
        base = self.cache or "/tmp"
        # One level, and not a folder for the user with one for each node in it: whoever owns the upper one
        # could exchange the lower.
        return os.path.join(base, f"luigigo-{os.geteuid()}-{node}")

    def node(self, name: str) -> NodeEntry:
        """The node of that name. Raises `UsageError`."""
        for entry in self.nodes:
            if entry.name == name:
                return entry
        known = ", ".join(entry.name for entry in self.nodes) or "none"
        raise UsageError(f"{self.file or 'the cluster'} has no node {name!r}; it has {known}")
