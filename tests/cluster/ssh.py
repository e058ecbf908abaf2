"""Keys and settings with which the first host reaches all others by SSH, without a question asked."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from tools import call, tool


class Client:
    """One user's key, the hosts' keys, and an `ssh_config` that names them, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = folder / "id_ed25519"
        self.config = folder / "config"
        self.known_hosts = folder / "known_hosts"

    def make_key(self) -> None:
        """Make the user's key."""
        self.folder.mkdir(parents=True)
        make_key(self.key, "client")

    def write(self, addresses: Mapping[str, str], public_keys: Mapping[str, Path]) -> None:
        """Write down where the hosts are and how they are known."""
        known = [f"{name},{address} {public_keys[name].read_text()}" for name, address in addresses.items()]
        self.known_hosts.write_text("".join(known))
        named = [f"Host {name} {address}\n  HostName {address}\n" for name, address in addresses.items()]
        always = (
            f"Host *\n  User root\n  IdentityFile {self.key}\n  UserKnownHostsFile {self.known_hosts}\n"
            "  BatchMode yes\n  StrictHostKeyChecking yes\n  ConnectTimeout 30\n"
        )
        self.config.write_text("".join(named) + always)

    def install(self, home: Path) -> None:
        """Let this user be found in a home folder."""
        shutil.copytree(self.folder, home / ".ssh")


def make_key(path: Path, comment: str) -> None:
    """Make a key without a passphrase."""
    call([tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])


def write_server(folder: Path, name: str, address: str, client: Client, temporary: str) -> Path:
    """Make a host's key and the configuration of its sshd, which lets the client in as root."""
    key = folder / "hostkey"
    make_key(key, name)
    config = folder / "sshd_config"
    config.write_text(
        f"ListenAddress {address}\nHostKey {key}\nAuthorizedKeysFile {client.key}.pub\nStrictModes no\n"
        "PermitRootLogin prohibit-password\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "UsePAM no\nUseDNS no\nPrintMotd no\nPidFile none\nMaxStartups 200\nMaxSessions 200\n"
        f"Subsystem sftp internal-sftp\nSetEnv TMPDIR={temporary}\n"
    )
    return config
