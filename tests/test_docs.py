"""The commands of the README and of docs/ do what they say, in a new environment and a fresh copy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from consoles import DOCUMENTS, ROOT, commands_of, needs_hosts

README = ROOT / "README.md"
TEXTS = "\n".join(document.read_text() for document in DOCUMENTS)
IGNORED = shutil.ignore_patterns(
    ".git", ".venv", "*.egg-info", "__pycache__", ".*_cache", "build", "bin", "luigigo-[0-9]*"
)
CHECK = "make check"


class Fresh:
    """A copy of the project, a new virtual environment, and a home of its own."""

    def __init__(self, base: Path) -> None:
        self.checkout = base / "luigigo"
        shutil.copytree(ROOT, self.checkout, ignore=IGNORED)
        subprocess.run([sys.executable, "-m", "venv", str(base / "venv")], check=True)
        path = os.pathsep.join([str(base / "venv" / "bin"), "/usr/bin", "/bin"])
        self.env = {**os.environ, "PATH": path, "HOME": str(base / "home"), "GOCACHE": str(base / "gocache")}
        (base / "home").mkdir()
        for name in ("LUIGIGO_CACHE", "LUIGIGO_GO", "LUIGI_CONFIG_PATH", "GOROOT", "VIRTUAL_ENV"):
            self.env.pop(name, None)
        for name in tuple(self.env):
            if name.startswith("XDG_"):
                del self.env[name]
        self._daemons: list[subprocess.Popen[str]] = []

    def run(self, command: str) -> str:
        """What the command prints; it must succeed. One that ends with `&` has to say that it is ready."""
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        if command.endswith("&"):
            words = command.removesuffix("&").split()
            daemon = subprocess.Popen(words, cwd=self.checkout, env=self.env, **streams)
            self._daemons.append(daemon)
            assert daemon.stdout is not None
            return daemon.stdout.readline()
        done = subprocess.run(["bash", "-c", command], cwd=self.checkout, env=self.env, **streams)
        assert done.returncode == 0, f"$ {command}\n{done.stdout}"
        return done.stdout

    def stop(self) -> None:
        """End what runs in the background."""
        for daemon in self._daemons:
            daemon.terminate()
            daemon.communicate(timeout=20)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fresh]:
    """Where a new user begins."""
    made = Fresh(tmp_path_factory.mktemp("fresh"))
    yield made
    made.stop()


@pytest.mark.builds
def test_the_first_command_builds_a_program_that_runs(fresh: Fresh) -> None:
    """The README's first command installs luigigo with Go and builds a program that runs."""
    first = commands_of(README)[0]
    assert "luigi --module luigigo BuildBinary" in first
    fresh.run(first)
    assert "go1." in fresh.run("bin/hello -version")


@pytest.mark.builds
@pytest.mark.parametrize("document", [document.relative_to(ROOT).as_posix() for document in DOCUMENTS])
def test_every_other_command_works(fresh: Fresh, document: str) -> None:
    """All commands of a document succeed, in its order, where the README's first has run."""
    # Those for clusters need hosts: the cluster tests run them. The tests' own command is CI's.
    for command in commands_of(ROOT / document):
        if command != commands_of(README)[0] and not needs_hosts(command) and CHECK not in command:
            fresh.run(command)
    fresh.stop()


def test_every_exit_code_is_documented() -> None:
    """The table of exit codes has each code that the program knows."""
    from luigigo.errors import ExitCode

    table = (ROOT / "docs" / "output.md").read_text()
    documented = set(re.findall(r"\d+", " ".join(re.findall(r"^\| ([\d, ]+) \|", table, re.M))))
    assert {str(int(code)) for code in ExitCode} <= documented


def test_every_command_is_documented() -> None:
    """The documents name each command, those for clusters too, and each long flag of `luigigo build`."""
    import click

    from luigigo.commands.cluster import cluster
    from luigigo.commands.main import cli

    store = cli.commands["store"]
    assert isinstance(store, click.Group)
    names = [*(f"store {name}" for name in store.commands), *(f"cluster {name}" for name in cluster.commands)]
    names += ["build", "doctor", "worker", "scheduler", "runs", "report", "explain", "predict", "status"]
    for name in names:
        assert f"luigigo {name}" in TEXTS, name
    for parameter in cli.commands["build"].params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert any(option in TEXTS or option[1:] in TEXTS for option in parameter.opts), parameter.name


def test_links_lead_somewhere() -> None:
    """A link to a file of the project, relative or to its page, names a file that is there."""
    pages = re.compile(r"https://(github\.com/luigigo/luigigo/blob|raw\.\S+/luigigo/luigigo)/main/")
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if pages.match(target):
                assert (ROOT / pages.sub("", target)).exists(), target
            elif "://" not in target:
                assert document != README, f"{target}: a package index knows no files beside the README"
                assert (document.parent / target).exists(), target
