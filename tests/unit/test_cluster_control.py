"""Talking to luigid: what is sent, and what the user is told when it goes wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from luigigo.cluster.control import Control, NoLuigid
from luigigo.cluster.messages import ClusterError
from luigigo.clusterfile import ClusterDescription, NodeEntry, SchedulerPlace
from luigigo.errors import UsageError
from luigigo.token import authorization, make_token


class Server(HTTPServer):
    """Answers every call with what a test sets, and remembers the calls."""

    status = 200
    body: Any = b"{}"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: list[tuple[str, str, Any, str | None]] = []


class Handler(BaseHTTPRequestHandler):
    """One call."""

    server: Server

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls.append((self.command, self.path, request, self.headers["Authorization"]))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Be silent."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def control(tmp_path: Path, port: int, **place: str) -> Control:
    """luigid's control, with a token."""
    token = tmp_path / "private" / "token"
    make_token(str(token))
    where = SchedulerPlace("127.0.0.1", port, **place)
    return Control(ClusterDescription(str(tmp_path), where, (NodeEntry("n1"),), token_file=str(token)), 5.0)


def test_status_is_read_and_carries_the_token(tmp_path: Path, server: Server) -> None:
    """What luigid adds later does not disturb."""
    node = {"node": "n1", "worker_id": "w", "state": "ready", "slots": 4, "running": 2, "news": 1}
    server.body = json.dumps({"version": "1", "epoch": "e", "nodes": [node], "tasks": {"DONE": 3}}).encode()
    status = control(tmp_path, server.server_port).status()
    assert [(found.node, found.slots, found.running) for found in status.nodes] == [("n1", 4, 2)]
    assert status.tasks == {"DONE": 3}
    token = (tmp_path / "private" / "token").read_text().strip()
    assert server.calls == [("POST", "/luigigo/status", {}, authorization(token))]


def test_drain_and_stop(tmp_path: Path, server: Server) -> None:
    """Names travel in the body."""
    server.body = b'{"drained": true}'
    asked = control(tmp_path, server.server_port)
    assert asked.drain("n1")
    asked.stop()
    assert [call[1:3] for call in server.calls] == [
        ("/luigigo/drain", {"node": "n1"}),
        ("/luigigo/stop", {}),
    ]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, b"", "refuses the token in"),
        (404, b"", "is no luigigo scheduler"),
        (500, b"broken", "answers with status 500: broken"),
        (200, b"<html>", "is no luigigo scheduler"),
        (200, b'{"node": []}', "is no luigigo scheduler"),
    ],
)
def test_wrong_answers_are_explained(
    tmp_path: Path, server: Server, status: int, body: bytes, words: str
) -> None:
    """A wrong token and a stranger on the port are told apart."""
    server.status, server.body = status, body
    with pytest.raises(ClusterError, match=words):
        control(tmp_path, server.server_port).status()


def test_nobody_listens(tmp_path: Path) -> None:
    """An error of its own, for `up` starts luigid then."""
    with Server() as closed:
        port = closed.server_port
    with pytest.raises(NoLuigid, match="does not answer: Connection refused"):
        control(tmp_path, port).status()


def test_plain_http_where_tls_is_wanted(tmp_path: Path, server: Server) -> None:
    """The token is not sent before the certificate was checked."""
    certificate = tmp_path / "certificate.pem"
    certificate.write_text("")
    with pytest.raises(UsageError, match="certificate"):
        control(tmp_path, server.server_port, tls_ca=str(certificate)).status()
    assert server.calls == []


def test_no_token_yet(tmp_path: Path, server: Server) -> None:
    """The file is named."""
    asked = control(tmp_path, server.server_port)
    (tmp_path / "private" / "token").unlink()
    with pytest.raises(UsageError, match="private/token cannot be read"):
        asked.status()
