"""Files that flags for C compilers and linkers name. Looks at the disk; runs nothing."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator

import msgspec

_OF_FOLDERS = (
    "-I",
    "-L",
    "-B",
    "-F",
    "-i",
    "-R",
    "--sysroot",
    "-f",
    "-Wl,-L",
    "-Wl,-R",
    "-Wl,-rpath",
    "-g",
    "-D",
    "-U",
)
"""Flags that name folders of which what is read shows elsewhere, or that only put a name into the output."""
_READS_FOLDERS = (
    "-fprofile-use",
    "-fauto-profile",
    "-fprofile-instr-use",
    "-fmodule",
    "-fprebuilt-module-path",
    "-fplugin",
)
_PARTS = ",="


class NamedFiles(msgspec.Struct, frozen=True):
    """The files that flags name, by absolute path."""

    files: tuple[str, ...]
    untold: str = ""
    """Why what the flags make a program read is not only these."""


def named_files(flags: Iterable[str], folder: str) -> NamedFiles:
    """Every existing file that a flag, or an argument file (`@name`) among them, names from `folder`."""
    found: dict[str, None] = {}
    untold = ""
    before = ""
    for word in _expanded(list(flags), folder, found):
        for part in _parts(word):
            path = os.path.join(folder, part)
            if os.path.isfile(path):
                found[os.path.normpath(path)] = None
            elif os.path.isdir(path) and not _is_harmless(word, before):
                untold = untold or f"nothing tells what {word} reads"
        before = word
    return NamedFiles(tuple(found), untold)


def _is_harmless(word: str, before: str) -> bool:
    flag = word if word.startswith("-") else before
    return flag.startswith(_OF_FOLDERS) and not flag.startswith(_READS_FOLDERS)


def _parts(word: str) -> Iterator[str]:
    """The word, and its pieces that may be names: `-Wl,-T,script`, `--x=name`, `-Tscript`."""
    pieces = [word]
    for mark in _PARTS:
        pieces = [part for piece in pieces for part in (piece, *piece.split(mark)[1:])]
    for piece in dict.fromkeys(pieces):
        if piece:
            yield piece
            if piece.startswith("-") and len(piece) > 2 and piece[1] != "-":
                yield piece[2:]


def _expanded(words: list[str], folder: str, found: dict[str, None], depth: int = 0) -> Iterator[str]:
    """The words, with those of argument files in their places, which are `found` as well."""
    for word in words:
        yield word
        for part in word.split(","):
            path = os.path.normpath(os.path.join(folder, part[1:]))
            if part.startswith("@") and depth < 10 and os.path.isfile(path):
                found[path] = None
                yield from _expanded(_words(path), folder, found, depth + 1)


def _words(path: str) -> list[str]:
    """The words of an argument file, quoted as for a shell (libiberty's expandargv)."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return shlex.split(file.read())
    except (OSError, ValueError):
        return []
