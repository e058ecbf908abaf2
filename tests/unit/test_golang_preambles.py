"""The C text of Go files is found as the cgo tool finds it."""

from __future__ import annotations

import pytest

from luigigo.golang.preambles import has_exports, preamble_of

SINGLE = b'// doc\npackage main\n\n// one\n// #cgo LDFLAGS: x\n/* two\nthree */\nimport "C"\n'


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (SINGLE, b" one\n\n two\nthree \n"),
        (
            b'package p\n\nimport (\n\t"fmt" // not this\n\n\t// nor this\n\n\t// this\n\t"C"\n)\n',
            b" this\n\n",
        ),
        (b'package p\n\n// this\nimport (\n\t"C"\n)\n', b" this\n\n"),
        (b'package p\n\n// not this\nimport (\n\t"C"\n\t"fmt"\n)\n', b""),
        (b'package p\n\n// not this\nimport (\n\t// this\n\t"C"\n)\n', b" this\n\n"),
        (b'package p\n\n// far\n\nimport "C"\n', b""),
        (b'package p\n\n// a\nimport "C"\nimport "fmt"\n// b\nimport "C"\n', b" a\n\n b\n\n"),
        (b'package p; /* a */ import "C"\n', b""),
        (b"\xef\xbb\xbfpackage p\r\n\r\n// a\r\nimport `C`\r\n", b" a\r\n\n"),
        (b'package p\n\nvar x = `\n// no\nimport "C"\n`\n', b""),
        (b'package p\n\n//no space\n#\nimport "C"\n', b""),
        (b'package p\n\n//#cgo\tCFLAGS: -DX\n//#include <a.h>\nimport "C"\n', b"\n#include <a.h>\n\n"),
    ],
)
def test_the_comment_right_above_the_import_counts(source: bytes, text: bytes) -> None:
    """Of a group the import's own comment, or the group's where it has one import; without `#cgo` lines."""
    assert preamble_of(source) == text


def test_exported_functions_are_seen() -> None:
    """A line that begins with `//export` may export a function; another comment does not."""
    assert has_exports(b'package p\n\nimport "C"\n\n//export f\nfunc f() {}\n')
    assert not has_exports(b"package p\n\n// export f\nfunc f() {} //export g\n")
