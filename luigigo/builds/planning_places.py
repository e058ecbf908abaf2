"""What a plan rests on: every place that the go command and the planner looked at, or would have."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence

from luigigo.builds.planning import Planned
from luigigo.config import config_files
from luigigo.footprint import Places, joined
from luigigo.golang import cflags, directives
from luigigo.golang.actions import CgoSpec, CompileSpec, on_node
from luigigo.golang.embedplaces import embed_places, may_embed
from luigigo.golang.moduleplaces import Homes, above, folders_by_module, module_files
from luigigo.golang.packages import Package
from luigigo.golang.patternplaces import pattern_places
from luigigo.golang.quoted import split
from luigigo.golang.toolchain import TOOLS

READ_IN_PACKAGES = (
    ".go", ".c", ".cc", ".cpp", ".cxx", ".m", ".h", ".hh", ".hpp", ".hxx", ".f", ".F", ".for", ".f90",
    ".s", ".S", ".sx", ".swig", ".swigcxx", ".syso", ".mod", ".pgo",
)  # fmt: skip
"""Endings of what the go command reads in a package's folder (go/build/build.go, fileListForExt)."""


def places_of(planned: Planned, variables: Mapping[str, str]) -> Places:
    """Collect them all, whether they exist or not."""
    env, project = planned.env, planned.plan.project_dir
    packages, modules = planned.packages, planned.modules
    files = (
        *_toolchain_files(planned),
        *_settings(planned, variables),
        *_shadowing(planned, variables),
        *_inputs(planned),
        *above(project),
    )
    folders = (os.path.join(env.goroot, "pkg", "include"), *(package.dir for package in packages))
    homes = Homes(env.goroot, modules, packages, _vendors(packages))
    return joined((
        planned.read_places,
        Places(files=files, folders=folders),
        module_files(env, planned.request, project, modules, packages),
        *(homes.places(package) for package in packages),
        *(embed_places(package.dir, package.embed_patterns) for package in packages),
        pattern_places(
            planned.request.packages, project, folders_by_module(modules, packages), env.goroot
        ),
    ))  # fmt: skip


def known_before(project: str, variables: Mapping[str, str]) -> Iterator[str]:
    """Those of the files that can be named before anything is asked, most of which are absent.

    The folders around them are everybody's: a home folder, /tmp.
    """
    home = variables.get("HOME", "")
    settings = variables.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    yield from above(project)
    # "off" is no file (cmd/go's help environment).
    if variables.get("GOENV") != "off":
        yield variables.get("GOENV") or os.path.join(settings, "go", "env")
    yield os.path.join(variables.get("GOPATH") or os.path.join(home, "go"), "go.mod")
    yield from _own_settings(variables)


def unread(outputs: Sequence[str], packages: Sequence[Package]) -> tuple[str, ...]:
    """Those of a build's own outputs that no package takes in, so that they need not count in its folder.

    An output that is called like a source file is read by the next build, and so is one that is embedded.
    """
    return tuple(
        path
        for path in outputs
        if not path.endswith(READ_IN_PACKAGES)
        and not any(_is_embedded(path, package) for package in packages if package.embed_patterns)
    )


def _is_embedded(path: str, package: Package) -> bool:
    folder, own = os.path.realpath(os.path.dirname(path)), os.path.realpath(package.dir)
    inside = os.path.relpath(os.path.join(folder, os.path.basename(path)), own)
    return not inside.startswith("../") and may_embed(package.embed_patterns, inside.split("/")[0])


def _toolchain_files(planned: Planned) -> Iterator[str]:
    """The go command and the tools, and what is read of the toolchain besides packages.

    The go command that was found may have handed over to another one (cmd/go/internal/toolchain).
    """
    goroot, go = planned.env.goroot, planned.go.path
    yield go
    yield from (os.path.join(planned.env.gotooldir, tool) for tool in TOOLS)
    for root in (goroot, _above_bin(go), _above_bin(os.path.realpath(go))):
        yield from (os.path.join(root, name) for name in ("bin/go", "VERSION", "go.env"))
    yield os.path.join(goroot, cflags.SOURCE)
    yield os.path.join(goroot, directives.TABLE)


def _above_bin(go: str) -> str:
    return os.path.dirname(os.path.dirname(go))


def _settings(planned: Planned, variables: Mapping[str, str]) -> Iterator[str]:
    """Files with settings of the go command and of luigigo."""
    if planned.env.goenv not in ("", "off"):
        yield planned.env.goenv
    yield from _own_settings(variables)


def _own_settings(variables: Mapping[str, str]) -> Iterator[str]:
    return (os.path.abspath(path) for path in config_files(variables))


def _shadowing(planned: Planned, variables: Mapping[str, str]) -> Iterator[str]:
    """Where another go command or C compiler would be found before the one that was, were it there."""
    names = [planned.env.goversion]
    if planned.go.origin == "PATH":
        names.append(os.path.basename(planned.go.path))
        # A package with a go command would come first.
        yield from (os.path.join(folder, name) for folder in sys.path for name in ("go", "go.py") if folder)
    if planned.c_programs:
        names += [words[0] for words in (split(planned.env.cc), split(planned.env.cxx)) if words]
    for name in names:
        for folder in variables.get("PATH", "").split(os.pathsep):
            path = os.path.join(folder, name)
            if os.path.isabs(path):
                yield path
            if os.path.lexists(path):
                break


def _inputs(planned: Planned) -> Iterator[str]:
    """Files that actions read from elsewhere than their package's folder."""
    yield from planned.c_programs
    goroot = planned.env.goroot
    for action in planned.plan.actions.values():
        folder = on_node(action.sources.dir, goroot)
        if isinstance(action.spec, CgoSpec):
            yield from (
                on_node(file.name, goroot) for file in (*action.sources.system_files, *action.spec.syso_files)
            )
        if isinstance(action.spec, CompileSpec):
            yield from (os.path.join(folder, file.name) for file in action.spec.included)
        if action.sources.profile_path:
            yield action.sources.profile_path


def _vendors(packages: Sequence[Package]) -> tuple[str, ...]:
    """The vendor folders that packages come from."""
    found = {
        package.dir.removesuffix("/" + package.import_path)
        for package in packages
        if package.module is not None and not package.module.dir and package.dir.endswith(package.import_path)
    }
    return tuple(sorted(found))
