"""What assembly includes is found as the assembler would open it, and so is the folder that holds it all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from luigigo.golang.asmincludes import common_folder, include_folders, included_files


def read_from(files: dict[str, str]) -> Callable[[str], bytes | None]:
    """A reader of these."""
    return lambda name: files[name].encode() if name in files else None


def included(files: dict[str, str], *own: str) -> tuple[str, ...]:
    """What `own` files include, of these."""
    return included_files(own, read_from(files), (), ()).names


def test_folders_of_flags_come_after_the_package() -> None:
    """A name is looked for as it stands, then in each folder of -I; where it was looked for first is told."""
    files = {
        "a.s": '#include "x.h"\n#include "y.h"\n#include "textflag.h"\n',
        "/i/x.h": "",
        "j/x.h": "",
        "y.h": "",
    }
    found = included_files(["a.s"], read_from(files), ("../none", "/i", "j"), {"textflag.h"})
    assert found.names == ("/i/x.h", "y.h")
    assert set(found.looked_for) == {"x.h", "../none/x.h", "textflag.h"}


def test_a_name_may_stand_for_several_places() -> None:
    """The first that is there counts, those before it are looked for; the package's own are known."""
    files = {
        "a.s": '#include "../x.h"\n#include "no/../a.h"\n',
        "/link/x.h": '#include "y.h"\n',
        "y.h": "",
        "a.h": "",
    }
    spots = {"../x.h": ("/far/x.h", "/link/x.h"), "no/../a.h": ("no/../a.h", "a.h")}
    found = included_files(["a.s", "a.h"], read_from(files), (), (), lambda name: spots.get(name, (name,)))
    assert found.names == ("/link/x.h", "y.h")
    assert set(found.looked_for) == {"/far/x.h", "no/../a.h"}


@pytest.mark.parametrize(
    ("flags", "folders"),
    [
        ((), ()),
        (("-I", "a", "-D", "I", "--I=b", "-I=c"), ("a", "b", "c")),
        (("-Inc=d", "I=e"), ()),
    ],
)
def test_folders_are_named_as_go_takes_flags(flags: tuple[str, ...], folders: tuple[str, ...]) -> None:
    """One dash or two, and the value behind `=` or in the next word."""
    assert include_folders(flags) == folders


@pytest.mark.parametrize("literal", ['"a\\x2eh"', '"a\\056h"', '"a\\u002eh"', "`a.h`"])
def test_names_are_go_literals(literal: str) -> None:
    """The assembler unquotes them as Go does."""
    assert included({"a.s": f"#include {literal}\n", "a.h": ""}, "a.s") == ("a.h",)


def test_includes_are_followed_through_other_files() -> None:
    """Names stay as written, for the assembler looks from the package's folder wherever they stand."""
    files = {
        "a.s": '#include "textflag.h"\n#include "own.h"\nTEXT ·f(SB), $0\n',
        "own.h": '  #\tinclude "../x/one.h"\n',
        "../x/one.h": '#include "parts/two.inc" // more\n#include "a.s"\n',
        "parts/two.inc": '#include "../x/one.h"\n',
        "unused.h": "",
    }
    assert included(files, "a.s", "own.h") == ("../x/one.h", "parts/two.inc")


def test_what_is_no_include_line_is_none() -> None:
    """Comments on lines of their own, other words and unfinished names name no file."""
    text = '// #include "a.h"\nx #include "a.h"\n#included "a.h"\n#include <a.h>\n#include "a.h\n'
    assert included({"a.s": text, "a.h": ""}, "a.s") == ()


@pytest.mark.parametrize(
    ("names", "folder"),
    [
        ([], "/m/deep/er"),
        (["parts/a.inc", "b.h"], "/m/deep/er"),
        (["../../x/a.h", "b.h"], "/m"),
        (["../a.h", "../er/b.h"], "/m/deep"),
        (["../../../../../a.h"], "/"),
        (["../../../a.h"], "/"),
        (["/m/deep/er/a.h"], "/"),
    ],
)
def test_common_folder_is_the_nearest_that_holds_all(names: list[str], folder: str) -> None:
    """It is the package's own where nothing leads out of it."""
    assert common_folder("/m/deep/er", names) == folder


def test_common_folder_of_the_toolchain_ends_there() -> None:
    """A folder that is named from GOROOT has nothing above it."""
    assert common_folder("GOROOT/src/runtime", ["cgo/abi_amd64.h"]) == "GOROOT/src/runtime"
    assert common_folder("GOROOT/src/runtime", ["../../../a.h"]) == "/"
