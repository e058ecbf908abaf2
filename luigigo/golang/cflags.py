"""Which C flags a package may use, as the installed go command itself says.

The lists of allowed flags are data of the release (cmd/go/internal/work/security.go); they are read from
the toolchain's own source rather than repeated here. Flags outside them are refused, or send the program
to the external linker, exactly as with `go build`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

import msgspec

from luigigo.errors import PlanError, ToolchainError

SOURCE = "src/cmd/go/internal/work/security.go"

_LIST = re.compile(r"^var (\w+) = \[\][^{]*\{\n(.*?)^\}", re.M | re.S)
_ENTRY = re.compile(r"(?:re\(`([^`]*)`\)|\"([^\"]*)\"),")


class AllowedFlags(msgspec.Struct, frozen=True):
    """The lists of security.go, as Python regular expressions."""

    compiler: tuple[str, ...]
    compiler_next: tuple[str, ...]
    linker: tuple[str, ...]
    linker_next: tuple[str, ...]
    linker_invalid: tuple[str, ...]
    pkg_config: tuple[str, ...]


class FlagCheck(msgspec.Struct, frozen=True):
    """One list of flags to check: what kind, and where it came from, for the message."""

    name: str
    """CFLAGS, CPPFLAGS, CXXFLAGS, LDFLAGS or pkg-config."""
    source: str
    flags: tuple[str, ...]


def read_allowed_flags(goroot: str) -> AllowedFlags:
    """Read the lists from the toolchain's source. Raises `ToolchainError` when it is not there."""
    path = os.path.join(goroot, SOURCE)
    try:
        with open(path, encoding="utf-8") as file:
            return parse_allowed_flags(file.read())
    except (OSError, KeyError) as error:
        raise ToolchainError(f"cannot read which C flags are allowed: {path}: {error}") from error


def parse_allowed_flags(text: str) -> AllowedFlags:
    """Find the six lists in the text of security.go. Raises `KeyError` for one that is not there."""
    lists = {
        match[1]: tuple(pattern or word for pattern, word in _ENTRY.findall(match[2]))
        for match in _LIST.finditer(text)
    }
    return AllowedFlags(
        compiler=lists["validCompilerFlags"],
        compiler_next=lists["validCompilerFlagsWithNextArg"],
        linker=lists["validLinkerFlags"],
        linker_next=lists["validLinkerFlagsWithNextArg"],
        linker_invalid=lists["invalidLinkerFlags"],
        pkg_config=lists["validPkgConfigFlags"],
    )


def is_safe_argument(text: str) -> bool:
    """Whether text can be an argument of its own without being taken for a flag (load.SafeArg)."""
    return bool(text) and (
        (text[0].isascii() and (text[0].isalnum() or text[0] in "._/")) or ord(text[0]) >= 0x80
    )


def find_invalid(check: FlagCheck, allowed: AllowedFlags, variables: Mapping[str, str] | None) -> str:
    """Return why a flag of the list is refused, or "" (work.checkFlags).

    With `variables`, CGO_<name>_ALLOW and _DISALLOW of the environment are obeyed.
    """
    linker = check.name == "LDFLAGS"
    valid = (
        allowed.linker if linker else allowed.pkg_config if check.name == "pkg-config" else allowed.compiler
    )
    following = allowed.linker_next if linker else () if check.name == "pkg-config" else allowed.compiler_next
    invalid = allowed.linker_invalid if linker else ()
    allow = (variables or {}).get(f"CGO_{check.name}_ALLOW", "")
    disallow = (variables or {}).get(f"CGO_{check.name}_DISALLOW", "")
    flags, i = check.flags, 0
    while i < len(flags):
        flag = flags[i]
        i += 1
        if not (disallow and _whole(disallow, flag)):
            if allow and _whole(allow, flag):
                continue
            if not _any(invalid, flag):
                if _any(valid, flag) or _is_push_state(flag, valid, invalid):
                    continue
                if flag in following:
                    if i < len(flags) and _may_follow(flag, flags[i]):
                        i += 1
                        continue
                    what = f"{flag} {flags[i]}" if i < len(flags) else f"{flag} without argument"
                    return f"invalid flag in {check.source}: {what} (see https://go.dev/s/invalidflag)"
        return f"invalid flag in {check.source}: {flag} (see https://go.dev/s/invalidflag)"
    return ""


def require_valid(
    check: FlagCheck, allowed: AllowedFlags, variables: Mapping[str, str], package: str
) -> None:
    """Raise `PlanError` with go's own words when a flag of the list is refused."""
    reason = find_invalid(check, allowed, variables)
    if reason:
        raise PlanError(f"go build {package}: {reason}")


def prefers_external(
    c_lists: Sequence[Sequence[str]],
    ld_flags: Sequence[str] | None,
    allowed: AllowedFlags,
    *,
    static_too: bool,
) -> bool:
    """Whether flags ask for the external linker (checkCompilerFlagsForInternalLink and its sibling).

    `ld_flags` is None for a release that does not look at them.
    """
    for flags in c_lists:
        if find_invalid(FlagCheck("CFLAGS", "", tuple(flags)), allowed, None):
            return True
        if any(
            flag.startswith("-flto") or (static_too and flag in ("-static", "--static")) for flag in flags
        ):
            return True
    if ld_flags is None:
        return False
    # The linker's own forbidden flags are not consulted here, as in checkLinkerFlagsForInternalLink.
    lenient = msgspec.structs.replace(allowed, linker_invalid=())
    static = ("-static", "--static", "-Wl,-static", "-Wl,--static", "-Wl,-Bstatic")
    if find_invalid(FlagCheck("LDFLAGS", "", tuple(ld_flags)), lenient, None):
        return True
    return any(flag in static for flag in ld_flags)


def _whole(pattern: str, flag: str) -> bool:
    """Go asks whether the leftmost match is the whole flag."""
    match = _compiled(pattern).search(flag)
    return (match.group() if match else "") == flag


_cache: dict[str, re.Pattern[str]] = {}


def _compiled(pattern: str) -> re.Pattern[str]:
    if pattern not in _cache:
        try:
            _cache[pattern] = re.compile(pattern, re.ASCII)
        except re.error as error:
            raise PlanError(f"a pattern for C flags, {pattern!r}, cannot be read: {error}") from error
    return _cache[pattern]


def _any(patterns: Sequence[str], flag: str) -> bool:
    return any(_whole(pattern, flag) for pattern in patterns)


def _is_push_state(flag: str, valid: Sequence[str], invalid: Sequence[str]) -> bool:
    """`-Wl,--push-state,--as-needed`: each part is checked by itself."""
    if not flag.startswith("-Wl,--push-state,"):
        return False
    parts = ["-Wl," + part for part in flag.split(",")[1:]]
    return all(_any(valid, part) and not _any(invalid, part) for part in parts)


def _may_follow(flag: str, value: str) -> bool:
    if is_safe_argument(value):
        return True
    if flag.startswith("-Wl,") and value.startswith("-Wl,"):
        return is_safe_argument(value[4:]) and "," not in value[4:]
    return flag == "-I" and value.startswith(("=", "$SYSROOT")) and is_safe_argument(value[1:])


def split_pkg_config(output: str) -> list[str]:
    """Split what pkg-config printed by the shell's quoting rules (splitPkgConfigOutput).

    Raises `PlanError` for shell characters that are not quoted, and for quotes not closed.
    """
    flags: list[str] = []
    flag, started, quote, i = "", False, "", 0
    text = output.strip()
    while i < len(text):
        char = text[i]
        i += 1
        if quote and char == quote:
            quote = ""
        elif quote == "'" or (quote and char not in "`$\\"):
            flag += char
        elif char in "|&;<>()$`":
            raise PlanError(f"unexpected shell character {char!r} in pkgconf output")
        elif char == "\\":
            if i >= len(text):
                raise PlanError("broken character escaping in pkgconf output")
            following = text[i]
            i += 1
            if quote == '"' and following not in '$`"\\\n':
                flag += "\\" + following
            elif following != "\n":
                flag += following
        elif char in "\"'":
            quote, started = char, True
        elif char in " \t\n":
            if flag or started:
                flags.append(flag)
            flag, started = "", False
        else:
            flag += char
    if quote:
        raise PlanError("unterminated quoted string in pkgconf output")
    return [*flags, flag] if flag or started else flags
