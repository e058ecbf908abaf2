"""What a plan was made from, as lists of files and folders whose stats tell whether it still holds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import msgspec

from luigigo.golang.actions import CgoSpec, CompileSpec, on_node
from luigigo.golang.packages import Package
from luigigo.golang.plan import is_versioned
from luigigo.golang.quoted import split
from luigigo.golang.toolchain import TOOLS
from luigigo.planning import Planned


class Footprint(msgspec.Struct, frozen=True):
    """Everything that the go command and the plan looked at, as far as stats can show a change."""

    files: tuple[str, ...]
    folders: tuple[str, ...]
    absent: tuple[str, ...]


def footprint(planned: Planned, variables: Mapping[str, str]) -> Footprint:
    """Collect it. Packages of versioned modules never change, and are left out."""
    env = planned.env
    files = [planned.go.path, *(os.path.join(env.gotooldir, tool) for tool in TOOLS), *planned.c_programs]
    absent: list[str] = []
    folders: list[str] = []
    for package in planned.packages:
        if is_versioned(package) or package.import_path == "unsafe":
            continue
        folders.append(package.dir)
        files += _package_files(package)
        folders += _embed_folders(package)
    for action in planned.plan.actions.values():
        if isinstance(action.spec, CgoSpec):
            files += [file.name for file in (*action.sources.system_files, *action.spec.syso_files)]
        if isinstance(action.spec, CompileSpec) and (
            not action.sources.immutable or action.sources.root == "/"
        ):
            folder = on_node(action.sources.dir, env.goroot)
            files += [os.path.join(folder, file.name) for file in action.spec.included]
        if action.sources.profile_path:
            files.append(action.sources.profile_path)
    _add_module_files(planned, files, absent)
    _add_discovery(planned, absent)
    absent += _shadowing(planned, variables)
    if any("..." in pattern for pattern in planned.request.packages):
        folders += _tree(planned.plan.project_dir)
    if env.goenv and env.goenv != "off":
        (files if os.path.isfile(env.goenv) else absent).append(env.goenv)
    present = [path for path in files if os.path.exists(path)]
    return Footprint(
        tuple(dict.fromkeys(present)), tuple(dict.fromkeys(folders)), tuple(dict.fromkeys(absent))
    )


def _shadowing(planned: Planned, variables: Mapping[str, str]) -> list[str]:
    """Where another go command or C compiler would be found before the one that was, were it there."""
    names = [os.path.basename(planned.go.path)] if planned.go.origin == "PATH" else []
    if planned.c_programs:
        names += [words[0] for words in (split(planned.env.cc), split(planned.env.cxx)) if words]
    found = []
    for name in names:
        for folder in variables.get("PATH", "").split(os.pathsep):
            path = os.path.join(folder, name)
            if os.path.lexists(path):
                break
            found.append(path)
    return [path for path in found if os.path.isabs(path)]


def _package_files(package: Package) -> list[str]:
    names: Iterable[str] = (
        *package.go_files,
        *package.cgo_files,
        *package.c_files,
        *package.cxx_files,
        *package.h_files,
        *package.s_files,
        *package.syso_files,
        *package.embed_files,
    )
    return [os.path.join(package.dir, name) for name in names]


def _embed_folders(package: Package) -> list[str]:
    """Every folder between the package's and an embedded file: a new file there may be embedded as well."""
    folders = set()
    for name in package.embed_files:
        while "/" in name:
            name = name.rpartition("/")[0]
            folders.add(os.path.join(package.dir, name))
    return sorted(folders)


def _add_module_files(planned: Planned, files: list[str], absent: list[str]) -> None:
    """go.mod, go.sum and their like: of the main modules, of the workspace, of replacements by folder."""
    env = planned.env
    roots = {os.path.dirname(env.gomod)} if env.gomod and env.gomod != os.devnull else set()
    for package in planned.packages:
        if package.module is not None and not is_versioned(package) and package.module.dir:
            roots.add(package.module.dir)
    wanted = [
        os.path.join(root, name) for root in roots for name in ("go.mod", "go.sum", "vendor/modules.txt")
    ]
    if env.gowork and env.gowork != "off":
        wanted += [env.gowork, env.gowork.removesuffix(".work") + ".work.sum"]
        wanted.append(os.path.join(os.path.dirname(env.gowork), "vendor", "modules.txt"))
    if planned.request.modfile:
        modfile = os.path.join(planned.plan.project_dir, planned.request.modfile)
        wanted += [modfile, modfile.removesuffix(".mod") + ".sum"]
    for path in wanted:
        (files if os.path.isfile(path) else absent).append(path)


def _add_discovery(planned: Planned, absent: list[str]) -> None:
    """The go.mod and go.work that the go command would find first, were they there."""
    folder = planned.plan.project_dir
    module_root = os.path.dirname(planned.env.gomod)
    while True:
        for name, found in (("go.work", planned.env.gowork), ("go.mod", planned.env.gomod)):
            path = os.path.join(folder, name)
            above_module = name == "go.mod" and not folder.startswith(module_root)
            if path != found and not above_module and not os.path.exists(path):
                absent.append(path)
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent


def _tree(root: str) -> list[str]:
    """Every folder that a pattern with `...` could find a package in."""
    found = []
    for folder, names, _ in os.walk(root):
        names[:] = [name for name in names if not name.startswith((".", "_")) and name != "testdata"]
        found.append(folder)
    return found
