"""Flags for some packages: `-gcflags=[pattern=]flags` and its like (cmd/go/internal/load/flag.go). Pure."""

from __future__ import annotations

import os.path
import re

from luigigo.errors import UsageError
from luigigo.golang import quoted
from luigigo.golang.packages import Package


class PerPackageFlags:
    """`-gcflags=[pattern=]flags`: which packages get which flags (cmd/go/internal/load/flag.go).

    Without a pattern the flags are for the packages named on the command line; the last match wins.
    """

    def __init__(self, name: str, values: tuple[str, ...]) -> None:
        self._rules = [_parse_rule(name, value) for value in values]

    def flags_for(self, package: Package, cwd: str) -> list[str]:
        """Return the flags of one package; `cwd` is the folder that relative patterns start from."""
        chosen: list[str] = []
        for pattern, flags in self._rules:
            if _matches(pattern, package, cwd):
                chosen = flags
        return chosen


def _parse_rule(name: str, value: str) -> tuple[str | None, list[str]]:
    value = value.strip()
    if not value or value.startswith("-"):
        return None, quoted.split(value)
    pattern, equals, flags = value.partition("=")
    if not equals:
        raise UsageError(f"-{name}={value}: missing =<value> in <pattern>=<value>")
    if not pattern:
        raise UsageError(f"-{name}={value}: missing <pattern> in <pattern>=<value>")
    if value[0] in "'\"":
        raise UsageError(f"-{name}={value}: parameter may not start with quote character {value[0]}")
    if pattern.strip() == "tool":
        raise UsageError(f"-{name}={value}: the pattern tool is not supported by luigigo: use go build")
    return pattern.strip(), quoted.split(flags)


def _matches(pattern: str | None, package: Package, cwd: str) -> bool:
    """Whether a flag's pattern means the package (load.MatchPackage)."""
    if pattern is None:
        return not package.dep_only
    if pattern == "all":
        return True
    if pattern in ("std", "cmd"):
        return package.standard and (pattern == "std" or package.import_path.startswith("cmd/"))
    if pattern == "work":
        return package.module is not None and package.module.main
    if pattern.startswith(("./", "../")) or pattern in (".", ".."):
        return _matches_folder(pattern, package.dir, cwd)
    return matches_pattern(pattern, package.import_path)


def _matches_folder(pattern: str, directory: str, cwd: str) -> bool:
    before, dots, _ = pattern.partition("...")
    folder = os.path.normpath(os.path.join(cwd, before if not dots else before.rpartition("/")[0]))
    if not dots:
        return directory == folder
    relative = os.path.relpath(directory, folder)
    if relative == ".." or relative.startswith("../"):
        return False
    return matches_pattern(pattern[len(before.rpartition("/")[0]) + 1 :], relative)


def matches_pattern(pattern: str, name: str) -> bool:
    """Match an import path against a pattern with `...` (cmd/internal/pkgpattern.MatchPattern).

    `net/...` matches `net` as well, and `...` does not go into a `vendor` folder.
    """
    if _VENDOR in pattern or _VENDOR in name:
        return False
    dots = re.escape("...")
    expression = _hide_vendor(re.escape(pattern))
    for vendored in (f"/{_VENDOR}/{dots}", f"{_VENDOR}/{dots}"):
        if expression == vendored or (expression.endswith(vendored) and vendored.startswith("/")):
            expression = f"{expression.removesuffix(vendored)}(/vendor|/{_VENDOR}/{dots})"
    if expression.endswith(f"/{dots}"):
        expression = f"{expression.removesuffix(f'/{dots}')}(/{dots})?"
    return re.fullmatch(expression.replace(dots, f"[^{_VENDOR}]*"), _hide_vendor(name)) is not None


_VENDOR = "\x00"
"""Stands for an element `vendor` that is not the last: no `...` may match it."""


def _hide_vendor(path: str) -> str:
    *folders, last = path.split("/")
    return "/".join([*(_VENDOR if folder == "vendor" else folder for folder in folders), last])
