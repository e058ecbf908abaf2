"""luigid with a ready queue: Luigi's pages and procedures, and the channel for workers and clients.

One thread serves; what the visualizer reads is put together in threads beside it, so that a page with
thousands of tasks delays nobody's work.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import ssl
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import luigi.server
import msgspec
import tornado.ioloop
import tornado.netutil
import tornado.web
import tornado.websocket
from luigi.scheduler import RPC_METHODS

from luigigo.errors import UsageError
from luigigo.luigid import reportpage
from luigigo.luigid.dispatcher import Dispatcher
from luigigo.luigid.guard import READING_CALLS, BoundedServer, GuardedRouter, NoFrames
from luigigo.luigid.metrics import MetricsHandler
from luigigo.luigid.peers import Peer
from luigigo.luigid.status import status_of
from luigigo.protocol import checks, messages
from luigigo.protocol.messages import Hello
from luigigo.protocol.outbox import Outgoing
from luigigo.scheduling.scheduler import ReadyScheduler

_log = logging.getLogger("luigigo.scheduler")

TICK_SECONDS = 1.0
PRUNE_SECONDS = 60.0
HELLO_SECONDS = 10.0
"""A connection that has not said hello by then is cut off."""
REQUEST_SECONDS = 10.0
"""How long a connection may take for a request's head, or be without one."""
BODY_SECONDS = 60.0
_STOP_SECONDS = 5.0
_READ_ATTEMPTS = 20
_NONSENSE = (
    msgspec.MsgspecError, ValueError, TypeError, LookupError, ArithmeticError, AssertionError,
    AttributeError, RecursionError,
)  # fmt: skip
"""What a message that makes no sense comes to: the sender's fault, and no bug that ends luigid."""


class SchedulerOptions(msgspec.Struct, frozen=True):
    """How luigid is served."""

    token: str
    bind: str = "127.0.0.1"
    port: int = 8082
    shared: str = ""
    certificate: str = ""
    certificate_key: str = ""
    idle_exit_seconds: float = 0.0
    """How long to stay when nobody is connected; 0 is for ever."""


class LuigidServer:
    """One luigid: its dispatcher, its open channels and its clock."""

    def __init__(self, options: SchedulerOptions, version: str) -> None:
        self.options = options
        self.version = version
        self.scheduler = ReadyScheduler(prune_on_get_work=False, record_task_history=False)
        self.scheduler.owner_thread = threading.get_ident()
        self.dispatcher = Dispatcher(self.scheduler, epoch=f"{time.time_ns():x}")
        self.channels: set[ChannelHandler] = set()
        self.readers = ThreadPoolExecutor(2, thread_name_prefix="reader")
        self.stopped = asyncio.Event()
        self._pruned_at = self._busy_at = time.monotonic()
        self._will_settle = False

    def application(self) -> tornado.web.Application:
        """Luigi's application, with the procedures and the channel of ours in front."""
        stock: tornado.web.Application = luigi.server.app(self.scheduler)
        reports = reportpage.ReportPages(self.options.shared)
        ours: list[tuple[str, Any, dict[str, Any]]] = [
            (r"/api/(.*)", CallHandler, {"server": self}),
            (re.escape(messages.CHANNEL_PATH), ChannelHandler, {"server": self}),
            (r"/luigigo/(hello|status|drain|stop)", ControlHandler, {"server": self}),
            (r"/metrics", MetricsHandler, {"dispatcher": self.dispatcher}),
            (reportpage.PATH, reportpage.ReportHandler, {"pages": reports}),
        ]
        stock.add_handlers(r".*", ours)
        stock.settings["log_function"] = lambda handler: None
        stock.settings["websocket_max_message_size"] = messages.LARGEST_FRAME_BYTES
        stock.add_transform(NoFrames)
        return stock

    def tick(self) -> None:
        """Once a second: what is due, signs of life, and the end of those that give none."""
        for peer in self.dispatcher.tick():
            _log.warning("%s (%s) is lost: no sign of life", peer.hello.node, peer.id)
            self.dispatcher.disconnect(peer)
            for channel in tuple(self.channels):
                if channel.peer is peer:
                    channel.cut()
        if time.monotonic() - self._pruned_at > PRUNE_SECONDS:
            self._pruned_at = time.monotonic()
            self.scheduler.prune()
            self.dispatcher.settle()
        if self.dispatcher.peers:
            self._busy_at = time.monotonic()
        idle_seconds = time.monotonic() - self._busy_at
        if self.options.idle_exit_seconds and idle_seconds > self.options.idle_exit_seconds:
            _log.info("nobody was here for %.0f s: ending", idle_seconds)
            self.stopped.set()

    def settle_soon(self) -> None:
        """Draw conclusions when all that has arrived is taken in: one frame goes to each peer then."""
        if not self._will_settle:
            self._will_settle = True
            asyncio.get_running_loop().call_soon(self._settle)

    def _settle(self) -> None:
        self._will_settle = False
        self.dispatcher.settle()

    def ping(self) -> None:
        """Ask everybody for a sign of life."""
        for channel in tuple(self.channels):
            channel.ask()

    async def stop(self, reason: str) -> None:
        """Send the workers home, then end."""
        for peer in self.dispatcher.peers.values():
            if peer.is_node:
                peer.outbox.append(messages.Exit(reason))
                peer.flush()
        deadline = time.monotonic() + _STOP_SECONDS
        while any(peer.is_node for peer in self.dispatcher.peers.values()) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        self.stopped.set()


class CallHandler(luigi.server.RPCHandler):  # type: ignore[misc]
    """Luigi's procedures, for stock clients, stock workers and the visualizer."""

    def initialize(self, server: LuigidServer) -> None:
        """Know the server."""
        super().initialize(server.scheduler)
        self._server = server

    async def get(self, method: str) -> None:
        """Answer one call; the guard has seen to it that GET only reads."""
        if method not in RPC_METHODS:
            self.send_error(404)
            return
        try:
            arguments = json.loads(self.get_argument("data", default="{}"))
            if not isinstance(arguments, dict):
                raise ValueError("the arguments are no object")
            if method == "add_task":
                checks.require_task_call(arguments)
            result = await self._call(method, arguments)
        except _NONSENSE as error:
            self.set_status(400)
            self.finish({"error": f"{method}: {error!r}"[:1000]})
            return
        self.finish({"response": result})

    post = get

    async def _call(self, method: str, arguments: dict[str, Any]) -> Any:
        procedure = getattr(self._server.scheduler, method)
        if method in READING_CALLS:
            self._server.scheduler.prune()
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._server.readers, _read, procedure, arguments)
        result = procedure(**arguments)
        self._server.dispatcher.settle()
        return result


def _read(procedure: Any, arguments: dict[str, Any]) -> Any:
    """Call what only reads, beside a thread that changes what it reads: begin again when that is noticed."""
    for _ in range(_READ_ATTEMPTS - 1):
        try:
            return procedure(**arguments)
        except RuntimeError:
            time.sleep(0.01)
    return procedure(**arguments)


class ControlHandler(tornado.web.RequestHandler):
    """What the `luigigo cluster` commands ask for."""

    def initialize(self, server: LuigidServer) -> None:
        """Know the server."""
        self._server = server

    async def post(self, verb: str) -> None:
        """Answer one request, a JSON object, with a JSON object."""
        try:
            request = json.loads(self.request.body or b"{}")
            node = request.get("node", "")
        except _NONSENSE:
            self.send_error(400)
            return
        if verb == "hello":
            options = self._server.options
            self.finish({"version": self._server.version, "shared": options.shared})
        elif verb == "status":
            server = self._server
            found = status_of(server.dispatcher, server.version, server.options.shared)
            self.finish(msgspec.to_builtins(found))
        elif verb == "drain":
            self.finish({"drained": self._drain(node)})
        else:
            self.finish({"stopping": True})
            await self._server.stop("luigid was told to stop")

    def _drain(self, node: Any) -> bool:
        found = False
        for peer in self._server.dispatcher.peers.values():
            if peer.is_node and peer.hello.node == node:
                found = True
                peer.drain()
                peer.outbox.append(messages.Exit("the node is drained"))
        self._server.dispatcher.settle()
        return found


class ChannelHandler(tornado.websocket.WebSocketHandler):
    """One peer's connection."""

    peer: Peer | None = None

    def initialize(self, server: LuigidServer) -> None:
        """Know the server."""
        self._server = server
        self._outgoing = Outgoing(self._write, self.cut)
        self._is_refused = False
        self._round_trip_seconds = 0.0
        """How long the last ping was under way, to and fro; 0 while it is not known."""

    def open(self, *args: str, **kwargs: str) -> None:
        """A connection, by someone who has shown the token."""
        self.set_nodelay(True)
        self._server.channels.add(self)
        asyncio.get_running_loop().call_later(HELLO_SECONDS, self._require_hello)

    def _require_hello(self) -> None:
        if self.peer is None:
            self.cut()

    def on_message(self, frame: str | bytes) -> None:
        """Take a frame; whoever says something senseless is cut off."""
        if self._is_refused:
            return
        try:
            for message in messages.decode_from_peer(frame):
                self._take(message)
        except _NONSENSE as error:
            _log.warning("cut off %s: %s", self._name(), str(error)[:500])
            self._refuse(f"not understood: {error}"[:500])
            return
        self._server.settle_soon()

    def _take(self, message: messages.FromPeer) -> None:
        dispatcher = self._server.dispatcher
        if self.peer is not None:
            if isinstance(message, Hello):
                raise ValueError("hello was said before")
            dispatcher.heard(self.peer)
            if isinstance(message, messages.Add):
                for offer in message.offers:
                    checks.require_task_call(offer.call)
                    checks.require_needs(offer.needs)
            dispatcher.receive(self.peer, message)
        elif isinstance(message, Hello):
            self._begin(message)
        else:
            raise ValueError("a connection begins with hello")

    def _begin(self, hello: Hello) -> None:
        """Let a peer in, or not.

        All peers show one token, so nothing tells a worker that is back from another that uses its name: the
        latest is believed, for a worker is often back before its old connection is known to be dead. The old
        connection is cut, so that whoever is wrongly shut out notices it, and comes back.
        """
        dispatcher = self._server.dispatcher
        before = dispatcher.peers.get(hello.worker_id)
        reason = checks.why_unwelcome(hello)
        if before is not None and (before.hello.role, before.hello.node) != (hello.role, hello.node):
            reason = reason or f"the name {hello.worker_id} is that of a {before.hello.role} that is here"
        if reason:
            self._refuse(reason)
            return
        welcome = messages.Welcome(dispatcher.epoch, self._server.options.shared, dispatcher.now())
        self._outgoing.say([welcome])
        self.peer = dispatcher.connect(hello, self._outgoing.say)
        _log.info("%s %s (%s) is here", hello.role, hello.node, hello.worker_id)
        for other in tuple(self._server.channels):
            if before is not None and other.peer is before:
                _log.warning("%s is here again: its earlier connection is cut", hello.worker_id)
                other.cut()

    def _refuse(self, reason: str) -> None:
        """End the connection with a reason; nothing counts that is said in the time that its end takes."""
        self._is_refused = True
        self._outgoing.say([messages.Refused(reason)])
        self.close(1008, "refused")
        if self.peer is not None:
            self._server.dispatcher.disconnect(self.peer)

    def _write(self, frame: bytes) -> asyncio.Future[None] | None:
        try:
            return asyncio.ensure_future(self.write_message(frame, binary=True))
        except tornado.websocket.WebSocketClosedError:
            return None

    def ask(self) -> None:
        """Ask for a sign of life, and say what the time is."""
        try:
            self.ping(f"{self._server.dispatcher.now():.6f} {self._round_trip_seconds:.6f}".encode())
            self._round_trip_seconds = 0.0
        except tornado.websocket.WebSocketClosedError:
            pass

    def on_pong(self, data: bytes) -> None:
        """A sign of life."""
        with suppress(ValueError, IndexError):
            self._round_trip_seconds = self._server.dispatcher.now() - float(data.split()[0])
        if self.peer is not None:
            self._server.dispatcher.heard(self.peer)

    def cut(self) -> None:
        """End the connection without waiting for an answer."""
        if self.ws_connection is not None:
            self.ws_connection._abort()

    def on_close(self) -> None:
        """The connection is lost."""
        self._server.channels.discard(self)
        if self.peer is not None:
            _log.info("%s (%s) is gone", self.peer.hello.node, self.peer.id)
            self._server.dispatcher.disconnect(self.peer)

    def _name(self) -> str:
        return self.peer.id if self.peer is not None else str(self.request.remote_ip)


async def serve(options: SchedulerOptions, version: str, listening: Callable[[int], None]) -> None:
    """Serve until told to stop; says `ready` on stdout, once `listening` was told the port.

    Raises `UsageError` for a port that can't be had.
    """
    server = LuigidServer(options, version)
    sys.setswitchinterval(0.0005)
    http = BoundedServer(
        GuardedRouter(server.application(), options.token),
        ssl_options=_tls(options),
        max_body_size=messages.LARGEST_FRAME_BYTES,
        max_header_size=64 << 10,
        idle_connection_timeout=REQUEST_SECONDS,
        body_timeout=BODY_SECONDS,
    )
    try:
        sockets = tornado.netutil.bind_sockets(options.port, address=options.bind)
    except OSError as error:
        raise UsageError(
            f"cannot listen at {options.bind}:{options.port}: {error.strerror}; say another --port"
        ) from error
    http.add_sockets(sockets)
    ticking = tornado.ioloop.PeriodicCallback(server.tick, TICK_SECONDS * 1000)
    pinging = tornado.ioloop.PeriodicCallback(server.ping, messages.PING_SECONDS * 1000)
    ticking.start()
    pinging.start()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, server.stopped.set)
    port = sockets[0].getsockname()[1]
    ready = {"host": options.bind, "port": port, "pid": os.getpid(), "epoch": server.dispatcher.epoch}
    listening(port)
    print("ready", json.dumps(ready), flush=True)
    await server.stopped.wait()
    http.stop()


def _tls(options: SchedulerOptions) -> ssl.SSLContext | None:
    if not options.certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(options.certificate, options.certificate_key or None)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"the TLS certificate {options.certificate} cannot be used: {error}") from error
    return context
