"""The toolchain's own programs, some of which hold the build ID that the go command gives them. Pure.

The go command links them with `-X=cmd/internal/objabi.buildID=<ID>` (gc.go, ld), where the ID is a digest of
its own making. The linker drops the variable unless something reads it, as `-V=full` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from luigigo.errors import UsageError
from luigigo.golang.packages import Package

_READER = b"objabi.AddVersionFlag("


def refuse_stamped_programs(packages: Iterable[Package], content: Callable[[Package, str], bytes]) -> None:
    """Raise `UsageError` if a named program of the toolchain reads its build ID: it would differ.

    `packages` are all that are built; `content` reads a package's file.
    """
    everyone = tuple(packages)
    if not any(_is_tool(package) and not package.dep_only for package in everyone):
        return
    for package in everyone:
        if "cmd/internal/objabi" not in package.imports or not _is_of_cmd(package):
            continue
        if any(_READER in content(package, name) for name in package.go_files):
            raise UsageError(
                f"{package.import_path} puts the go command's own build ID into the program, which "
                "luigigo does not support: use go build"
            )


def _is_tool(package: Package) -> bool:
    return package.is_main and _is_of_cmd(package)


def _is_of_cmd(package: Package) -> bool:
    return package.goroot and package.import_path.startswith("cmd/")
