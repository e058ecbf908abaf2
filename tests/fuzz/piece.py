"""What each feature adds to a world."""

from __future__ import annotations

import random
from collections.abc import Mapping

import msgspec

from .tree import Entry, File

MODULE = "example.com/w"
APP = "app"
"""The folder of the main module below a world's root."""


class Blobs(msgspec.Struct, frozen=True):
    """Files that only tools can make; made once, so that a world is a function of its seed and them."""

    libraries: tuple[bytes, ...]
    """Archives with a function `answer`, which gives another number in each."""
    objects: tuple[bytes, ...]
    """Objects with a function `answer`."""


class Piece(msgspec.Struct, frozen=True):
    """One feature of a world."""

    files: dict[str, Entry]
    """By path below the root."""
    imports: tuple[str, ...] = ()
    """Packages that have a function Show, which main calls."""
    module_lines: tuple[str, ...] = ()
    """Lines for go.mod."""
    sum_lines: tuple[str, ...] = ()
    """Lines for go.sum."""
    variables: dict[str, str] = {}


class Draw:
    """What a feature draws from, and the folder that it fills."""

    def __init__(self, rng: random.Random, name: str, blobs: Blobs) -> None:
        self.rng = rng
        self.name = name
        self.blobs = blobs
        self.folder = f"{APP}/{name}"

    def number(self) -> int:
        """A number of two digits: edits replace those."""
        return self.rng.randint(11, 98)

    def package(self, files: Mapping[str, str | Entry]) -> Piece:
        """A package in a folder named like the feature, from texts in which NAME and `@` are filled in."""
        entries = {f"{self.folder}/{path}": self.fill(text) for path, text in files.items()}
        return Piece(entries, (f"{MODULE}/{self.name}",))

    def fill(self, text: str | Entry) -> Entry:
        """A file with the text, with this package's name and a number of its own for each `@`."""
        if not isinstance(text, str):
            return text
        text = text.replace("NAME", self.name)
        while "@" in text:
            text = text.replace("@", str(self.number()), 1)
        return File(text.encode())
