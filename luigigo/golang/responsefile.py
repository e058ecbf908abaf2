"""Response files: how the Go tools take more arguments than a command line holds.

The rules are those of useResponseFile and encodeArg in cmd/go/internal/work/exec.go. The encoding is a
property of the release (`Release.quoted_response_files`).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence

ARGUMENTS_LIMIT_BYTES = 30 << 10
"""cmd/internal/sys.ExecArgLengthLimit: above it the go command itself uses a response file."""

_READERS = frozenset({"compile", "link", "cgo", "asm", "cover"})
_QUOTED_READERS = _READERS | {"pack"}
_QUOTED_SPECIAL = frozenset(" \t\n\r'\"\\$`")
_QUOTED_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "$": r"\$", "`": r"\`"})
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


def needs_response_file(argv: Sequence[str], quoted: bool) -> bool:
    """Whether the go command would pass these arguments in a file: a tool that reads one, and over 30 KB."""
    readers = _QUOTED_READERS if quoted else _READERS
    if os.path.basename(argv[0]).removesuffix(".exe") not in readers:
        return False
    # A character is four bytes at most, and encoding thousands of arguments takes a millisecond.
    if 4 * sum(map(len, argv)) <= ARGUMENTS_LIMIT_BYTES:
        return False
    return sum(len(os.fsencode(argument)) for argument in argv) > ARGUMENTS_LIMIT_BYTES


def encode(arguments: Sequence[str], quoted: bool) -> bytes:
    """The content of a response file: one argument a line.

    `quoted`: with GCC's quoting; otherwise newlines and backslashes are escaped and nothing else is.
    """
    encode_one = _encode_quoted if quoted else _encode_escaped
    return os.fsencode("".join(encode_one(argument) + "\n" for argument in arguments))


def shorten(argv: Sequence[str], folder: str, quoted: bool) -> tuple[str, ...]:
    """Return `argv` as it is when short; otherwise write its arguments to a file and name that instead.

    The file gets a name of its own in `folder`, and belongs to whoever deletes the folder.
    """
    if not needs_response_file(argv, quoted):
        return tuple(argv)
    descriptor, path = tempfile.mkstemp(prefix="args", dir=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.write(encode(argv[1:], quoted))
    return (argv[0], "@" + path)


def _encode_quoted(argument: str) -> str:
    if argument and _QUOTED_SPECIAL.isdisjoint(argument):
        return argument
    return '"' + argument.translate(_QUOTED_ESCAPES) + '"'


def _encode_escaped(argument: str) -> str:
    return argument.translate(_ESCAPES)
