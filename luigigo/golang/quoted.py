"""How Go splits a string of flags (cmd/internal/quoted) and joins it again. Pure."""

from __future__ import annotations

import re

from luigigo.errors import UsageError

_SPACE = " \t\n\r"


def split(text: str) -> list[str]:
    """Split into fields: whole fields may be in single or double quotes, and there are no escapes.

    Raises `UsageError` for a quote that is not closed. The rule is that of cmd/internal/quoted.Split.
    """
    fields: list[str] = []
    rest = text.lstrip(_SPACE)
    while rest:
        if rest[0] in "\"'":
            quote = rest[0]
            end = rest.find(quote, 1)
            if end < 0:
                raise UsageError(f"unterminated {quote} string in {text!r}")
            fields.append(rest[1:end])
            rest = rest[end + 1 :].lstrip(_SPACE)
            continue
        end = next((i for i, char in enumerate(rest) if char in _SPACE), len(rest))
        fields.append(rest[:end])
        rest = rest[end:].lstrip(_SPACE)
    return fields


def join(fields: list[str] | tuple[str, ...]) -> str:
    """The inverse of `split`. Raises `UsageError` for a field that it never gives.

    That is one with white space, or a quote at its start, that holds both kinds of quotes.
    """
    joined = []
    for field in fields:
        if field and field[0] not in "\"'" and not any(char in _SPACE for char in field):
            joined.append(field)
        elif "'" not in field:
            joined.append(f"'{field}'")
        elif '"' not in field:
            joined.append(f'"{field}"')
        else:
            raise UsageError(f"{field!r} has both kinds of quotes and cannot be passed on")
    return " ".join(joined)


def go_quote(text: str) -> str:
    """Quote as Go's strconv.Quote does: bytes that are no UTF-8 become `\\x..`."""
    named = {"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"}
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char in named:
            out.append(named[char])
        elif char < " " or char == "\x7f" or "\udc80" <= char <= "\udcff":
            out.append(f"\\x{ord(char) & 0xFF:02x}")
        elif char.isprintable():
            out.append(char)
        elif ord(char) > 0xFFFF:
            out.append(f"\\U{ord(char):08x}")
        else:
            out.append(f"\\u{ord(char):04x}")
    return '"' + "".join(out) + '"'


def go_quote_bytes(data: bytes) -> str:
    """Quote bytes as Go's `%q` does."""
    return go_quote(data.decode(errors="surrogateescape"))


def go_unquote(literal: bytes) -> bytes:
    """The bytes of a Go string literal, given with its quotes (strconv.Unquote)."""
    if literal[:1] == b"`":
        return literal[1:-1].replace(b"\r", b"")
    return _ESCAPE.sub(_expand, literal[1:-1])


_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.S)
_NAMED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}


def _expand(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if code[:1] == b"x":
        return bytes([int(code[1:], 16)])
    if code[:1] in (b"u", b"U"):
        return chr(int(code[1:], 16)).encode()
    if code.isdigit():
        return bytes([int(code, 8) & 0xFF])
    return _NAMED.get(code, code)
