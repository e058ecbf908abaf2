"""Asking and telling luigid over its own port: status, drain, stop. Every call is a POST with the token."""

from __future__ import annotations

import http.client
import ssl
from typing import TypeVar

import msgspec

from luigigo.cluster.messages import ClusterError, Nothing
from luigigo.clusterfile import ClusterDescription
from luigigo.protocol.asking import post
from luigigo.protocol.endpoint import Endpoint
from luigigo.protocol.status import ClusterStatus
from luigigo.token import read_token

T = TypeVar("T")


class NoLuigid(ClusterError):
    """Nothing answers where luigid should."""


class Drained(msgspec.Struct, frozen=True):
    """Whether luigid knew the node and gives it nothing more."""

    drained: bool = False


class _Drain(msgspec.Struct, frozen=True):
    node: str


class Control:
    """luigid of one cluster."""

    def __init__(self, cluster: ClusterDescription, limit_seconds: float = 10.0) -> None:
        self._cluster = cluster
        self._limit_seconds = limit_seconds

    @property
    def where(self) -> str:
        """Its address, for people."""
        place = self._cluster.scheduler
        return f"{'https' if place.trusted else 'http'}://{place.host}:{place.port}"

    def status(self) -> ClusterStatus:
        """What runs where. Raises `NoLuigid` when nothing answers, `ClusterError` and `UsageError`."""
        return self._post("status", Nothing(), ClusterStatus)

    def drain(self, node: str) -> bool:
        """Give a node nothing more to do; returns whether it is connected. Raises as `status` does."""
        return self._post("drain", _Drain(node), Drained).drained

    def stop(self) -> None:
        """Tell all workers to exit, then luigid itself. Raises as `status` does."""
        self._post("stop", Nothing(), object)

    def _post(self, verb: str, request: msgspec.Struct, answer_type: type[T]) -> T:
        place = self._cluster.scheduler
        token = read_token(self._cluster.token_path)
        endpoint = Endpoint(place.host, place.port, token, bool(place.trusted), place.trusted)
        try:
            body = msgspec.json.encode(request)
            status, answer = post(endpoint, f"/luigigo/{verb}", body, self._limit_seconds)
        except ssl.SSLError as error:
            raise ClusterError(f"luigid at {self.where} and its TLS certificate: {error}") from error
        except http.client.HTTPException as error:
            raise self._stranger() from error
        except OSError as error:
            reason = error.strerror or str(error) or "no answer"
            raise NoLuigid(f"luigid at {self.where} does not answer: {reason}") from error
        return self._read(status, answer, answer_type)

    def _read(self, status: int, body: bytes, answer_type: type[T]) -> T:
        if status == 401:
            raise ClusterError(
                f"luigid at {self.where} refuses the token in {self._cluster.token_path}; "
                "it was started with another one: run luigigo cluster down where it was started, then up"
            )
        if status == 404:
            raise self._stranger()
        if status != 200:
            said = body.decode(errors="replace").strip()[:500]
            raise ClusterError(f"luigid at {self.where} answers with status {status}: {said}")
        try:
            return msgspec.json.decode(body, type=answer_type)
        except msgspec.DecodeError as error:
            raise self._stranger() from error

    def _stranger(self) -> ClusterError:
        return ClusterError(
            f"what listens at {self.where} is no luigigo scheduler; stop it, or set scheduler.port"
        )
