"""Talks to luigid as nobody should: whatever bytes a test wants to send, by HTTP and over a WebSocket."""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import struct
from typing import Any

from luigigo.protocol.messages import PROTOCOL

PATIENCE_SECONDS = 30.0
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


def basic(user: str, password: str) -> str:
    """The value of an `Authorization` header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def request(
    port: int, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> tuple[int, bytes]:
    """The status and the body of the answer to a request, whose path is sent as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.putrequest(method, path)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body or method == "POST":
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def raw(port: int, text: bytes) -> socket.socket:
    """A connection on which some bytes were sent."""
    line = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
    line.sendall(text)
    return line


def status_of(line: socket.socket) -> int:
    """The status of the answer that comes; 0 when the connection ends without."""
    try:
        head = line.recv(4096)
    except ConnectionError:
        return 0
    return int(head.split(b" ")[1]) if head.startswith(b"HTTP/") else 0


def is_cut(line: socket.socket, seconds: float = PATIENCE_SECONDS) -> bool:
    """Whether the other end ends the connection within the time, whatever it says before."""
    line.settimeout(seconds)
    try:
        while line.recv(1 << 16):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


class Shut(Exception):
    """No WebSocket for us; the text is the status."""


class Wire:
    """A WebSocket to luigid."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        """Raises `Shut`."""
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            "GET /luigigo/channel HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: Upgrade",
            "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
            *(f"{name}: {value}" for name, value in headers.items()), "", "",
        ]  # fmt: skip
        self.line = raw(port, "\r\n".join(lines).encode())
        self._buffer = b""
        self._messages: list[dict[str, Any]] = []
        while b"\r\n\r\n" not in self._buffer and (piece := self.line.recv(4096)):
            self._buffer += piece
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        if b" 101 " not in head.partition(b"\r\n")[0]:
            raise Shut(head.split(b" ")[1].decode() if b" " in head else "0")

    def say(self, *messages: dict[str, Any]) -> None:
        """Send one frame with messages."""
        self.send(json.dumps(messages).encode())

    def send(self, payload: bytes, opcode: int = BINARY, fin: bool = True, length: int | None = None) -> None:
        """Send a frame; `length` is what its head claims."""
        size = len(payload) if length is None else length
        first = opcode | (0x80 if fin else 0)
        if size < 126:
            head = struct.pack("!BB", first, 0x80 | size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", first, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", first, 0x80 | 127, size)
        # Masked with zeros: the payload stays as it is.
        self.line.sendall(head + bytes(4) + payload)

    def hello(self, worker_id: str, role: str = "client", **fields: Any) -> None:
        """Say who we are, and wait for the welcome."""
        hello = {"type": "hello", "protocol": PROTOCOL, "worker_id": worker_id, "role": role,
                 "node": worker_id, "slots": 4}  # fmt: skip
        self.say(hello | fields)
        self.hear("welcome")

    def hear(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next message of a kind, with these values; others are passed over."""
        while True:
            message = self._next()
            assert message is not None, f"cut off while waiting for {kind}"
            if message["type"] == kind and all(message.get(name) == value for name, value in fields.items()):
                return message

    def is_cut(self, seconds: float = PATIENCE_SECONDS) -> bool:
        """Whether luigid ends the connection, by a farewell or without."""
        self.line.settimeout(seconds)
        try:
            while self._next() is not None:
                pass
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        return True

    def close(self) -> None:
        """End it, without a word."""
        self.line.close()

    def _next(self) -> dict[str, Any] | None:
        while not self._messages:
            first, second = self._take(2)
            size = second & 127
            if size >= 126:
                size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
            payload = self._take(size)
            if first & 15 == CLOSE or not first:
                return None
            if first & 15 == PING:
                self.send(payload, opcode=10)
            elif first & 15 in (TEXT, BINARY):
                self._messages += json.loads(payload)
        return self._messages.pop(0)

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            piece = self.line.recv(1 << 16)
            if not piece:
                # Reads as a farewell.
                return bytes(max(size, 2))
            self._buffer += piece
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken
