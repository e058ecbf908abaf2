"""The two daemons, `luigigo worker` and `luigigo scheduler`: from options to their end."""

from __future__ import annotations

import asyncio
import faulthandler
import json
import logging
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from types import FrameType

import msgspec

import luigigo
from luigigo.clusterfile import (
    LOOPBACK,
    ClusterDescription,
    KnownCluster,
    announce,
    find_local,
    private_folder,
)
from luigigo.clusterfile.description import DEFAULT_PORT
from luigigo.config import Config, read_config
from luigigo.currentfolder import absolute
from luigigo.errors import ExitCode, LuigigoError, StoreError, UsageError
from luigigo.golang.features import go_feature
from luigigo.machine import memory_budget_bytes, node_name, usable_cpus
from luigigo.protocol.endpoint import Endpoint
from luigigo.store.preparing import make_shards, prepare_shared
from luigigo.token import USER, make_token, read_token
from luigigo.worker.allocation import slurm_allocation
from luigigo.worker.goactions import GoActions
from luigigo.worker.node import NodeContext
from luigigo.worker.worker import NodeWorker, WorkerOptions

READY_SECONDS = 30.0
"""How long a worker waits for luigid before it says that it is ready all the same."""


class WorkerChoice(msgspec.Struct, frozen=True):
    """What a user may say of one worker; empty values are found out."""

    node: str = ""
    slots: int = 0
    memory_bytes: int = 0
    cache: str = ""
    idle_exit_seconds: float = -1.0


def describe(
    shared: str, host: str, port: int | None, token_file: str, tls_ca: str = ""
) -> ClusterDescription:
    """A cluster from single values, for whoever has no cluster file; what is left out is this user's luigid.

    Raises `UsageError`.
    """
    from luigigo.clusterfile import SchedulerPlace

    local = find_local(port or 0) if host in ("", *LOOPBACK) else None
    if local is not None:
        shared, token_file = shared or local.shared, token_file or local.token_path
        host, port = host or local.host, local.port
    if not shared or (not host and port is None):
        raise UsageError(
            "no luigid of yours runs here: start luigigo scheduler; or say --cluster FILE, or --shared DIR, "
            "--scheduler-host HOST and --token-file FILE"
        )
    place = SchedulerPlace(host or "localhost", DEFAULT_PORT if port is None else port, tls_ca=tls_ca)
    cache = read_config(os.environ).cache if local is not None else ""
    return ClusterDescription(absolute(shared), place, (), cache, token_file=token_file)


def place_of(cluster: ClusterDescription) -> Endpoint:
    """Where the cluster's luigid is. Raises `UsageError` where the token cannot be read."""
    trusted = cluster.scheduler.trusted
    token = read_token(cluster.token_path)
    return Endpoint(cluster.scheduler.host, cluster.scheduler.port, token, bool(trusted), trusted)


def run_worker(cluster: ClusterDescription, choice: WorkerChoice) -> int:
    """Serve as a worker of the cluster; return the exit code. Raises `LuigigoError`s at the start."""
    _log_to_stderr()
    node = choice.node or _own_name(cluster)
    entry = next((entry for entry in cluster.nodes if entry.name == node), None)
    allocation = slurm_allocation(os.environ)
    slots = choice.slots or (entry.slots if entry else 0) or _at_most(usable_cpus(), allocation.cpus)
    memory_bytes = choice.memory_bytes or (entry.memory_bytes if entry else 0)
    memory_bytes = memory_bytes or _at_most(memory_budget_bytes(), allocation.memory_bytes)
    cache = private_folder(choice.cache or cluster.cache_of(node))
    config = msgspec.structs.replace(
        read_config({**os.environ, "LUIGIGO_CACHE": cache, "LUIGIGO_SHARED": cluster.shared}),
        memory_bytes=memory_bytes,
        **({"go": cluster.go} if cluster.go else {}),
    )
    options = WorkerOptions(
        place=place_of(cluster),
        node=node,
        slots=slots,
        memory_bytes=memory_bytes,
        idle_exit_seconds=(
            cluster.idle_exit_seconds if choice.idle_exit_seconds < 0 else choice.idle_exit_seconds
        ),
    )
    return _serve_worker(options, config, cluster.cache_bytes)


def _serve_worker(options: WorkerOptions, config: Config, cache_bytes: int) -> int:
    observers: list[GoActions] = []
    node_context = NodeContext(
        config, os.environ, options.node, lambda event: observers[0].observe(event), cache_bytes
    )
    go_actions = GoActions(node_context)
    observers.append(go_actions)
    make_shards([str(config.node_cache)])
    keeper = node_context.keeper
    toolchain = node_context.toolchain
    options = msgspec.structs.replace(
        options, features=(go_feature(toolchain.identity),), go=toolchain.version
    )
    worker = NodeWorker(options, go_actions.table(), node_context.context.runner, keeper.size_bytes)

    def stop(signum: int, frame: FrameType | None) -> None:
        # Locks are taken there: not in a handler, which may have interrupted their holder.
        threading.Thread(target=worker.stop, daemon=True).start()

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, stop)
    keeper.start()
    threading.Thread(target=_say_ready, args=(worker,), daemon=True).start()
    try:
        worker.run()
    finally:
        keeper.stop()
        node_context.close()
    logging.getLogger("luigigo.worker").info("ended: %s", worker.exit_reason)
    return int(ExitCode.OK)


def _say_ready(worker: NodeWorker) -> None:
    connected = worker.wait_welcome(READY_SECONDS) and worker.error is None
    if worker.error is None:
        facts = {
            "node": worker.options.node,
            "worker_id": worker.id,
            "slots": worker.options.slots,
            "memory_bytes": worker.options.memory_bytes,
            "go": worker.options.go,
            "connected": connected,
            "pid": os.getpid(),
        }
        print("ready", json.dumps(facts), flush=True)


def run_scheduler(cluster: ClusterDescription | None, bind: str, port: int, token_file: str) -> int:
    """Serve as luigid; return the exit code. Raises `LuigigoError`s at the start."""
    from luigigo.luigid.server import SchedulerOptions, serve

    _log_to_stderr()
    if cluster is None:
        token_file = absolute(token_file) if token_file else _default_token_file()
        options = SchedulerOptions(make_token(token_file), bind or "127.0.0.1", port or DEFAULT_PORT)
    else:
        threading.Thread(target=_prepare, args=(cluster.shared,), daemon=True).start()
        scheduler = cluster.scheduler
        options = SchedulerOptions(
            token=make_token(token_file or cluster.token_path),
            bind=bind or scheduler.bind or _address_of(scheduler.host),
            port=port or scheduler.port,
            shared=cluster.shared,
            certificate=scheduler.tls_certificate,
            certificate_key=scheduler.tls_key,
            idle_exit_seconds=cluster.idle_exit_seconds,
        )
    notes: list[str] = []

    def listening(port: int) -> None:
        if cluster is None:
            notes.append(_introduce(options.bind, port, token_file))

    try:
        asyncio.run(serve(options, luigigo.__version__, listening))
    finally:
        for note in filter(None, notes):
            with suppress(OSError):
                os.unlink(note)
    return int(ExitCode.OK)


def _introduce(host: str, port: int, token_file: str) -> str:
    """Say where luigid's page and token are; return the note by which this user's commands find it, or ""."""
    page = Endpoint(host, port, "").url("http", "/")
    print(f"luigigo: luigid's page is {page}; user {USER}, password: see {token_file}", file=sys.stderr)
    note = ""
    try:
        if host in LOOPBACK:
            # Nobody on another machine is told of this store.
            store = read_config(os.environ).store_root
            note = announce(KnownCluster(host, port, store, token_file))
            print("luigigo: your luigi, luigigo build and luigigo worker here find it", file=sys.stderr)
    except LuigigoError as error:
        logging.getLogger("luigigo.scheduler").warning("%s: say --scheduler-port %d to find it", error, port)
    sys.stderr.flush()
    return note


def _prepare(shared: str) -> None:
    """Make the store's folders, lest the first build does it one by one. luigid needs none of them."""
    try:
        prepare_shared(shared)
    except StoreError as error:
        logging.getLogger("luigigo.scheduler").warning("%s", error)


def _default_token_file() -> str:
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(base, "luigigo", "token")


def _address_of(host: str) -> str:
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except OSError as error:
        raise UsageError(f"scheduler.host {host}: {error.strerror or error}") from error


def _own_name(cluster: ClusterDescription) -> str:
    """What the cluster's file calls this machine; else its own short name."""
    name = node_name()
    candidates = (name, name.partition(".")[0], socket.getfqdn())
    for entry in cluster.nodes:
        if entry.name in candidates:
            return entry.name
    return candidates[1]


def _at_most(amount: int, limit: int) -> int:
    return min(amount, limit) if limit else amount


def _log_to_stderr() -> None:
    faulthandler.enable()
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
