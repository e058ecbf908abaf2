"""What a C linker reads is asked once for all projects where its command leads from no folder."""

from __future__ import annotations

import pytest

from luigigo.golang.clibraries import starts_anywhere


@pytest.mark.parametrize(
    "flags",
    [
        "",
        "-O2 -g -lpthread",
        "-fPIC -m64 -pthread -fno-caret-diagnostics -fmessage-length=0 -lresolv -lstdc++",
    ],
)
def test_plain_flags_lead_nowhere(flags: str) -> None:
    """Those of the standard library, with what go build adds."""
    assert starts_anywhere(("gcc", *flags.split()), {"PATH": "/usr/bin"})
    assert starts_anywhere(("/usr/bin/gcc", *flags.split()), {"LIBRARY_PATH": ""})


@pytest.mark.parametrize(
    "flags",
    [
        "-L.", "-L lib", "lib/x.a", "x.o", "@flags", "-Wl,-rpath,x", "-fplugin=x.so", "-fuse-ld=./ld", "-B.",
        "-specs=mine", "-T script", "-l:../x.a", "-I x",
    ],
)  # fmt: skip
def test_whatever_may_name_a_file_counts(flags: str) -> None:
    """Also where it is a whole path: what stands behind it may be a script that names others."""
    assert not starts_anywhere(("gcc", *flags.split()), {})


def test_a_compiler_and_variables_may_be_relative() -> None:
    """Folders in variables are looked into before the system's."""
    assert not starts_anywhere(("./cc", "-lm"), {})
    assert not starts_anywhere(("gcc", "-lm"), {"LIBRARY_PATH": "/lib:"})
