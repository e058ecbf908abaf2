"""The token in its file."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from luigigo.errors import UsageError
from luigigo.token import authorization, is_authorized, make_token, read_token


def test_a_new_token_is_for_its_owner_alone(tmp_path: Path) -> None:
    """A token is made with mode 600 in a folder with mode 700, and is the same the next time."""
    path = tmp_path / "new" / "token"
    token = make_token(str(path))
    assert len(token) >= 40
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert make_token(str(path)) == read_token(str(path)) == token
    assert os.listdir(path.parent) == ["token"]


def test_a_token_beside_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path without a folder names a file of the current one."""
    monkeypatch.chdir(tmp_path)
    assert make_token("token") == read_token(str(tmp_path / "token"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o666])
def test_a_file_that_is_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """A token that others may have read is not used, by who makes it nor by who reads it."""
    path = tmp_path / "token"
    make_token(str(path))
    path.chmod(mode)
    for use in (read_token, make_token):
        with pytest.raises(UsageError, match=f"open to others .mode {mode:o}."):
            use(str(path))


@pytest.mark.parametrize("content", [b"", b"\n", b"short\n", b"\xff\xfe" * 20])
def test_a_file_without_a_token_is_refused(tmp_path: Path, content: bytes) -> None:
    """An empty file, a short word or no text is no token."""
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(UsageError, match="token"):
        read_token(str(path))


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    """The message says which file cannot be read, and why."""
    with pytest.raises(UsageError, match="nowhere cannot be read: No such file"):
        read_token(str(tmp_path / "nowhere"))


def test_racing_makers_end_with_one_token(tmp_path: Path) -> None:
    """Many that make the token at once all have the same, and leave nothing else behind."""
    path = str(tmp_path / "token")
    with ThreadPoolExecutor(16) as pool:
        tokens = set(pool.map(make_token, [path] * 64))
    assert tokens == {read_token(path)}
    assert os.listdir(tmp_path) == ["token"]


def test_only_the_token_is_authorized() -> None:
    """A header shows the token as the password of the one user, and nothing else does."""
    assert is_authorized(authorization("secret"), "secret")
    for header in (None, "", "Basic", "Basic é", authorization("secrets"), authorization("secret").lower()):
        assert not is_authorized(header, "secret")
