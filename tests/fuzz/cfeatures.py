"""Features of worlds that need a C compiler. In the texts, `@` is a number and NAME the package."""

from __future__ import annotations

from collections.abc import Callable

from .piece import Draw, Piece
from .tree import Entry, File, Folder

SHOW = 'var Value = @\n\nfunc Show() { println("NAME", C.number(), Value) }\n'
OUTER = "// int NAME_number(void);\n// static int number(void) { return NAME_number(); }\n"
"""A function of another file, of a name that no other package has: all are linked together."""


def cgo_header(draw: Draw) -> Piece:
    """C text, in a comment or inside parentheses, with headers of the package and of folders."""
    include = draw.rng.choice(['"inc/a.h"', '"own.h"', '"a.h"', "<a.h>", '"order.h"'])
    preamble = (
        "#cgo CFLAGS: -I${SRCDIR}/first -I${SRCDIR}/inc\n"
        if draw.rng.random() < 0.7 or "inc" not in include
        else ""
    )
    preamble += f"#include {include}\n#ifndef NUMBER\n#define NUMBER @\n#endif\n"
    preamble += "static int number(void) { return NUMBER; }\n"
    comment = "".join(f"// {line}\n" for line in preamble.splitlines())
    if draw.rng.random() < 0.4:
        comment = f"/*\n{preamble}*/\n"
    block = f'{comment}import "C"\n\n'
    if draw.rng.random() < 0.4:
        block = (
            'import (\n\t_ "unsafe"\n\n'
            + "".join(f"\t{line}\n" for line in comment.splitlines())
            + '\t"C"\n)\n\n'
        )
    return draw.package(
        {
            "show.go": f"package NAME\n\n{block}{SHOW}",
            "own.h": "#define NUMBER @\n",
            "inc/a.h": draw.rng.choice(["#define NUMBER @\n", '#include "b.h"\n', '#include "../own.h"\n']),
            "inc/b.h": "#define NUMBER @\n",
            "inc/order.h": "#define NUMBER @\n",
            "first": Folder(),
        }
    )


def cgo_several(draw: Draw) -> Piece:
    """Several cgo files and C files of one package, one of which takes in another folder's."""
    return draw.package(
        {
            "show.go": f'package NAME\n\n// #include "number.h"\nimport "C"\n\n{SHOW}',
            "other.go": 'package NAME\n\n/*\n#cgo CFLAGS: -DEXTRA=@\n#include "number.h"\n'
            'static int other(void) { return EXTRA; }\n*/\nimport "C"\n\n'
            "func init() { println(C.other()) }\n",
            "number.h": "int NAME_number(void);\nstatic inline int number(void) { return NAME_number(); }\n",
            "number.c": '#include "number.h"\n#include "impl/core.c"\n#include "value.def"\n'
            "int NAME_number(void) { return core() + VALUE; }\n",
            "value.def": "#define VALUE @\n",
            "impl/core.c": "static int core(void) { return @; }\n",
            "unused_windows.c": "this is not looked at\n",
        }
    )


def cgo_cxx(draw: Draw) -> Piece:
    """C++ with a header of its own."""
    return draw.package(
        {
            "show.go": f'package NAME\n\n{OUTER}import "C"\n\n{SHOW}',
            "number.cpp": '#include "number.hpp"\n#if __has_include("local.hpp")\n#include "local.hpp"\n'
            "#endif\n"
            'extern "C" int NAME_number(void) { return Number<@>::value; }\n',
            "number.hpp": "template <int N> struct Number { enum { value = N + @ }; };\n",
        }
    )


def cgo_assembly(draw: Draw) -> Piece:
    """C assembly that takes in data and other assembly."""
    return draw.package(
        {
            "show.go": "package NAME\n\n// extern const char payload[];\n"
            "// static const char *text(void) { return payload; }\n"
            'import "C"\n\nvar Value = @\n\nfunc Show() { println(C.GoString(C.text()), Value) }\n',
            "blob.S": '#include "blob.h"\n.section .rodata\n.globl payload\npayload:\n'
            '.incbin "data/payload.bin"\n.include "data/tail.inc"\n.byte 0\n'
            '.section .note.GNU-stack,"",%progbits\n',
            "blob.h": "/* @ */\n",
            "data/payload.bin": "payload @ ",
            "data/tail.inc": '.ascii "tail @"\n',
        }
    )


def cgo_probe(draw: Draw) -> Piece:
    """C text that asks for headers which are there or not."""
    return draw.package(
        {
            "show.go": "package NAME\n\n/*\n#cgo CPPFLAGS: -I${SRCDIR}/probed\n"
            '#if __has_include("opt/local.h")\n#include "opt/local.h"\n'
            "#elif __has_include(<maybe.h>)\n#include <maybe.h>\n#else\n#define NUMBER @\n"
            '#endif\nstatic int number(void) { return NUMBER; }\n*/\nimport "C"\n\n' + SHOW,
            "opt": Folder(),
            "probed": Folder(),
        }
    )


def cgo_library(draw: Draw) -> Piece:
    """A static library in a folder, by -l, by path, or as an object that goes along."""
    flags = draw.rng.choice(
        ["-L${SRCDIR}/lib -lanswer", "NAME/lib/libanswer.a", "${SRCDIR}/lib/libanswer.a", ""]
    )
    cgo = f"// #cgo LDFLAGS: {flags}\n" if flags else ""
    files: dict[str, str | Entry] = {
        "show.go": f"package NAME\n\n{cgo}// int answer(void);\n"
        "// static int number(void) { return answer(); }\n"
        f'import "C"\n\n{SHOW}',
        "lib/libanswer.a": File(draw.rng.choice(draw.blobs.libraries)),
        "lib/README": "@\n",
    }
    if not flags:
        files["answer.syso"] = File(draw.rng.choice(draw.blobs.objects))
    return draw.package(files)


def cgo_date(draw: Draw) -> Piece:
    """C text with the date of the build, as SOURCE_DATE_EPOCH says it."""
    piece = draw.package(
        {
            "show.go": "package NAME\n\n// static const char *date(void) { return __DATE__; }\n"
            'import "C"\n\nvar Value = @\n\nfunc Show() { println(C.GoString(C.date())) }\n'
        }
    )
    return Piece(piece.files, piece.imports, variables={"SOURCE_DATE_EPOCH": "86400"})


WRAPPER = b'#!/bin/sh\nexec gcc $SITE_CC_FLAGS "$@"\n'


def cgo_wrapper(draw: Draw) -> Piece:
    """A compiler that is a script and takes flags from a variable and values from the path of headers."""
    piece = draw.package(
        {
            "show.go": "package NAME\n\n/*\n#ifndef SITE\n#define SITE @\n#endif\n"
            "#if __has_include(<site.h>)\n#include <site.h>\n#endif\n"
            'static int number(void) { return SITE; }\n*/\nimport "C"\n\n' + SHOW,
        }
    )
    made: dict[str, Entry] = {
        "bin/cc": File(WRAPPER, executable=True),
        "site/one/site.h": draw.fill("#undef SITE\n#define SITE @\n"),
        "site/two/site.h": draw.fill("#undef SITE\n#define SITE @\n"),
        "site/none": Folder(),
    }
    chosen = {"CC": "{root}/bin/cc", "SITE_CC_FLAGS": "-DSITE=41"} if draw.rng.random() < 0.6 else {}
    return Piece({**made, **piece.files}, piece.imports, variables=chosen)


C_FEATURES: dict[str, Callable[[Draw], Piece]] = {
    function.__name__: function
    for function in (
        cgo_header, cgo_several, cgo_cxx, cgo_assembly, cgo_probe, cgo_library, cgo_date, cgo_wrapper,
    )
}  # fmt: skip
