"""Messages are kept whole, and shown with the names that they have from a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from luigigo.currentfolder import short_path
from luigigo.messages import cut, renamed, shown
from luigigo.model import Said, Told, told


@pytest.mark.parametrize(
    ("here", "name"),
    [
        ("/home/me/app/part", "./x.go"),
        ("/home/me/app", "part/x.go"),
        ("/home/me/app/cmd/tool", "../../part/x.go"),
        ("/home/me", "app/part/x.go"),
        ("/srv/elsewhere/far/away/from/it", "/home/me/app/part/x.go"),
        ("", "/home/me/app/part/x.go"),
    ],
)
def test_names_are_those_from_the_current_folder_where_that_is_shorter(here: str, name: str) -> None:
    """As the go command has them (base.ShortPath), and whole where there is no current folder."""
    message = Told("# m/part\n/home/me/app/part/x.go:3:5: undefined: y\n", "/home/me/app/part")
    assert shown([message], here) == f"# m/part\n{name}:3:5: undefined: y\n"


def test_a_text_without_a_folder_is_shown_as_it_is() -> None:
    """What the go command prints with whole paths keeps them."""
    assert shown([Told("m: no Go files in /home/me\n")], "/home/me") == "m: no Go files in /home/me\n"


def test_what_one_user_was_told_names_anothers_folder_for_the_other() -> None:
    """A message is cut where it names the package's folder, and not inside of other names."""
    text = "# m\n/a/b/x.go:1: in /a/b, not /a/bc or /x/a/b\n\t-I/a/b/include\n"
    parts = cut(text, "/a/b")
    assert "/a/b".join(parts) == text
    (other,) = told([Said(parts)], "/other/place")
    assert other.text == (
        "# m\n/other/place/x.go:1: in /other/place, not /a/bc or /x/a/b\n\t-I/other/place/include\n"
    )


def test_a_link_on_the_way_makes_no_short_name(tmp_path: Path) -> None:
    """`..` of a folder that is a link leads elsewhere."""
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real" / "deep")
    (tmp_path / "x.go").touch()
    assert short_path(str(tmp_path / "x.go"), str(tmp_path)) == "x.go"
    assert short_path(str(tmp_path / "x.go"), str(tmp_path / "link")) == str(tmp_path / "x.go")


def test_names_in_the_go_commands_words_are_those_from_here(tmp_path: Path) -> None:
    """Only names of files that are there, before a line's number or where a file could not be read."""
    project = tmp_path / "app"
    (project / "part").mkdir(parents=True)
    for name in ("go.mod", "main.go", "part/x.go", "go"):
        (project / name).touch()
    text = (
        "go: errors parsing go.mod:\n"
        "go.mod:3: unknown directive: main.go\n"
        "main.go:3:8: no required module provides package a; main.go: as it is\n"
        "package m\n\timports m/part from main.go\n\tpart/x.go:1:1: expected 'package' (see gone.go:1)"
    )
    assert renamed(text, str(project), str(project)) == text
    assert renamed(text, str(project), str(tmp_path)) == (
        "go: errors parsing app/go.mod:\n"
        "app/go.mod:3: unknown directive: main.go\n"
        "app/main.go:3:8: no required module provides package a; main.go: as it is\n"
        "package m\n\timports m/part from main.go\n\tapp/part/x.go:1:1: expected 'package' (see gone.go:1)"
    )
    assert os.path.isfile(project / "go")
    assert renamed("main.go:1:2: x", str(project), str(project / "part")) == "../main.go:1:2: x"
