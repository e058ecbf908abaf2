"""Who may ask luigid what: nobody without the token, and nothing that changes anything by GET.

luigi's own server answers whoever can reach its port, and every procedure also to GET, so that any web page
that a user looks at could add tasks. Here a request is refused before anything looks at it.
"""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

import tornado.httpserver
import tornado.httputil
import tornado.iostream
import tornado.routing
import tornado.web

from luigigo.token import is_authorized

READING_CALLS = frozenset(
    (
        "dep_graph", "fetch_error", "get_running_task_resources",
        "get_task_progress_percentage", "get_task_status_message",
        "graph", "has_task_history", "inverse_dep_graph", "is_pause_enabled",
        "is_paused", "resource_list", "task_list", "task_search", "worker_list",
    )
)  # fmt: skip
"""Luigi's procedures that change nothing, which the visualizer asks for by GET.

Two that sound like it are not among them: `count_pending` makes the worker that it is asked about, and
`get_scheduler_message_response` takes the answer away.
"""

DRAINED_BYTES = 64 << 10
"""What a refused request may bring along; one with more is answered before it has sent it."""

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="luigigo"'}


class Refusal(tornado.httputil.HTTPMessageDelegate):
    """Answers one request with a status and a line of text, and keeps nothing of it."""

    def __init__(self, request: tornado.httputil.HTTPServerRequest, status: int, text: str) -> None:
        self._connection = request.connection
        self._status, self._text = status, text
        self._wants_text = request.method != "HEAD"

    def headers_received(
        self,
        start_line: tornado.httputil.RequestStartLine | tornado.httputil.ResponseStartLine,
        headers: tornado.httputil.HTTPHeaders,
    ) -> None:
        """Do not wait for a long body: the connection ends with the answer."""
        length = headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > DRAINED_BYTES or "Transfer-Encoding" in headers:
            self.finish()

    def finish(self) -> None:
        """Send the refusal."""
        assert self._connection is not None
        body = (self._text + "\n").encode()
        headers = tornado.httputil.HTTPHeaders(_CHALLENGE if self._status == 401 else {})
        headers["Content-Type"] = "text/plain; charset=utf-8"
        headers["Content-Length"] = str(len(body))
        reason = http.client.responses.get(self._status, "Refused")
        line = tornado.httputil.ResponseStartLine("HTTP/1.1", self._status, reason)
        self._connection.write_headers(line, headers, body if self._wants_text else None)
        self._connection.finish()


def refusal(request: tornado.httputil.HTTPServerRequest, token: str) -> tuple[int, str] | None:
    """The status and text with which a request is refused, or None."""
    if not is_authorized(request.headers.get("Authorization"), token):
        return 401, "luigigo: show the cluster's token (user luigigo, the token as password)"
    if request.method not in ("GET", "HEAD", "POST"):
        return 405, f"luigigo: {request.method} is not for luigid"
    origin = request.headers.get("Origin")
    if origin is not None and not _is_same_site(origin, request.headers.get("Host", "")):
        return 403, "luigigo: another site's page may not ask luigid"
    if request.headers.get("Sec-Fetch-Site") == "cross-site" and request.method == "POST":
        return 403, "luigigo: another site's page may not ask luigid"
    call = request.path.removeprefix("/api/")
    if request.method != "POST" and call != request.path and call not in READING_CALLS:
        return 405, "luigigo: what changes something is asked for by POST"
    return None


def _is_same_site(origin: str, host: str) -> bool:
    try:
        return bool(host) and urlsplit(origin).netloc == host
    except ValueError:
        return False


class NoFrames(tornado.web.OutputTransform):
    """Keeps pages out of other sites' frames, in which a user's clicks could be led."""

    def __init__(self, request: tornado.httputil.HTTPServerRequest) -> None:
        """Nothing depends on the request."""

    def transform_first_chunk(
        self, status_code: int, headers: tornado.httputil.HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, tornado.httputil.HTTPHeaders, bytes]:
        """Add what browsers obey."""
        headers["X-Frame-Options"] = "DENY"
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        return status_code, headers, chunk


class BoundedServer(tornado.httpserver.HTTPServer):
    """A server with so many connections at a time that wait for a request or its answer, and no more."""

    most_connections = 512

    def handle_stream(self, stream: tornado.iostream.IOStream, address: tuple[Any, ...]) -> None:
        """Serve a connection, or end it at once."""
        if len(self._connections) >= self.most_connections:
            stream.close()
            return
        super().handle_stream(stream, address)


class GuardedRouter(tornado.routing.Router):
    """An application behind the token."""

    def __init__(self, application: tornado.web.Application, token: str) -> None:
        self._application = application
        self._token = token

    def find_handler(
        self, request: tornado.httputil.HTTPServerRequest, **kwargs: object
    ) -> tornado.httputil.HTTPMessageDelegate | None:
        """What answers the request."""
        refused = refusal(request, self._token)
        if refused is not None:
            return Refusal(request, *refused)
        return self._application.find_handler(request, **kwargs)
