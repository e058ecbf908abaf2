"""What edits are drawn from: the state, what was there before, and places in the tree."""

from __future__ import annotations

import posixpath
import random
import re
from collections.abc import Callable, Iterable

from .modcache import FOLDER
from .piece import APP, Blobs
from .tree import File, Folder, Link, Operation, State, Tree, Write

GO, C, HEADERS = (".go",), (".c", ".cpp", ".S"), (".h", ".hpp", ".inc", ".def")
ASSEMBLY = (".s",)
SOURCES = (*GO, *C, *HEADERS, *ASSEMBLY)
CONTENTS = (*SOURCES, ".txt", ".bin", ".md", "README", "raw")
_NUMBER = re.compile(rb"(?<![\w.])[1-9][0-9](?![\w.])")
_INCLUDED = re.compile(rb"""(?:include\s*\(?|incbin\s*)["<]([\w./]+)[">]""")


class Editing:
    """The random numbers, the state, and all that may be drawn for the next edit."""

    def __init__(self, rng: random.Random, state: State, history: list[State], blobs: Blobs) -> None:
        self.rng = rng
        self.state = state
        self.history = history
        self.blobs = blobs

    @property
    def tree(self) -> Tree:
        """What is there."""
        return self.state.tree

    def one_of(self, paths: Iterable[str]) -> str | None:
        """One of the paths, if there is any."""
        listed = list(paths)
        return self.rng.choice(listed) if listed else None

    def files(self, *endings: str) -> list[str]:
        """The regular files with these ends of names, but for the module cache's."""
        found = [path for path, entry in self.tree.items() if isinstance(entry, File) and not is_cached(path)]
        return [path for path in found if path.endswith(endings)] if endings else found

    def folders(self) -> list[str]:
        """The folders of the module and of what lies beside it."""
        return [p for p, entry in self.tree.items() if isinstance(entry, Folder) and not is_cached(p)]

    def links(self) -> list[str]:
        """The symbolic links."""
        return [path for path, entry in self.tree.items() if isinstance(entry, Link)]

    def packages(self) -> list[str]:
        """The folders that hold Go files."""
        found = {posixpath.dirname(path) for path in self.tree if path.endswith(".go")}
        found = {path for path in found if not is_cached(path)}
        return sorted(path for path in found if isinstance(self.tree.get(path), Folder))

    def package_name(self, folder: str) -> str:
        """The package clause of a folder's files."""
        for path in self.tree:
            if posixpath.dirname(path) == folder and path.endswith(".go"):
                found = re.search(rb"^package (\w+)", self.content(path), re.MULTILINE)
                if found:
                    return found[1].decode()
        return "main" if folder == APP else posixpath.basename(folder)

    def content(self, path: str) -> bytes:
        """A file's bytes; none for what is no file."""
        entry = self.tree.get(path)
        return entry.content if isinstance(entry, File) else b""

    def number(self) -> int:
        """A number as the sources have them."""
        return self.rng.randint(11, 98)

    def overwrite(self, path: str, content: bytes, *, pinned: int | None = None) -> Write:
        """A write in place or by renaming, which leaves executable what is."""
        entry = self.tree.get(path)
        executable = isinstance(entry, File) and entry.executable
        return Write(path, content, self.rng.random() < 0.5, pinned, executable)

    def included_names(self) -> list[str]:
        """The names that sources include or ask for, and those of headers that are there."""
        names: set[str] = set()
        for path in self.files(*SOURCES):
            names.update(name.decode() for name in _INCLUDED.findall(self.content(path)))
            if path.endswith(HEADERS):
                names.add(posixpath.basename(path))
        return sorted(names - {"textflag.h"})


def is_cached(path: str) -> bool:
    """Whether it is the module cache's: few edits go there."""
    return path.split("/")[0] == FOLDER


def another_number(rng: random.Random, content: bytes) -> bytes | None:
    """The content with one of its numbers changed, of the same size; None without numbers."""
    places = list(_NUMBER.finditer(content))
    if not places:
        return None
    place = rng.choice(places)
    number = rng.choice([n for n in range(11, 99) if n != int(place[0])])
    return content[: place.start()] + str(number).encode() + content[place.end() :]


Edit = Callable[[Editing], list[Operation] | None]
"""Draws the operations of one kind of edit; None where the state has no place for it."""
