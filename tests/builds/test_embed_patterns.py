"""Patterns of `//go:embed` are matched as the go command matches them."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from reference import RELEASES, Bench, Toolchain

from luigigo.golang.embed import matches

pytestmark = pytest.mark.builds

MATCHER = r"""package main

import (
	"bufio"
	"bytes"
	"os"
	"path"
)

func main() {
	in, out := bufio.NewScanner(os.Stdin), bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		pattern, name, _ := bytes.Cut(in.Bytes(), []byte{0})
		matched, err := path.Match(string(pattern), string(name))
		if matched && err == nil {
			out.WriteString("1")
		} else {
			out.WriteString("0")
		}
	}
}
"""
NAME_LETTERS = [
    "a",
    "b",
    "c",
    "-",
    "]",
    "[",
    "^",
    "\\",
    "*",
    "?",
    ".",
    "/",
    "é",
    "→",
    "\U0001f600",
    "\udcc3",
    "\udca9",
]
CLASS_PARTS = ["a", "b-c", "a-é", "^", "\\]", "\\-", "-", "[", "]", "\\\\", "é", "→", "*", "?", "/", "\udcc3"]

ODD_FILES = (
    "x[1]", "a-b", "a]b", "n/[y]", "n/^", "é", "日本", "a b", ".dot", "_low", "d/.dot", "d/é", "d/e/.f/g",
    "d/e/h", ".h/x", ".h/.y", "nested/in/x", "star+", "x.TXT",
)  # fmt: skip
PATTERN_GROUPS = (
    (".*", "[.]d*", "_*"),
    ("?", "*é", "[^a-z]"),
    (r"x\[1\]", r"x[\[]?[\]]", r"a[\]]b", r"a[\-\]]b", r"n/[\^a]", r"n/[[]*"),
    ("d", "all:d", "d/*", "d/e", ".h", "all:.h"),
    ("[!d]", "[日-本]*", "[^日]", "a?b", "*+"),
    ("n*/i?/x", "*.TXT", "all:nested", "[a-n]*"),
)


@pytest.fixture(scope="module")
def newest(toolchains: Callable[[str], Toolchain]) -> Toolchain:
    """The newest release, where one stands for all."""
    return toolchains(RELEASES[-1])


@pytest.fixture(scope="module")
def go_matches(
    newest: Toolchain, bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[list[tuple[str, str]]], list[bool]]:
    """Go's own path.Match, for many patterns and names at once."""
    folder = tmp_path_factory.mktemp("matcher")
    (folder / "go.mod").write_text("module example.com/matcher\n\ngo 1.26\n")
    (folder / "main.go").write_text(MATCHER)
    made = bench.go(newest, folder, ["build", "-o", "matcher", "."])
    assert made.exit_code == 0, made.text

    def ask(pairs: list[tuple[str, str]]) -> list[bool]:
        lines = b"".join(os.fsencode(f"{pattern}\0{name}\n") for pattern, name in pairs)
        answers = subprocess.run([folder / "matcher"], input=lines, stdout=subprocess.PIPE, check=True)
        return [answer == ord("1") for answer in answers.stdout]

    return ask


def _pairs(count: int) -> list[tuple[str, str]]:
    """Patterns, and names that have a chance to match them."""
    chance = random.Random(41)
    pairs = []
    for _ in range(count):
        name = chance.choices(NAME_LETTERS, k=chance.randrange(6))
        pattern = []
        for letter in name:
            written = ["\\" + letter, letter, "?", "*", "[" + letter + "]", "[^" + letter + "]"]
            written.append("[" + "".join(chance.choices(CLASS_PARTS, k=chance.randrange(4))) + "]")
            pattern.append(chance.choice(written))
        if chance.random() < 0.3:
            pattern.insert(chance.randrange(len(pattern) + 1), chance.choice(["*", "**", "\\", "[", "]"]))
        pairs.append(("".join(pattern), "".join(name)))
    return pairs


def test_patterns_match_as_in_go(go_matches: Callable[[list[tuple[str, str]]], list[bool]]) -> None:
    """For thousands of patterns and names, of any bytes, the answer is that of path.Match."""
    pairs = _pairs(6000)
    expected = go_matches(pairs)
    assert 500 < sum(expected) < 5500
    wrong = [pair for pair, answer in zip(pairs, expected, strict=True) if matches(*pair) is not answer]
    assert not wrong


def test_each_variable_has_its_own_files(bench: Bench, toolchain: Toolchain, tmp_path: Path) -> None:
    """A program whose patterns name hidden files, folders and odd letters is that of go build."""
    project = tmp_path / "odd"
    for name in ODD_FILES:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(name)
    (project / "go.mod").write_text("module example.com/odd\n\ngo 1.26\n")
    variables = "".join(
        f"//go:embed {' '.join(f'`{pattern}`' for pattern in group)}\nvar Files{number} embed.FS\n\n"
        for number, group in enumerate(PATTERN_GROUPS)
    )
    uses = "".join(f"\tFiles{number}.ReadDir(`.`)\n" for number in range(len(PATTERN_GROUPS)))
    (project / "main.go").write_text(
        f'package main\n\nimport "embed"\n\n{variables}func main() {{\n{uses}}}\n'
    )
    by_luigigo = bench.luigigo_build(toolchain, project)
    by_go = bench.go_build(toolchain, project)
    assert by_go.exit_code == 0, by_go.text
    assert by_luigigo.digests == by_go.digests, by_luigigo.text


def test_links_are_embedded_where_go_build_takes_them(
    bench: Bench, newest: Toolchain, tmp_path: Path
) -> None:
    """By their names; together with the folder around them they are refused by name."""
    variables = {"GODEBUG": "embedfollowsymlinks=1"}
    for number, patterns in enumerate(("d/link", "d/link d")):
        project = tmp_path / str(number)
        (project / "d").mkdir(parents=True)
        (project / "target").write_text("target")
        (project / "d" / "link").symlink_to("../target")
        (project / "d" / "file").write_text("file")
        (project / "go.mod").write_text("module example.com/links\n\ngo 1.26\n")
        (project / "main.go").write_text(
            'package main\n\nimport "embed"\n\n'
            f"//go:embed {patterns}\nvar f embed.FS\n\nfunc main() {{ f.ReadDir(`.`) }}\n"
        )
    by_luigigo, refused = (bench.luigigo_build(newest, tmp_path / number, env=variables) for number in "01")
    assert by_luigigo.digests == bench.go_build(newest, tmp_path / "0", env=variables).digests
    assert refused.exit_code == 2
    assert "embeds d/link, a symbolic link, and the folder it is in" in refused.text
