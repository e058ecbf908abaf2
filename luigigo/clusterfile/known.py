"""The clusters that this user has started: one small file for each, which `cluster up` writes."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from luigigo.clusterfile.description import ClusterDescription, is_host
from luigigo.encoding import Codec
from luigigo.errors import UsageError


class KnownCluster(msgspec.Struct, frozen=True):
    """What a client needs of a cluster that this user has started."""

    host: str
    port: int
    shared: str
    token_path: str
    tls_ca: str = ""
    """The certificates to trust; "" means no TLS."""
    file: str = ""
    """The cluster's file."""


_codec = Codec[KnownCluster](msgspec.json, KnownCluster)


def remember(description: ClusterDescription, variables: Mapping[str, str] = os.environ) -> str:
    """Keep what later commands need to find the cluster; return the file. Raises `UsageError`."""
    place = description.scheduler
    known = KnownCluster(
        host=place.host,
        port=place.port,
        shared=description.shared,
        token_path=description.token_path,
        tls_ca=place.trusted,
        file=description.file,
    )
    folder = known_folder(variables)
    path = os.path.join(folder, f"{place.host}_{place.port}.json")
    if find_known(place.host, place.port, variables) == known:
        return path
    staged = os.path.join(folder, f".{secrets.token_hex(8)}")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with open(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(_codec.encode_indented(known))
        os.replace(staged, path)
    except OSError as error:
        with suppress(OSError):
            os.unlink(staged)
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    return path


def find_known(host: str, port: int, variables: Mapping[str, str] = os.environ) -> KnownCluster | None:
    """What was remembered of the cluster whose luigid is at `host` and `port`; None when nothing was."""
    if not is_host(host):
        return None
    return _read_known(os.path.join(known_folder(variables), f"{host}_{port}.json"))


def known_clusters(variables: Mapping[str, str] = os.environ) -> list[KnownCluster]:
    """All clusters that were remembered, by host and port."""
    folder = known_folder(variables)
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json") and name[0] != ".")
    except OSError:
        return []
    found = (_read_known(os.path.join(folder, name)) for name in names)
    return [known for known in found if known is not None]


def known_folder(variables: Mapping[str, str] = os.environ) -> str:
    """Where known clusters are kept."""
    base = variables.get("XDG_CONFIG_HOME") or os.path.join(variables.get("HOME") or "~", ".config")
    return os.path.join(os.path.expanduser(base), "luigigo", "clusters")


def _read_known(path: str) -> KnownCluster | None:
    try:
        with open(path, "rb") as file:
            # The share named there is where code comes from: nobody else may have written it.
            if os.fstat(file.fileno()).st_uid not in (os.geteuid(), 0):
                return None
            return _codec.decode(file.read())
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
