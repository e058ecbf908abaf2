"""What a user may ask for, and what GOFLAGS adds to it."""

from __future__ import annotations

import pytest

from luigigo.errors import PlanError, UsageError
from luigigo.golang.buildflags import REFUSED_FLAGS, read_arguments
from luigigo.golang.request import BuildRequest, check, split_tags, with_goflags

PLAIN = BuildRequest(project="/p")


@pytest.mark.parametrize("mode", ["c-archive", "c-shared", "plugin", "shared", "archive"])
def test_unsupported_build_modes_are_refused_by_name(mode: str) -> None:
    """The message names the mode and says what to use."""
    with pytest.raises(UsageError, match=rf"-buildmode={mode} is not supported by luigigo: use exe or pie"):
        check(BuildRequest(project="/p", buildmode=mode))


@pytest.mark.parametrize(
    "request_",
    [
        BuildRequest(project="/p", buildmode="fast"),
        BuildRequest(project="/p", mod="vendored"),
        BuildRequest(project="/p", buildvcs="maybe"),
        BuildRequest(project="/p", cgo_enabled="yes"),
        BuildRequest(project="/p", packages=("-x",)),
    ],
)
def test_values_that_no_flag_has_are_refused(request_: BuildRequest) -> None:
    """Nothing that cannot be meant reaches the go command."""
    with pytest.raises(UsageError):
        check(request_)


@pytest.mark.parametrize("flag", sorted(REFUSED_FLAGS))
def test_unsupported_flags_are_refused_by_name(flag: str) -> None:
    """With one dash or two, with or without a value; on the command line as in GOFLAGS."""
    for argument in (f"-{flag}", f"--{flag}=x"):
        with pytest.raises(UsageError, match=f"-{flag} is not supported"):
            read_arguments([argument])
        with pytest.raises(UsageError, match=flag):
            with_goflags(PLAIN, argument)


def test_goflags_fill_what_the_request_leaves_open() -> None:
    """The command line wins; a flag that GOFLAGS sets to false is not set."""
    goflags = "-tags=a,b -mod=mod -race -buildmode=pie -pgo=off -modfile=x.mod -cover=false -p=3 -v"
    filled = with_goflags(PLAIN, goflags)
    assert filled == BuildRequest(
        project="/p", tags="a,b", mod="mod", race=True, buildmode="pie", pgo="off", modfile="x.mod"
    )
    own = BuildRequest(project="/p", tags="c", mod="vendor", buildmode="exe", pgo="p.pgo", modfile="y.mod")
    assert with_goflags(own, goflags.replace("-race", "")) == own


def test_flags_with_patterns_add_up() -> None:
    """As with flags given twice, those of GOFLAGS come first and the last match wins."""
    request = BuildRequest(project="/p", gcflags=("-N",))
    filled = with_goflags(request, "'-gcflags=all=-l -S' -gcflags=std=-m -ldflags=-s")
    assert filled.gcflags == ("all=-l -S", "std=-m", "-N")
    assert filled.ldflags == ("-s",)
    assert with_goflags(request, "") is request


def test_list_flags_are_those_that_choose_files_and_packages() -> None:
    """Tags, race, build mode, modules and the linker's flags reach go list; the compiler's do not."""
    request = BuildRequest(
        project="/p", tags="a", ldflags=("-linkmode=external",), gcflags=("-N",), asmflags=("-D=x",),
        race=True, buildmode="pie", mod="mod", modfile="x.mod",
    )  # fmt: skip
    assert request.list_flags() == [
        "-trimpath", "-buildvcs=false", "-pgo=off", "-tags=a", "-ldflags=-linkmode=external", "-race",
        "-buildmode=pie", "-mod=mod", "-modfile=x.mod",
    ]  # fmt: skip


def test_tags_are_apart_as_the_go_command_has_them() -> None:
    """By commas, or by blanks where there are any; line ends are letters of the newer form."""
    assert split_tags("") == []
    assert split_tags(",a,,b\nc,\udce9") == ["a", "b\nc", "\udce9"]
    assert split_tags("a 'b'\n\tc") == ["a", "b", "c"]
    with pytest.raises(PlanError, match=r"^go: -tags space-separated list contains comma$"):
        split_tags("a b,c")


def test_target_variables_are_set_only_when_asked_for() -> None:
    """GOOS, GOARCH and CGO_ENABLED of the user stay where the request says nothing."""
    assert PLAIN.environment() == {}
    assert BuildRequest(project="/p", goos="linux", cgo_enabled="0").environment() == {
        "GOOS": "linux",
        "CGO_ENABLED": "0",
    }
    assert BuildRequest(project="example.org/m@latest").is_remote_module
    assert not BuildRequest(project="/a@b").is_remote_module
