"""The table of variables knows each one that the toolchain's own source asks for."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from luigigo.golang.environment import ARCH_VARIABLE, ENV_NAMES
from luigigo.golang.toolchain import find_go
from luigigo.golang.variables import (
    SEALED,
    TOOL_SETTINGS,
    WITHOUT_EFFECT,
    decisive,
    is_c_variable,
    is_loader_variable,
    of_anything,
    of_c,
)

ASKED = re.compile(r'\b(?:os\.(?:Getenv|LookupEnv)|envOr|[cC]fg\.Getenv)\("([A-Za-z_0-9]+)"')
TOOLS = (
    "cmd/link",
    "cmd/compile",
    "cmd/asm",
    "cmd/cgo",
    "cmd/preprofile",
    "cmd/internal",
    "internal/buildcfg",
)
IN_THE_KEY = {"GOOS", "GOARCH", "GOEXPERIMENT", *ARCH_VARIABLE.values(), *TOOL_SETTINGS}
SET_FOR_EACH_TOOL = {"GOROOT", "CC", "GCC", "CGO_LDFLAGS"}
REFUSED = {*SEALED, "GOFIPS140", "GCCGO"}
OF_NO_BUILD = {"BROWSER", "DISPLAY", "DEBUG_TRACE_INLHEUR", "PathExt", "PATHEXT", "CXX", "USER"}
"""Of the packages that show pages and run scripts, of a build tag of the compiler's own, of tests."""


@cache
def source() -> Path:
    """GOROOT/src."""
    go = find_go("", {"PATH": "/usr/local/go/bin:/usr/bin:/bin"})
    return Path(go.goroot or Path(go.path).resolve().parents[1]) / "src"


def asked_by(folder: str) -> set[str]:
    """The names that the Go files below a folder ask the environment for, tests aside."""
    files = (path for path in (source() / folder).rglob("*.go") if not path.name.endswith("_test.go"))
    kept = (path for path in files if not {"testdata", "test"} & set(path.parts))
    return {name for path in kept for name in ASKED.findall(path.read_text())}


@pytest.mark.parametrize("tool", TOOLS)
def test_every_variable_of_the_tools_is_known(tool: str) -> None:
    """Each is in the key, set by luigigo, refused, or without effect on what is made."""
    asked = {name for name in asked_by(tool) if not name.startswith("TEST")}
    assert asked <= IN_THE_KEY | SET_FOR_EACH_TOOL | REFUSED | WITHOUT_EFFECT | OF_NO_BUILD


def test_every_setting_of_the_go_command_decides_or_has_no_effect() -> None:
    """The go command's list of its settings is the source: a kept plan is of one value of each."""
    text = (source() / "internal/cfg/cfg.go").read_text()
    settings = re.search(r"const KnownEnv = `\n(.*?)`", text, re.S)
    assert settings is not None
    names = settings[1].split()
    assert len(names) > 50
    counted = {name for name, _ in decisive(dict.fromkeys(names, "x"))}
    assert set(names) - counted <= WITHOUT_EFFECT


def test_what_the_go_command_may_keep_in_a_file_is_asked_of_it() -> None:
    """What `go env -w` can set is read by `go env`, but for what it hands to no tool."""
    assert not set(TOOL_SETTINGS) & set(ENV_NAMES)
    assert {"CGO_CFLAGS_ALLOW", "CGO_LDFLAGS_DISALLOW", "CC", "GOFLAGS"} <= set(ENV_NAMES)


@pytest.mark.parametrize(
    "name", ["CPATH", "SOURCE_DATE_EPOCH", "LIBRARY_PATH", "GCC_EXEC_PREFIX", "LD_PRELOAD", "CCACHE_COMPILER"]
)
def test_variables_of_known_compilers_count(name: str) -> None:
    """They are passed on as they are, an empty one too, and part of what a kept plan is of."""
    assert is_c_variable(name)
    assert of_c({name: "", "EDITOR": "vi"}) == ((name, ""),)
    assert decisive({name: "x", "EDITOR": "vi"}) == [(name, "x")]


def test_variables_that_load_programs_are_told_from_others() -> None:
    """A node takes those from nobody else."""
    assert is_loader_variable("LD_LIBRARY_PATH") and is_loader_variable("CCACHE_PREFIX")
    assert not is_loader_variable("CPATH") and not is_loader_variable("LD_RUN_PATH")


def test_a_script_may_read_anything_but_what_shells_count() -> None:
    """All variables count then, but for those that no two commands have alike."""
    assert of_anything({"SITE": "1", "_": "/bin/x", "SHLVL": "2", "PWD": "/", "EDITOR": "vi"}) == [
        ("EDITOR", "vi"), ("SITE", "1"),
    ]  # fmt: skip
