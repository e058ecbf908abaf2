"""Which C flags are allowed, by the go command's own lists."""

from __future__ import annotations

import pytest

from luigigo.errors import PlanError
from luigigo.golang.cflags import (
    AllowedFlags,
    FlagCheck,
    find_invalid,
    is_safe_argument,
    parse_allowed_flags,
    prefers_external,
    require_valid,
    split_pkg_config,
)

TEXT = """
var validCompilerFlags = []*lazyregexp.Regexp{
	re(`-D([A-Za-z_][A-Za-z0-9_]*)(=[^@\\-]*)?`),
	re(`-I([^@\\-].*)`),
	re(`-O([^@\\-].*)?`),
	re(`-f(no-)?lto`),
	re(`-static`), // a comment
}

var validCompilerFlagsWithNextArg = []string{
	"-D",
	"-I",
}

var invalidLinkerFlags = []*lazyregexp.Regexp{
	re(`-Wl,--plugin.*`),
}

var validLinkerFlags = []*lazyregexp.Regexp{
	re(`-l([^@\\-].*)`),
	re(`-L([^@\\-].*)`),
	re(`-Wl,--(push|pop)-state`),
	re(`-Wl,--plugin.*`),
	re(`-static([a-z-]*)`),
	re(`[a-zA-Z0-9_/].*\\.(a|o|obj|dll|dylib|so|tbd)`),
}

var validLinkerFlagsWithNextArg = []string{
	"-framework",
	"-Wl,-framework",
}

var validPkgConfigFlags = []*lazyregexp.Regexp{
	re(`--static`),
	re(`--define-variable=[A-Za-z_][A-Za-z0-9_]*=[^\\-].*`),
}
"""
ALLOWED = parse_allowed_flags(TEXT)


def invalid(name: str, *flags: str, allowed: AllowedFlags = ALLOWED, **variables: str) -> str:
    """Why the flags are refused."""
    return find_invalid(FlagCheck(name, f"#cgo {name}", flags), allowed, variables)


def test_the_lists_are_read_off_the_source() -> None:
    """Patterns and words are found, comments are not; a missing list is an error."""
    assert ALLOWED.compiler[-1] == "-static"
    assert ALLOWED.compiler_next == ("-D", "-I")
    assert ALLOWED.linker_invalid == ("-Wl,--plugin.*",)
    with pytest.raises(KeyError):
        parse_allowed_flags("var validCompilerFlags = []*lazyregexp.Regexp{\n}\n")


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("CFLAGS", ("-DX=1", "-I", "include", "-O2")),
        ("CPPFLAGS", ("-D", "X", "-I", "=/sysroot")),
        ("CXXFLAGS", ("-I/usr/include",)),
        ("LDFLAGS", ("-lm", "-L/x", "libx.a", "-framework", "Foundation")),
        ("LDFLAGS", ("-Wl,-framework", "-Wl,Foundation")),
        ("LDFLAGS", ("-Wl,--push-state,--pop-state",)),
        ("CFLAGS", ("",)),
        ("pkg-config", ("--static", "--define-variable=a=b")),
    ],
)
def test_allowed_flags_pass(name: str, flags: tuple[str, ...]) -> None:
    """A flag passes by itself or with the argument that it takes."""
    assert invalid(name, *flags) == ""


@pytest.mark.parametrize(
    ("name", "flags", "culprit"),
    [
        ("CFLAGS", ("-O2", "-fplugin=evil.so"), "-fplugin=evil.so"),
        ("CFLAGS", ("-I",), "-I without argument"),
        ("CFLAGS", ("-D", "-x"), "-D -x"),
        ("LDFLAGS", ("-Wl,--plugin,evil",), "-Wl,--plugin,evil"),
        ("LDFLAGS", ("@file",), "@file"),
        ("pkg-config", ("--libs",), "--libs"),
    ],
)
def test_other_flags_are_refused_in_gos_words(name: str, flags: tuple[str, ...], culprit: str) -> None:
    """The message names where the flag came from, the flag, and go's own page."""
    assert invalid(name, *flags) == (
        f"invalid flag in #cgo {name}: {culprit} (see https://go.dev/s/invalidflag)"
    )


def test_the_environment_can_allow_and_disallow() -> None:
    """CGO_CFLAGS_ALLOW lets a flag pass; CGO_CFLAGS_DISALLOW wins over it and over the lists."""
    assert invalid("CFLAGS", "-fplugin=x", CGO_CFLAGS_ALLOW="-fplugin=.*") == ""
    assert invalid("CFLAGS", "-fplugin=x", CGO_LDFLAGS_ALLOW=".*") != ""
    assert invalid("CFLAGS", "-O2", CGO_CFLAGS_DISALLOW="-O.*", CGO_CFLAGS_ALLOW="-O.*") != ""


def test_a_pattern_that_is_none_is_an_error() -> None:
    """A CGO_CFLAGS_ALLOW that cannot be read is told to the user."""
    with pytest.raises(PlanError, match="cannot be read"):
        invalid("CFLAGS", "-x", CGO_CFLAGS_ALLOW="(")


def test_a_refused_flag_ends_planning() -> None:
    """The error names the package as go build does."""
    check = FlagCheck("CFLAGS", "#cgo CFLAGS", ("-bad",))
    with pytest.raises(PlanError, match=r"^go build example\.com/p: invalid flag in #cgo CFLAGS: -bad"):
        require_valid(check, ALLOWED, {}, "example.com/p")


@pytest.mark.parametrize(
    ("text", "safe"),
    [("", False), ("a", True), ("/a", True), ("_x", True), (".x", True), ("-x", False), ("@x", False),
     ("=x", False), ("ü", True)],
)  # fmt: skip
def test_safe_arguments(text: str, safe: bool) -> None:
    """An argument that cannot be taken for a flag or a file of flags is safe."""
    assert is_safe_argument(text) is safe


@pytest.mark.parametrize(
    ("c_flags", "ld_flags", "static_too", "external"),
    [
        (("-O2",), ("-lm",), True, False),
        (("-flto",), (), True, True),
        (("-funknown",), (), True, True),
        (("-static",), (), True, True),
        (("-static",), (), False, False),
        ((), ("-static",), True, True),
        ((), ("-Wl,--plugin,x",), True, False),
        ((), ("-unknown",), True, True),
        ((), None, True, False),
    ],
)
def test_some_flags_send_a_program_to_the_external_linker(
    c_flags: tuple[str, ...], ld_flags: tuple[str, ...] | None, static_too: bool, external: bool
) -> None:
    """LTO, static linking and unknown flags do; the linker's flags only in releases that look at them."""
    assert prefers_external([c_flags], ld_flags, ALLOWED, static_too=static_too) is external


@pytest.mark.parametrize(
    ("output", "flags"),
    [
        ("", []),
        ("-lfoo -L/x\n", ["-lfoo", "-L/x"]),
        ("-DX='a b' -Dy\\ z", ["-DX=a b", "-Dy z"]),
        ("\"-I/a b\" ''", ["-I/a b", ""]),
        ('"a\\\\b" "a\\x"', ["a\\b", "a\\x"]),
        ('"\\$x"', ["$x"]),
        ("'$(x)'", ["$(x)"]),
        ("a\\\nb", ["ab"]),
        ("  -a\t-b ", ["-a", "-b"]),
    ],
)
def test_pkg_configs_output_is_split_as_by_a_shell(output: str, flags: list[str]) -> None:
    """Quotes and backslashes mean what they mean to a shell."""
    assert split_pkg_config(output) == flags


@pytest.mark.parametrize("output", ["-a;b", "$(x)", "`x`", "a|b", "'open", '"open', "end\\"])
def test_pkg_configs_output_must_not_be_a_script(output: str) -> None:
    """Shell characters and open quotes are refused."""
    with pytest.raises(PlanError, match="pkgconf output"):
        split_pkg_config(output)
