"""Sizes and times as people write and read them."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from luigigo.commands.main import cli
from luigigo.errors import UsageError
from luigigo.units import parse_bytes, parse_seconds, size_text, time_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (1024, 1024),
        ("500M", 500 << 20),
        ("1.5 gib", 3 << 29),
        ("20G", 20 << 30),
        ("much", None),
        ("-1", None),
    ],
)
def test_sizes_are_read(text: str | int, expected: int | None) -> None:
    """A number is bytes, a unit multiplies it, and anything else is no size."""
    assert parse_bytes(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [(90, 90.0), ("90m", 5400.0), ("8h", 28800.0), ("2 d", 172800.0), ("soon", None)]
)
def test_times_are_read(text: str | int, expected: float | None) -> None:
    """A number is seconds, a unit multiplies it, and anything else is no time."""
    assert parse_seconds(text) == expected


def test_sizes_are_shown() -> None:
    """In the largest unit of which there is one, bytes without a fraction."""
    assert [size_text(size) for size in (12, 1 << 20, 3 << 30, 5 << 40)] == [
        "12 B",
        "1.0 MB",
        "3.0 GB",
        "5.0 TB",
    ]


def test_a_wrong_size_names_its_option() -> None:
    """`luigigo worker --memory` is refused in its own words."""
    place = ["--shared", "/share", "--scheduler-host", "head"]
    refused = CliRunner().invoke(cli, ["worker", *place, "--memory", "plenty"])
    assert isinstance(refused.exception, UsageError)
    assert "--memory plenty: wanted a size" in str(refused.exception)


def test_times_are_shown() -> None:
    """In the unit that tells enough."""
    shown = [time_text(seconds) for seconds in (0.6, 95.2, 720, 12600)]
    assert shown == ["1 s", "95 s", "12 min", "3.5 h"]
