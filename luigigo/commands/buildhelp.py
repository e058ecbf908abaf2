"""The help of `luigigo build`, from the table of its flags."""

from __future__ import annotations

from luigigo.golang.buildflags import GO_FLAGS, OWN_FLAGS, USAGE, Flag

_COLUMN = 26
_EXAMPLES = """\
  luigigo build                          the package in the current folder
  luigigo build ./...                    everything below it, as a check
  luigigo build -o bin/ ./cmd/...        each program below cmd, into a folder
  luigigo build -race -tags netgo .      with go build's flags, one dash or two
  luigigo build -o bin/app DIR           a folder of another module
  luigigo build golang.org/x/tools/gopls@latest
  luigigo build --cluster cluster.yaml ./cmd/app
"""
_PACKAGES = """\
Packages are what they are to the go command (go help packages). A first argument that is a folder of
another module, or a module/path@version, is a project, and what follows are packages in it.
"""
_CODES = """\
  0  every binary is in its place and right      4  a bug in luigigo
  1  a compile, cgo or link step failed          5  the go command refused the packages
  2  a wrong or unsupported argument             6  the store cannot be written or read
  3  no usable Go toolchain                      130, 143  Ctrl-C, SIGTERM
"""
_VARIABLES = """\
  GOFLAGS, GOOS, GOARCH, CGO_ENABLED, CC, … and those of 'go env -w' count as they do for go build.
  LUIGIGO_GO        the go command               LUIGIGO_CACHE   this node's caches
  LUIGIGO_SHARED    the store's folder           luigi.cfg, section [luigigo]: the same and more
"""
_COMPLETION = """\
  bash: eval "$(_LUIGIGO_COMPLETE=bash_source luigigo)"       zsh and fish: zsh_source, fish_source
"""


def text() -> str:
    """All of it, ending with a line end."""
    refused = " ".join(f"-{flag.name}" for flag in GO_FLAGS if flag.refusal)
    parts = [
        f"{USAGE}\n\nCompile packages and their dependencies, and link programs: the binary is the one of\n"
        "go build -trimpath -buildvcs=false -ldflags=-buildid=\n",
        "Examples:\n" + _EXAMPLES,
        _PACKAGES,
        "Flags of go build:\n" + "".join(map(_line, (flag for flag in GO_FLAGS if not flag.refusal))),
        f"  Not done, and refused with the reason:\n    {refused}\n",
        "Flags of luigigo:\n" + "".join(map(_line, OWN_FLAGS)),
        "Exit codes:\n" + _CODES,
        "Variables:\n" + _VARIABLES,
        "Completion:\n" + _COMPLETION,
    ]
    return "\n".join(parts)


def _line(flag: Flag) -> str:
    name = f"-{flag.name} {flag.value}".rstrip()
    if len(name) >= _COLUMN - 2:
        return f"  {name}\n{'':{_COLUMN + 2}}{flag.help}\n"
    return f"  {name:{_COLUMN}}{flag.help}\n"
