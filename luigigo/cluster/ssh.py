"""One SSH connection, as the user's own configuration, agent and known hosts say. Knows no agent of ours.

fabric reads `~/.ssh/config` and accepts any host key; which host keys are accepted is decided here, for every
hop.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import paramiko
from fabric import Config, Connection
from paramiko.ssh_exception import (
    AuthenticationException,
    BadHostKeyException,
    NoValidConnectionsError,
    PasswordRequiredException,
    SSHException,
)

from luigigo.cluster.messages import NodeError
from luigigo.clusterfile import NodeEntry

if TYPE_CHECKING:
    from paramiko import PKey, SSHClient

_USER_KNOWN_HOSTS = "~/.ssh/known_hosts ~/.ssh/known_hosts2"
_GLOBAL_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"
_writing = threading.Lock()
AGAIN_SECONDS = 1.0


class _LoginRefused(NodeError):
    """A login that failed, for good or by accident."""


class UnknownHost(SSHException):
    """A host whose key the user has not accepted."""


class _Refuse(paramiko.MissingHostKeyPolicy):
    def __init__(self, host: str) -> None:
        self._host = host

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:
        raise UnknownHost(
            f"its host key {key.get_name()} {key.fingerprint} is not known; check it, then accept it with "
            f"`ssh {self._host}`, or run again with --accept-new-host-keys"
        )


class _AcceptNew(paramiko.MissingHostKeyPolicy):
    """Adds the key of a host that was never seen; a changed key is refused all the same."""

    def __init__(self, path: str) -> None:
        self._path = os.path.expanduser(path)

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:
        line = f"{hostname} {key.get_name()} {key.get_base64()}\n"
        # Appended: paramiko's own way writes the whole file anew, without comments and what it cannot read.
        with _writing:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            with open(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
                file.write(line)


def open_channel(
    entry: NodeEntry, command: str, limit_seconds: float, *, accept_new: bool
) -> tuple[Connection, paramiko.Channel]:
    """Log in to a node and start a command there. Raises `NodeError` that says what to do."""
    try:
        return _open_once(entry, command, limit_seconds, accept_new=accept_new)
    except _LoginRefused:
        # A busy sshd that breaks a login off looks like one that refuses it: only the second time counts.
        time.sleep(AGAIN_SECONDS)
        return _open_once(entry, command, limit_seconds, accept_new=accept_new)


def _open_once(
    entry: NodeEntry, command: str, limit_seconds: float, *, accept_new: bool
) -> tuple[Connection, paramiko.Channel]:
    # paramiko prints tracebacks of broken connections by itself; ours are in the errors.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    connection = None
    try:
        connection = _connection(entry, limit_seconds)
        _check_host_keys(connection, accept_new)
        connection.open()
        channel = connection.client.get_transport().open_session(timeout=limit_seconds)
        channel.exec_command(command)
        return connection, channel
    except Exception as error:
        if connection is not None:
            connection.close()
        reason = reason_of(error, entry)
        if reason is None:
            raise
        refused = isinstance(error, AuthenticationException)
        raise (_LoginRefused if refused else NodeError)(reason) from error


def _connection(entry: NodeEntry, limit_seconds: float) -> Connection:
    # A host that is down is given up soon; one whose directory of users is slow is not.
    login_seconds = 3 * limit_seconds
    arguments: dict[str, Any] = {
        "banner_timeout": login_seconds,
        "auth_timeout": login_seconds,
        "channel_timeout": login_seconds,
    }
    if entry.key:
        arguments["key_filename"] = [entry.key]
    return Connection(
        entry.host,
        user=entry.user or None,
        port=entry.port or None,
        config=Config(),
        connect_timeout=int(limit_seconds),
        connect_kwargs=arguments,
    )


def _check_host_keys(connection: Connection, accept_new: bool) -> None:
    """Make this connection and its hops compare host keys with those that the user knows."""
    settings: Mapping[str, str] = connection.ssh_config
    user_files = settings.get("userknownhostsfile", _USER_KNOWN_HOSTS).split()
    for path in (*user_files, *settings.get("globalknownhostsfile", _GLOBAL_KNOWN_HOSTS).split()):
        if os.path.isfile(os.path.expanduser(path)):
            connection.client.load_system_host_keys(os.path.expanduser(path))
    told = settings.get("stricthostkeychecking", "").lower() in ("no", "off", "accept-new")
    policy = (
        _AcceptNew(user_files[0])
        if (accept_new or told) and user_files
        else _Refuse(connection.original_host)
    )
    connection.client.set_missing_host_key_policy(policy)
    if isinstance(connection.gateway, Connection):
        _check_host_keys(connection.gateway, accept_new)


def reason_of(error: Exception, entry: NodeEntry) -> str | None:
    """What went wrong and what to do, in words; None for what is no failure of a connection."""
    who = f"{entry.user}@{entry.host}" if entry.user else entry.host
    if isinstance(error, UnknownHost):
        return str(error)
    if isinstance(error, BadHostKeyException):
        return (
            f"its host key has CHANGED to {error.key.get_name()} {error.key.fingerprint}: somebody may be in "
            f"between; if the host was set up anew, run ssh-keygen -R {entry.host}"
        )
    if isinstance(error, PasswordRequiredException):
        return "the private key has a passphrase; add it to the agent with ssh-add"
    if isinstance(error, AuthenticationException):
        why = f" ({error})" if str(error) else ""
        return (
            f"SSH refuses the login{why}; `ssh {who}` must work without a password (key: and user: per node)"
        )
    if isinstance(error, NoValidConnectionsError | TimeoutError | OSError):
        reason = getattr(error, "strerror", None) or error or "no answer"
        return f"SSH cannot reach it: {reason}; see whether it is up and `ssh {who}` works"
    if isinstance(error, SSHException | EOFError):
        return f"SSH failed: {error or 'the connection broke'}"
    if isinstance(error, paramiko.ssh_exception.ConfigParseError | ValueError):
        return f"the SSH configuration cannot be used: {error}"
    return None
