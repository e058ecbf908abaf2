"""One question to a luigid over HTTP, with its answer."""

from __future__ import annotations

import http.client

from luigigo.protocol.endpoint import Endpoint
from luigigo.token import authorization

LONGEST_ANSWER_BYTES = 64 << 20


def post(place: Endpoint, path: str, body: bytes, timeout_seconds: float) -> tuple[int, bytes]:
    """The status and the body of the answer; the token goes along where there is one.

    Raises `OSError` where nothing answers in time, `http.client.HTTPException` where something does that
    speaks no HTTP, and `UsageError` for certificates that cannot be used.
    """
    context = place.tls_context()
    connection = (
        http.client.HTTPConnection(place.host, place.port, timeout=timeout_seconds)
        if context is None
        else http.client.HTTPSConnection(place.host, place.port, timeout=timeout_seconds, context=context)
    )
    headers = {"Authorization": authorization(place.token)} if place.token else {}
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(LONGEST_ANSWER_BYTES)
    finally:
        connection.close()
