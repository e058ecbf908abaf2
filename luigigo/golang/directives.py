"""Check `//go:debug` lines, which `go list` reads past and `go build` refuses when they are wrong. Pure.

Follows checkDirectives in cmd/go/internal/work/exec.go, with ParseGoDebug and CheckGodebug. The settings
that a release knows are in its own internal/godebugs/table.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from luigigo.golang.quoted import go_quote

MARK = b"//go:debug"
"""A file without it needs no check."""
TABLE = "src/internal/godebugs/table.go"
"""Where, in GOROOT, the settings are listed."""

_BEFORE_PACKAGE = re.compile(rb"\s+|//[^\n]*|/\*.*?\*/", re.S)
_KNOWN = re.compile(r'\{Name: "(\w+)", Package:')
_REMOVED = re.compile(r'\{Name: "(\w+)", Removed: (\d+), Old: (zero|one|[^\n]*)')
_VERSION = re.compile(r"(0|[1-9]\d*)(?:\.(0|[1-9]\d*)(?:\.(0|[1-9]\d*)|(?:[a-z]+\d+))?)?")


class Settings(msgspec.Struct, frozen=True):
    """What one release knows of GODEBUG."""

    known: frozenset[str]
    removed: dict[str, tuple[str, frozenset[str]]]
    """By name, the minor release that removed it, and the values that asked for what is gone."""
    version: str
    """The release's own, such as `1.27.3`."""


def parse_table(text: str, version: str) -> Settings:
    """Read internal/godebugs/table.go; `version` is what `go env GOVERSION` says."""
    removed = {}
    for name, minor, old in _REMOVED.findall(text):
        values = re.findall(r's == "([^"]*)"', old) or ["0" if old.startswith("zero") else "1"]
        removed[name] = (minor, frozenset(values))
    return Settings(frozenset(_KNOWN.findall(text)), removed, version.removeprefix("go"))


def complaints(files: Iterable[tuple[str, bytes]], settings: Settings) -> str:
    """What is wrong with the `//go:debug` lines of one package's files, given by path and content.

    One line for each fault, as `go build` words it before it shortens paths; "" when there is none.
    """
    said = ""
    seen: dict[str, str] = {}
    for path, content in files:
        for position, text in _directives(content):
            place = f"{path}:{position}"
            key, fault = _parse(text, settings)
            if fault:
                said += f"{place}: invalid //go:debug: {fault}\n"
            elif key in seen:
                said += f"{place}: repeated //go:debug for {key}\n\t{seen[key]}: previous //go:debug\n"
            elif key:
                seen[key] = place
    return said


def _directives(content: bytes) -> Iterator[tuple[str, str]]:
    """Line and column of each `//go:debug` comment above the package clause, and its text."""
    start = len(b"\xef\xbb\xbf") if content.startswith(b"\xef\xbb\xbf") else 0
    while match := _BEFORE_PACKAGE.match(content, start):
        if match[0].startswith(MARK):
            line = content.count(b"\n", 0, start) + 1
            column = start - content.rfind(b"\n", 0, start)
            yield f"{line}:{column}", match[0].rstrip(b"\r").decode(errors="surrogateescape")
        start = match.end()


def _parse(text: str, settings: Settings) -> tuple[str, str]:
    """The setting's name and what is wrong with the line; both "" for a comment that only looks like one."""
    blank = re.search(r"[ \t]", text)
    if blank is None:
        return "", "missing key=value" if text == MARK.decode() else ""
    key, equals, value = text[blank.start() :].strip().partition("=")
    if not equals:
        return "", "missing key=value"
    return key, _fault(key, value, settings)


def _fault(key: str, value: str, settings: Settings) -> str:
    for what, characters in (("space", " \t"), ("comma", ",")):
        for part, text in (("key", key), ("value", value)):
            if any(character in text for character in characters):
                return f"{part} contains {what}"
    if key == "default":
        return _default_fault(value, settings.version)
    if key in settings.known:
        return ""
    if key in settings.removed:
        minor, old = settings.removed[key]
        if value not in old:
            return ""
        link = f"https://go.dev/doc/godebug#go-1{minor}"
        return f"removed GODEBUG {go_quote(key)} set to old value {go_quote(value)} ({link})"
    return f"unknown //go:debug setting {go_quote(key)}"


def _default_fault(value: str, version: str) -> str:
    wanted = _VERSION.fullmatch(value.removeprefix("go"))
    if not value.startswith("go") or wanted is None:
        return "value for default= must be goVERSION"
    own = _VERSION.match(version)
    if own is not None and _numbers(wanted) > _numbers(own):
        return f"default={value} too new (toolchain is go{version})"
    return ""


def _numbers(version: re.Match[str]) -> tuple[int, ...]:
    return tuple(int(part or 0) for part in version.groups())
