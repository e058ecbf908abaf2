"""How Go splits and quotes flags."""

from __future__ import annotations

import pytest

from luigigo.errors import UsageError
from luigigo.golang import quoted


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", []),
        (" \t\n", []),
        ("-N -l", ["-N", "-l"]),
        ("-X 'main.version=one two' -s", ["-X", "main.version=one two", "-s"]),
        ('"a\'b" c', ["a'b", "c"]),
        ("''", [""]),
        ("a\\ b", ["a\\", "b"]),
        ("a'b c'", ["a'b", "c'"]),
        ("'a'b", ["a", "b"]),
    ],
)
def test_split_follows_go(text: str, fields: list[str]) -> None:
    """Quotes count at the beginning of a field alone, and there are no escapes."""
    assert quoted.split(text) == fields


def test_split_refuses_an_open_quote() -> None:
    """A quote that is not closed is an error with the text in it."""
    with pytest.raises(UsageError, match="unterminated"):
        quoted.split("-X 'main.a=b")


@pytest.mark.parametrize(
    "fields", [[], ["gcc"], ["/a b/gcc", "-m64"], ["it's"], ['say "x"'], ["", "a"], ["a'\"b"]]
)
def test_join_is_the_inverse_of_split(fields: list[str]) -> None:
    """What is joined splits into the same fields."""
    assert quoted.split(quoted.join(fields)) == fields


def test_join_refuses_both_kinds_of_quotes() -> None:
    """A field with both kinds of quotes has no form."""
    for field in ("'\"", "a' \"b"):
        with pytest.raises(UsageError, match="both kinds"):
            quoted.join([field])


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("", '""'),
        ('a"b\\', r'"a\"b\\"'),
        ("\t\n\r\x00\x7f", r'"\t\n\r\x00\x7f"'),
        ("größe 世界", '"größe 世界"'),
        ("caf\udce9", r'"caf\xe9"'),
        ("\u200b\u2028", r'"\u200b\u2028"'),
        ("\U000e0001", r'"\U000e0001"'),
    ],
)
def test_go_quote_is_strconv_quote(text: str, literal: str) -> None:
    """Printable characters stay; others get Go's shortest escape."""
    assert quoted.go_quote(text) == literal


def test_go_quote_bytes_escapes_what_is_not_utf8() -> None:
    """Bytes that are no UTF-8 become \\x escapes, as with %q."""
    assert quoted.go_quote_bytes(b"\x30\x77\xaf\x0c\xc3\xbc") == r'"0w\xaf\fü"'


def test_go_unquote_is_the_inverse_of_go_quote() -> None:
    """For any bytes, with those characters as they are that Go takes to be printable."""
    for data in (bytes(range(256)), "größe \u2028 \U000e0001 \ufffd".encode(), b'\\x41"\\'):
        assert quoted.go_unquote(quoted.go_quote_bytes(data).encode()) == data
