"""Modules that lie in folders of the user's: main ones, members of a workspace, and replacements by folder.

Asks the go command, and only where there can be something to say.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from luigigo.golang.environment import GoEnv
from luigigo.golang.exactlist import has_lost_bytes
from luigigo.golang.listing import GoProject, ask
from luigigo.golang.packages import Module, Package, parse_modules
from luigigo.golang.request import BuildRequest
from luigigo.process import Runner


class LocalModule(msgspec.Struct, frozen=True):
    """A module whose files anybody may edit, whether it gives packages to the build or not."""

    path: str
    dir: str
    go_mod: str
    is_main: bool = False


class _Version(msgspec.Struct, frozen=True, rename="pascal"):
    path: str = ""


class _Replace(msgspec.Struct, frozen=True, rename="pascal"):
    old: _Version
    new: _Version


class _ModFile(msgspec.Struct, frozen=True, rename="pascal"):
    """What `go mod edit -json` and `go work edit -json` print, as far as it is needed."""

    module: _Version = _Version()
    replace: tuple[_Replace, ...] | None = None


_Asked: TypeAlias = Callable[..., bytes]
"""Runs the go command with arguments and gives what it prints."""
_decode = msgspec.json.Decoder(_ModFile).decode


def local_modules(
    project: GoProject, env: GoEnv, request: BuildRequest, packages: Sequence[Package], runner: Runner
) -> tuple[LocalModule, ...] | None:
    """Name them all, or return None where the go command's answer may have lost a byte of a name.

    Raises `PlanError` with the go command's words when it refuses.
    """

    def asked(*arguments: str) -> bytes:
        answer = ask(project, runner, arguments)
        if has_lost_bytes(answer):
            raise _Inexact
        return answer

    try:
        if env.gowork in ("", "off"):
            found = _of_one(asked, env, packages, os.path.join(project.dir, request.modfile))
        else:
            found = _of_workspace(asked, env, request)
    except _Inexact:
        return None
    return tuple(dict.fromkeys((*found, *_of_packages(packages))))


class _Inexact(Exception):
    """JSON of the go command has a replacement character where a byte may have been that is no UTF-8."""


def _of_workspace(asked: _Asked, env: GoEnv, request: BuildRequest) -> list[LocalModule]:
    listed = parse_modules(asked("list", "-m", "-json", *request.list_flags()))
    found = [_local(module) for module in listed if module.main]
    for member in tuple(found):
        found += _replacements(asked, ("mod", "edit"), member.go_mod)
    return found + _replacements(asked, ("work", "edit"), env.gowork)


def _of_one(asked: _Asked, env: GoEnv, packages: Sequence[Package], modfile: str) -> list[LocalModule]:
    """`modfile`: what -modfile names, or a folder without it."""
    if not env.gomod or env.gomod == os.devnull:
        return []
    root = os.path.dirname(env.gomod)
    paths = [
        package.module.path for package in packages if package.module is not None and package.module.main
    ]
    path = paths[0] if paths else _decode(asked("mod", "edit", "-json", env.gomod)).module.path
    main = LocalModule(path, root, env.gomod, is_main=True)
    source = modfile if os.path.isfile(modfile) else env.gomod
    return [main, *_replacements(asked, ("mod", "edit"), source, root)]


def _replacements(asked: _Asked, command: Sequence[str], file: str, folder: str = "") -> list[LocalModule]:
    """Those by folder: a path that begins with `./`, `../` or `/` (modfile.IsDirectoryPath)."""
    if not _may_replace(file):
        return []
    found = []
    for replace in _decode(asked(*command, "-json", file)).replace or ():
        target = replace.new.path
        if target.startswith(("./", "../", "/")) or target in (".", ".."):
            place = os.path.normpath(os.path.join(folder or os.path.dirname(file), target))
            found.append(LocalModule(replace.old.path, place, os.path.join(place, "go.mod")))
    return found


def _may_replace(file: str) -> bool:
    """Whether the file has any `replace` in it; asking costs a process."""
    try:
        with open(file, "rb") as opened:
            return b"=>" in opened.read()
    except OSError:
        return False


def _of_packages(packages: Sequence[Package]) -> list[LocalModule]:
    modules = dict.fromkeys(package.module for package in packages if package.module is not None)
    return [_local(module) for module in modules if module.dir and not (module.replace or module).version]


def _local(module: Module) -> LocalModule:
    go_mod = module.go_mod or os.path.join(module.dir, "go.mod")
    return LocalModule(module.path, module.dir, go_mod, is_main=module.main)
