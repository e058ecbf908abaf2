"""Edits of what is no file: flags, variables, the place of the output, the delivered binary."""

from __future__ import annotations

from .draws import Editing
from .piece import APP
from .tree import Operation, SetFlags, SetOutput, SetVariable, Spoil

_FLAGS: tuple[tuple[str, ...], ...] = (
    (),
    ("-tags=extra",),
    ("-tags=extra,never",),
    ("-ldflags=-buildid= -X main.text=one",),
    ("-ldflags=-buildid= -X 'main.text=two words' -X main.other=2",),
    ("-ldflags=-buildid= -s -w",),
    ("-ldflags=-buildid= -X=main.absent=1",),
    ("-gcflags=-N -l",),
    ("-gcflags=example.com/w/...=-l",),
    ("-gcflags=-S=0",),
    ("-asmflags=-D=EXTRA=1",),
    ("-pgo=off",),
    ("-mod=mod",),
    ("-mod=vendor",),
    ("-mod=readonly",),
    ("-tags=extra", "-ldflags=-buildid= -X main.text=three"),
)
_WITH_C: tuple[tuple[str, ...], ...] = (
    ("-ldflags=-buildid= -linkmode=external",),
    ("-ldflags=-buildid= -linkmode=internal",),
)
_DEAR_FLAGS: tuple[tuple[str, ...], ...] = (("-buildmode=pie",), ("-buildmode=exe",))

_VARIABLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("CGO_ENABLED", ("0", "1")),
    (
        "GOFLAGS",
        (
            "-tags=extra",
            "-trimpath",
            "'-ldflags=-buildid= -X=main.other=flags'",
            "'-tags=extra never'",
            "-v=false",
        ),
    ),
    ("GODEBUG", ("panicnil=1", "gotypesalias=1")),
    ("GOWORK", ("off", "{root}/go.work")),
    ("GO111MODULE", ("on", "auto")),
    ("GOEXPERIMENT", ("",)),
    ("GOTOOLCHAIN", ("local",)),
    ("UNRELATED", ("1", "2")),
    ("GOGC", ("50",)),
    ("LC_ALL", ("C.UTF-8",)),
)
_VARIABLES_WITH_C: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("CGO_CFLAGS", ("-DEXTRA_SITE=1", "-O1", "-g -O2 -DSITE=71", "-g -ffile-prefix-map={root}=/root")),
    ("CGO_CPPFLAGS", ("-I{root}/site/one", "-I{root}/site/two", "-DSITE=72")),
    ("CGO_LDFLAGS", ("-Wl,-rpath,/opt/one", "-L{root}/site/one")),
    ("CPATH", ("{root}/site/one", "{root}/site/two", "{root}/site/none:{root}/site/one")),
    ("C_INCLUDE_PATH", ("{root}/site/two", "{root}/site/one")),
    ("CPLUS_INCLUDE_PATH", ("{root}/site/two",)),
    ("LIBRARY_PATH", ("{root}/site/one",)),
    ("SOURCE_DATE_EPOCH", ("86400", "1000000000", "1000000001")),
    ("GO_EXTLINK_ENABLED", ("0", "1")),
    ("CC", ("{root}/bin/cc", "gcc", "gcc -DSITE=73", "/nowhere/cc")),
    ("SITE_CC_FLAGS", ("-DSITE=41", "-DSITE=42", "-O1")),
    ("GCC_COMPARE_DEBUG", ("",)),
)
_DEAR_VARIABLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("GOAMD64", ("v3", "v1")),
    ("GOEXPERIMENT", ("heapminimum512kib",)),
)
"""With these the standard library is compiled anew."""


def flags(editing: Editing) -> list[Operation] | None:
    """Other flags."""
    choices = _FLAGS + (_WITH_C if has_c(editing) else ())
    chosen = editing.rng.choice([each for each in choices if each != editing.state.flags])
    return [SetFlags(chosen)]


def variable(editing: Editing) -> list[Operation] | None:
    """Another value of a variable, or none."""
    choices = _VARIABLES_WITH_C if has_c(editing) and editing.rng.random() < 0.75 else _VARIABLES
    return _other_value(editing, choices)


def dear(editing: Editing) -> list[Operation] | None:
    """A setting for which the standard library is compiled anew."""
    if editing.rng.random() < 0.4:
        return [SetFlags(editing.rng.choice(_DEAR_FLAGS))]
    return _other_value(editing, _DEAR_VARIABLES)


def output(editing: Editing) -> list[Operation] | None:
    """Another place for the binary."""
    path, relative = editing.rng.choice(
        [
            ("out/prog", False),
            ("out/other", False),
            ("out/new/prog", False),
            (f"{APP}/prog", True),
            ("out/a.txt", True),
        ]
    )
    return None if path == editing.state.output else [SetOutput(path, relative)]


def spoiled(editing: Editing) -> list[Operation] | None:
    """The delivered binary is damaged, touched or gone."""
    hows = ["append", "truncate", "empty", "remove", "touch", "replace", "text", "mode"]
    return [Spoil(editing.rng.choice(hows))]


def has_c(editing: Editing) -> bool:
    """Whether there is C text."""
    return any('"C"' in editing.content(path).decode(errors="replace") for path in editing.files(".go"))


def _other_value(
    editing: Editing, choices: tuple[tuple[str, tuple[str, ...]], ...]
) -> list[Operation] | None:
    name, values = editing.rng.choice(choices)
    now = editing.state.variables.get(name)
    left = [each for each in (*values, None, None) if each != now and _is_there(editing, each)]
    return [SetVariable(name, editing.rng.choice(left))]


def _is_there(editing: Editing, value: str | None) -> bool:
    """Whether a program of the world that a value names is there."""
    return value is None or "/bin/" not in value or value.removeprefix("{root}/") in editing.tree
