"""Who may ask luigid what."""

from __future__ import annotations

import pytest
from luigi.scheduler import RPC_METHODS
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from luigigo.luigid.guard import READING_CALLS, refusal
from luigigo.token import authorization

TOKEN = "a secret of enough letters"


def ask(path: str, method: str = "GET", token: str | None = TOKEN, **headers: str) -> int:
    """The status with which a request is refused, or 0."""
    named = HTTPHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    named["Host"] = "luigid:8082"
    if token is not None:
        named["Authorization"] = authorization(token)
    line = RequestStartLine(method, path, "HTTP/1.1")
    refused = refusal(HTTPServerRequest(start_line=line, headers=named), TOKEN)
    return 0 if refused is None else refused[0]


@pytest.mark.parametrize("path", ["/", "/static/visualiser/index.html", "/api/task_list", "/luigigo/channel"])
def test_nobody_gets_in_without_the_token(path: str) -> None:
    """Every address asks for the token, of whatever method."""
    for method in ("GET", "HEAD", "POST", "DELETE"):
        assert ask(path, method, None) == 401
        assert ask(path, method, "another secret") == 401
    assert ask(path) == 0


def test_other_forms_of_the_token_are_refused() -> None:
    """The token counts only as the password of the one user."""
    assert ask("/", token=None, Authorization=f"Bearer {TOKEN}") == 401
    assert ask("/", token=None, Authorization=TOKEN) == 401
    assert ask("/", token=None, Authorization=authorization(TOKEN) + "é") == 401
    assert ask("/", token=None, Authorization="") == 401


def test_what_changes_something_is_asked_for_by_post() -> None:
    """Procedures that only read may be had by GET; all others only by POST."""
    for method in RPC_METHODS:
        path = f"/api/{method}?data=%7B%7D"
        assert ask(path, "POST") == 0
        assert ask(path) == ask(path, "HEAD") == (0 if method in READING_CALLS else 405)
    assert set(RPC_METHODS) >= READING_CALLS


@pytest.mark.parametrize(
    "path", ["/api/%61dd_task", "/api/add_task/", "/api//add_task", "/api/task_list/../add_task"]
)
def test_another_spelling_is_no_way_round(path: str) -> None:
    """An address that only looks different is refused by GET as well."""
    assert ask(path) == 405


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"])
def test_other_methods_are_refused(method: str) -> None:
    """luigid knows GET, HEAD and POST."""
    assert ask("/", method) == 405


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://luigid:9999", "http://luigid"])
def test_another_sites_page_is_refused(origin: str) -> None:
    """A browser that shows another site's page asks in vain, though it knows the token."""
    assert ask("/luigigo/channel", Origin=origin) == 403
    assert ask("/api/add_task", "POST", Origin=origin) == 403


def test_luigids_own_page_may_ask() -> None:
    """The visualizer's requests come from luigid's own address."""
    assert ask("/api/task_list", Origin="http://luigid:8082") == 0
    assert (
        ask("/api/forgive_failures", "POST", Origin="https://luigid:8082", Sec_Fetch_Site="same-origin") == 0
    )


def test_a_form_of_another_site_is_refused() -> None:
    """A POST that a browser says comes from elsewhere is refused even without an origin."""
    assert ask("/api/add_task", "POST", Sec_Fetch_Site="cross-site") == 403
    assert ask("/", Sec_Fetch_Site="cross-site") == 0
