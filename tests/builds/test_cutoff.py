"""Which actions an edit costs, and that the binary is go build's after each."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import Lab

pytestmark = pytest.mark.builds

LOW = "compile example.com/cutoff/low"
MAIN = "compile example.com/cutoff"
LINK = "link example.com/cutoff"
IMPORTERS = {f"compile example.com/cutoff/imp{number:02}" for number in range(60)}

EDITS = {
    "a statement in a body": ("total := 0", "total := 1", {LOW, LINK}),
    "a comment on an existing line": ("// a comment inside", "// other words inside", {LOW}),
    "a closure on the same line": ("return n * 2", "return func() int { return n * 2 }()", {LOW, LINK}),
    "a blank line in the last function": ("\treturn 3", "\n\treturn 3", {LOW, LINK}),
    "the body of an inlinable function": ("return n + 1 }", "return n + 2 }", {LOW, MAIN, LINK, *IMPORTERS}),
    "a line above exported declarations": (
        "// Version is",
        "// A line more.\n// Version is",
        {LOW, MAIN, LINK, *IMPORTERS},
    ),
}


@pytest.fixture(scope="module")
def built(compiled_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, Path]:
    """The program, built once, and where."""
    lab = Lab.on(compiled_cache, tmp_path_factory.mktemp("cutoff"))
    project = lab.program("cutoff")
    lab.build(project)
    return lab, project


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_runs_only_what_reads_what_it_changed(built: tuple[Lab, Path], name: str) -> None:
    """Of 65 importers, direct and not, none is compiled whose inputs did not change."""
    lab, project = built
    old, new, expected = EDITS[name]
    file = project / "low" / "low.go"
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    try:
        assert lab.build(project).actions() == expected
        lab.assert_identical(project)
    finally:
        file.write_text(text)


def test_an_edit_taken_back_runs_nothing(built: tuple[Lab, Path]) -> None:
    """What was built of the sources as they are again still serves."""
    lab, project = built
    assert lab.build(project).actions() == set()
    lab.assert_identical(project)
