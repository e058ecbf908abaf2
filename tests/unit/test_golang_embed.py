"""Which files `//go:embed` patterns take."""

from __future__ import annotations

import json

import pytest

from luigigo.golang.embed import embedcfg, files_by_pattern, lies_in_embedded_folder

FILES = ["[x]", "a.txt", "b.txt", "dir/.hidden", "dir/_under", "dir/sub/deep.txt", "dir/x.txt"]
FILES.append("with space.txt")


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("a.txt", ["a.txt"]),
        ("*.txt", ["a.txt", "b.txt", "with space.txt"]),
        ("?.txt", ["a.txt", "b.txt"]),
        ("[!b]", []),
        ("[^b].txt", ["a.txt"]),
        ("[a-b].txt", ["a.txt", "b.txt"]),
        ("dir", ["dir/sub/deep.txt", "dir/x.txt"]),
        ("all:dir", ["dir/.hidden", "dir/_under", "dir/sub/deep.txt", "dir/x.txt"]),
        ("dir/*", ["dir/.hidden", "dir/_under", "dir/sub/deep.txt", "dir/x.txt"]),
        ("d*/sub", ["dir/sub/deep.txt"]),
        ("*/*.txt", ["dir/x.txt"]),
        ("with space.txt", ["with space.txt"]),
        ("\\[x\\]", ["[x]"]),
        ("[[]x[]]", []),
        ("[\\[]x[\\]]", ["[x]"]),
        ("dir[^a]x.txt", []),
        ("*", ["[x]", "a.txt", "b.txt", "dir/sub/deep.txt", "dir/x.txt", "with space.txt"]),
        (".*", []),
        ("dir/.*", ["dir/.hidden"]),
        ("all:.*", []),
        ("all:*", sorted(FILES)),
    ],
)
def test_a_pattern_takes_files_and_folders(pattern: str, files: list[str]) -> None:
    """A pattern matches names, and takes what lies in a matching folder; hidden files by name or `all:`.

    None matches the package's own folder, and nothing in it a slash.
    """
    assert files_by_pattern([pattern], FILES) == {pattern: files}


def test_embedcfg_maps_patterns_to_files_and_files_to_paths() -> None:
    """The compiler gets the files of each pattern, and the path of each file."""
    assert json.loads(embedcfg(["*.txt"], ["a.txt", "größe.txt"], "/p")) == {
        "Patterns": {"*.txt": ["a.txt", "größe.txt"]},
        "Files": {"a.txt": "/p/a.txt", "größe.txt": "/p/größe.txt"},
    }


def test_a_folder_that_is_no_utf8_is_named_as_the_go_command_names_it() -> None:
    """The file is JSON that the compiler can read, and it says which file it does not find."""
    assert json.loads(embedcfg(["a"], ["a"], "/caf\udce9"))["Files"] == {"a": "/caf\ufffd/a"}


def test_what_a_pattern_takes_with_a_folder_is_told_from_what_it_names() -> None:
    """For the go command may take a symbolic link by its name, and never with a folder."""
    for pattern in ("dir", "d*", "all:dir"):
        assert lies_in_embedded_folder(["a.txt", pattern], "dir/x.txt")
    for pattern in ("dir/x.txt", "dir/*", "*/x.txt", "sub"):
        assert not lies_in_embedded_folder(["a.txt", pattern], "dir/x.txt")
    assert lies_in_embedded_folder(["dir/sub"], "dir/sub/deep.txt")
