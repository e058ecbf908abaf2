"""Modules that lie in folders of the user's: main ones, members of a workspace, and replacements by folder.

Asks the go command, and only where there can be something to say.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import msgspec

from luigigo.golang.environment import GoEnv
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


def local_modules(
    project: GoProject, env: GoEnv, request: BuildRequest, packages: Sequence[Package], runner: Runner
) -> tuple[LocalModule, ...]:
    """Name them all. Raises `PlanError` with the go command's words when it refuses."""
    in_workspace = env.gowork not in ("", "off")
    if in_workspace:
        mains = _members(ask(project, runner, ("list", "-m", "-json", *request.list_flags())))
    else:
        mains = _single_main(project, env, packages, runner)
    found = list(mains)
    for main in mains:
        mod_file = main.go_mod
        if request.modfile and not in_workspace:
            mod_file = os.path.join(project.dir, request.modfile)
        if _may_replace(mod_file):
            found += _replacements(ask(project, runner, ("mod", "edit", "-json", mod_file)), main.dir)
    if in_workspace and _may_replace(env.gowork):
        text = ask(project, runner, ("work", "edit", "-json", env.gowork))
        found += _replacements(text, os.path.dirname(env.gowork))
    return tuple(dict.fromkeys((*found, *_of_packages(packages))))


def _members(listed: bytes) -> list[LocalModule]:
    return [_local(module) for module in parse_modules(listed) if module.main]


def _single_main(
    project: GoProject, env: GoEnv, packages: Sequence[Package], runner: Runner
) -> list[LocalModule]:
    if not env.gomod or env.gomod == os.devnull:
        return []
    for package in packages:
        if package.module is not None and package.module.main:
            return [LocalModule(package.module.path, os.path.dirname(env.gomod), env.gomod, is_main=True)]
    text = ask(project, runner, ("mod", "edit", "-json", env.gomod))
    path = msgspec.json.decode(text, type=_ModFile).module.path
    return [LocalModule(path, os.path.dirname(env.gomod), env.gomod, is_main=True)]


def _may_replace(mod_file: str) -> bool:
    """Whether the file has any `replace` in it; asking costs a process."""
    try:
        with open(mod_file, "rb") as file:
            return b"=>" in file.read()
    except OSError:
        return False


def _replacements(text: bytes, folder: str) -> list[LocalModule]:
    """Those by folder: a path that begins with `./`, `../` or `/` (modfile.IsDirectoryPath)."""
    found = []
    for replace in msgspec.json.decode(text, type=_ModFile).replace or ():
        target = replace.new.path
        if target.startswith(("./", "../", "/")) or target in (".", ".."):
            place = os.path.normpath(os.path.join(folder, target))
            found.append(LocalModule(replace.old.path, place, os.path.join(place, "go.mod")))
    return found


def _of_packages(packages: Sequence[Package]) -> list[LocalModule]:
    modules = dict.fromkeys(package.module for package in packages if package.module is not None)
    return [_local(module) for module in modules if module.dir and not (module.replace or module).version]


def _local(module: Module) -> LocalModule:
    go_mod = module.go_mod or os.path.join(module.dir, "go.mod")
    return LocalModule(module.path, module.dir, go_mod, is_main=module.main)
