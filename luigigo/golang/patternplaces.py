"""Where packages may appear that the patterns of a build would match as well. Reads folders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from luigigo.footprint import Places, joined

_META = ("all", "std", "cmd", "tool", "work")
"""Patterns with a meaning of their own (search.IsMetaPackage)."""


def pattern_places(patterns: Sequence[str], project: str, modules: Mapping[str, str], goroot: str) -> Places:
    """The trees that the patterns are matched in; `modules` are known modules' paths by folder.

    A pattern that is no file path is matched in all modules whose paths can begin like it
    (modload/search.go, matchPackages), one that is in the tree below its fixed part (search.MatchDirs).
    """
    return joined(_tree(top) for pattern in patterns for top in _tops(pattern, project, modules, goroot))


def _tops(pattern: str, project: str, modules: Mapping[str, str], goroot: str) -> Iterator[str]:
    if pattern in _META:
        yield from modules
        if pattern in ("std", "cmd"):
            yield os.path.join(goroot, "src")
        return
    fixed, dots, _ = pattern.partition("...")
    if not dots:
        return
    if pattern.startswith((".", "/")):
        yield os.path.normpath(os.path.join(project, os.path.dirname(fixed)))
        return
    for folder, path in modules.items():
        if path.startswith(fixed) or fixed.startswith(path):
            yield folder
    if "." not in fixed.split("/")[0]:
        yield os.path.join(goroot, "src")


def _tree(top: str) -> Places:
    """Every folder in which a package could be: names of subfolders count, and stats where Go files are.

    A file that a build constraint keeps out may lose it. Folders that the go command passes over are left
    out, and so is what lies in another module; its go.mod is in the listing.
    """
    folders: list[str] = []
    listings: list[str] = []
    for folder, names, files in os.walk(top):
        if folder != top and "go.mod" in files:
            names.clear()
        names[:] = [name for name in names if not name.startswith((".", "_")) and name != "testdata"]
        (folders if any(file.endswith(".go") for file in files) else listings).append(folder)
    return Places(folders=tuple(folders), listings=tuple(listings))
