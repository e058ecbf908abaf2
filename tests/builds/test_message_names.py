"""Files in messages have the names that go build gives them in the folder where the command was typed."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest
from support import Lab

pytestmark = pytest.mark.builds

FILES = {
    "go.mod": "module example.com/m\n\ngo 1.26\n",
    "main.go": 'package main\n\nimport "example.com/m/part"\n\nfunc main() { println(part.Name) }\n',
    "part/part.go": "package part\n\nvar Name int = ``\n",
    "cmd/tool/main.go": 'package main\n\nimport "example.com/m/part"\n\nfunc main() { _ = part.Name }\n',
}
CASES = {
    "the project's folder": (".", "."),
    "a package's folder": ("part", "."),
    "patterns from a subfolder": ("cmd", "./..."),
    "a package above": ("cmd/tool", "../../part"),
}


@pytest.fixture
def project(lab: Lab) -> Path:
    """A program with a package that does not compile."""
    return lab.write(FILES, "m")


def blocks(text: str) -> list[str]:
    """The blocks of a message, one for each package."""
    return re.findall(r"(?m)^# .*\n(?:(?!# |luigigo: ).*\n)*", text)


@pytest.mark.parametrize("name", CASES)
def test_compile_errors_name_files_from_the_current_folder(lab: Lab, project: Path, name: str) -> None:
    """Byte for byte as go build does there."""
    folder, package = CASES[name]
    here = project / folder
    expected = blocks(lab.go_build(here, "-o", "/dev/null", package).stderr)
    finished = lab.luigigo("build", package, "-o", "/dev/null", cwd=here)
    assert expected and blocks(finished.stderr) == expected
    flags = ("--package", package, "--output", "/dev/null", "--log-level", "WARNING")
    by_luigi = lab.luigi("--project", here, *flags, cwd=here)
    assert blocks(by_luigi.stderr) == expected


def test_from_another_folder_files_have_names_that_lead_there(lab: Lab, project: Path) -> None:
    """For an editor to find them; all else is as in the project's own folder."""
    in_place = blocks(lab.go_build(project, "-o", "/dev/null").stderr)
    finished = lab.luigigo("build", "m", "-o", "/dev/null")
    assert blocks(finished.stderr) == [block.replace("part/part.go", "m/part/part.go") for block in in_place]
    aside = lab.folder / "aside"
    aside.mkdir()
    finished = lab.luigigo("build", project, "-o", "/dev/null", cwd=aside)
    assert "../m/part/part.go:3:16: cannot use" in finished.stderr


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("part/part.go", "package part\n\nimport _ `example.com/gone`\n"),
        ("part/part.go", "pack age\n"),
        ("go.mod", "module example.com/m\n\ngone 1.26\n"),
        ("cmd/tool/main.go", "package main\n\nimport _ `example.com/m/gone`\n"),
    ],
)
def test_the_go_commands_own_errors_do_so_too(lab: Lab, project: Path, file: str, text: str) -> None:
    """In the project's folder and a subfolder as go build has them, and from above with the folder before."""
    (project / file).write_text(text)
    package = "example.com/m/cmd/tool"
    for here in (project, project / "cmd" / "tool"):
        expected = lab.go_build(here, "-o", "/dev/null", package).stderr
        assert lab.luigigo("build", package, "-o", "/dev/null", cwd=here).stderr == expected
    in_place = lab.go_build(project, "-o", "/dev/null", package).stderr
    assert file in in_place
    finished = lab.luigigo("build", project, package, "-o", "/dev/null")
    assert finished.stderr == re.sub(rf"(?<![/\w]){re.escape(file)}(?=:)", f"m/{file}", in_place)


WARNS = """package warns

/*
static int twice(int n) { int UNUSED; return 2 * n; }
#cgo CFLAGS: -Wall
*/
import "C"

var Two = C.twice(1)
"""


def test_what_is_told_again_has_names_for_who_is_told(lab: Lab, project: Path) -> None:
    """A C compiler's warning, kept by a build in one folder, is shown in others and for another checkout."""
    (project / "warns").mkdir()
    (project / "warns" / "warns.go").write_text(WARNS.replace("UNUSED", f"unused_{uuid.uuid4().hex}"))
    (project / "main.go").write_text('package main\n\nimport _ "example.com/m/warns"\n\nfunc main() {}\n')
    in_place = blocks(lab.go_build(project, "-o", "/dev/null").stderr)
    assert "warns/warns.go:" in in_place[0]
    output = lab.folder / "binary"
    for here, name in ((project, "warns/"), (lab.folder, "m/warns/"), (project / "warns", "./")):
        for _ in range(2):
            finished = lab.luigigo("build", project, "-o", output, cwd=here)
            assert finished.returncode == 0, finished.stderr
            assert blocks(finished.stderr) == [in_place[0].replace("warns/warns.go", f"{name}warns.go")]
    other = lab.folder / "far" / "away"
    other.parent.mkdir()
    project.rename(other)
    again = lab.luigigo("build", other, "-o", output, "--json", cwd=other)
    assert '"outcome": "ran"' not in again.stdout
    assert blocks(again.stderr) == in_place
