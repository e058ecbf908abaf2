"""Where a build's programs go, and what is done with what lies there: the rules of `go build -o`.

Pure, but for the question whether the output is a folder.
"""

from __future__ import annotations

import os
from enum import Enum

import msgspec

from luigigo.errors import PlanError, UsageError
from luigigo.golang.actions import Plan, Root
from luigigo.golang.quoted import go_quote_bytes
from luigigo.golang.request import output_folder, output_words
from luigigo.model import ImportPath

MAGIC_BYTES = 64
"""How much of a file tells whether it is an object."""

_OBJECT_MAGICS = (
    b"!<arch>\n",  # package archive
    b"<bigaf>\n",  # AIX big archive
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",  # Mach-O, big-endian, 32 bits
    b"\xfe\xed\xfa\xcf",  # 64 bits
    b"\xce\xfa\xed\xfe",  # Mach-O, little-endian, 32 bits
    b"\xcf\xfa\xed\xfe",  # 64 bits
    b"MZ\x90\x00\x03\x00",  # PE by Go's linker and GCC
    b"MZ\x78\x00\x01\x00",  # PE by LLVM
    b"\x00\x00\x01\xeb",  # Plan 9: 386
    b"\x00\x00\x8a\x97",  # amd64
    b"\x00\x00\x06\x47",  # arm
    b"\x00asm",  # WebAssembly
    b"\x01\xdf",  # XCOFF, 32 bits
    b"\x01\xf7",  # 64 bits
)


class Delivery(msgspec.Struct, frozen=True):
    """One binary and the place where the user wants it."""

    root: Root
    path: str
    name: str
    """The place as the go command names it: with the words of -o."""


class SiteKind(Enum):
    """What a path leads to, symbolic links followed."""

    NOTHING = "nothing"
    FILE = "file"
    FOLDER = "folder"
    PIPE = "pipe"
    OTHER = "device or socket"


class Site(msgspec.Struct, frozen=True):
    """What lies at a place, as far as it decides what a build does there."""

    kind: SiteKind
    is_symlink: bool = False
    size_bytes: int = 0
    head: bytes = b""
    """A file's first bytes; none where it cannot be read."""
    is_executable: bool = False
    takes_moves: bool = True
    """Whether go build would try to rename from its work folder to here, and could."""


def deliveries(plan: Plan, output: str) -> list[Delivery]:
    """Where each program goes, as with `go build -o`: a file, or a folder that takes all programs.

    `output` is what `request.absolute_output` makes. With none and one package it is the program's default
    name in the current folder; with several, nowhere. Raises `UsageError` when a file is to take several
    programs, there is no program, or the default name is a folder's, and `PlanError` with go's words when
    -buildmode=exe has several. The rules are those of runBuild in cmd/go/internal/work/build.go.
    """
    programs = [root for root in plan.roots if root.executable]
    words = output_words(output)
    folder = output_folder(output)
    if not words:
        if plan.named_count != 1:
            return []
        return [_by_default(root, folder) for root in programs]
    if plan.is_one_program and not (plan.named_count == 1 and programs):
        raise PlanError("-buildmode=exe requires exactly one main package")
    path = _resolved(folder, words)
    if os.devnull in (words, path):
        return []
    if words.endswith("/") or os.path.isdir(path):
        if not programs:
            raise UsageError("go: no main packages to build")
        names = [(root, os.path.normpath(os.path.join(words, root.executable))) for root in programs]
        return [Delivery(root, os.path.abspath(os.path.join(folder, name)), name) for root, name in names]
    if plan.built_count > 1:
        raise UsageError(f"go: cannot write multiple packages to non-directory {words}")
    if not programs:
        package = plan.roots[0].package if plan.roots else "unsafe"
        raise UsageError(f"luigigo: {package} is not a main package: there is no binary to write to {words}")
    return [Delivery(programs[0], path, words)]


def _by_default(root: Root, folder: str) -> Delivery:
    path = os.path.join(folder, root.executable)
    if os.path.isdir(path):
        raise UsageError(f"go: build output {_quoted(root.executable)} already exists and is a directory")
    return Delivery(root, path, root.executable)


def _resolved(folder: str, words: str) -> str:
    """The path, cleaned where that cannot change what it means to the system.

    A `..` after a name may lead out of a symbolic link, and `x/.` can only be a folder.
    """
    parts = words.split("/")
    while parts[0] in ("..", "."):
        del parts[0]
        if not parts:
            return os.path.abspath(os.path.join(folder, words))
    path = os.path.join(folder, words)
    if ".." in parts or parts[-1] == ".":
        return path
    return os.path.abspath(path) + ("/" if words.endswith("/") else "")


def is_object(head: bytes) -> bool:
    """Whether a file that begins so is a program, a library or an archive.

    The table is objectMagic of cmd/go/internal/work/exec.go.
    """
    return head.startswith(_OBJECT_MAGICS)


def refusal(package: ImportPath, name: str, site: Site) -> str:
    """The go command's words for a place that it does not overwrite; "" for one that it does.

    That is a folder, and a file with something in it that is no object: checkDstOverwrite of
    cmd/go/internal/work/shell.go.
    """
    if site.kind is SiteKind.FOLDER:
        what = "is a directory"
    elif site.kind is SiteKind.FILE and site.size_bytes and not is_object(site.head):
        what = "is not an object file"
    else:
        return ""
    return f"{package}: go build {package}: build output {_quoted(name)} already exists and {what}"


def is_replaced(site: Site) -> bool:
    """Whether the binary takes the name of what lies there; else it is written into it.

    A file is replaced, so that a running program runs on. What else can be written to is replaced where go
    build's rename does so, which depends on where its work folder lies (moveOrCopyFile of shell.go). A pipe
    never is: go build waits for it for ever.
    """
    if site.kind is SiteKind.PIPE:
        return False
    is_plain = not site.is_symlink and site.kind in (SiteKind.NOTHING, SiteKind.FILE)
    return is_plain or site.takes_moves


def is_remembered(site: Site) -> bool:
    """Whether a look at the place can tell later that it still holds the binary."""
    return site.kind is SiteKind.FILE


def _quoted(name: str) -> str:
    return go_quote_bytes(os.fsencode(name))
