"""Which files each `//go:embed` pattern takes (cmd/go/internal/load/pkg.go, resolveEmbed). Pure.

`go list` gives the patterns and the union of their files; the compiler wants the files by pattern. What the
go command refuses, such as a malformed pattern or a file of another module, is in no such union.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from luigigo.encoding import replace_invalid


def files_by_pattern(patterns: Sequence[str], files: Sequence[str]) -> dict[str, list[str]]:
    """For each pattern, the sorted files that it embeds, out of the union of all."""
    return {
        pattern: sorted((file for file in files if _embeds(pattern, file)), key=os.fsencode)
        for pattern in patterns
    }


def lies_in_embedded_folder(patterns: Sequence[str], file: str) -> bool:
    """Whether some pattern takes the file with a folder, as it does not take a symbolic link."""
    return any(pattern.count("/") < file.count("/") and _embeds(pattern, file) for pattern in patterns)


def embedcfg(patterns: Sequence[str], files: Sequence[str], source_dir: str) -> bytes:
    """The file that `compile -embedcfg` reads: patterns to files, and files to where they lie.

    A folder whose name is no UTF-8 is not found by it, nor by the one that the go command writes.
    """
    config = {
        "Patterns": files_by_pattern(patterns, files),
        "Files": {file: f"{source_dir}/{file}" for file in files},
    }
    return replace_invalid(json.dumps(config, ensure_ascii=False)).encode()


def matches(pattern: str, name: str) -> bool:
    """Whether all of a name matches a pattern, as Go's path.Match has it; False for a malformed pattern.

    Both are bytes: after a star a match may begin inside a character.
    """
    chunks = _chunks_of(os.fsencode(pattern))
    return chunks is not None and _match_chunks(chunks, os.fsencode(name))


def _embeds(pattern: str, file: str) -> bool:
    """A pattern names a file, or a folder: then it takes what lies below, hidden files only with `all:`.

    It is matched element by element (fs.Glob): nothing in it stands for a slash, for the package's folder or
    for a parent.
    """
    glob = pattern.removeprefix("all:").split("/")
    parts = file.split("/")
    if len(glob) > len(parts) or not all(map(matches, glob, parts)):
        return False
    below = parts[len(glob) :]
    return pattern.startswith("all:") or not any(part.startswith((".", "_")) for part in below)


class _Class(NamedTuple):
    """One `[…]`: whether it is negated, and its ranges of code points, both ends included."""

    negated: bool
    ranges: tuple[tuple[int, int], ...]


class _Chunk(NamedTuple):
    """What stands between two stars: a byte, None for `?`, or a class, each of which takes something."""

    after_star: bool
    items: tuple[int | _Class | None, ...]


_Chunks: TypeAlias = tuple[_Chunk, ...]
_STAR, _ANY, _OPEN, _ESCAPE, _SLASH = b"*?[\\/"
_INVALID = 0xFFFD


class _Malformed(Exception):
    """What path.ErrBadPattern says."""


@lru_cache(maxsize=4096)
def _chunks_of(pattern: bytes) -> _Chunks | None:
    """The pattern's chunks, or None when it is malformed."""
    chunks: list[_Chunk] = []
    items: list[int | _Class | None] = []
    after_star = False
    rest = pattern
    try:
        while rest:
            head = rest[0]
            if head == _STAR:
                if items:
                    chunks.append(_Chunk(after_star, tuple(items)))
                items, after_star, rest = [], True, rest[1:]
            elif head == _OPEN:
                found, rest = _parse_class(rest[1:])
                items.append(found)
            elif head == _ESCAPE and len(rest) == 1:
                return None
            else:
                skipped = 1 if head == _ESCAPE else 0
                items.append(None if head == _ANY else rest[skipped])
                rest = rest[skipped + 1 :]
    except _Malformed:
        return None
    if items or after_star:
        chunks.append(_Chunk(after_star, tuple(items)))
    return tuple(chunks)


def _parse_class(text: bytes) -> tuple[_Class, bytes]:
    """The class whose inside `text` begins with, and what follows it."""
    negated = text.startswith(b"^")
    rest = text[1:] if negated else text
    ranges: list[tuple[int, int]] = []
    while not (ranges and rest.startswith(b"]")):
        low, rest = _parse_bound(rest)
        high = low
        if rest.startswith(b"-"):
            high, rest = _parse_bound(rest[1:])
        ranges.append((low, high))
    return _Class(negated, tuple(ranges)), rest[1:]


def _parse_bound(text: bytes) -> tuple[int, bytes]:
    """One end of a range, perhaps escaped; something must follow it."""
    if text[:1] in (b"", b"-", b"]"):
        raise _Malformed
    text = text[1:] if text[0] == _ESCAPE else text
    code, length = _first_rune(text)
    if len(text) <= length or (code == _INVALID and length == 1):
        raise _Malformed
    return code, text[length:]


def _match_chunks(chunks: _Chunks, name: bytes) -> bool:
    """A chunk takes the first place where it fits; the last one must reach the end."""
    for chunk in chunks:
        is_last = chunk is chunks[-1]
        if chunk.after_star and not chunk.items:
            return _SLASH not in name
        slash = name.find(b"/")
        reach = len(name) if slash < 0 else slash
        for start in range(reach + 1 if chunk.after_star else 1):
            rest = _rest_after(chunk, name[start:])
            if rest is not None and not (is_last and rest):
                name = rest
                break
        else:
            return False
    return not name


def _rest_after(chunk: _Chunk, name: bytes) -> bytes | None:
    """What is left of a name that begins as the chunk says, or None."""
    for item in chunk.items:
        if not name:
            return None
        if isinstance(item, int):
            fits, length = name[0] == item, 1
        else:
            code, length = _first_rune(name)
            if item is None:
                fits = name[0] != _SLASH
            else:
                fits = any(low <= code <= high for low, high in item.ranges) != item.negated
        if not fits:
            return None
        name = name[length:]
    return name


def _first_rune(text: bytes) -> tuple[int, int]:
    """The first code point and its length (utf8.DecodeRune): U+FFFD of one byte where there is none."""
    if not text:
        return _INVALID, 0
    length = 1 + (text[0] >= 0xC0) + (text[0] >= 0xE0) + (text[0] >= 0xF0)
    try:
        return ord(text[:length].decode()), length
    except (UnicodeDecodeError, TypeError):
        return _INVALID, 1
