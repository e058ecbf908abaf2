"""Which programs are C compilers that luigigo knows, by their names. Pure.

Of those it is known which variables they read and how they tell what they read. Any other program – a script
of a module system, a wrapper of Nix or Zig – may read whatever its author liked.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Sequence

_COMPILER = re.compile(r"(?:[A-Za-z0-9_.]+-)*(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+)(?:-[0-9.]+)?")
_WRAPPERS = frozenset({"ccache", "sccache", "distcc"})
"""They run the compiler that their arguments name, and obey variables of their own."""


def has_compiler_name(path: str) -> bool:
    """Whether a program is called as gcc and clang are."""
    return _COMPILER.fullmatch(os.path.basename(path)) is not None


def without_wrappers(argv: Sequence[str]) -> list[str]:
    """The compiler's own command, behind wrappers that are known and found on PATH."""
    words = list(argv)
    while len(words) > 1 and words[0] in _WRAPPERS:
        words.pop(0)
    return words
