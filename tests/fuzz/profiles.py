"""A CPU profile in pprof's format, made by hand: field numbers are those of pprof's profile.proto."""

from __future__ import annotations

import gzip

VARINT, BYTES = 0, 2


def _number(value: int) -> bytes:
    out = bytearray()
    while True:
        low, value = value & 0x7F, value >> 7
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _number(number << 3 | VARINT) + _number(value)
    return _number(number << 3 | BYTES) + _number(len(value)) + value


def profile(hot: int) -> bytes:
    """A profile in which main calls one of two functions of main.go a lot, at one line below main's first."""
    strings = ["", "samples", "count", "cpu", "nanoseconds", "main.main", "main.hot0", "main.hot1", "main.go"]
    types = _field(1, 1) + _field(2, 2), _field(1, 3) + _field(2, 4)
    body = b"".join(_field(1, each) for each in types)
    for callee, weight in ((2, 1 if hot else 900), (3, 900 if hot else 1)):
        values = _field(2, _number(weight) + _number(weight * 10_000_000))
        body += _field(2, _field(1, _number(callee) + _number(1)) + values)
    for function in (1, 2, 3):
        line = _field(1, function) + _field(2, 10 + function)
        body += _field(4, _field(1, function) + _field(4, line))
    for function in (1, 2, 3):
        name = _field(2, 4 + function) + _field(3, 4 + function)
        body += _field(5, _field(1, function) + name + _field(4, 8) + _field(5, 9))
    body += b"".join(_field(6, text.encode()) for text in strings)
    body += _field(11, _field(1, 3) + _field(2, 4)) + _field(12, 10_000_000)
    return gzip.compress(body, mtime=0)
