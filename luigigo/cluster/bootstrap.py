"""One virtual environment on the share that all nodes run from: luigigo, what it needs, and Go.

It is made in a folder of its own, `<shared>/envs/<time>`, and then `<shared>/env` is turned to it in one
step: an environment cannot be moved, but a link to it can. The one before stays: daemons still run from it.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from luigigo.cluster.messages import ClusterError
from luigigo.clusterfile import ClusterDescription
from luigigo.clusterfile.description import ENVIRONMENT
from luigigo.errors import UsageError
from luigigo.process import Command, Runner
from luigigo.store.staging import store_errors

_FOLDER = "envs"
_KEPT = 2
_SOURCE_NAMES = ("pyproject.toml", "README.md", "LICENSE", "luigigo")


def bootstrap(cluster: ClusterDescription, base: str, say: Callable[[str], None]) -> str:
    """Make the environment and turn the cluster to it; return its folder.

    `base`: the Python that it stands on, which every node must have at the same path; "" takes the one that
    runs. Raises `UsageError`, `StoreError` and `ClusterError`.
    """
    link = os.path.join(cluster.shared, ENVIRONMENT)
    if os.path.lexists(link) and not os.path.islink(link):
        raise UsageError(f"{link} is a folder that bootstrap did not make; move it away, or set python:")
    base = base or _base_interpreter()
    folder = os.path.join(cluster.shared, _FOLDER, time.strftime("%Y%m%d-%H%M%S") + f"-{os.getpid()}")
    with store_errors("make the environment", cluster.shared):
        os.makedirs(os.path.dirname(folder), exist_ok=True)
    try:
        say(f"making {folder} with {base}")
        _run([base, "-m", "venv", folder], "make a virtual environment")
        with _source() as (source, constraints):
            say("installing luigigo and Go into it; this takes a minute")
            pip = [os.path.join(folder, "bin", "python"), "-m", "pip", "install", "--quiet", "--no-input"]
            _run(
                [*pip, "--disable-pip-version-check", "--constraint", constraints, source],
                "install luigigo into it",
            )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _turn(link, folder)
    _sweep(os.path.dirname(folder), folder)
    return folder


def _base_interpreter() -> str:
    """The Python below the virtual environment that runs, if it is one."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


def _run(argv: Sequence[str], doing: str) -> None:
    variables = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")
    }
    try:
        finished = Runner().run(Command(argv=tuple(argv), cwd="/", env=variables))
    except OSError as error:
        raise UsageError(
            f"{argv[0]} cannot be run: {error.strerror}; name another one with --base"
        ) from error
    if finished.exit_code != 0:
        said = finished.output.decode(errors="replace").strip()
        raise ClusterError(f"cannot {doing}: {' '.join(argv)} ended with {finished.exit_code}:\n{said}")


@contextmanager
def _source() -> Iterator[tuple[str, str]]:
    """What pip installs, and a file with the versions that run here, so that all nodes have the same."""
    with tempfile.TemporaryDirectory(prefix="luigigo-bootstrap-") as scratch:
        constraints = os.path.join(scratch, "constraints.txt")
        Path(constraints).write_text("".join(f"{line}\n" for line in versions_here()))
        tree = source_tree()
        if tree is None:
            yield f"luigigo[go]=={importlib.metadata.version('luigigo')}", constraints
            return
        if os.path.isfile(tree):
            yield f"luigigo[go] @ {Path(tree).as_uri()}", constraints
            return
        # A copy, for pip leaves files of its own in the tree that it builds.
        copy = os.path.join(scratch, "luigigo")
        os.mkdir(copy)
        for name in _SOURCE_NAMES:
            _copy(os.path.join(tree, name), os.path.join(copy, name))
        yield f"{copy}[go]", constraints


def _copy(source: str, target: str) -> None:
    if os.path.isdir(source):
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    elif os.path.exists(source):
        shutil.copyfile(source, target)


def source_tree() -> str | None:
    """The checkout or the wheel that this luigigo runs from; None when it came from a package index."""
    package = Path(__file__).resolve().parents[1]
    if (package.parent / "pyproject.toml").is_file():
        return str(package.parent)
    with suppress(importlib.metadata.PackageNotFoundError, json.JSONDecodeError):
        origin = importlib.metadata.distribution("luigigo").read_text("direct_url.json")
        url = urlsplit(json.loads(origin)["url"]) if origin else None
        if url is not None and url.scheme == "file" and os.path.exists(unquote(url.path)):
            return unquote(url.path)
    return None


def versions_here() -> list[str]:
    """The packages of this Python, as constraints, but for those that were installed from a folder."""
    found = {}
    for package in importlib.metadata.distributions():
        name = package.metadata["Name"]
        if name and name.lower() != "luigigo" and package.read_text("direct_url.json") is None:
            found[name.lower()] = f"{name}=={package.version}"
    return [found[name] for name in sorted(found) if name not in ("pip", "setuptools", "wheel")]


def _turn(link: str, folder: str) -> None:
    staged = f"{link}.{os.getpid()}"
    with store_errors("turn to the new environment", link):
        with suppress(FileNotFoundError):
            os.unlink(staged)
        # Relative, so that it holds wherever the share is mounted while it is looked at.
        os.symlink(os.path.join(_FOLDER, os.path.basename(folder)), staged)
        os.replace(staged, link)


def _sweep(envs: str, current: str) -> None:
    """Remove old environments; daemons may run from the newest of them, and another may be in the making."""
    others = sorted((entry.path for entry in os.scandir(envs) if entry.path != current), reverse=True)
    for path in others[_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)
