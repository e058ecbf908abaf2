"""The parameters of `BuildBinary` as texts, and back."""

from __future__ import annotations

import random

import pytest

from luigigo.tasks.parameters import PackagesParameter, TextsParameter

_PIECES = [
    "a",
    " ",
    "\n",
    "\t",
    "'",
    '"',
    "[",
    "]",
    ",",
    "\\",
    "\udce9",
    "é",
    "=",
    "-X",
    '["',
    '"]',
    "null",
    "[1]",
]


def _tuples() -> list[tuple[str, ...]]:
    chance = random.Random(7)
    texts = lambda: "".join(chance.choices(_PIECES, k=chance.randrange(6)))  # noqa: E731
    return [tuple(texts() for _ in range(chance.randrange(4))) for _ in range(3000)]


@pytest.mark.parametrize("parameter", [TextsParameter(), PackagesParameter()], ids=["flags", "packages"])
def test_any_values_come_back_from_their_text(parameter: TextsParameter) -> None:
    """For any tuple of texts, and different tuples have different texts."""
    tuples = {*_tuples(), (), ("",), ("", ""), ('["a"]',), ("'\" ",), ("a b", "c")}
    for values in tuples:
        assert parameter.parse(parameter.serialize(values)) == values
        assert parameter.normalize(values) == values
    assert len({parameter.serialize(values) for values in tuples}) == len(tuples)


def test_one_plain_text_is_one_flag() -> None:
    """With line ends, quotes and brackets as they are; nothing is no flag."""
    parameter = TextsParameter()
    for text in ("-s -w", "-X 'main.a=first\nsecond'", "[./...]=-N", "[1]", "[", '["a"', "./...=-N"):
        assert parameter.parse(text) == parameter.normalize(text) == (text,)
        assert parameter.serialize((text,)) == text
    assert parameter.parse("") == ()
    assert parameter.parse(["-s", "all=-w"]) == ("-s", "all=-w")


def test_packages_are_apart_by_blanks() -> None:
    """Or in quotes; a quote that is not closed is a letter."""
    parameter = PackagesParameter()
    assert parameter.parse("./a  './with blank'") == ("./a", "./with blank")
    assert parameter.serialize(("./a", "./with blank")) == "./a './with blank'"
    assert parameter.parse("'a b") == ("'a b",)
    assert parameter.parse("./it's") == ("./it's",)
