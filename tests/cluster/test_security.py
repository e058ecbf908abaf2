"""Strangers at the doors of luigid: its pages and procedures, and its channel."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from intruder import Shut, Wire, basic, is_cut, raw, request, status_of
from luigi.scheduler import RPC_METHODS
from support import Lab, wait_until
from targets import Luigid, luigid

from luigigo.luigid.guard import READING_CALLS
from luigigo.protocol.messages import PROTOCOL

PAGES = (
    "/", "/static/visualiser/index.html", "/static/visualiser/js/luigi.js", "/metrics", "/tasklist",
    "/tasklist/x", "/history", "/history/by_name/x", "/history/by_id/1", "/history/by_params/x",
    "/luigigo/channel", "/luigigo/hello", "/luigigo/status", "/luigigo/drain", "/luigigo/stop",
    "/luigigo/nothing", "/nothing",
)  # fmt: skip
CALLS = sorted(f"/api/{method}" for method in RPC_METHODS)
CHANGING = sorted(set(RPC_METHODS) - READING_CALLS)
PLANTED = "data=" + json.dumps({"worker": "stranger", "task_id": "planted", "task": "planted"}).replace(
    " ", ""
)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Luigid]:
    """A luigid with a task of a friend's."""
    lab = Lab(tmp_path_factory.mktemp("luigid"), tmp_path_factory.mktemp("cache"))
    with luigid(lab) as made:
        made.call("add_task", worker="friend", task_id="kept", family="Kept", params={"a": "b"})
        yield made


@pytest.fixture(autouse=True)
def unharmed(daemon: Luigid) -> Iterator[None]:
    """Whatever a test does, afterwards luigid serves others and has nothing that was planted."""
    yield
    assert daemon.process.poll() is None, daemon.log.read_text()[-3000:]
    assert "kept" in daemon.call("task_list", status="PENDING")
    assert "planted" not in json.dumps(daemon.everything())
    friend = daemon.wire()
    friend.hello("friendly")
    friend.say({"type": "leave"})
    friend.close()


def wrong_keys(daemon: Luigid) -> list[tuple[dict[str, str], str]]:
    """Headers and query strings that show something, but not the token where it belongs."""
    right = basic("luigigo", daemon.token)
    return [
        ({}, ""),
        ({"Authorization": basic("luigigo", "x" * len(daemon.token))}, ""),
        ({"Authorization": basic("luigigo", "")}, ""),
        ({"Authorization": basic("luigigo", daemon.token[:-1])}, ""),
        ({"Authorization": basic("admin", daemon.token)}, ""),
        ({"Authorization": "Bearer " + daemon.token}, ""),
        ({"Authorization": daemon.token}, ""),
        ({"Authorization": "Basic \xff"}, ""),
        ({"Cookie": f"Authorization={right}; token={daemon.token}"}, ""),
        ({"X-Authorization": right, "Proxy-Authorization": right}, ""),
        ({}, f"token={daemon.token}&Authorization={daemon.token}"),
    ]


def test_without_the_token_no_door_opens(daemon: Luigid) -> None:
    """Every page, procedure and verb answers 401, by every method, and nothing changes."""
    before = daemon.everything()
    keys = wrong_keys(daemon)
    for number, path in enumerate((*PAGES, *CALLS)):
        for method in ("GET", "HEAD", "POST"):
            headers, query = keys[number % len(keys)]
            status, text = request(daemon.port, method, f"{path}?{PLANTED}&{query}", headers, b"{}")
            assert (status, b"kept" in text) == (401, False), (method, path, headers)
    for headers, query in keys:
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "NONSENSE"):
            target = f"/api/add_task?{PLANTED}&{query}"
            assert request(daemon.port, method, target, headers)[0] == 401, (method, headers)
        with pytest.raises(Shut, match="401"):
            Wire(daemon.port, headers)
    assert daemon.everything() == before


def test_two_keys_are_none(daemon: Luigid) -> None:
    """A request with two `Authorization` headers is refused, though one of them is right."""
    right, wrong = daemon.key["Authorization"], basic("luigigo", "x")
    for first, second in ((right, wrong), (wrong, right), (right, right)):
        keys = f"Authorization: {first}\r\nAuthorization: {second}\r\n"
        text = f"GET /api/task_list HTTP/1.1\r\nHost: x\r\n{keys}\r\n"
        assert status_of(raw(daemon.port, text.encode())) == 401


def test_get_changes_nothing(daemon: Luigid) -> None:
    """With the token, whatever changes something answers 405 to all but POST, in every disguise."""
    before = daemon.everything()
    for call in CHANGING:
        for method in ("GET", "HEAD"):
            assert request(daemon.port, method, f"/api/{call}?{PLANTED}", daemon.key)[0] == 405, call
    disguises: list[dict[str, str]] = [
        {"X-HTTP-Method-Override": "POST"}, {"X-Method-Override": "POST"}, {"X-HTTP-Method": "POST"},
        {"X-Original-URL": "/api/add_task"}, {"X-Rewrite-URL": "/api/add_task"},
    ]  # fmt: skip
    for headers in disguises:
        for path in (f"/api/add_task?{PLANTED}&_method=POST", f"/api/task_list?{PLANTED}"):
            assert request(daemon.port, "GET", path, daemon.key | headers)[0] in (200, 400, 405)
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
        for path in ("/api/add_task", "/api/task_list", "/", "/luigigo/stop"):
            assert request(daemon.port, method, f"{path}?{PLANTED}", daemon.key)[0] == 405
    for verb in ("hello", "status", "drain", "stop"):
        assert request(daemon.port, "GET", f"/luigigo/{verb}", daemon.key)[0] == 405
    assert daemon.everything() == before


def test_reading_makes_nothing(daemon: Luigid) -> None:
    """Procedures that answer GET make neither tasks nor workers of the names that they are asked about."""
    before = daemon.everything()
    for call in sorted(READING_CALLS):
        for arguments in ({}, {"task_id": "planted"}, {"status": "", "upstream_status": ""}, {"task_str": ""},
                          {"worker": "planted"}):  # fmt: skip
            path = f"/api/{call}?data={json.dumps(arguments).replace(' ', '')}"
            assert request(daemon.port, "GET", path, daemon.key)[0] in (200, 400), path
    assert daemon.everything() == before


@pytest.mark.parametrize(
    "path",
    [
        "/api//add_task", "//api/add_task", "/api/%61dd_task", "/%61pi/add_task", "/api/add_task/",
        "/API/add_task", "/api/ADD_TASK", "/luigigo/../api/add_task", "/static/../api/add_task",
        "/api/task_list/../add_task", "/api/add_task;x", "/api/add_task%20", "/api/add_task%00",
        "/api/task_list%2f..%2fadd_task", "/api/task_list%3f/../add_task", "http://x/api/add_task",
        "/api/_state", "/api/__init__", "/api/load", "/api/dump", "/api/prune", "/api/task_list%0a",
    ],
)  # fmt: skip
def test_no_trick_with_a_path_gets_around(daemon: Luigid, path: str) -> None:
    """However a path is spelled, a GET calls nothing that changes anything."""
    before = daemon.everything()
    status, text = request(daemon.port, "GET", f"{path}?{PLANTED}", daemon.key)
    assert status in (400, 403, 404, 405), text
    assert daemon.everything() == before


@pytest.mark.parametrize(
    "path",
    ["/static/../server.py", "/static/..%2fserver.py", "/static/%2e%2e/server.py", "/static//etc/passwd",
     "/static/visualiser/../../../server.py"],
)  # fmt: skip
def test_only_pages_are_files(daemon: Luigid, path: str) -> None:
    """No file but the visualizer's own is served."""
    assert request(daemon.port, "GET", path, daemon.key)[0] in (403, 404)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", "http://[", "http://127.0.0.1", "http://127.0.0.1:1", "file://"]
)  # fmt: skip
def test_another_sites_page_is_refused(daemon: Luigid, origin: str) -> None:
    """A browser that knows the password does nothing for another origin's page, nor opens it the channel."""
    headers = daemon.key | {"Origin": origin, "Content-Type": "text/plain"}
    before = daemon.everything()
    for path in (f"/api/add_task?{PLANTED}", "/luigigo/stop", "/luigigo/drain"):
        assert request(daemon.port, "POST", path, headers, b"{}")[0] == 403
    with pytest.raises(Shut, match="403"):
        daemon.wire(Origin=origin)
    assert daemon.everything() == before


def test_a_cross_site_post_without_origin_is_refused(daemon: Luigid) -> None:
    """What a browser marks as another site's is refused by that mark alone; its own page is not."""
    headers = daemon.key | {"Sec-Fetch-Site": "cross-site"}
    assert request(daemon.port, "POST", "/luigigo/stop", headers, b"{}")[0] == 403
    own = daemon.key | {"Origin": f"http://127.0.0.1:{daemon.port}", "Sec-Fetch-Site": "same-origin"}
    assert request(daemon.port, "POST", "/api/task_list", own, b"data=%7B%7D")[0] == 200


def test_pages_stay_out_of_frames(daemon: Luigid) -> None:
    """Browsers are told to show luigid's pages in no other site's frame."""
    text = "GET /static/visualiser/index.html HTTP/1.1\r\nHost: x\r\n"
    line = raw(daemon.port, f"{text}Authorization: {daemon.key['Authorization']}\r\n\r\n".encode())
    assert b"X-Frame-Options: DENY" in line.recv(4096)


def test_what_is_too_large_is_not_taken(daemon: Luigid) -> None:
    """Heads and bodies beyond the limits end their connection, and luigid's memory stays as it was."""
    before = daemon.resident_bytes()
    key = f"Authorization: {daemon.key['Authorization']}\r\n"
    post = "POST /api/add_task HTTP/1.1\r\nHost: x\r\n"
    announced = raw(daemon.port, f"{post}{key}Content-Length: {1 << 40}\r\n\r\n".encode())
    assert status_of(announced) in (400, 413)
    assert status_of(raw(daemon.port, f"{post}{key}Content-Length: -1\r\n\r\n".encode())) in (0, 400)
    assert status_of(raw(daemon.port, f"{post}Content-Length: {30 << 20}\r\n\r\n".encode())) == 401
    assert status_of(raw(daemon.port, f"{post}Transfer-Encoding: chunked\r\n\r\n".encode())) == 401
    assert is_cut(raw(daemon.port, b"GET / HTTP/1.1\r\nX: " + b"x" * (1 << 20)))
    endless = raw(daemon.port, f"{post}{key}Transfer-Encoding: chunked\r\n\r\n".encode())
    chunk = b"100000\r\n" + b"x" * (1 << 20) + b"\r\n"
    with pytest.raises(ConnectionError):
        for _ in range(64):
            endless.sendall(chunk)
    assert daemon.resident_bytes() - before < 100 << 20


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"5", b"null", b"{", b"\xff", b'{"x": NaN}', b"[" * 100_000, b'{"node": {"a": []}}'],
)  # fmt: skip
def test_senseless_requests_are_refused(daemon: Luigid, body: bytes) -> None:
    """Bodies and arguments that make no sense get an answer, and change nothing."""
    before = daemon.everything()
    assert request(daemon.port, "POST", "/luigigo/drain", daemon.key, body)[0] in (200, 400)
    form = daemon.key | {"Content-Type": "application/x-www-form-urlencoded"}
    for call in ("task_list", "ping", "set_task_progress_percentage", "fetch_error"):
        status, _ = request(daemon.port, "POST", f"/api/{call}", form, b"data=" + body)
        assert status in (200, 400), call
    assert daemon.everything() == before


@pytest.mark.parametrize(
    "fields",
    [{"priority": "high"}, {"priority": float("nan")}, {"params": {"a": 5}}, {"params": []}, {"deps": [[]]},
     {"deps": "kept"}, {"status": "GREAT"}, {"family": None}, {"task_id": ["planted"]}, {"task_id": ""},
     {"resources": {"x": "y"}}, {"retry_policy_dict": {"retry_count": []}}],
)  # fmt: skip
def test_a_task_of_wrong_types_is_not_kept(daemon: Luigid, fields: dict[str, Any]) -> None:
    """What everybody reads of a task has the right type, or the task is refused, at both doors."""
    call = {"worker": "planter", "task_id": "planted"} | fields
    form = daemon.key | {"Content-Type": "application/x-www-form-urlencoded"}
    assert request(daemon.port, "POST", "/api/add_task", form, b"data=" + json.dumps(call).encode())[0] == 400
    wire = daemon.wire()
    wire.hello("planter")
    wire.say({"type": "add", "offers": [{"call": call}]})
    assert wire.is_cut()


HELLO: dict[str, Any] = {
    "type": "hello", "protocol": PROTOCOL, "worker_id": "odd", "role": "client", "node": "odd", "slots": 1,
}  # fmt: skip
NEEDS = {"key": "0" * 64, "features": ["of a test"]}


@pytest.mark.parametrize(
    "said",
    [
        [],
        [{"type": "run"}],
        [{"type": "ended", "task_id": "kept", "lease": 1, "status": "done"}],
        [HELLO, HELLO],
        [HELLO, {"type": "ended", "task_id": "kept", "lease": 1, "status": "done", "made": {"export": "x"}}],
        [HELLO | {"protocol": 99}],
        [HELLO | {"role": "king"}],
        [HELLO | {"worker_id": ""}],
        [HELLO | {"worker_id": "<script>"}],
        [HELLO | {"node": "a\nb"}],
        [HELLO | {"worker_id": "x" * 301}],
        [HELLO | {"slots": 0}],
        [HELLO | {"slots": 10**30}],
        [HELLO | {"slots": "many"}],
        [HELLO | {"memory_bytes": -1}],
        [HELLO | {"held": [["planted", "x"]]}],
        [HELLO | {"held": [["planted", 1]] * 30_000}],
        [HELLO | {"role": "node"}, {"type": "add", "offers": [{"call": {"task_id": "planted"}}]}],
        [HELLO | {"role": "node"}, {"type": "call", "method": "pause", "arguments": {}}],
        [HELLO | {"role": "node"}, {"type": "run"}],
        *([HELLO, {"type": "call", "method": method, "arguments": {}}]
          for method in ("prune", "_state", "load", "dump", "__init__", "add_task", "disable_worker")),
        [HELLO, {"type": "call", "method": "set_task_status_message", "arguments": {"x": "y"}}],
        [HELLO, {"type": "call", "method": "announce_scheduling_failure", "arguments": []}],
        [HELLO, {"type": "add", "offers": [{"call": {}}]}],
        [HELLO, {"type": "add", "offers": [{"call": {"task_id": "planted"}, "needs": {"key": 5}}]}],
        [HELLO, {"type": "welcome", "epoch": "x", "version": "y"}],
        [HELLO, {"type": "nonsense"}],
        [HELLO, {}],
        [HELLO, 5],
    ],
)  # fmt: skip
def test_who_speaks_out_of_turn_is_cut_off(daemon: Luigid, said: list[Any]) -> None:
    """No hello, two of them, a wrong one, or words that are not for the speaker: the connection ends."""
    if not said:
        said = [[]]
    wire = daemon.wire()
    for message in said:
        wire.say(message)
    assert wire.is_cut()
    assert "odd" not in daemon.nodes()


@pytest.mark.parametrize(
    "frame",
    [b"", b"\x00\xff\xfe", b"{", b"[" * 100_000, b'[{"type":"hello"', b"null", bytes(range(256)) * 100,
     b'[{"type":"add","offers":[{"call":{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}}]}]"],
)  # fmt: skip
def test_garbage_is_cut_off(daemon: Luigid, frame: bytes) -> None:
    """Frames that are no messages end their connection, before a hello and after it."""
    for greets in (False, True):
        wire = daemon.wire()
        if greets:
            wire.hello("garbler")
        wire.send(frame)
        assert wire.is_cut()


def test_a_frame_that_is_too_large_is_not_taken(daemon: Luigid) -> None:
    """A frame beyond the limit, whole or in parts, ends its connection before it is in memory."""
    before = daemon.resident_bytes()
    wire = daemon.wire()
    wire.send(b"", length=(32 << 20) + 1)
    assert wire.is_cut()
    wire = daemon.wire()
    wire.send(b"", length=1 << 62)
    assert wire.is_cut()
    wire = daemon.wire()
    part = b" " * (12 << 20)
    try:
        for number in range(4):
            wire.send(part, opcode=0 if number else 2, fin=False)
    except ConnectionError:
        pass
    assert wire.is_cut()
    assert daemon.resident_bytes() - before < 150 << 20


def test_who_says_nothing_is_sent_away(daemon: Luigid) -> None:
    """Connections without a request, without a hello, or whose peer never reads end after some seconds."""
    silent = [daemon.wire() for _ in range(200)]
    headless = [raw(daemon.port, text) for text in (b"", b"GET / HTTP/1.1\r\nX: ") for _ in range(20)]
    deaf = daemon.wire()
    deaf.hello("deaf", role="node")
    assert "deaf" in daemon.nodes()
    assert all(wire.is_cut() for wire in silent)
    assert all(is_cut(line) for line in headless)
    assert "deaf" not in daemon.nodes()


def test_so_many_connections_and_no_more(daemon: Luigid) -> None:
    """A flood of connections is turned away at a bound; workers keep theirs, and others come in after it."""
    friend = daemon.wire()
    friend.hello("steady")
    flood: list[socket.socket] = [raw(daemon.port, b"") for _ in range(600)]
    assert any(is_cut(line, 1.0) for line in reversed(flood))
    friend.say({"type": "run"})
    friend.hear("over")
    for line in flood:
        line.close()
    friend.close()
    wait_until(lambda: status_of(raw(daemon.port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")) == 401)


def lend(daemon: Luigid, task_id: str, client: Wire, node: Wire) -> int:
    """Let a node have a client's task; the lease."""
    client.say({"type": "add", "offers": [{"call": {"task_id": task_id, "family": "F"}, "needs": NEEDS}]})
    grants = node.hear("work")["grants"]
    assert [grant["task_id"] for grant in grants] == [task_id]
    return int(grants[0]["lease"])


def test_a_stolen_lease_is_worth_nothing(daemon: Luigid) -> None:
    """Only who was given a task can end it, whatever number another says."""
    client, owner, thief = daemon.wire(), daemon.wire(), daemon.wire()
    client.hello("lender")
    owner.hello("owner", role="node", features=["of a test"])
    lease = lend(daemon, "lent", client, owner)
    thief.hello("thief", role="node", features=["of another"])
    for number in (lease, lease + 1, -1, 0):
        thief.say({"type": "started", "task_id": "lent", "lease": number})
        thief.say(
            {"type": "ended", "task_id": "lent", "lease": number, "status": "failed", "explanation": "ha"}
        )
    # The thief was heard: what it says last is answered.
    thief.say({"type": "run"})
    assert thief.is_cut()
    owner.say({"type": "ended", "task_id": "lent", "lease": lease, "status": "done"})
    assert client.hear("progress", status="done")["worker_id"] == "owner"
    for wire in (client, owner):
        wire.say({"type": "leave"})


def test_who_takes_anothers_name_takes_its_place_openly(daemon: Luigid) -> None:
    """The latest of two workers with one name is believed, and the earlier is cut off: it comes back at once.

    A name is its role's and its node's: nobody becomes a client under a node's name.
    """
    client, first, second = daemon.wire(), daemon.wire(), daemon.wire()
    client.hello("patron")
    first.hello("duplicate", role="node", features=["of a test"])
    lend(daemon, "shared-out", client, first)
    for odd in ({"role": "client"}, {"role": "node", "node": "elsewhere"}):
        usurper = daemon.wire()
        usurper.say(HELLO | {"worker_id": "duplicate", "node": "duplicate"} | odd)
        assert usurper.hear("refused")
        assert usurper.is_cut()
    second.hello("duplicate", role="node", features=["of a test"])
    assert first.is_cut()
    assert [grant["task_id"] for grant in second.hear("work")["grants"]] == ["shared-out"]
    for wire in (second, client):
        wire.say({"type": "leave"})
