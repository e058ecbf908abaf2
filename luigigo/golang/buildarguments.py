"""What the packages on a command line mean: a project, and packages in it. Looks for go.mod and go.work."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence

_USE = re.compile(r"^\s*use\s+(?:\(([^)]*)\)|(\S.*?))\s*$", re.MULTILINE)


def project_and_packages(
    arguments: Sequence[str], folder: str, variables: Mapping[str, str]
) -> tuple[str, tuple[str, ...]]:
    """The folder in which the go command is to run, or a `module/path@version`, and the packages there.

    The folder is the current one, and the packages mean what they mean to the go command, but for a first
    argument that is a folder of another module: that is a project, and what follows are packages in it. So is
    a `module/path@version`, as `go install` takes it. `folder` is the current one, "" where that is gone.
    """
    folder = folder or "."
    if not arguments:
        return folder, (".",)
    first, rest = arguments[0], tuple(arguments[1:])
    if _is_version(first) or _is_other_module(first, folder, variables):
        return first, rest or (".",)
    return folder, tuple(arguments)


def _is_version(argument: str) -> bool:
    return "@" in argument and not argument.startswith((".", "/")) and not os.path.exists(argument)


def _is_other_module(argument: str, folder: str, variables: Mapping[str, str]) -> bool:
    path = os.path.join(folder, os.path.expanduser(argument))
    is_lost = folder == "." and not os.path.isabs(path)
    if is_lost or "..." in argument or not os.path.isdir(path):
        return False
    if not os.access(path, os.X_OK):
        # The go command says so, where it is to run there.
        return True
    place = _home(path)
    own = (_home(folder), *_workspace_members(folder, variables))
    return bool(place) and not any(each and _is_same(place, each) for each in own)


def _is_same(folder: str, other: str) -> bool:
    try:
        return os.path.samefile(folder, other)
    except OSError:
        return folder == other


def _home(folder: str) -> str:
    """The folder of the module that a folder is in, else of the workspace; "" for neither."""
    if folder == ".":
        return ""
    return _above(folder, "go.mod") or _above(folder, "go.work")


def _above(folder: str, name: str) -> str:
    """The nearest folder upward with a file of that name, or ""."""
    # As it is named: links are not resolved, nor are they for the go command.
    for each in _upward(os.path.abspath(folder)):
        if os.path.isfile(os.path.join(each, name)):
            return each
    return ""


def _upward(folder: str) -> Iterator[str]:
    while True:
        yield folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent


def _workspace_members(folder: str, variables: Mapping[str, str]) -> set[str]:
    """The modules of the workspace that is in force in a folder (cmd/go/internal/modload, FindGoWork)."""
    named = variables.get("GOWORK", "")
    if named == "off" or folder == ".":
        return set()
    root = os.path.dirname(named) if named else _above(folder, "go.work")
    file = named or os.path.join(root, "go.work")
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as work:
            text = re.sub(r"//[^\n]*", "", work.read())
    except OSError:
        return set()
    used = [line for block, one in _USE.findall(text) for line in (block.splitlines() if block else [one])]
    names = [line.strip().strip('"`') for line in used if line.strip()]
    return {os.path.abspath(os.path.join(root, name)) for name in names}
