"""Makes the schedulers and workers that Luigi's command line and `luigi.build` use."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import luigi.interface
import luigi.rpc
import luigi.scheduler
import msgspec
from luigi.cmdline_parser import CmdlineParser

from luigigo.client import exit_codes, hints
from luigigo.client.callbacks import ClientCallbacks
from luigigo.client.local_worker import SlotWorker
from luigigo.client.settings import user_set
from luigigo.clusterfile import LOOPBACK, KnownCluster, find_known, find_local
from luigigo.config import read_config
from luigigo.errors import LuigigoError, UsageError
from luigigo.messages import for_user
from luigigo.protocol.asking import post
from luigigo.protocol.endpoint import Endpoint, endpoint_of_url, raise_if_final
from luigigo.scheduling import resting
from luigigo.scheduling.scheduler import ReadyScheduler
from luigigo.token import read_token

if TYPE_CHECKING:
    from luigigo.client.cluster_worker import ChannelScheduler

DEFAULT_URL = "http://localhost:8082/"
CONNECT_TIMEOUT_SECONDS = 0.25
ANSWER_TIMEOUT_SECONDS = 2.0
LOCAL_AWAY_SECONDS = 15.0
"""How long a client waits for its user's own luigid, which may be in the middle of a restart."""
POLL_SECONDS = 0.2
"""Between two questions of an idle worker to a luigid."""

MemoryBudget = Callable[[], "int | None"]
"""Gives the bytes that the tasks of one worker may use together; None is no limit."""

_memory_budgets: list[MemoryBudget] = []


class ClientSide(msgspec.Struct, frozen=True):
    """What the tasks' side of a client gives to its scheduling."""

    callbacks: Callable[[], ClientCallbacks]
    adopt_cluster: Callable[[str], None]
    """Told the share of the cluster before any task is checked."""


_client_sides: list[ClientSide] = []


def use_client_side(side: ClientSide) -> None:
    """Use this for each connection to a luigid of luigigo's from now on."""
    _client_sides[:] = [side]


def use_memory_budget(budget: MemoryBudget) -> None:
    """Ask `budget` for each worker made from now on; without any, memory is no limit."""
    _memory_budgets[:] = [budget]


class StockLuigid(luigi.rpc.RemoteScheduler):  # type: ignore[misc]
    """A luigid that is Luigi's own."""

    def close(self) -> None:
        """The run is over, and summed up."""
        super().close()
        resting.end()


class SlotFactory(luigi.interface._WorkerSchedulerFactory):  # type: ignore[misc]
    """Luigi's factory, with a scheduler in this process unless there is a luigid, and slots for workers."""

    def create_local_scheduler(self) -> ReadyScheduler:
        """A scheduler in this process."""
        return ReadyScheduler(prune_on_get_work=False, record_task_history=False)

    def create_remote_scheduler(self, url: str) -> Any:
        """The luigid at `url`; a scheduler in this process where nobody asked for one and there is none.

        Raises `UsageError` for a luigid that the user named and that does not answer; under Luigi's
        command line, which would print a traceback, it is printed and raised as `SystemExit`.
        """
        if url.startswith("http+unix://"):
            return StockLuigid(url)
        named = _scheduler_was_named(url)
        if not named:
            url = _own_luigid() or url
        place = _place(url)
        if not _listens(url):
            if named:
                advice = hints.without_luigid(hints.in_use())
                _fail(UsageError(f"no luigid answers at {place}; start it, or {advice}"))
            return self._explain_local(f"no luigid at {place}")
        try:
            ours = _connect(url)
        except LuigigoError as error:
            _fail(error)
            raise
        if ours is not None:
            return ours
        if not named and not _is_luigid(url):
            return self._explain_local(f"what listens at {place} is not luigid")
        print(
            f"luigigo: using luigid at {place}: a stock one, so no node helps, and scheduling is slower",
            file=sys.stderr,
            flush=True,
        )
        return StockLuigid(url)

    def create_worker(self, scheduler: Any, worker_processes: int, assistant: bool = False) -> SlotWorker:
        """A worker with slots; with it a new run begins, for which no error is noted yet."""
        exit_codes.reset()
        options: dict[str, Any] = {}
        if threading.current_thread() is not threading.main_thread():
            # Luigi's handler of SIGUSR1 can't be installed elsewhere.
            options["no_install_shutdown_handler"] = True
        if not isinstance(scheduler, luigi.scheduler.Scheduler):
            from luigigo.client.cluster_worker import ChannelScheduler, ChannelWorker

            if isinstance(scheduler, ChannelScheduler):
                return ChannelWorker(
                    scheduler, worker_processes=worker_processes, budget_bytes=_memory_budget, **options
                )
            if not user_set("worker", "wait_interval", "worker-wait-interval"):
                options["wait_interval"] = POLL_SECONDS
            if not user_set("worker", "wait_jitter"):
                options["wait_jitter"] = 0.0
        return SlotWorker(
            scheduler=scheduler,
            worker_processes=worker_processes,
            assistant=assistant,
            budget_bytes=_memory_budget,
            **options,
        )

    def _explain_local(self, reason: str) -> ReadyScheduler:
        print(f"luigigo: {reason}: scheduling in this process", file=sys.stderr, flush=True)
        return self.create_local_scheduler()


def _connect(url: str) -> ChannelScheduler | None:
    """The luigid of luigigo's at a URL, or None for another. Raises `UsageError` where it won't let us in."""
    named = endpoint_of_url(url, "")
    local = find_local(named.port) if named.host in LOOPBACK else None
    place = _with_access(named, local)
    shared = _ask_hello(place)
    if shared is None or not _client_sides:
        return None
    from luigigo.client.cluster_worker import ChannelScheduler

    side = _client_sides[0]
    if local is not None and not (shared or read_config(os.environ).shared):
        # This machine's workers read and write this user's own store.
        shared = local.shared
    side.adopt_cluster(shared)
    which = "the cluster of" if local is None else "your"
    print(f"luigigo: using {which} luigid at {place}", file=sys.stderr, flush=True)
    callbacks = side.callbacks()
    if local is not None:
        # The processors are the same ones, whoever uses them; and nothing starts that luigid again.
        callbacks = msgspec.structs.replace(
            callbacks, falls_back=True, fallback_seconds=0.0, luigid_away_seconds=LOCAL_AWAY_SECONDS
        )
    return ChannelScheduler(place, callbacks)


def _own_luigid() -> str | None:
    """The address of this user's luigid on this machine, where it serves the store that builds here use."""
    local = find_local()
    if local is None or local.shared != read_config(os.environ).store_root:
        return None
    return f"http://{local.host}:{local.port}/"


def _with_access(place: Endpoint, local: KnownCluster | None) -> Endpoint:
    """The place with the token: the URL's own, this machine's, the configured file's, the known cluster's."""
    if place.token:
        return place
    known = local or find_known(place.host, place.port)
    token_file = local.token_path if local is not None else read_config(os.environ).token_file
    if known is not None:
        place = msgspec.structs.replace(place, tls=bool(known.tls_ca), tls_ca=known.tls_ca)
        token_file = token_file or known.token_path
    if token_file:
        place = msgspec.structs.replace(place, token=read_token(token_file))
    return place


def _ask_hello(place: Endpoint) -> str | None:
    """The share of the cluster whose luigid is there; None when it is no luigid of luigigo's."""
    try:
        status, answer = post(place, "/luigigo/hello", b"{}", ANSWER_TIMEOUT_SECONDS)
        if status == 401:
            if not place.token:
                raise UsageError(
                    f"luigid at {place} asks for a token: set [luigigo] token_file=, or LUIGIGO_TOKEN_FILE"
                )
            raise_if_final(401, place)
        return str(json.loads(answer)["shared"]) if status == 200 else None
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None


def _scheduler_was_named(url: str) -> bool:
    return url != DEFAULT_URL or any(
        user_set("core", f"scheduler_{part}", f"default-scheduler-{part}") for part in ("host", "port", "url")
    )


def _memory_budget() -> int | None:
    try:
        return _memory_budgets[0]() if _memory_budgets else None
    except LuigigoError as error:
        _fail(error)
        raise


def _fail(error: LuigigoError) -> None:
    if CmdlineParser.get_instance() is None:
        raise error
    print(for_user(error), file=sys.stderr, flush=True)
    raise SystemExit(int(error.exit_code))


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "localhost", parts.port or (443 if parts.scheme == "https" else 80)


def _place(url: str) -> str:
    return "{}:{}".format(*_address(url))


def _listens(url: str) -> bool:
    try:
        socket.create_connection(_address(url), CONNECT_TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True


def _is_luigid(url: str) -> bool:
    """Whether a harmless RPC gets a luigid's answer: other services like port 8082 as well."""
    host, port = _address(url)
    try:
        _, answer = post(Endpoint(host, port, ""), "/api/is_paused", b"data=%7B%7D", ANSWER_TIMEOUT_SECONDS)
        reply = json.loads(answer)
    except (OSError, http.client.HTTPException, ValueError):
        return False
    return isinstance(reply, dict) and "response" in reply
