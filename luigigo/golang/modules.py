"""Which module each package of a plan comes from, as far as the plan says. Pure."""

from __future__ import annotations

import re

from luigigo.golang.actions import Action, LinkSpec, Plan, is_toolchains

_NAMED = re.compile(r"\\n(?:mod|dep)\\t(.+?)\\t")
"""A module in a program's module information, which is a Go string in quotes (modload.ModInfoProg)."""
STANDARD = "std"
"""What the packages of the toolchain itself count as."""


def module_of(plan: Plan) -> dict[str, str]:
    """By import path, the module of each package: `std`, or a module's path; "" where no program tells.

    A program's module information names the modules that give it packages (cmd/go's modinfo): of those whose
    path begins a package's, the longest.
    """
    modules = _modules(plan)
    found: dict[str, str] = {}
    for action in plan.actions.values():
        if action.package not in found:
            found[action.package] = _module(action, modules)
    return found


def _module(action: Action, modules: set[str]) -> str:
    if is_toolchains(action.sources.dir):
        return STANDARD
    path: str = action.package
    while path and path not in modules:
        path = path.rpartition("/")[0]
    return path


def _modules(plan: Plan) -> set[str]:
    found = set()
    for action in plan.actions.values():
        if isinstance(action.spec, LinkSpec):
            found.update(_NAMED.findall(action.spec.modinfo))
    return found
