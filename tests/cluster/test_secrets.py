"""What is private stays so: tokens, folders and logs; TLS; and no name reaches a shell."""

from __future__ import annotations

import ast
import json
import os
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from intruder import is_cut, raw
from support import ROOT, Lab, free_port, wait_until
from targets import Worker, luigid

from luigigo.cluster.links import COMMAND


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A folder with commands; nothing is built in it."""
    made = Lab(tmp_path, tmp_path / "cache")
    yield made
    made.stop_all()


def mode_of(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_token_is_made_for_its_owner_only(lab: Lab) -> None:
    """luigid makes the token with mode 600, whatever the umask, and says it nowhere."""
    before = os.umask(0)
    try:
        with luigid(lab) as daemon:
            assert mode_of(lab.folder / "token") == 0o600
            assert daemon.token not in daemon.log.read_text()
            arguments = Path(f"/proc/{daemon.process.pid}/cmdline").read_bytes()
            assert daemon.token.encode() not in arguments
    finally:
        os.umask(before)


def test_it_listens_at_home_only(lab: Lab) -> None:
    """Unless it is told otherwise, luigid is at 127.0.0.1 and nowhere else."""
    with luigid(lab) as daemon:
        assert daemon.facts["host"] == "127.0.0.1"
        with socket.socket() as other, pytest.raises(OSError):
            other.connect(("127.0.0.2", daemon.port))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602])
@pytest.mark.parametrize("command", ["worker", "scheduler"])
def test_an_open_token_is_refused(lab: Lab, command: str, mode: int) -> None:
    """A token that others may read or change is none, for both daemons."""
    token = lab.folder / "token"
    token.write_text("x" * 43)
    token.chmod(mode)
    options = (
        ("--shared", lab.folder, "--scheduler-host", "127.0.0.1")
        if command == "worker"
        else ("--port", free_port())
    )
    ended = lab.luigigo(command, "--token-file", token, *options)
    assert ended.returncode == 2
    assert f"open to others (mode {mode:o})" in ended.stderr
    assert "x" * 43 not in ended.stderr


@pytest.mark.parametrize("kind", ["link", "open", "file", "foreign"])
def test_a_prepared_cache_is_refused(lab: Lab, kind: str) -> None:
    """A worker does not work in a folder that others made or can write to, nor in a link's."""
    token, cache = lab.folder / "token", lab.folder / "prepared"
    token.write_text("x" * 43)
    token.chmod(0o600)
    if kind == "link":
        (lab.folder / "elsewhere").mkdir()
        cache.symlink_to(lab.folder / "elsewhere")
    elif kind == "file":
        cache.write_text("")
    else:
        cache.mkdir()
        cache.chmod(0o777)
    if kind == "foreign":
        if os.geteuid() != 0:
            pytest.skip("only root can give a folder to somebody else")
        cache.chmod(0o700)
        os.chown(cache, 12345, 12345)
    options = ("--shared", lab.folder, "--scheduler-host", "127.0.0.1", "--token-file", token)
    ended = lab.luigigo("worker", *options, "--cache", cache)
    assert ended.returncode == 2
    assert str(cache) in ended.stderr
    assert not any((lab.folder / "elsewhere").glob("*"))


def test_a_workers_cache_is_private(lab: Lab) -> None:
    """The folder in which a worker unpacks and compiles is of mode 700."""
    (lab.folder / "shared").mkdir()
    with luigid(lab) as daemon:
        worker = Worker(lab, daemon, lab.folder / "shared", "n1")
        worker.wait_ready()
        assert mode_of(lab.folder / "n1.cache") == 0o700
        assert daemon.token not in worker.log.read_text()
        worker.process.terminate()
        assert worker.process.wait() == 0


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    made, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-out", made, "-keyout", key],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key


def test_tls_keeps_out_who_cannot_be_trusted(lab: Lab) -> None:
    """With certificates, a worker comes in by the right one only, and nothing is said without encryption."""
    good, key = certificate(lab.folder, "good")
    other, _ = certificate(lab.folder, "other")
    shared, port = lab.folder / "shared", free_port()
    shared.mkdir()
    scheduler = {"host": "127.0.0.1", "port": port, "tls_certificate": str(good), "tls_key": str(key)}
    file = lab.folder / "cluster.json"
    description = {"shared": str(shared), "scheduler": scheduler, "nodes": [{"host": "n1"}],
                   "token_file": str(lab.folder / "token")}  # fmt: skip
    file.write_text(json.dumps(description))
    with luigid(lab, "--cluster", file) as daemon:
        assert is_cut(raw(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
        options = ("--shared", shared, "--scheduler-host", "127.0.0.1", "--scheduler-port", port,
                   "--token-file", lab.folder / "token", "--slots", 1)  # fmt: skip
        for name, trusted in (("fooled", ("--tls-ca", other)), ("plain", ()), ("right", ("--tls-ca", good))):
            log = (lab.folder / f"{name}.log").open("w")
            lab.start(
                "luigigo",
                "worker",
                *options,
                "--node",
                name,
                "--cache",
                lab.folder / name,
                *trusted,
                stderr=log,
            )
        wait_until(lambda: "does not answer" in (lab.folder / "fooled.log").read_text(), "for the fooled one")
        wait_until(lambda: "does not answer" in (lab.folder / "plain.log").read_text(), "for the plain one")
        wait_until(lambda: "right (" in daemon.log.read_text(), "for the right one")
        assert "CERTIFICATE_VERIFY_FAILED" in (lab.folder / "fooled.log").read_text()
        assert "fooled" not in daemon.log.read_text() and "plain" not in daemon.log.read_text()
        context = ssl.create_default_context(cafile=str(good))
        with (
            pytest.raises(ssl.SSLError),
            socket.create_connection(("127.0.0.1", port)) as line,
            context.wrap_socket(line, server_hostname="elsewhere.example"),
        ):
            pass


SHELLS = ("system", "popen", "getoutput", "getstatusoutput", "create_subprocess_shell")


def test_nothing_asks_a_shell() -> None:
    """No call starts a shell, and the one line that a node's shell reads is a constant without names."""
    found = []
    for path in sorted((ROOT / "luigigo").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            asks = name in SHELLS or any(word.arg == "shell" for word in node.keywords)
            runs = name == "exec_command" and ast.unparse(node.args[0]) != "command"
            if asks or runs:
                found.append(f"{path.name}:{node.lineno}")
        text = path.read_text()
        if path.name != "links.py" and ("sh -c" in text or ('"-c"' in text and '"sh"' in text)):
            found.append(path.name)
    assert found == []
    assert "{" not in COMMAND and "%" not in COMMAND


@pytest.mark.parametrize(
    "name",
    [
        "a b",
        "it's",
        'say "x"',
        "$(touch mark)",
        "`touch mark`",
        "x;touch mark",
        "x\\",
        "*",
        "-c touch mark",
        "~",
    ],
)
def test_the_line_that_a_nodes_shell_reads_takes_any_path(tmp_path: Path, name: str) -> None:
    """The interpreter's path travels on standard input: whatever letters it has, it is one program's name."""
    folder = tmp_path / name
    folder.mkdir()
    python = folder / "python"
    python.write_text(f"#!{sys.executable}\nimport sys\nprint(sys.argv[1:], sys.stdin.read())\n")
    python.chmod(0o755)
    ended = subprocess.run(
        ["/bin/sh", "-c", COMMAND],
        input=f"{python}\n$(touch mark)\n",
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert ended.stdout == "['-m', 'luigigo.cluster.agent'] $(touch mark)\n\n"
    assert [path.name for path in tmp_path.iterdir()] == [name]
