"""Response files: when, and how arguments are written into them."""

from __future__ import annotations

from pathlib import Path

import pytest

from luigigo.golang.responsefile import ARGUMENTS_LIMIT_BYTES, encode, needs_response_file, shorten

LONG = "x" * ARGUMENTS_LIMIT_BYTES


@pytest.mark.parametrize("tool", ["compile", "link", "cgo", "asm", "cover", "compile.exe"])
def test_the_go_tools_take_long_arguments_in_a_file(tool: str) -> None:
    """The limit is the go command's own."""
    path = f"/go/pkg/tool/linux_amd64/{tool}"
    assert needs_response_file([path, LONG], quoted=False)
    assert not needs_response_file([path, "x"], quoted=False)
    assert not needs_response_file([path, "x" * (ARGUMENTS_LIMIT_BYTES - len(path))], quoted=True)


def test_other_programs_do_not() -> None:
    """gcc never gets one from us; pack reads one only since it is quoted."""
    assert not needs_response_file(["/usr/bin/gcc", LONG], quoted=True)
    assert not needs_response_file(["/tool/pack", LONG], quoted=False)
    assert needs_response_file(["/tool/pack", LONG], quoted=True)


def test_the_quoted_encoding_is_gccs() -> None:
    """As encodeArg of Go 1.27 writes it."""
    arguments = ["plain", "", "a b", "tab\t", 'q"', "it's", "$x`", "back\\slash", "new\nline", "\udcff"]
    assert encode(arguments, quoted=True) == (
        b'plain\n""\n"a b"\n"tab\t"\n"q\\""\n"it\'s"\n"\\$x\\`"\n"back\\\\slash"\n"new\nline"\n\xff\n'
    )


def test_the_escaped_encoding_touches_only_newlines_and_backslashes() -> None:
    """As encodeArg of Go 1.26 writes it."""
    assert encode(["a b", 'q"', "back\\slash", "new\nline", ""], quoted=False) == (
        b'a b\nq"\nback\\\\slash\nnew\\nline\n\n'
    )


def test_short_arguments_stay(tmp_path: Path) -> None:
    """No file is written that is not needed."""
    assert shorten(["/tool/compile", "-o", "x"], str(tmp_path), True) == ("/tool/compile", "-o", "x")
    assert list(tmp_path.iterdir()) == []


def test_long_arguments_go_to_a_file_of_their_own(tmp_path: Path) -> None:
    """Two calls in one folder do not share a file."""
    first = shorten(["/tool/compile", "-p", LONG], str(tmp_path), False)
    second = shorten(["/tool/compile", "-q", LONG], str(tmp_path), False)
    assert first[0] == "/tool/compile" and first[1].startswith(f"@{tmp_path}/")
    assert Path(first[1][1:]).read_text() == f"-p\n{LONG}\n"
    assert Path(second[1][1:]).read_text() == f"-q\n{LONG}\n"
