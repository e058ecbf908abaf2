"""What Go's assembler reads besides a package's own files: `#include` lines, followed. Pure.

The assembler opens a name as it stands, from the package's folder, also where another included file says it,
and only then looks into the folders of its -I flags (cmd/asm/internal/lex/input.go). So a package may read
files of other folders, such as `../../math/fp_amd64.h`; the go command lists none of them.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable, Iterable

_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]+"([^"\\\n]+)"', re.MULTILINE)


def included_files(own: Iterable[str], read: Callable[[str], bytes | None]) -> tuple[str, ...]:
    """The names of files that are read besides a package's `own` assembly and headers, as they are written.

    `read` gives the content of a file by its name from the package's folder, or None where there is none.
    A line that no define lets through counts as well.
    """
    seen = set(own)
    texts = [read(name) for name in seen]
    found = []
    while texts:
        for match in _INCLUDE.finditer(texts.pop() or b""):
            name = os.fsdecode(match[1])
            if name not in seen:
                seen.add(name)
                text = read(name)
                if text is not None:
                    found.append(name)
                    texts.append(text)
    return tuple(sorted(found))


def common_folder(folder: str, names: Iterable[str]) -> str:
    """The nearest folder, `folder` or one above it, that holds all files that are called `names` from there.

    `/` when there is none, and for names that are whole paths.
    """
    found = os.path.normpath(folder)
    for name in names:
        place = os.path.normpath(os.path.join(folder, name))
        while not place.startswith(found + "/"):
            found = os.path.dirname(found)
            if found in ("", "/"):
                return "/"
        if os.path.isabs(name):
            return "/"
    return found
