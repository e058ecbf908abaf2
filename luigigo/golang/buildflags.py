"""The flags of `luigigo build`, and how they are read: as the go command's flag package reads its own. Pure.

The table has every flag of `go help build`; those that luigigo does not do are in it with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

import msgspec

from luigigo.errors import UsageError

USAGE = "usage: luigigo build [-C dir] [-o output] [build flags] [packages]"
HELP = "Run 'luigigo help build' for details."


class Form(Enum):
    """What may follow a flag's name."""

    SWITCH = "switch"
    """Nothing, or `=` and a truth value."""
    TEXT = "text"
    TEXTS = "texts"
    """A text; the flag may come several times, and all count."""
    STATE = "state"
    """Nothing, which is `true`, or `=` and a word (-buildvcs)."""
    COUNT = "count"


class Flag(msgspec.Struct, frozen=True):
    """One flag."""

    name: str
    form: Form
    field: str
    """What it sets; "" for one that is refused."""
    help: str
    value: str = ""
    """What its value is called."""
    refusal: str = ""
    """Why luigigo does not do it, and what to do instead."""
    also: tuple[str, ...] = ()
    """Longer names for it."""


def _refused(name: str, form: Form, reason: str) -> Flag:
    return Flag(name, form, "", "", refusal=reason)


_MEMORY = "it changes how every package is compiled; use go build"
_COVER = "luigigo does not instrument code for coverage; use go build"

GO_FLAGS = (
    Flag("C", Form.TEXT, "change_dir", "change to dir first; must be the first flag", "dir"),
    Flag("o", Form.TEXT, "output", "write to this file, or into this folder", "output", also=("output",)),
    Flag("a", Form.SWITCH, "rebuild", "compile everything again, whatever is in the store"),
    Flag("n", Form.SWITCH, "dry_run", "print the commands and run nothing"),
    Flag("p", Form.COUNT, "workers", "actions at once; all usable CPUs by default", "n", also=("workers",)),
    Flag("race", Form.SWITCH, "race", "detect data races"),
    _refused("msan", Form.SWITCH, _MEMORY),
    _refused("asan", Form.SWITCH, _MEMORY),
    _refused("cover", Form.SWITCH, _COVER),
    _refused("covermode", Form.TEXT, _COVER),
    _refused("coverpkg", Form.TEXT, _COVER),
    Flag("v", Form.SWITCH, "verbose", "name packages as they are compiled", also=("verbose",)),
    Flag("work", Form.SWITCH, "keep_work", "print the work folder's name and keep it"),
    Flag("x", Form.SWITCH, "commands", "print the commands", also=("commands",)),
    Flag("asmflags", Form.TEXTS, "asmflags", "flags for the assembler", "'[pattern=]flags'"),
    Flag("buildmode", Form.TEXT, "buildmode", "exe or pie", "mode"),
    Flag("buildvcs", Form.STATE, "buildvcs", "stamp version control: true, auto or false (default)", "state"),
    _refused("compiler", Form.TEXT, "luigigo knows the gc compiler alone; use go build"),
    _refused("gccgoflags", Form.TEXT, "luigigo knows the gc compiler alone; use go build"),
    Flag("gcflags", Form.TEXTS, "gcflags", "flags for the compiler", "'[pattern=]flags'"),
    _refused("installsuffix", Form.TEXT, "luigigo installs no packages; leave it out"),
    Flag("json", Form.SWITCH, "as_json", "print one JSON object a line (not those of 'go help buildjson')"),
    Flag("ldflags", Form.TEXTS, "ldflags", "flags for the linker", "'[pattern=]flags'"),
    _refused("linkshared", Form.SWITCH, "luigigo links programs statically; use go build"),
    Flag("mod", Form.TEXT, "mod", "readonly, vendor or mod", "mode"),
    Flag("modcacherw", Form.SWITCH, "modcacherw", "leave new folders of the module cache writable"),
    Flag("modfile", Form.TEXT, "modfile", "read another go.mod", "file"),
    _refused("overlay", Form.TEXT, "luigigo reads files as they lie; put them in place, or use go build"),
    Flag("pgo", Form.TEXT, "pgo", "a CPU profile, auto (default.pgo) or off", "file"),
    _refused("pkgdir", Form.TEXT, "luigigo keeps packages in its store; leave it out"),
    Flag("tags", Form.TEXT, "tags", "build tags", "tag,list"),
    Flag("trimpath", Form.SWITCH, "trimpath", "always so: binaries name no folders of this machine"),
    _refused("toolexec", Form.TEXT, "what such a program does is in no key; use go build"),
)
"""Those of `go help build`, in its order."""

OWN_FLAGS = (
    Flag("goos", Form.TEXT, "goos", "build for this system, as GOOS", "os"),
    Flag("goarch", Form.TEXT, "goarch", "build for this architecture, as GOARCH", "arch"),
    Flag("cgo-enabled", Form.TEXT, "cgo_enabled", "1 or 0, as CGO_ENABLED", "state"),
    Flag("plan-only", Form.SWITCH, "plan_only", "say what would be built, and how long it would take"),
    Flag("cluster", Form.TEXT, "cluster", "build on the nodes of this cluster", "file"),
    Flag("scheduler-host", Form.TEXT, "scheduler_host", "let the luigid on this host schedule", "host"),
    Flag("scheduler-port", Form.COUNT, "scheduler_port", "its port", "port"),
    Flag("fallback", Form.TEXT, "fallback", "local: build here while the cluster has no worker", "where"),
)
"""luigigo's own."""

ALL_FLAGS = (*GO_FLAGS, *OWN_FLAGS)
_BY_NAME = {name: flag for flag in ALL_FLAGS for name in (flag.name, *flag.also)}
REFUSED_FLAGS = frozenset(flag.name for flag in GO_FLAGS if flag.refusal)
"""Flags of `go build` that change the binary in ways that luigigo does not know."""

_TRUTH = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}
"""What strconv.ParseBool takes."""
_COUNT = re.compile(r"[+-]?[0-9]+")

Value = str | bool | int | tuple[str, ...]


class Arguments(msgspec.Struct, frozen=True):
    """A command line, read."""

    values: dict[str, Value]
    """By field, of the flags that were given."""
    packages: tuple[str, ...]


def read_arguments(arguments: Sequence[str]) -> Arguments:
    """Tell flags from packages. Flags may stand behind packages too; `--` ends them.

    Raises `UsageError` with the words of go's flag package, and for flags that luigigo does not do.
    """
    values: dict[str, Value] = {}
    packages: list[str] = []
    waiting = list(arguments)
    is_first = True
    while waiting:
        argument = waiting.pop(0)
        if argument == "--":
            return Arguments(values, (*packages, *waiting))
        if len(argument) < 2 or not argument.startswith("-"):
            packages.append(argument)
            continue
        name, equals, text = argument.removeprefix("-").removeprefix("-").partition("=")
        flag = _find(argument, name)
        if flag.field == "change_dir" and not is_first:
            raise _wrong(f"-C flag must be first flag on command line: {argument}")
        given = text if equals else _following(flag, name, waiting)
        value = _value(flag, name, given)
        if flag.form is Form.TEXTS:
            value = (*values.get(flag.field, ()), str(value))  # type: ignore[misc]
        values[flag.field] = value
        is_first = False
    return Arguments(values, tuple(packages))


def _find(argument: str, name: str) -> Flag:
    if not name or name[0] in "-=":
        raise _wrong(f"bad flag syntax: {argument}")
    flag = _BY_NAME.get(name)
    if flag is None:
        raise _wrong(f"flag provided but not defined: -{name}")
    if flag.refusal:
        raise UsageError(f"-{name} is not supported by luigigo: {flag.refusal}")
    return flag


def _following(flag: Flag, name: str, waiting: list[str]) -> str:
    """The value of a flag without `=`."""
    if flag.form in (Form.SWITCH, Form.STATE):
        return "true"
    if not waiting:
        raise _wrong(f"flag needs an argument: -{name}")
    return waiting.pop(0)


def _value(flag: Flag, name: str, text: str) -> Value:
    if flag.form is Form.SWITCH:
        if text not in _TRUTH:
            raise _wrong(f'invalid boolean value "{text}" for -{name}: parse error')
        if flag.field == "trimpath" and not _TRUTH[text]:
            raise UsageError("-trimpath=false is not supported by luigigo: its binaries never name folders")
        return _TRUTH[text]
    if flag.form is Form.COUNT:
        if not _COUNT.fullmatch(text):
            raise _wrong(f'invalid value "{text}" for flag -{name}: parse error')
        if int(text) <= 0:
            raise UsageError(f"-{name} must be a positive integer: {int(text)}")
        return int(text)
    return text


def _wrong(what: str) -> UsageError:
    return UsageError(f"{what}\n{USAGE}\n{HELP}")
