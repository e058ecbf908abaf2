"""Which files each `//go:embed` pattern takes (cmd/go/internal/load/pkg.go, resolveEmbed). Pure.

`go list` gives the patterns and the union of their files; the compiler wants the files by pattern.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from re import Pattern, compile, escape


def files_by_pattern(patterns: Sequence[str], files: Sequence[str]) -> dict[str, list[str]]:
    """For each pattern, the sorted files that it embeds, out of the union of all."""
    return {pattern: sorted(file for file in files if _embeds(pattern, file)) for pattern in patterns}


def embedcfg(patterns: Sequence[str], files: Sequence[str], source_dir: str) -> bytes:
    """The file that `compile -embedcfg` reads: patterns to files, and files to where they lie."""
    return json.dumps(
        {
            "Patterns": files_by_pattern(patterns, files),
            "Files": {file: f"{source_dir}/{file}" for file in files},
        },
        ensure_ascii=False,
    ).encode()


def _embeds(pattern: str, file: str) -> bool:
    """A pattern names a file, or a folder: then it takes what lies below, hidden files only with `all:`."""
    everything = pattern.startswith("all:")
    glob = _glob(pattern.removeprefix("all:"))
    parts = file.split("/")
    if glob.fullmatch(file):
        return True
    for count in range(len(parts)):
        folder = "/".join(parts[:count]) if count else "."
        if glob.fullmatch(folder):
            hidden = any(part.startswith((".", "_")) for part in parts[count:])
            if everything or not hidden:
                return True
    return False


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> Pattern[str]:
    """Go's path.Match as a regular expression: `*` and `?` stay inside one path element."""
    out, i = [], 0
    while i < len(pattern):
        char = pattern[i]
        i += 1
        if char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "\\" and i < len(pattern):
            out.append(escape(pattern[i]))
            i += 1
        elif char == "[":
            end = pattern.find("]", i + 1)
            body = pattern[i:end]
            i = end + 1
            out.append("[" + ("^" + body[1:] if body.startswith("^") else body) + "]")
        else:
            out.append(escape(char))
    return compile("".join(out))
