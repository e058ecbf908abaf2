"""Reading and checking a cluster's file. YAML is loaded when a file is read, not before."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from luigigo.clusterfile.description import (
    DEFAULT_CACHE_BYTES,
    DEFAULT_IDLE_EXIT_SECONDS,
    ClusterDescription,
    NodeEntry,
    SchedulerPlace,
    is_host,
)
from luigigo.currentfolder import absolute
from luigigo.errors import UsageError
from luigigo.units import parse_bytes, parse_seconds

_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@-]{0,63}")


class _NodeInFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: str
    slots: int = 0
    memory: str | int | float = 0
    user: str = ""
    key: str = ""
    port: int = 0


class _ClusterInFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    shared: str
    scheduler: SchedulerPlace
    nodes: tuple[_NodeInFile, ...] = ()
    cache: str = ""
    cache_size: str | int | float = DEFAULT_CACHE_BYTES
    token_file: str = ""
    idle_exit: str | int | float = DEFAULT_IDLE_EXIT_SECONDS
    python: str = ""
    go: str = ""


def read_cluster(path: str) -> ClusterDescription:
    """Read a cluster's file, YAML or JSON.

    Raises `UsageError` that names the file, the place in it and what is wanted there.
    """
    path = absolute(os.path.expanduser(path))
    return parse_cluster(_load(path), path)


def parse_cluster(content: object, path: str) -> ClusterDescription:
    """Check what a cluster's file holds; `path` is for messages. Raises `UsageError`."""
    try:
        raw = msgspec.convert(content, _ClusterInFile)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {_in_words(str(error))}") from error
    flaw = next(iter(_flaws(raw)), None)
    if flaw is not None:
        raise UsageError(f"{path}: {flaw}")
    place = raw.scheduler
    return ClusterDescription(
        shared=os.path.normpath(raw.shared),
        scheduler=msgspec.structs.replace(
            place,
            tls_certificate=_expanded(place.tls_certificate),
            tls_key=_expanded(place.tls_key),
            tls_ca=_expanded(place.tls_ca),
        ),
        nodes=tuple(_node(node) for node in raw.nodes),
        cache=_expanded(raw.cache),
        cache_bytes=parse_bytes(raw.cache_size) or 0,
        token_file=_expanded(raw.token_file),
        idle_exit_seconds=float(parse_seconds(raw.idle_exit) or 0),
        python=raw.python,
        go=raw.go,
        file=path,
    )


def as_file(description: ClusterDescription) -> dict[str, object]:
    """What a file holds that is read as this description; `parse_cluster` undoes it."""
    nodes = [
        {
            "host": node.host,
            "slots": node.slots,
            "memory": node.memory_bytes,
            "user": node.user,
            "key": node.key,
            "port": node.port,
        }
        for node in description.nodes
    ]
    return {
        "shared": description.shared,
        "scheduler": msgspec.structs.asdict(description.scheduler),
        "nodes": nodes,
        "cache": description.cache,
        "cache_size": description.cache_bytes,
        "token_file": description.token_file,
        "idle_exit": description.idle_exit_seconds,
        "python": description.python,
        "go": description.go,
    }


def _node(raw: _NodeInFile) -> NodeEntry:
    return NodeEntry(
        host=raw.host,
        slots=raw.slots,
        memory_bytes=parse_bytes(raw.memory) or 0,
        user=raw.user,
        # Not made absolute: `~` is the user's folder on this machine, where SSH runs.
        key=_expanded(raw.key),
        port=raw.port,
    )


def _load(path: str) -> object:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"the cluster file {path} cannot be read: {reason}") from error
    import yaml

    class StrictLoader(yaml.SafeLoader):
        """Refuses what YAML forbids and its loader takes: the last of two equal keys."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            keys = [key.value for key, _ in node.value]
            for key in keys:
                if keys.count(key) > 1:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{key!r} stands there twice", node.start_mark
                    )
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(text, StrictLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        reason = getattr(error, "problem", None) or str(error)
        raise UsageError(f"{path}{line}: this is no YAML: {reason}") from error


def _in_words(message: str) -> str:
    """msgspec's message with the place in front: ``nodes[1].slots: wanted `int`, found `str` ``."""
    reason, separator, place = message.partition(" - at ")
    reason = reason.replace("Expected", "wanted").replace(", got", ", found")
    reason = reason.replace("`object`", "a mapping (name: value)").replace("`array`", "a list")
    reason = reason.replace("Object contains unknown field", "there is no such setting:")
    reason = reason.replace("Object missing required field", "missing is")
    place = place.strip("`").removeprefix("$").removeprefix(".")
    return f"{place}: {reason}" if separator and place else reason


def _flaws(raw: _ClusterInFile) -> Iterable[str]:
    """What is wrong with values whose types are right, each with its place."""
    if not os.path.isabs(raw.shared) or os.path.normpath(raw.shared) == "/":
        yield f"shared: {raw.shared!r} must be the absolute path of a folder that every node sees"
    yield from _place_flaws(raw.scheduler)
    seen: set[str] = set()
    for index, node in enumerate(raw.nodes):
        yield from _node_flaws(f"nodes[{index}]", node)
        if node.host in seen:
            yield f"nodes[{index}].host: {node.host} is listed twice; remove one"
        seen.add(node.host)
    if parse_bytes(raw.cache_size) is None:
        yield f"cache_size: {raw.cache_size!r} is no size; write it as 20G"
    if parse_seconds(raw.idle_exit) is None:
        yield f"idle_exit: {raw.idle_exit!r} is no time; write it as 8h, or 0 for never"
    for name, value in (("cache", raw.cache), ("token_file", raw.token_file), ("python", raw.python)):
        if value and not os.path.isabs(os.path.expanduser(value)):
            yield f"{name}: {value!r} must be an absolute path"


def _place_flaws(place: SchedulerPlace) -> Iterable[str]:
    if not is_host(place.host):
        yield _no_host("scheduler.host", place.host)
    if place.bind and not is_host(place.bind):
        yield _no_host("scheduler.bind", place.bind)
    if not 1 <= place.port <= 65535:
        yield f"scheduler.port: {place.port} is no port; 8082 is usual"
    if bool(place.tls_certificate) != bool(place.tls_key):
        yield "scheduler: tls_certificate and tls_key belong together; give both or none"
    for name in ("tls_certificate", "tls_key", "tls_ca"):
        value = getattr(place, name)
        if value and not os.path.isabs(os.path.expanduser(value)):
            yield f"scheduler.{name}: {value!r} must be an absolute path"


def _node_flaws(where: str, node: _NodeInFile) -> Iterable[str]:
    if not is_host(node.host):
        yield _no_host(f"{where}.host", node.host)
    if not 0 <= node.slots <= 4096:
        yield f"{where}.slots: {node.slots} is no number of slots; leave it out to use all processors"
    if parse_bytes(node.memory) is None:
        yield f"{where}.memory: {node.memory!r} is no size; write it as 64G"
    if not 0 <= node.port <= 65535:
        yield f"{where}.port: {node.port} is no port; leave it out to use SSH's own"
    if node.user and _USER.fullmatch(node.user) is None:
        yield f"{where}.user: {node.user!r} is no user's name"
    if node.key and not os.path.isabs(os.path.expanduser(node.key)):
        yield f"{where}.key: {node.key!r} must be an absolute path or start with ~/"


def _no_host(where: str, text: str) -> str:
    return f"{where}: {text!r} is no host name: letters, digits, '.', '_' and '-' only"


def _expanded(path: str) -> str:
    return os.path.expanduser(path) if path else ""
