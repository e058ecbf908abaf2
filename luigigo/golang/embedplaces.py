"""Where files may appear that a package's `//go:embed` patterns would take as well. Reads folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from luigigo.footprint import Places, joined
from luigigo.golang.embed import matches

_NEVER_EMBEDDED = (".bzr", ".git", ".hg", ".svn")
"""Folders that the go command does not look into, wherever they are (load/pkg.go, isBadEmbedName)."""


def embed_places(folder: str, patterns: Iterable[str]) -> Places:
    """Every folder below a package's in which the go command looks for what the patterns take.

    Those are the folders in which an element of a pattern could match, and all that lies below a folder that
    a whole pattern matches (load/pkg.go, resolveEmbed): hidden ones, too, and those that are empty.
    """
    return joined(
        _places(folder, pattern.removeprefix("all:").split("/")) for pattern in dict.fromkeys(patterns)
    )


def may_embed(patterns: Iterable[str], name: str) -> bool:
    """Whether a file or folder of this name in the package's own folder would be taken, or looked into."""
    first = (pattern.removeprefix("all:").split("/")[0] for pattern in patterns)
    return any(matches(element, name) for element in first)


def _places(folder: str, elements: list[str]) -> Places:
    matched: list[str] = [folder]
    passed: list[str] = []
    for element in elements:
        passed += matched
        matched = [path for place in matched for path in _matching_folders(place, element)]
    return Places(folders=(*passed, *(path for top in matched for path in _tree(top))))


def _matching_folders(folder: str, element: str) -> Iterator[str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        path = os.path.join(folder, name)
        if matches(element, name) and os.path.isdir(path):
            yield path


def _tree(top: str) -> Iterator[str]:
    for folder, names, _ in os.walk(top):
        names[:] = [name for name in names if name not in _NEVER_EMBEDDED]
        yield folder
