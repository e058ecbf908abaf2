"""Which environment variables a build depends on: the one table, for keys, kept plans and tools. Pure.

The Go part is what cmd/go, cmd/link, cmd/compile, cmd/asm, cmd/cgo and internal/buildcfg ask for by `Getenv`
and `envOr`; a test reads it out of the toolchain's source. The C part is what the manuals of gcc
("Environment Variables Affecting GCC"), clang, ld and ld.so name. A compiler that is none of these may read
any variable; see `CToolchain`.
"""

from __future__ import annotations

from collections.abc import Mapping

TOOL_SETTINGS = ("GO_EXTLINK_ENABLED", "GODEBUG")
"""What Go's tools read besides the target's settings (`GoEnv.tool_environment`): in every key when set."""

SEALED = ("GOSSAFUNC", "GOSSADIR", "GOCLOBBERDEADHASH", "GOCOMPILEDEBUG", "GSHS_LOGFILE")
"""Debugging switches of the compiler that change what it makes or leave files: refused."""

WITHOUT_EFFECT = frozenset({
    "GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GOTRACEBACK", "GOTMPDIR", "GOCACHE", "GOCACHEPROG", "GOBIN",
    "GOTELEMETRY", "GOTELEMETRYDIR", "GOPACKAGESDRIVER", "GO_BUILDER_NAME",
})  # fmt: skip
"""Variables of Go's that decide how fast, where or for whom, and never what is built."""

C_VARIABLES = frozenset({
    "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "OBJC_INCLUDE_PATH", "OBJCPLUS_INCLUDE_PATH",
    "LIBRARY_PATH", "LPATH", "SOURCE_DATE_EPOCH", "SDKROOT", "SYSROOT", "MACOSX_DEPLOYMENT_TARGET",
    "DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES", "GNUTARGET", "LDEMULATION", "ZERO_AR_DATE",
    "RC_DEBUG_OPTIONS", "POSIXLY_CORRECT",
})  # fmt: skip
C_PREFIXES = (
    "GCC_", "COMPILER_", "COLLECT_", "CLANG_", "CCC_", "LD_", "BINUTILS_", "LTO_", "LLVM_",
    "CCACHE_", "SCCACHE_", "DISTCC_",
)  # fmt: skip
"""Variables that gcc, clang, ld, the loader and the caching wrappers obey."""

LOADER_PREFIXES = ("GCC_", "COMPILER_", "COLLECT_", "CLANG_", "CCC_", "LD_", "CCACHE_", "SCCACHE_", "DISTCC_")
"""Those that decide which programs and libraries a compiler loads; `LD_RUN_PATH` only names a folder."""

LOCALE = ("LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LANGUAGE")
"""In which language the C compiler speaks."""

OF_THE_SHELL = frozenset({"_", "PWD", "OLDPWD", "SHLVL"})
"""What a shell sets anew for each command or folder, so that no two runs have the same."""

_GO_COMMAND = frozenset({
    "PATH", "HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "CC", "CXX", "FC", "AR", "GCCGO", "NETRC", "TMPDIR",
})  # fmt: skip
_GO_PREFIXES = ("GO", "CGO_", "PKG_CONFIG")


def is_c_variable(name: str) -> bool:
    """Whether a C compiler, linker or loader obeys the variable."""
    return name in C_VARIABLES or name.startswith(C_PREFIXES)


def is_loader_variable(name: str) -> bool:
    """Whether it decides which programs and libraries a compiler loads."""
    return name != "LD_RUN_PATH" and name.startswith(LOADER_PREFIXES)


def decisive(variables: Mapping[str, str]) -> list[tuple[str, str]]:
    """The variables that the go command or a known C compiler obeys; luigigo's own are in its `Config`."""
    return sorted((name, value) for name, value in variables.items() if _is_decisive(name))


def _is_decisive(name: str) -> bool:
    if name in WITHOUT_EFFECT:
        return False
    return name in _GO_COMMAND or name in LOCALE or name.startswith(_GO_PREFIXES) or is_c_variable(name)


def of_c(variables: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Those that a known C compiler obeys, as the user has set them."""
    return tuple(sorted((name, value) for name, value in variables.items() if is_c_variable(name)))


def of_anything(variables: Mapping[str, str]) -> list[tuple[str, str]]:
    """All that a program of the user's may read, but for what shells set anew each time."""
    return sorted((name, value) for name, value in variables.items() if name not in OF_THE_SHELL)
