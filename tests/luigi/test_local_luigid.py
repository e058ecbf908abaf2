"""`luigigo scheduler` without a word more: where its page is, and that its user's commands find it."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import Lab, free_port, wait_until

from luigigo.errors import ExitCode

pytestmark = pytest.mark.builds

SMALL = {"go.mod": "module example.com/small\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() {}\n"}
USING = "using your luigid at"


class Daemon:
    """A daemon of the lab's."""

    def __init__(self, lab: Lab, *arguments: Any) -> None:
        self.log = lab.folder / f"{arguments[0]}.log"
        with self.log.open("w") as out:
            self.process = lab.start("luigigo", *arguments, stderr=out)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready "), self.log.read_text()
        self.facts: dict[str, Any] = json.loads(line.removeprefix("ready "))

    def end(self, signal_number: int = signal.SIGTERM) -> None:
        """End it, and wait for that."""
        self.process.send_signal(signal_number)
        self.process.wait(timeout=60)


@pytest.fixture
def start(lab: Lab) -> Iterator[Callable[[], Daemon]]:
    """Starts luigids on ports of their own; what still runs at the end is ended."""
    started: list[Daemon] = []

    def start() -> Daemon:
        started.append(Daemon(lab, "scheduler", "--port", free_port()))
        return started[-1]

    yield start
    for daemon in started:
        if daemon.process.poll() is None:
            daemon.end()


@pytest.fixture
def project(lab: Lab) -> Path:
    """A program that imports nothing."""
    return lab.write(SMALL, "small")


def edit(project: Path, text: str) -> None:
    """Leave something to do."""
    (project / "main.go").write_text(f'package main\n\nfunc main() {{ println("{text}") }}\n')


def notes(lab: Lab) -> list[Path]:
    """The notes that luigids left."""
    return sorted((lab.folder / ".local" / "state" / "luigigo" / "luigids").glob("*"))


def status_of(page: str, token: str = "") -> tuple[int, str]:
    """What a browser gets: status and content, or the challenge that makes it ask for a password."""
    request = urllib.request.Request(page)
    if token:
        request.add_header("Authorization", "Basic " + base64.b64encode(f"luigigo:{token}".encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["WWW-Authenticate"]


def test_it_says_where_its_page_and_its_token_are(lab: Lab, start: Callable[[], Daemon]) -> None:
    """The page asks for the password, and the file that is named holds it; the token is not printed."""
    luigid = start()
    said = luigid.log.read_text()
    page = f"http://127.0.0.1:{luigid.facts['port']}/"
    token_file = lab.folder / ".config" / "luigigo" / "token"
    assert f"luigid's page is {page}; user luigigo, password: see {token_file}\n" in said
    token = token_file.read_text().strip()
    assert token not in said
    assert status_of(page) == (401, 'Basic realm="luigigo"')
    assert status_of(page, "x" * len(token))[0] == 401
    code, content = status_of(page, token)
    assert code == 200
    assert "Luigi Task Visualiser" in content


def test_its_note_is_its_users_alone_and_goes_with_it(lab: Lab, start: Callable[[], Daemon]) -> None:
    """Mode 600, one for each luigid, and none when it has ended."""
    luigid = start()
    (note,) = notes(lab)
    assert note.stat().st_mode & 0o777 == 0o600
    luigid.end(signal.SIGINT)
    assert notes(lab) == []


def test_every_command_finds_it(lab: Lab, start: Callable[[], Daemon], project: Path) -> None:
    """luigigo build, luigi and luigigo worker: no option says where it is, nor its port alone says more."""
    luigid = start()
    built = lab.build(project)
    assert USING in built.stderr
    assert "has no worker: building here" in built.stderr
    lab.assert_identical(project)
    edit(project, "a")
    by_luigi = lab.run("luigi", "--module", "luigigo", "BuildBinary", "--project", project, "--output",
                       lab.output_of(project))  # fmt: skip
    assert by_luigi.returncode == 0, by_luigi.stderr
    assert USING in by_luigi.stderr
    lab.assert_identical(project)
    worker = Daemon(lab, "worker", "--node", "helper")
    edit(project, "b")
    built = lab.build(project)
    assert "building here" not in built.stderr
    assert {event["node"] for event in built.events if event["event"] == "action"} == {"helper"}
    lab.assert_identical(project)
    edit(project, "c")
    assert USING in lab.build(project, "--scheduler-port", luigid.facts["port"]).stderr
    lab.assert_identical(project)
    worker.end()


def test_status_names_the_nodes(lab: Lab, start: Callable[[], Daemon]) -> None:
    """`luigigo status` shows the nodes of a luigid for this store, and none where it is gone."""
    luigid = start()
    worker = Daemon(lab, "worker", "--node", "helper", "--slots", "3")
    assert "no build goes on\n\nnode helper: ready, 0 of 3 slots" in lab.luigigo("status").stdout
    (node,) = json.loads(lab.luigigo("status", "--json").stdout)["nodes"]
    assert (node["node"], node["slots"], node["state"]) == ("helper", 3, "ready")
    worker.end()
    luigid.end()
    assert json.loads(lab.luigigo("status", "--json").stdout)["nodes"] == []


def test_a_build_on_luigis_page_leads_to_its_report(
    lab: Lab, start: Callable[[], Daemon], project: Path
) -> None:
    """The task of a build has a link, behind the token, to the report of its run; no other run has a page."""
    luigid = start()
    lab.build(project)
    host = f"http://127.0.0.1:{luigid.facts['port']}"
    token = (lab.folder / ".config" / "luigigo" / "token").read_text().strip()
    _, answer = status_of(f"{host}/api/task_list?data=%7B%22status%22%3A%22DONE%22%7D", token)
    tasks = json.loads(answer)["response"].values()
    (link,) = {task["tracking_url"] for task in tasks if task["name"] == "BuildBinary"}
    (run,) = (os.path.basename(each) for each in (lab.cache / "store" / "runs").iterdir())
    assert link == f"/luigigo/report/{run}"
    assert status_of(host + link)[0] == 401
    code, page = status_of(host + link, token)
    assert (code, page[:15].lower()) == (200, "<!doctype html>")
    assert run in page
    assert status_of(f"{host}/luigigo/report/no-such-run", token)[0] == 404


def test_other_stores_are_left_alone(lab: Lab, start: Callable[[], Daemon], project: Path) -> None:
    """A build with another cache is none of it; nor is one that is told to schedule by itself."""
    start()
    finished = lab.luigi("--project", project, "--output", lab.output_of(project))
    assert (finished.returncode, USING in finished.stderr) == (0, False)
    edit(project, "a")
    other = {"LUIGIGO_CACHE": str(lab.folder / "other")}
    assert USING not in lab.build(project, env=other).stderr
    lab.assert_identical(project)


def test_one_that_was_killed_is_not_looked_for(lab: Lab, start: Callable[[], Daemon], project: Path) -> None:
    """Its note stays, counts for nothing, and goes with the next luigid."""
    luigid = start()
    luigid.end(signal.SIGKILL)
    assert len(notes(lab)) == 1
    assert USING not in lab.build(project).stderr
    lab.assert_identical(project)
    finished = lab.luigigo("worker")
    assert finished.returncode == ExitCode.USAGE
    assert "start luigigo scheduler" in finished.stderr
    start()
    assert len(notes(lab)) == 1


def test_a_build_does_not_wait_for_ever_for_one_that_ends(
    lab: Lab, start: Callable[[], Daemon], project: Path
) -> None:
    """It says so, and ends with an error; the next one goes on by itself."""
    luigid = start()
    (project / "main.go").write_text('package main\n\nimport _ "net/http"\n\nfunc main() {}\n')
    building = lab.start("luigigo", "build", project, "-o", lab.output_of(project))
    assert building.stderr is not None
    wait_until(lambda: "building here" in building.stderr.readline())
    luigid.end(signal.SIGKILL)
    _, said = building.communicate(timeout=120)
    assert building.returncode == ExitCode.BUILD_FAILED, said
    assert "has ended: run the command again" in said
    edit(project, "a")
    assert USING not in lab.build(project).stderr
    lab.assert_identical(project)


@pytest.mark.parametrize("command", ["luigi", "luigigo build"])
def test_a_port_alone_is_one_of_this_host(lab: Lab, project: Path, command: str) -> None:
    """Where nobody listens there, the advice names a flag of the command that was typed."""
    port = free_port()
    named = ("luigi", "--module", "luigigo", "BuildBinary", "--project")
    begin = named if command == "luigi" else ("luigigo", "build")
    finished = lab.run(*begin, project, "--output", lab.output_of(project), "--scheduler-port", port)
    assert finished.returncode == ExitCode.USAGE
    assert f"no luigid answers at localhost:{port}; start it, or " in finished.stderr
    assert ("--local-scheduler" in finished.stderr) == (command == "luigi")
    assert ("leave out --scheduler-host" in finished.stderr) == (command != "luigi")


def test_a_stock_luigid_is_asked_as_before(lab: Lab, project: Path) -> None:
    """Without a luigid of luigigo's, luigid at the named port schedules, and its page shows that."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LUIGI")}
    stock = subprocess.Popen(
        ["python", "-c", "from luigi.cmdline import luigid; luigid()", "--port", str(port), "--address",
         "127.0.0.1"], env=environment, cwd=lab.folder, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        page = f"http://127.0.0.1:{port}/api/task_list?data=%7B%22status%22%3A%22DONE%22%7D"

        def shown() -> str:
            try:
                return status_of(page)[1]
            except urllib.error.URLError:
                return ""

        wait_until(shown)
        built = lab.build(project, "--scheduler-port", port)
        assert "a stock one" in built.stderr
        lab.assert_identical(project)
        assert "LinkBinary" in shown()
    finally:
        stock.terminate()
        stock.wait()
