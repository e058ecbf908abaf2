"""How a program is linked: flags when planned, argv when run. Pure.

Follows gcToolchain.ld in cmd/go/internal/work/gc.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from luigigo.errors import UsageError
from luigigo.footprint import Places
from luigigo.golang import quoted
from luigigo.golang.actions import Files
from luigigo.golang.compile import Layout, Mode
from luigigo.golang.environment import GoEnv
from luigigo.golang.packages import Package
from luigigo.model import Digest


class CLink(msgspec.Struct, frozen=True):
    """The C linker of a program that may be linked by it."""

    compilers: Digest | None = None
    """Identity of the build's C compilers; None where there are none."""
    linker: Digest | None = None
    """Identity of the one that links."""
    environment: tuple[tuple[str, str], ...] = ()
    libraries: Files = ()
    """What it reads besides the program's objects, by absolute path."""
    places: Places = Places()
    """What the answer rests on."""
    untold: str = ""
    """Why that is not all."""


class GivenLinker(msgspec.Struct, frozen=True):
    """The C linker and its flags, as the user's flags for Go's linker name them."""

    command: tuple[str, ...]
    flags: tuple[str, ...]


def given_linker(ldflags: Sequence[str]) -> GivenLinker:
    """What `-extld` and `-extldflags` say; empty where they do not, or not as Go's linker understands it."""
    words = {}
    for name in ("extld", "extldflags"):
        try:
            words[name] = tuple(quoted.split(_last(name, ldflags)))
        except UsageError:
            words[name] = ()
    return GivenLinker(words["extld"], words["extldflags"])


def may_call_c_linker(ldflags: Sequence[str], mode: Mode, env: GoEnv) -> bool:
    """Whether Go's linker may call the C linker for a program without C (cmd/link/internal/ld/config.go)."""
    asked = _last("linkmode", ldflags) == "external" or env.go_extlink_enabled == "1"
    return asked or mode.link_mode == "pie" or bool(mode.instrument) or bool(_last("extld", ldflags))


def _last(name: str, flags: Sequence[str]) -> str:
    """The value of the last flag of a name, in any of Go's forms; "" for none."""
    value = ""
    for word, following in pairwise((*flags, "")):
        flag, equals, given = word.removeprefix("-").removeprefix("-").partition("=")
        if word.startswith("-") and flag == name:
            value = given if equals else following
    return value


def link_flags(main: Package, mode: Mode, ldflags: Sequence[str], compiler: Sequence[str]) -> tuple[str, ...]:
    """The linker's flags, without paths. `compiler` is the C or C++ compiler to link with, if need be."""
    flags = ["-installsuffix", mode.install_suffix] if mode.install_suffix else []
    if main.default_godebug:
        flags.append(f"-X=runtime.godebugDefault={main.default_godebug}")
    flags += [f"-buildmode={mode.link_mode}", *mode.instrument, *ldflags]
    if not any(flag == "-extld" or flag.startswith("-extld=") for flag in flags):
        flags.append("-extld=" + quoted.join(tuple(compiler)))
    return tuple(flags)


def link_argv(layout: Layout, flags: Sequence[str], output: str, main_object: str) -> tuple[str, ...]:
    """The linker's command."""
    return (
        layout.tool("link"),
        "-o",
        output,
        "-importcfg",
        layout.object("importcfg.link"),
        *flags,
        main_object,
    )


def build_settings(
    main: Package, env: GoEnv, flags: Sequence[tuple[str, str]], *, race: bool, pgo_profile: str
) -> list[tuple[str, str]]:
    """The `build` lines of the build information, in go build's order (setBuildInfo).

    `flags` are -asmflags, -gcflags and -tags as the user gave them; `pgo_profile` is a file name.
    """
    given = dict(flags)
    settings = [("-asmflags", given["-asmflags"])] if "-asmflags" in given else []
    settings += [("-buildmode", given.get("-buildmode", "exe")), ("-compiler", "gc")]
    settings += [("-gcflags", given["-gcflags"])] if given.get("-gcflags") else []
    settings += [("-race", "true")] if race else []
    settings += [("-tags", given["-tags"])] if given.get("-tags") else []
    settings.append(("-trimpath", "true"))
    if main.default_godebug:
        settings.append(("DefaultGODEBUG", main.default_godebug))
    settings += [("CGO_ENABLED", env.cgo_enabled), ("GOARCH", env.goarch)]
    if env.goexperiment:
        settings.append(("GOEXPERIMENT", env.goexperiment))
    settings.append(("GOOS", env.goos))
    name, value = env.arch_setting
    if name and value:
        settings.append((name, value))
    if pgo_profile:
        settings = sorted([*settings, ("-pgo", pgo_profile)])
    return settings
