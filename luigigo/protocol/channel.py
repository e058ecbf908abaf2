"""A peer's end of the connection to luigid: a thread that keeps it up, whatever happens to the network.

The owner keeps its own state; the channel keeps none. Whenever a connection begins, `ChannelOwner.hello` and
then `ChannelOwner.resume` give all that luigid must know: nothing sent into a dead connection is missed.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

import msgspec
import tornado.httpclient
import tornado.websocket

from luigigo.errors import LuigigoError, UsageError
from luigigo.protocol import messages
from luigigo.protocol.clock import LuigidClock
from luigigo.protocol.endpoint import Endpoint, raise_if_final
from luigigo.protocol.messages import FromPeer, FromServer, Hello, Refused, Welcome
from luigigo.token import authorization

CONNECT_SECONDS = 5.0
FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 5.0
"""Between two attempts; less than `RETURN_SECONDS`, so that who was there before is back in time."""
_FAREWELL_SECONDS = 1.0


class ChannelOwner(Protocol):
    """Whose channel it is. All of this is called in the channel's thread."""

    def hello(self) -> Hello:
        """Who connects, with what it holds."""

    def resume(self, welcome: Welcome) -> Sequence[FromPeer]:
        """What luigid must know at the beginning of a connection."""

    def receive(self, message: FromServer) -> None:
        """Take a message."""

    def lost(self, reason: str) -> None:
        """The connection is lost, or could not be made; it is tried again. Once for each loss."""

    def refused(self, error: LuigigoError) -> None:
        """luigid will not have us; it is not tried again."""


class Channel:
    """Keeps a connection to luigid until it is closed."""

    def __init__(self, place: Endpoint, owner: ChannelOwner) -> None:
        """Nothing happens before `start`. Raises `UsageError` for certificates that cannot be read."""
        self.clock = LuigidClock()
        """luigid's clock, as far as it is known here."""
        self._pinged: tuple[float, float] | None = None
        """luigid's time of its last ping, and when that came."""
        self._place = place
        self._owner = owner
        self._tls = place.tls_context()
        self._loop = asyncio.new_event_loop()
        self._connection: Any = None
        self._is_welcome = self._was_welcome = False
        self._outbox: list[FromPeer] = []
        self._unhurried: deque[FromPeer] = deque()
        self._closing = False
        self._heard_at = 0.0
        self._done = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, name="channel", daemon=True)

    def start(self) -> None:
        """Connect, and connect again whenever it must be."""
        self._thread.start()

    def send(self, *messages: FromPeer) -> None:
        """Say something, in order. Dropped without a connection: `ChannelOwner.resume` makes up for it."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._enqueue, messages)

    def send_along(self, message: FromPeer) -> None:
        """Say something with whatever is said next, and before it."""
        self._unhurried.append(message)

    def close(self, *farewell: FromPeer) -> None:
        """Say the last words, and end; waits no longer than a second."""
        self.send(*farewell)
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._begin_closing)
        if threading.current_thread() is not self._thread:
            self._thread.join(_FAREWELL_SECONDS)

    def _begin_closing(self) -> None:
        self._closing = True
        self._flush()
        self._done.set()
        if self._connection is not None:
            self._connection.close()

    def _enqueue(self, messages: Sequence[FromPeer]) -> None:
        along = [self._unhurried.popleft() for _ in range(len(self._unhurried))]
        if not self._is_welcome:
            return
        if not self._outbox:
            self._loop.call_soon(self._flush)
        self._outbox += (*along, *messages)

    def _flush(self) -> None:
        messages, self._outbox = self._outbox, []
        if messages and self._is_welcome and self._connection is not None:
            self._write(messages)

    def _write(self, sent_messages: Sequence[FromPeer]) -> None:
        with suppress(tornado.websocket.WebSocketClosedError):
            sent = asyncio.ensure_future(
                self._connection.write_message(messages.encode(sent_messages), binary=True)
            )
            sent.add_done_callback(lambda future: future.cancelled() or future.exception())

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._keep_connected())
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _keep_connected(self) -> None:
        wait_seconds = FIRST_WAIT_SECONDS
        told = False
        while not self._is_closing():
            reason = "the connection was lost"
            self._was_welcome = False
            try:
                await self._connect_once()
            except LuigigoError as error:
                self._owner.refused(error)
                return
            except (OSError, TimeoutError, asyncio.TimeoutError, tornado.websocket.WebSocketError) as error:
                reason = str(error) or type(error).__name__
            if self._was_welcome:
                wait_seconds, told = FIRST_WAIT_SECONDS, False
            if not told and not self._is_closing():
                told = True
                self._owner.lost(reason)
            # Jitter, so that a hundred workers do not return to a new luigid at the same moment.
            with suppress(asyncio.TimeoutError, TimeoutError):
                await asyncio.wait_for(self._done.wait(), wait_seconds * random.uniform(0.5, 1.0))
            wait_seconds = min(2 * wait_seconds, LONGEST_WAIT_SECONDS)

    def _is_closing(self) -> bool:
        return self._closing

    async def _connect_once(self) -> None:
        """One connection, to its end. Raises `LuigigoError` where luigid will never let us in."""
        request = tornado.httpclient.HTTPRequest(
            self._place.url("ws", messages.CHANNEL_PATH),
            headers={"Authorization": authorization(self._place.token)},
            connect_timeout=CONNECT_SECONDS,
            request_timeout=CONNECT_SECONDS,
            ssl_options=self._tls,
        )
        try:
            self._connection = await asyncio.wait_for(
                tornado.websocket.websocket_connect(request, max_message_size=messages.LARGEST_FRAME_BYTES),
                CONNECT_SECONDS,
            )
        except tornado.httpclient.HTTPClientError as error:
            raise_if_final(error.code, self._place)
            raise OSError(f"luigid answers {error.code}") from error
        # Messages are small and each is waited for.
        self._connection.protocol.set_nodelay(True)
        self._connection.on_ping = self._note_ping
        self._connection.on_pong = self._note_sign
        watching = asyncio.ensure_future(self._watch(self._connection))
        try:
            await self._converse()
        finally:
            watching.cancel()
            self._is_welcome = False
            connection, self._connection = self._connection, None
            connection.close()

    async def _converse(self) -> None:
        self._heard_at = asked_at = time.monotonic()
        self._pinged = None
        self._write([self._owner.hello()])
        while (frame := await self._connection.read_message()) is not None:
            self._heard_at = time.monotonic()
            try:
                heard = messages.decode_from_server(frame)
            except msgspec.MsgspecError as error:
                raise OSError(f"luigid said what is not understood: {error}") from error
            for message in heard:
                if isinstance(message, Refused):
                    raise UsageError(f"luigid at {self._place} refuses: {message.reason}")
                if isinstance(message, Welcome):
                    self.clock.forget()
                    self.clock.note(message.now, asked_at, time.monotonic())
                    for part in self._owner.resume(message):
                        self._write([part])
                    self._is_welcome = self._was_welcome = True
                else:
                    self._owner.receive(message)

    async def _watch(self, connection: Any) -> None:
        """Give signs of life, and end a connection on which none arrives: a cut cable says nothing."""
        while True:
            await asyncio.sleep(messages.PING_SECONDS)
            if time.monotonic() - self._heard_at > messages.LOST_SECONDS:
                connection.protocol._abort()
                connection.protocol.stream.close()
                return

    def _note_sign(self, data: bytes = b"") -> None:
        self._heard_at = time.monotonic()

    def _note_ping(self, data: bytes = b"") -> None:
        """luigid says its time, and how long its ping before this one was under way, to and fro."""
        self._note_sign()
        try:
            luigid_time, round_trip = map(float, data.split())
        except ValueError:
            return
        if self._pinged is not None and round_trip > 0:
            before, heard_at = self._pinged
            self.clock.note(before, heard_at - round_trip, heard_at)
        self._pinged = luigid_time, self._heard_at
