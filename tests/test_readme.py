"""The README's commands do what it says, in a fresh virtual environment and a fresh copy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
NEEDS_MORE = re.compile("make check|luigigo cluster|luigigo doctor|--cluster|--scheduler-host")
IGNORED = shutil.ignore_patterns(".git", ".venv", "*.egg-info", "__pycache__", ".*_cache", "build", "bin")


def readme_commands() -> list[str]:
    """The commands of the README's console blocks."""
    return [line[2:] for line in README.splitlines() if line.startswith("$ ")]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A copy of the project and the environment of a new virtual environment."""
    base = tmp_path_factory.mktemp("fresh")
    checkout = base / "luigigo"
    shutil.copytree(ROOT, checkout, ignore=IGNORED)
    subprocess.run([sys.executable, "-m", "venv", str(base / "venv")], check=True)
    path = os.pathsep.join([str(base / "venv" / "bin"), "/usr/bin", "/bin"])
    caches = {"XDG_CACHE_HOME": str(base / "cache"), "GOCACHE": str(base / "gocache")}
    env = {**os.environ, "PATH": path, **caches}
    for name in ("LUIGIGO_CACHE", "LUIGIGO_GO", "LUIGI_CONFIG_PATH", "GOROOT", "VIRTUAL_ENV"):
        env.pop(name, None)
    return checkout, env


def run(command: str, fresh: tuple[Path, dict[str, str]]) -> subprocess.CompletedProcess[str]:
    checkout, env = fresh
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(["bash", "-c", command], cwd=checkout, env=env, **output)
    assert done.returncode == 0, f"$ {command}\n{done.stdout}"
    return done


@pytest.mark.builds
def test_first_command_builds_a_program_that_runs(fresh: tuple[Path, dict[str, str]]) -> None:
    """The README's first command installs luigigo with Go and builds a program that runs."""
    first = readme_commands()[0]
    assert "luigi --module luigigo BuildBinary" in first
    run(first, fresh)
    assert "go1." in run("bin/hello -version", fresh).stdout


@pytest.mark.builds
def test_every_other_command_works(fresh: tuple[Path, dict[str, str]]) -> None:
    """The README's other commands succeed where the first has run; the tests' own command is CI's."""
    # Those for clusters need hosts: the cluster tests run them.
    commands = [command for command in readme_commands()[1:] if not NEEDS_MORE.search(command)]
    assert any(command.startswith("luigigo build") for command in commands)
    for command in commands:
        run(command, fresh)


def test_every_exit_code_is_documented() -> None:
    """The README's table of exit codes has each code that the program knows."""
    from luigigo.errors import ExitCode

    documented = set(re.findall(r"\d+", " ".join(re.findall(r"^\| ([\d, ]+) \|", README, re.M))))
    assert {str(int(code)) for code in ExitCode} <= documented


def test_every_command_is_documented() -> None:
    """The README names each command and each long flag of `luigigo build`."""
    import click

    from luigigo.cli import cli

    store = cli.commands["store"]
    assert isinstance(store, click.Group)
    for name in store.commands:
        assert f"luigigo store {name}" in README
    for parameter in cli.commands["build"].params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert any(option in README or option[1:] in README for option in parameter.opts), parameter.name
