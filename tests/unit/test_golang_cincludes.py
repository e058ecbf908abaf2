"""What a compiler may come to read is told by its words and by the text of what it read."""

from __future__ import annotations

import pytest

from luigigo.golang.cincludes import (
    asked_by_flags,
    asked_names,
    diagnostics,
    looked_into,
    may_read_more,
    read_files,
    searched_folders,
    without_places,
)

SAID = """Using built-in specs.
ignoring nonexistent directory "/usr/local/include/x86_64-linux-gnu"
ignoring duplicate directory "/src"
#include "..." search starts here:
 quoted dir
#include <...> search starts here:
 /src
 /usr/include
End of search list.
 not this
"""


@pytest.mark.parametrize(
    ("text", "names", "unknown"),
    [
        (b'#include "a.h"\n  #  include <sys/b.h> // x\n', {"a.h", "sys/b.h"}, ""),
        (b'#if 0\n#include "never.h"\n#endif\n', {"never.h"}, ""),
        (b'#if __has_include("opt/a.h") && __has_include ( <b.h> )\n', {"opt/a.h", "b.h"}, ""),
        (b'#inc\\\nlude "a.h"\n%:include_next <b.h>\n', {"a.h", "b.h"}, ""),
        (b'# /* why */ include /* not */ "a.h"\n', {"a.h"}, ""),
        (b"#define WANTED <opt/a.h>\n#include WANTED\n", set(), ""),
        (b"#define WANTED <opt/a.h>\n#if __has_include(WANTED)\n", {"opt/a.h"}, ""),
        (
            b'#define WANTED OTHER\n#define OTHER "opt/a.h"\n#if __has_include(WANTED)\n',
            {"opt/a.h"},
            "WANTED",
        ),
        (b'#define _PATH_HOSTS "/etc/hosts"\n#include "a.h"\n', {"a.h"}, ""),
        (b"#include WANTED(x)\n", set(), ""),
        (b"#if __has_include(WANTED)\n", set(), "WANTED"),
        (b"#if __has_include(MADE(up))\n", set(), "MADE"),
        (b"/* they\n   #include's others */\n", set(), ""),
        (b'char *s = "#include";\nint include;\n', set(), ""),
    ],
)
def test_names_are_read_off_a_text(text: bytes, names: set[str], unknown: str) -> None:
    """In branches that were not taken, too; what macros make up is said not to be known. A macro that is
    included is the compiler's to tell, and one that nothing asks about names no header."""
    asked = asked_names(text)
    assert (asked.headers, asked.unknown) == (names, unknown)


def test_a_macro_may_be_defined_elsewhere() -> None:
    """In another text, or by a flag; the name that it stands for is asked for as well."""
    asked = asked_names(b"#if __has_include(WANTED) || __has_include (OTHER)\n")
    assert asked.unknown == "OTHER"
    asked |= asked_names(b"#define OTHER <sys/b.h>\n") | asked_by_flags(["-O2", '-DWANTED="opt/a.h"', "-DX"])
    assert (asked.unknown, asked.headers) == ("", {"sys/b.h", "opt/a.h"})


def test_searched_folders_are_those_that_are_not_there_too() -> None:
    """In quotes and in angles, as the preprocessor says."""
    assert searched_folders(SAID) == [
        "/usr/local/include/x86_64-linux-gnu", "quoted dir", "/src", "/usr/include",
    ]  # fmt: skip


def test_make_rules_are_read_with_their_escapes() -> None:
    """Names with spaces, dollars and marks come out as they are, from the folder where they start."""
    rule = "unit: a.c /usr/include/x.h \\\n  with\\ space.h cost$$.h ../up.h \\#odd.h\n\n/usr/include/x.h:\n"
    assert read_files(rule, "/m/p") == [
        "/m/p/a.c", "/usr/include/x.h", "/m/p/with space.h", "/m/p/cost$.h", "/m/up.h", "/m/p/#odd.h",
    ]  # fmt: skip


def test_folders_below_each_searched_one_are_looked_into() -> None:
    """A name with a folder in it is looked for in that folder of each place; whoever included it is one."""
    found = looked_into(["/m/inc/a.h", "/usr/include/sys/x.h"], ["/m", "/usr/include"], ["opt/b.h"])
    assert {"/m", "/m/inc", "/m/opt", "/m/inc/opt", "/usr/include/opt", "/m/sys", "/usr/include/sys"} <= set(
        found
    )


@pytest.mark.parametrize(
    "text", [b'.incbin "x"', b"\t.INCBIN x", b'asm(".include \\"a\\"");', b".macro m", b".irp x"]
)
def test_an_assembler_that_may_read_more_is_noticed(text: bytes) -> None:
    """Also by words that could be put together to such a one."""
    assert may_read_more(text)
    assert not may_read_more(b"#include <a.h>\nint include;\n.text\n")


def test_what_a_preprocessor_finds_fault_with_is_read_off_what_it_says() -> None:
    """A line each, whatever else it says, and wherever the package lies."""
    said = (
        b'ignoring nonexistent directory "/none"\nIn file included from /home/me/p/x.c:1:\n'
        b"/home/me/p/h.h:3:2: warning: #warning careful [-Wcpp]\n    3 | #warning careful\n      |  ^~~~~~~\n"
        b"cc1: warning: /home/me/none: not a directory\n#include <...> search starts here:\n /usr/include\n"
    )
    assert diagnostics(said, [("/home/me", b"<root>")]) == (
        b"<root>/p/h.h:3:2: warning: #warning careful [-Wcpp]\ncc1: warning: /home/me/none: not a directory"
    )


def test_folders_are_hidden_in_line_markers_only() -> None:
    """Two checkouts see one text, unless the text itself names its folder."""
    text = (
        b'# 1 "/home/me/p/a.h" 1\nchar *s = "/home/me/p/a.h";\n# 0 "/home/me/p//"\n# 2 "/home/me/post/b.h"\n'
    )
    assert without_places(text, [("/home/me/p", b"<root>")]) == (
        b'# 1 "<root>/a.h" 1\nchar *s = "/home/me/p/a.h";\n# 0 "<root>//"\n# 2 "/home/me/post/b.h"\n'
    )
