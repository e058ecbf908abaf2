"""Where a luigid is. Apart from the channel, whose libraries take long to import, for those who need none."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import msgspec

from luigigo.errors import UsageError


class Endpoint(msgspec.Struct, frozen=True):
    """Where a luigid is, and what it takes to get in."""

    host: str
    port: int
    token: str
    tls: bool = False
    tls_ca: str = ""
    """Certificates to trust, in a file; "" trusts what the system trusts."""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def url(self, scheme: str, path: str) -> str:
        """An address there; `scheme` is `http` or `ws`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}{'s' if self.tls else ''}://{host}:{self.port}{path}"

    def tls_context(self) -> ssl.SSLContext | None:
        """What to check its certificate with. Raises `UsageError`."""
        if not self.tls:
            return None
        try:
            return ssl.create_default_context(cafile=self.tls_ca or None)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"the TLS certificates {self.tls_ca} cannot be used: {error}") from error


def endpoint_of_url(url: str, token: str, tls_ca: str = "") -> Endpoint:
    """The place that a URL of luigid's names."""
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    return Endpoint(parts.hostname or "localhost", port, parts.password or token, tls, tls_ca)


def raise_if_final(status: int, place: Endpoint) -> None:
    """Raise `UsageError` for an answer that will be the same the next time."""
    if status == 401:
        raise UsageError(f"luigid at {place} does not take this token: is it the token of this cluster?")
    if status == 404:
        raise UsageError(f"luigid at {place} is not luigigo's: start one with luigigo scheduler")
