"""How the command line of `luigigo build` is read."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest

from luigigo.errors import UsageError
from luigigo.golang.buildflags import ALL_FLAGS, GO_FLAGS, read_arguments


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        (["-o=zz"], {"output": "zz"}),
        (["--o", "zz"], {"output": "zz"}),
        (["-output", "zz"], {"output": "zz"}),
        (["-o="], {"output": ""}),
        (["-o", "-x"], {"output": "-x"}),
        (["-o", "a", "-o", "b"], {"output": "b"}),
        (["-p=4"], {"workers": 4}),
        (["-p", "4", "--workers=5"], {"workers": 5}),
        (["-v=true", "-x"], {"verbose": True, "commands": True}),
        (["-race=false"], {"race": False}),
        (["--race=T", "-a=0"], {"race": True, "rebuild": False}),
        (["-buildvcs"], {"buildvcs": "true"}),
        (["-buildvcs=auto"], {"buildvcs": "auto"}),
        (["-tags=a,b"], {"tags": "a,b"}),
        (["-ldflags=-X=a.b=c d", "-ldflags", "all=-s"], {"ldflags": ("-X=a.b=c d", "all=-s")}),
        (["-gcflags="], {"gcflags": ("",)}),
        (["-C", "d", "-n", "-work", "-modcacherw"],
         {"change_dir": "d", "dry_run": True, "keep_work": True, "modcacherw": True}),
        (["-trimpath=true"], {"trimpath": True}),
        (["--cgo-enabled=0"], {"cgo_enabled": "0"}),
    ],
)  # fmt: skip
def test_flags_have_gos_forms(arguments: list[str], values: dict[str, Any]) -> None:
    """One dash or two, `=` or a blank, truth values behind `=` alone; the last one counts."""
    assert read_arguments(arguments).values == values
    assert read_arguments(arguments).packages == ()


@pytest.mark.parametrize(
    ("arguments", "packages"),
    [
        ([], ()),
        (["./...", "-v", "./cmd/a"], ("./...", "./cmd/a")),
        (["-race", "false"], ("false",)),
        (["-v", "--", "-x", "."], ("-x", ".")),
        (["-", "main.go"], ("-", "main.go")),
    ],
)
def test_packages_may_stand_before_flags(arguments: list[str], packages: tuple[str, ...]) -> None:
    """What follows a truth value's flag is a package; `--` ends flags."""
    assert read_arguments(arguments).packages == packages


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-zz"], "flag provided but not defined: -zz"),
        (["-zz=1"], "flag provided but not defined: -zz"),
        (["---o"], "bad flag syntax: ---o"),
        (["-=x"], "bad flag syntax: -=x"),
        (["-o"], "flag needs an argument: -o"),
        (["-race=maybe"], 'invalid boolean value "maybe" for -race: parse error'),
        (["-p=x"], 'invalid value "x" for flag -p: parse error'),
        (["-p=0"], "-p must be a positive integer: 0"),
        (["-v", "-C", "d"], "-C flag must be first flag on command line"),
        (["-trimpath=false"], "-trimpath=false is not supported by luigigo"),
        (["-toolexec", "time"], "-toolexec is not supported by luigigo: what such a program does"),
        (["-overlay=x"], "-overlay is not supported by luigigo: luigigo reads files as they lie"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_gos_words(arguments: list[str], words: str) -> None:
    """Before anything else is looked at."""
    with pytest.raises(UsageError, match=re.escape(words)):
        read_arguments(arguments)


def test_every_flag_of_go_help_build_is_in_the_table() -> None:
    """In its order, each done, or refused with a reason."""
    said = subprocess.run(["go", "help", "build"], capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^\t-(\w+)", said, re.MULTILINE)
    assert "C" in listed and "toolexec" in listed
    named = [flag.name for flag in GO_FLAGS if flag.name != "o"]
    assert sorted(named) == sorted(listed)
    assert all(flag.refusal or (flag.field and flag.help) for flag in ALL_FLAGS)
