"""What a node says of itself: its share, disk, toolchain and compilers. Runs on the node; judges nothing."""

from __future__ import annotations

import getpass
import hashlib
import os
import platform
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from luigigo import __version__
from luigigo.cluster.messages import ForNode, GoFound, Probe, Space
from luigigo.clusterfile import ClusterDescription, parse_cluster, private_folder
from luigigo.config import read_config
from luigigo.errors import LuigigoError
from luigigo.golang.ctoolchain import CProbe
from luigigo.golang.environment import GoEnv
from luigigo.golang.releases import release_of
from luigigo.golang.toolchain import find_go, read_toolchain, run_env
from luigigo.machine import memory_limit_bytes, node_name, usable_cpus
from luigigo.model import digest_of
from luigigo.process import Runner
from luigigo.store.stathashes import StatHashes
from luigigo.token import read_token

Found = TypeVar("Found")


def probe(request: ForNode) -> Probe:
    """Ask this machine everything that a worker on it depends on. Never raises for what is wrong with it."""
    cluster = parse_cluster(request.cluster, "the cluster's description")
    cache = cluster.cache_of(request.node)
    cache_path, cache_flaw = _attempt(lambda: private_folder(cache))
    share_flaw = _share_flaw(cluster)
    _, token_flaw = _attempt(lambda: _read_token_if_made(cluster))
    tools = _Tools(cluster, cache_path or "", os.environ)
    go, go_flaw = _attempt(tools.go)
    compiler, c_flaw = _attempt(tools.c_compiler) if go is not None else (None, "")
    return Probe(
        hostname=node_name(),
        user=_user(),
        python=platform.python_version(),
        version=__version__,
        code_digest=code_digest(),
        cpus=usable_cpus(),
        memory_bytes=memory_limit_bytes(),
        share=None if share_flaw else _space(cluster.shared),
        share_flaw=share_flaw,
        cache_path=cache,
        cache=_space(cache) if cache_path else None,
        cache_flaw=cache_flaw,
        token_flaw="" if share_flaw else token_flaw,
        go=go,
        go_flaw=go_flaw,
        c_compiler=compiler[0] if compiler else "",
        c_digest=compiler[1] if compiler else "",
        c_flaw=c_flaw,
    )


class _Tools:
    """Asks for the toolchains of this node; what was hashed is kept in the node's cache."""

    def __init__(self, cluster: ClusterDescription, cache: str, variables: Mapping[str, str]) -> None:
        self._configured = cluster.go or read_config(variables).go
        self._variables = dict(variables)
        self._cache = cache
        self._runner = Runner()
        place = os.path.join(cache, "probe-hashes") if cache else None
        self._hashes = StatHashes.load(place) if place else StatHashes()
        self._env: GoEnv | None = None

    def go(self) -> GoFound:
        found = find_go(self._configured, self._variables)
        self._env = run_env(found, "/", self._variables, self._runner)
        toolchain = read_toolchain(self._env, self._hashes)
        self._save()
        digest = digest_of(sorted(toolchain.tools.items()), toolchain.include)
        return GoFound(version=toolchain.version, digest=digest, path=found.path)

    def c_compiler(self) -> tuple[str, str]:
        env = self._env
        if env is None or not self._cache:
            return "", ""
        folder = os.path.join(self._cache, "compilers")
        os.makedirs(folder, exist_ok=True)
        asked = CProbe(self._runner, self._hashes, folder, self._variables)
        compilers = asked.toolchain(env, release_of(env.goversion)[0], needs_cxx=False)
        self._save()
        return " ".join(compilers.cc), compilers.identity

    def _save(self) -> None:
        if self._cache:
            with suppress(OSError):
                self._hashes.save()


def code_digest() -> str:
    """The digest of luigigo's own source files, so that two nodes are known to run the same."""
    package = Path(__file__).resolve().parents[1]
    total = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        total.update(str(path.relative_to(package)).encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _attempt(ask: Callable[[], Found]) -> tuple[Found | None, str]:
    """An answer, or what is wrong, in words."""
    try:
        return ask(), ""
    except LuigigoError as error:
        return None, str(error)
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        return None, f"{error.strerror or error}{where}"


def _share_flaw(cluster: ClusterDescription) -> str:
    """Why the share cannot be used on this node; "" when it can."""
    folder = cluster.state_dir
    for path in (cluster.shared, folder):
        if not os.path.isdir(path):
            return f"{path} is not there"
    mark = os.path.join(folder, f".writable-{node_name()}-{os.getpid()}")
    try:
        os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        os.unlink(mark)
    except OSError as error:
        return f"{folder} cannot be written: {error.strerror}"
    return ""


def _read_token_if_made(cluster: ClusterDescription) -> None:
    if os.path.exists(cluster.token_path):
        read_token(cluster.token_path)


def _space(path: str) -> Space | None:
    try:
        found = os.statvfs(path)
    except OSError:
        return None
    inodes = found.f_favail if found.f_files else None
    return Space(free_bytes=found.f_bavail * found.f_frsize, free_inodes=inodes)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.geteuid())
