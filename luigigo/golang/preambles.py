"""The C text in the comments above each `import "C"` of a Go file, as the cgo tool finds it. Pure.

The rules are those of cmd/cgo/ast.go (ParseGo, commentText) and gcc.go (ProcessCgoDirectives), and
go/parser's for which comment belongs to which import.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    rb"""
      (?P<space>[ \t\r]+) | (?P<line>\n)
    | (?P<comment>//[^\n]*|/\*.*?\*/)
    | (?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
    | (?P<word>[^\W\d]\w*|[\x80-\xff]+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_DIRECTIVE = re.compile(rb"^[^\S\n]*#cgo[^\S\n][^\n]*$", re.MULTILINE)
_EXPORT = re.compile(rb"^//export[ \t]", re.MULTILINE)
_BOM = b"\xef\xbb\xbf"


def preamble_of(go_source: bytes) -> bytes:
    """The C text of a Go file, that of several imports one after the other; `#cgo` lines are left empty."""
    scan = _Scan(go_source.removeprefix(_BOM))
    scan.imports()
    return _DIRECTIVE.sub(b"", b"".join(text + b"\n" for text in scan.preambles))


def has_exports(go_source: bytes) -> bool:
    """Whether the file may export functions to C: then its C text is in `_cgo_export.h` as well."""
    return _EXPORT.search(go_source) is not None


class _Scan:
    """One pass over the tokens of a Go file, up to the end of its imports."""

    def __init__(self, source: bytes) -> None:
        self.preambles: list[bytes] = []
        self._tokens = _TOKEN.finditer(source)
        self._group: list[bytes] = []
        """The comments that stand together right above what comes next."""
        self._newlines = 0
        """Line ends since the last comment or token."""

    def _next(self) -> bytes:
        """The next token that is no space or comment; b"" at the end. Collects the comments before it."""
        self._group = []
        code_on_line = self._newlines == 0
        for match in self._tokens:
            kind, text = match.lastgroup, match[0]
            if kind == "space":
                continue
            if kind == "line":
                self._newlines += 1
                continue
            if kind == "comment":
                # A comment behind code on its line belongs to that, and a blank line parts two groups.
                if self._newlines > 1 or (code_on_line and self._newlines == 0):
                    self._group = []
                if not (code_on_line and self._newlines == 0):
                    self._group.append(text)
                    code_on_line = False
                self._newlines = 0
                continue
            if self._newlines > 1:
                self._group = []
            self._newlines = 0
            return text
        return b""

    def imports(self) -> None:
        """Go through the package clause and all import declarations."""
        token = self._next()
        while token and token != b"package":
            token = self._next()
        self._next()
        while True:
            token = self._next()
            while token == b";":
                token = self._next()
            if token != b"import":
                return
            self._declaration(_text(self._group))

    def _declaration(self, doc: bytes | None) -> None:
        token, own = self._next(), _text(self._group)
        if token != b"(":
            self._spec(token, doc)
            return
        found: list[bytes | None] = []
        count = 0
        token, own = self._next(), _text(self._group)
        while token and token != b")":
            if token != b";":
                count += 1
                if self._path(token) == b'"C"':
                    found.append(own)
            token, own = self._next(), _text(self._group)
        for text in found:
            chosen = doc if text is None and count == 1 else text
            if chosen is not None:
                self.preambles.append(chosen)

    def _spec(self, token: bytes, doc: bytes | None) -> None:
        if self._path(token) == b'"C"' and doc is not None:
            self.preambles.append(doc)

    def _path(self, token: bytes) -> bytes:
        """The import's path: behind its name, where it has one."""
        while token and token[:1] not in b'"`':
            token = self._next()
        return b'"C"' if token == b"`C`" else token


def _text(group: list[bytes]) -> bytes | None:
    """The text of a group of comments without their marks; None where there is none."""
    if not group:
        return None
    return b"".join(each[2:] + b"\n" if each.startswith(b"//") else each[2:-2] for each in group)
