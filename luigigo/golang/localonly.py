"""What a plan may ask of its own client's machine only: programs and files that a node does not trust. Pure.

A node runs its own Go tools, and of C compilers those that it would find by itself, with flags that the go
command itself takes from strangers (its list for `#cgo` lines). An action that wants more is no error: its
user may give any flag. It runs where that user is.
"""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from luigigo.errors import UsageError
from luigigo.golang import quoted
from luigigo.golang.actions import Action, CgoSpec, CompileSpec, LinkSpec
from luigigo.golang.cflags import AllowedFlags, FlagCheck, find_invalid
from luigigo.golang.cgo import PROBED_FLAGS
from luigigo.golang.compilers import has_compiler_name, without_wrappers
from luigigo.golang.variables import is_loader_variable

SYSTEM_FOLDERS = ("/usr/", "/opt/", "/lib/", "/lib64/", "/lib32/", "/nix/")
"""Where a system keeps what its owner has installed."""
_OWN_C_FLAGS = frozenset(
    {*PROBED_FLAGS, "-fPIC", "-pthread", "-mthreads", "-fmessage-length=0", "-fno-common"}
    | {"-g", "-O0", "-O1", "-O2", "-O3", "-Os", "-m32", "-m64", "-marm", "-arch", "x86_64", "arm64"}
)
"""What every C command of a build gets, whoever made the plan."""
_COMPILE_FILES = frozenset(
    {
        "o", "linkobj", "asmhdr", "bench", "blockprofile", "cpuprofile", "memprofile", "mutexprofile",
        "traceprofile", "json", "importcfg", "embedcfg", "symabis", "pgoprofile", "coveragecfg", "trimpath",
    }
)  # fmt: skip
_ASM_FILES = frozenset(("o", "trimpath", "I"))
_LINK_FILES = frozenset(
    {
        "o", "importcfg", "cpuprofile", "memprofile", "benchmark", "benchmarkprofile", "blockprofile",
        "mutexprofile", "tmpdir", "extar", "capturehostobjs", "fipso", "libgcc", "L",
    }
)  # fmt: skip
"""Flags of the Go tools that name files or programs; those that luigigo itself sets are not in a plan."""


class Trusted(msgspec.Struct, frozen=True):
    """What a node takes for its own."""

    compilers: frozenset[tuple[str, ...]]
    """Its own CC and CXX."""
    variables: Mapping[str, str]
    """Its environment, whose `CGO_CFLAGS_ALLOW` and the like are obeyed."""
    allowed: Callable[[], AllowedFlags]


def why_local_only(action: Action, node: Trusted) -> str:
    """Why a node leaves the action to its client, or ""."""
    return next(_reasons(action, node), "")


def _reasons(action: Action, node: Trusted) -> Iterator[str]:
    spec = action.spec
    if isinstance(spec, CompileSpec):
        yield from _file_flags("compile", spec.compile_flags, _COMPILE_FILES)
        yield from _file_flags("asm", spec.asm_flags, _ASM_FILES)
    elif isinstance(spec, CgoSpec):
        yield from _c_reasons(spec, node)
    elif isinstance(spec, LinkSpec):
        yield from _file_flags("link", spec.link_flags, _LINK_FILES)
        yield from _loader_reasons(spec.environment, node)
        yield from _extld_reasons(spec.link_flags, node)


def _c_reasons(spec: CgoSpec, node: Trusted) -> Iterator[str]:
    compilers = spec.compilers
    for argv in (compilers.cc, compilers.cxx):
        yield from _compiler_reasons(argv, node)
    yield from _loader_reasons(compilers.environment, node)
    for name, flags in (
        ("CFLAGS", (*compilers.cc_flags, *compilers.cxx_flags)),
        ("CPPFLAGS", spec.cpp_flags),
        ("CFLAGS", spec.c_flags),
        ("CXXFLAGS", spec.cxx_flags),
        ("LDFLAGS", spec.ld_flags),
    ):
        yield from _flag_reasons(name, flags, node)


def _compiler_reasons(argv: Sequence[str], node: Trusted) -> Iterator[str]:
    """A compiler by its own name, found on this node's PATH or in a system's folder, or configured here."""
    if tuple(argv) in node.compilers:
        return
    words = without_wrappers(argv)
    program = words[0] if words else ""
    is_placed = "/" not in program or (
        program.startswith(SYSTEM_FOLDERS) and os.path.normpath(program) == program
    )
    if not is_placed or not has_compiler_name(program):
        yield f"{' '.join(argv)[:200]!r} is no C compiler of this node; set CC and CXX where it starts"
    yield from _flag_reasons("CFLAGS", words[1:], node)


def _flag_reasons(name: str, flags: Iterable[str], node: Trusted) -> Iterator[str]:
    others = tuple(flag for flag in flags if flag not in _OWN_C_FLAGS)
    if others:
        reason = find_invalid(FlagCheck(name, name, others), node.allowed(), node.variables)
        if reason:
            yield f"{reason[:300]}; CGO_{name}_ALLOW where its worker starts allows it"


def _loader_reasons(environment: Iterable[tuple[str, str]], node: Trusted) -> Iterator[str]:
    for name, value in environment:
        if is_loader_variable(name) and node.variables.get(name, "") != value:
            yield f"{name} is not {value[:200]!r} on this node; set it where its worker starts"


def _extld_reasons(flags: Sequence[str], node: Trusted) -> Iterator[str]:
    """The linker calls what -extld says, with -extldflags."""
    for index, word in enumerate(flags):
        name, equals, value = _flag_of(word)
        if name not in ("extld", "extldflags"):
            continue
        if not equals:
            value = flags[index + 1] if index + 1 < len(flags) else "'"
        try:
            words = quoted.split(value)
        except UsageError:
            yield f"-{name} cannot be understood"
            continue
        if name == "extld" and words:
            yield from _compiler_reasons(words, node)
        elif name == "extldflags":
            yield from _flag_reasons("LDFLAGS", words, node)


def reads_by_flags(tool: str, flags: Iterable[str]) -> str:
    """Why a tool's flags may make it read what nobody tells of, or "".

    The folders of the assembler's `-I` are told of (`asmincludes`).
    """
    forbidden = {"compile": _COMPILE_FILES, "asm": _ASM_FILES - {"I"}, "link": _LINK_FILES}[tool]
    return next(_file_flags(tool, flags, forbidden), "")


def _file_flags(tool: str, flags: Iterable[str], forbidden: frozenset[str]) -> Iterator[str]:
    for word in flags:
        if word.startswith("@") or _flag_of(word)[0] in forbidden:
            yield f"{word[:200]!r} lets {tool} use files of the client's machine"


def _flag_of(word: str) -> tuple[str, bool, str]:
    """A flag's name, whether its value follows after `=`, and the value."""
    if not word.startswith("-"):
        return "", False, ""
    name, equals, value = word.removeprefix("-").removeprefix("-").partition("=")
    return name, bool(equals), value
