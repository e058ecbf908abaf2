"""The build information that the linker puts into a binary (`go version -m`). Pure.

The rules are those of cmd/go/internal/load/pkg.go (setBuildInfo, setPGOProfilePath), the text form that
of runtime/debug.BuildInfo.String, the markers those of cmd/go/internal/modload/build.go.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from luigigo.golang import quoted
from luigigo.golang.packages import Module, Package

_START = bytes.fromhex("3077af0c9274080241e1c107e6d618e6")
_END = bytes.fromhex("f932433186182072008242104116d8f2")

Settings = Sequence[tuple[str, str]]


def modinfo_line(info: str) -> str:
    """The `modinfo` line of the linker's importcfg for this build information."""
    return "modinfo " + quoted.go_quote_bytes(_START + os.fsencode(info) + _END)


def build_info(main: Package, closure: Iterable[Package], settings: Settings) -> str:
    """The text that `runtime/debug.ReadBuildInfo` parses, without the go version.

    `closure` are the packages linked into the program besides `main`. A module's sum is recorded where
    `go list` gives one: not for the main module, nor with `-mod=vendor`.
    """
    lines = [f"path\t{main.import_path}\n"]
    if main.module is not None:
        lines.append(_module("mod", main.module))
    used = {
        (package.module.path, package.module.version): package.module
        for package in closure
        if package.module is not None and (main.module is None or package.module.path != main.module.path)
    }
    for key in sorted(used):
        lines.append(_module("dep", used[key]))
    for key_name, value in settings:
        lines.append(f"build\t{_key(key_name)}={_value(value)}\n")
    return "".join(lines)


def _module(word: str, module: Module) -> str:
    version = module.version or "(devel)"
    if module.replace is not None:
        # The empty line after a replacement is what BuildInfo.String writes.
        return f"{word}\t{module.path}\t{version}\n{_module('=>', module.replace)}\n"
    return f"{word}\t{module.path}\t{version}\t{module.sum}\n"


def _key(key: str) -> str:
    return quoted.go_quote(key) if not key or any(char in '= \t\r\n"`' for char in key) else key


def _value(value: str) -> str:
    value = value.replace("\n", " ")
    return quoted.go_quote(value) if any(char in ' \t\r\n"`' for char in value) else value
