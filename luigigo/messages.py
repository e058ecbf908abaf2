"""What tools and the go command say: whole, as it is kept and sent, and with short names, as it is shown.

The names of files in a message depend on the folder in which a command was typed, and on the user's own
folders. So what is kept has neither, and `shown` makes a message of it where it is printed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from luigigo.currentfolder import folder_or_none, short_path
from luigigo.errors import ActionError, LuigigoError, PlaceTaken, PlanError
from luigigo.model import Told

_BEFORE_FOLDER = r"(?:(?<![\w.~/-])|(?<=-I)|(?<=-L))"
_AFTER_FOLDER = r"(?=[/\s:;,'\")\]]|$)"
_WITH_LINE = re.compile(r"(?m)^\t*([^\s:][^\n:]*)(?=:\d)|(?<=[ \t(])([^\s:(]+)(?=:\d)")
_NAMED = re.compile(r"(?:errors parsing|error reading|parsing|reading) ([^\n:]+)(?=:)")


def cut(text: str, folder: str) -> tuple[str, ...]:
    """The text in parts, cut where it names a folder; joined by the folder they are the text again."""
    return tuple(re.split(_BEFORE_FOLDER + re.escape(folder) + _AFTER_FOLDER, text)) if folder else (text,)


def whole(messages: Iterable[Told]) -> str:
    """The messages as one text with whole paths."""
    return "".join(message.text for message in messages)


def shown(messages: Iterable[Told], here: str | None = None) -> str:
    """The messages as `go build` prints them in the folder `here`, by default the current one.

    Names of the package's folder, and of those above it, become relative where that is shorter (reportCmd in
    cmd/go/internal/work/shell.go).
    """
    return "".join(_shown(message, folder_or_none() if here is None else here) for message in messages)


def _shown(message: Told, here: str) -> str:
    text, folder = message.text, message.folder
    while folder:
        relative = short_path(folder, here)
        if relative != folder:
            text = replace_prefix(text, folder, relative)
        parent = os.path.dirname(folder)
        if parent == folder:
            break
        folder = parent
    return text


def replace_prefix(text: str, old: str, new: str) -> str:
    """Replace where a word or a line starts with `old`, not inside words (replacePrefix in shell.go)."""
    if old not in text:
        return text
    for before in (" ", "\n", "\n\t"):
        text = text.replace(before + old, before + new)
    return new + text[len(old) :] if text.startswith(old) else text


def renamed(text: str, folder: str, here: str | None = None) -> str:
    """What the go command said in `folder`, as it would have said it in `here`, by default the current one.

    Only names of files that are there change, and only where the go command makes such names relative: before
    a line's number, and where it says which file it could not read.
    """
    here = folder_or_none() if here is None else here
    if not here or here == folder or not text:
        return text

    def from_here(match: re.Match[str]) -> str:
        name = next(group for group in match.groups() if group)
        path = os.path.normpath(os.path.join(folder, name))
        if not os.path.isfile(path):
            return match[0]
        at = match.start(match.lastindex or 0) - match.start()
        return match[0][:at] + short_path(path, here) + match[0][at + len(name) :]

    return _NAMED.sub(from_here, _WITH_LINE.sub(from_here, text))


def for_user(error: LuigigoError) -> str:
    """An error as it is printed: the go command's words as they are, ours with whose they are."""
    if isinstance(error, ActionError):
        return shown(error.told).rstrip("\n")
    text = str(error)
    if isinstance(error, PlanError | PlaceTaken) or text.startswith(("luigigo: ", "go: ", "# ")):
        return text
    return f"luigigo: {text}"
