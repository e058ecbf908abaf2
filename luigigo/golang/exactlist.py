"""What `go list` knows, byte for byte. Pure.

`go list -json` puts U+FFFD in the place of each byte that is no UTF-8, and so names no folder or file whose
name has one. A template of `go list -f` that quotes each text as a Go string literal loses nothing.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, get_args, get_origin

import msgspec

from luigigo.golang.packages import LISTED_FIELDS, Package
from luigigo.golang.quoted import go_unquote

_LITERAL = re.compile(rb'"(?:[^"\\]|\\.)*"', re.S)
_REPLACED = ("\ufffd".encode(), rb"\ufffd")


def has_lost_bytes(json_text: bytes) -> bool:
    """Whether some text in what the go command printed as JSON may not be what it stands for."""
    return any(replaced in json_text for replaced in _REPLACED)


def template() -> str:
    """The template that has `go list -f` print each package as one line, for `parse`."""
    return _record(Package, "", LISTED_FIELDS)


def parse(output: bytes) -> list[Package]:
    """The packages that `go list -f` printed by the template. Raises `msgspec.MsgspecError`."""
    lines = _LITERAL.sub(_as_json, output).splitlines()
    return msgspec.convert([json.loads(line) for line in lines], list[Package])


def _as_json(literal: re.Match[bytes]) -> bytes:
    return json.dumps(os.fsdecode(go_unquote(literal[0]))).encode()


def _record(record: type[msgspec.Struct], value: str, names: tuple[str, ...] = ()) -> str:
    fields = [field for field in msgspec.structs.fields(record) if not names or field.name in names]
    parts = (
        f'"{field.encode_name}":{_value(field.type, f"{value}.{field.encode_name}")}' for field in fields
    )
    return "{" + ",".join(parts) + "}"


def _value(kind: Any, value: str) -> str:
    if kind is bool:
        return f"{{{{printf `%t` {value}}}}}"
    if kind is str:
        return _quoted(value)
    if get_origin(kind) is tuple:
        return f"[{_each(value, '$v', _quoted('$v'))}]"
    if get_origin(kind) is dict:
        # Three braces in a row would begin an action with a brace.
        return f"{{ {_each(value, '$k, $v', _quoted('$k') + ':' + _quoted('$v'))}}}"
    assert get_args(kind)
    record = next(each for each in get_args(kind) if each is not type(None))
    if value.count("Replace") > 1:
        # A replacement has none of its own.
        return "null"
    return f"{{{{if {value}}}}}{_record(record, value)}{{{{else}}}}null{{{{end}}}}"


def _quoted(value: str) -> str:
    return f"{{{{printf `%q` {value}}}}}"


def _each(value: str, names: str, item: str) -> str:
    variables = names if "," in names else f"$_, {names}"
    return (
        f"{{{{$comma := ``}}}}{{{{range {variables} := {value}}}}}{{{{$comma}}}}{item}"
        "{{$comma = `,`}}{{end}}"
    )
