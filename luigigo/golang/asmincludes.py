"""What Go's assembler reads besides a package's own files: `#include` lines, followed. Pure.

The assembler opens a name as it stands, from the package's folder, also where another included file says it.
Then it puts the name behind that of the package's folder, and of those of its -I flags, and cleans what comes
out of `..` (cmd/asm/internal/lex/input.go): where the package's folder is a link, that is another file. So a
package may read files of other folders, such as `../../math/fp_amd64.h`; the go command lists none of them.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise

import msgspec

from luigigo.golang import quoted

_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]+("(?:[^"\\\n]|\\.)*"|`[^`]*`)', re.MULTILINE)


class Included(msgspec.Struct, frozen=True):
    """What a package's assembly includes besides the package's own files."""

    names: tuple[str, ...] = ()
    """The files, by names that start in the package's folder or whole paths."""
    looked_for: tuple[str, ...] = ()
    """Names under which the assembler would find another file first, were it there."""


def included_files(
    own: Iterable[str],
    read: Callable[[str], bytes | None],
    folders: Sequence[str],
    provided: Collection[str],
    spots: Callable[[str], Sequence[str]] = lambda name: (name,),
) -> Included:
    """What is read besides a package's `own` assembly and headers.

    `read` gives the content of a file by its name from the package's folder, or None where there is none;
    `folders` are those of the assembler's own `-I` flags; `provided` are names that are found before them: of
    files that the build makes and of the toolchain's own; `spots` are the places that a name stands for in
    the package's folder. A line that no define lets through counts as well.
    """
    seen = set(own)
    texts = [read(name) for name in seen]
    found: dict[str, None] = {}
    looked_for: dict[str, None] = {}
    while texts:
        for match in _INCLUDE.finditer(texts.pop() or b""):
            name = os.fsdecode(quoted.go_unquote(match[1]))
            if name in seen:
                continue
            seen.add(name)
            places = list(spots(name))
            if name not in provided:
                places += [os.path.normpath(os.path.join(each, name)) for each in folders]
            for place in places:
                if place != name and place in seen:
                    break
                seen.add(place)
                text = read(place)
                if text is not None:
                    found[place] = None
                    texts.append(text)
                    break
                looked_for[place] = None
    return Included(tuple(sorted(found)), tuple(looked_for))


def include_folders(asm_flags: Sequence[str]) -> tuple[str, ...]:
    """The folders that the user's flags for the assembler name with `-I`."""
    following = pairwise((*asm_flags, ""))
    named = [
        flag.lstrip("-").partition("=")[2] if "=" in flag else after
        for flag, after in following
        if flag.lstrip("-").partition("=")[0] == "I" and flag.startswith("-")
    ]
    return tuple(named)


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
