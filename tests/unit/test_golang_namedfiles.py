"""Files that flags name are found wherever in a flag they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from luigigo.golang.namedfiles import named_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files to name."""
    for name in ("script.ld", "lib/libx.a", "args", "more", "with space"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "args").write_text("-Wl,-T,script.ld @more\n'with space'\n")
    return tmp_path


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        (["-O2", "-lx", "-DX=1"], []),
        (["-Wl,-T,script.ld"], ["script.ld"]),
        (["-T", "script.ld"], ["script.ld"]),
        (["-Tscript.ld"], ["script.ld"]),
        (["-Wl,--version-script=script.ld"], ["script.ld"]),
        (["lib/libx.a", "-Llib"], ["lib/libx.a"]),
        (["@args"], ["args", "script.ld", "more", "with space"]),
        (["-Wl,@args"], ["args", "script.ld", "more", "with space"]),
        (["@absent", "absent.a"], []),
    ],
)
def test_names_in_flags_are_found(folder: Path, flags: list[str], names: list[str]) -> None:
    """As a word, behind a comma, an equal sign or a letter, and in argument files."""
    found = named_files(flags, str(folder))
    assert set(found.files) == {str(folder / name) for name in names}
    assert found.untold == ""


def test_folders_that_nobody_tells_of_are_said(folder: Path) -> None:
    """A folder of profiles is read in ways that show nowhere; one of headers or libraries is told of."""
    assert (
        named_files(["-fprofile-use=lib"], str(folder)).untold == "nothing tells what -fprofile-use=lib reads"
    )
    assert named_files(["--odd", "lib"], str(folder)).untold
    assert not named_files(["-Ilib", "-I", "lib", "-L", "lib", "-Blib", "--sysroot=lib"], str(folder)).untold


def test_argument_files_in_a_circle_end(folder: Path) -> None:
    """A file that names itself is read a few times and no more."""
    (folder / "more").write_text("@args")
    assert str(folder / "more") in named_files(["@args"], str(folder)).files
