"""The token that lets a client or worker in: a secret in a file that nobody else can read."""

from __future__ import annotations

import base64
import hmac
import os
import secrets
import stat

from luigigo.errors import UsageError

USER = "luigigo"
"""The name that goes with the token in HTTP Basic; any other is refused."""
_TOKEN_BYTES = 32


def make_token(path: str) -> str:
    """The token in the file `path`, which is made, with mode 600, when absent.

    Two that make it at once end with the same token. Raises `UsageError` and `OSError`.
    """
    if not os.path.exists(path):
        folder = os.path.dirname(path) or "."
        os.makedirs(folder, mode=0o700, exist_ok=True)
        staged = os.path.join(folder, f".{secrets.token_hex(8)}")
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(_TOKEN_BYTES) + "\n")
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(staged, path)
            except FileExistsError:
                pass
        finally:
            os.unlink(staged)
    return read_token(path)


def read_token(path: str) -> str:
    """The token in a file. Raises `UsageError` when it is not there, or others may read or change it."""
    try:
        with open(path, encoding="utf-8") as file:
            mode, owner = stat.S_IMODE(os.fstat(file.fileno()).st_mode), os.fstat(file.fileno()).st_uid
            token = file.read(1024).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is no text"
        raise UsageError(f"the token file {path} cannot be read: {reason}") from error
    if mode & 0o077 or owner not in (os.geteuid(), 0):
        raise UsageError(
            f"the token file {path} is open to others (mode {mode:o}): chmod 600 it, and make a new token "
            "if others may have read it"
        )
    if len(token) < 16:
        raise UsageError(f"the token file {path} holds no token; remove it: luigigo scheduler makes another")
    return token


def authorization(token: str) -> str:
    """The value of the `Authorization` header that shows the token."""
    return "Basic " + base64.b64encode(f"{USER}:{token}".encode()).decode()


def is_authorized(header: str | None, token: str) -> bool:
    """Whether a header's value shows the token; takes as long for any wrong one."""
    return hmac.compare_digest((header or "").encode(), authorization(token).encode())
