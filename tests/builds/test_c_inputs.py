"""After an edit of anything that C compilers and linkers read, the binary is what go build makes afresh."""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import Lab, Result, link_tree

pytestmark = pytest.mark.builds

MODULE = "module example.com/small\n\ngo 1.26\n"
Edit = Callable[[Path], object]


@pytest.fixture(scope="module")
def standard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GOCACHE that knows the standard packages of a program with C, and no other."""
    folder = tmp_path_factory.mktemp("standard")
    (folder / "go.mod").write_text(MODULE)
    (folder / "main.go").write_text('package main\n\nimport "C"\n\nfunc main() {}\n')
    lab = Lab(folder, folder / "cache")
    lab.environment["GOCACHE"] = str(folder / "gocache")
    assert lab.go_build(folder, "-o", os.devnull).returncode == 0
    lab.build(folder)
    return folder


class Pair:
    """A project that both build, go build from scratch each time."""

    def __init__(self, lab: Lab, standard: Path) -> None:
        self.lab, self._standard = lab, standard
        self.variables: dict[str, str] = {}
        self.arguments: tuple[str, ...] = ()

    def project(self, files: dict[str, str]) -> Path:
        """A module of these files, with a go.mod."""
        return self.lab.write({"go.mod": MODULE, **files}, "small")

    def fresh_cache(self) -> Path:
        """A GOCACHE with the standard library alone."""
        fresh = self.lab.folder / "gocache"
        shutil.rmtree(fresh, ignore_errors=True)
        link_tree(self._standard / "gocache", fresh)
        return fresh

    def go_build(self, project: Path) -> Result:
        """What go build makes from scratch, as the file `expected`."""
        env = {**self.variables, "GOCACHE": str(self.fresh_cache())}
        made = self.lab.go_build(project, "-o", self.lab.folder / "expected", *self.arguments, env=env)
        assert made.returncode == 0, made.stderr
        return made

    def assert_same(self, project: Path) -> str:
        """Both make the same binary now; returns what it prints."""
        expected, output = self.lab.folder / "expected", self.lab.output_of(project)
        self.go_build(project)
        built = self.lab.luigigo("build", project, "-o", output, *self.arguments, env=self.variables)
        assert built.returncode == 0, built.stderr
        said = subprocess.run([output], capture_output=True, text=True).stderr
        assert filecmp.cmp(expected, output, shallow=False), f"not what go build makes; it says {said}"
        return said

    def assert_seen(self, project: Path, edit: Edit) -> None:
        """Both are the same before and after an edit that changes what the program says."""
        before = self.assert_same(project)
        edit(project)
        assert self.assert_same(project) != before


@pytest.fixture
def pair(tmp_path: Path, standard: Path) -> Iterator[Pair]:
    """Both builders, with the standard library compiled."""
    lab = Lab.on(standard / "cache", tmp_path)
    yield Pair(lab, standard)
    lab.stop_all()


def go_file(preamble: str, body: str = "println(C.value())") -> str:
    """A main package with C text."""
    comment = "".join(f"// {line}\n" for line in preamble.splitlines())
    return f'package main\n\n{comment}import "C"\n\nfunc main() {{ {body} }}\n'


def write(name: str, text: str) -> Edit:
    """An edit that gives a file a content."""

    def edit(project: Path) -> None:
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)

    return edit


VALUE = "static int value(void) { return VALUE; }"
TWO_FOLDERS = "#cgo CFLAGS: -I${SRCDIR}/first -I${SRCDIR}/second\n"
INCLUDES_A = go_file(f'#include "inc/a.h"\n{VALUE}')

HEADERS: dict[str, tuple[dict[str, str], Edit]] = {
    "a header in a folder": (
        {"main.go": INCLUDES_A, "inc/a.h": "#define VALUE 1\n"}, write("inc/a.h", "#define VALUE 2\n"),
    ),
    "a macro that only Go reads": (
        {"main.go": go_file('#include "inc/a.h"', "println(C.VALUE)"), "inc/a.h": "#define VALUE 1\n"},
        write("inc/a.h", "#define VALUE 2\n"),
    ),
    "a header behind a header": (
        {"main.go": INCLUDES_A, "inc/a.h": '#include "b.h"\n', "inc/b.h": "#define VALUE 1\n"},
        write("inc/b.h", "#define VALUE 2\n"),
    ),
    "a header that begins to include another": (
        {"main.go": INCLUDES_A, "inc/a.h": "#define VALUE 1\n", "inc/b.h": "#define VALUE 2\n"},
        write("inc/a.h", '#include "b.h"\n'),
    ),
    "the C text of a grouped import": (
        {"main.go": f'package main\n\nimport (\n\t// #include "inc/a.h"\n\t// {VALUE}\n\t"C"\n)\n\n'
         "func main() { println(C.value()) }\n", "inc/a.h": "#define VALUE 1\n"},
        write("inc/a.h", "#define VALUE 2\n"),
    ),
    "the second file's C text": (
        {"main.go": go_file("static int one(void) { return 1; }", "println(C.one(), two())"),
         "two.go": 'package main\n\n// #include "inc/a.h"\n// static int second(void) { return VALUE; }\n'
         'import "C"\n\nfunc two() int { return int(C.second()) }\n', "inc/a.h": "#define VALUE 1\n"},
        write("inc/a.h", "#define VALUE 2\n"),
    ),
    "a C file that includes a C file": (
        {"main.go": go_file("int value(void);"), "all.c": '#include "impl/core.c"\n',
         "impl/core.c": "int value(void) { return 1; }\n"},
        write("impl/core.c", "int value(void) { return 2; }\n"),
    ),
    "a header of C++": (
        {"main.go": go_file("int value(void);"),
         "v.cpp": '#include "inc/a.hpp"\nextern "C" int value(void) { return VALUE; }\n',
         "inc/a.hpp": "#define VALUE 1\n"},
        write("inc/a.hpp", "#define VALUE 2\n"),
    ),
    "a header that __has_include asks for": (
        {"main.go": go_file('#if __has_include("opt/a.h")\n#include "opt/a.h"\n#else\n'
                            f"#define VALUE 1\n#endif\n{VALUE}"), "opt/readme": ""},
        write("opt/a.h", "#define VALUE 2\n"),
    ),
    "the folder of such a header": (
        {"main.go": go_file('#if __has_include("opt/deep/a.h")\n#include "opt/deep/a.h"\n#else\n'
                            f"#define VALUE 1\n#endif\n{VALUE}")},
        lambda project: [(project / "opt/deep").mkdir(parents=True),
                         (project / "opt/deep/a.h").write_text("#define VALUE 2\n")],
    ),
    "a header that is asked for by a macro": (
        {"main.go": go_file('#define WANTED "opt/a.h"\n#if __has_include(WANTED)\n#include WANTED\n#else\n'
                            f"#define VALUE 1\n#endif\n{VALUE}"), "opt/readme": ""},
        write("opt/a.h", "#define VALUE 2\n"),
    ),
    "a header earlier on the search path": (
        {"main.go": go_file(f"{TWO_FOLDERS}#include <a.h>\n{VALUE}"),
         "first/readme": "", "second/a.h": "#define VALUE 1\n"},
        write("first/a.h", "#define VALUE 2\n"),
    ),
    "a header in a folder of the path that was not there": (
        {"main.go": go_file(f"{TWO_FOLDERS}#include <a.h>\n{VALUE}"),
         "second/a.h": "#define VALUE 1\n"},
        write("first/a.h", "#define VALUE 2\n"),
    ),
    "a header beside the one that includes it": (
        {"main.go": go_file(f'#cgo CFLAGS: -I${{SRCDIR}}/second\n#include "inc/a.h"\n{VALUE}'),
         "inc/a.h": '#include "b.h"\n', "second/b.h": "#define VALUE 1\n"},
        write("inc/b.h", "#define VALUE 2\n"),
    ),
    "data of .incbin in an assembly file": (
        {"main.go": go_file("extern const char payload[];\nstatic int value(void) { return payload[0]; }"),
         "blob.S": '.section .rodata\n.globl payload\npayload:\n.incbin "load/payload.bin"\n.byte 0\n'
         '.section .note.GNU-stack,"",@progbits\n', "load/payload.bin": "one"},
        write("load/payload.bin", "two"),
    ),
    "data of .incbin in C text": (
        {"main.go": go_file("extern const char payload[];\nint value(void);"),
         "blob.c": 'asm(".section .rodata\\npayload: .incbin \\"load/payload.bin\\"\\n.byte 0\\n.text");\n'
         "extern const char payload[];\nint value(void) { return payload[0]; }\n", "load/payload.bin": "one"},
        write("load/payload.bin", "two"),
    ),
    "a file that assembly includes by the assembler": (
        {"main.go": go_file("extern const char payload[];\nstatic int value(void) { return payload[0]; }"),
         "blob.s": '.include "load/a.inc"\n.section .note.GNU-stack,"",@progbits\n',
         "load/a.inc": '.section .rodata\n.globl payload\npayload: .ascii "one"\n.byte 0\n'},
        write("load/a.inc", '.section .rodata\n.globl payload\npayload: .ascii "two"\n.byte 0\n'),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_what_a_c_compile_reads_is_seen(pair: Pair, name: str) -> None:
    """Whatever the compiler and the assembler read, and where they looked in vain, is looked at again."""
    files, edit = HEADERS[name]
    pair.assert_seen(pair.project(files), edit)


def archive(folder: Path, value: int) -> None:
    """`folder/libanswer.a`, whose `value` returns a number."""
    folder.mkdir(exist_ok=True)
    source, made = folder / "answer.c", folder / "answer.o"
    source.write_text(f"int value(void) {{ return {value}; }}\n")
    subprocess.run(["gcc", "-c", "-o", made, source], check=True)
    (folder / "libanswer.a").unlink(missing_ok=True)
    subprocess.run(["ar", "rcD", folder / "libanswer.a", made], check=True)
    source.unlink()
    made.unlink()


@pytest.mark.parametrize(
    "flags",
    [
        "-L${SRCDIR}/lib -lanswer",
        "${SRCDIR}/lib/libanswer.a",
        "lib/libanswer.a",
        "-L${SRCDIR}/lib -l:libanswer.a",
    ],
)
def test_an_archive_that_is_made_again_is_linked_again(pair: Pair, flags: str) -> None:
    """By whatever flag it is named."""
    project = pair.project({"main.go": go_file(f"#cgo LDFLAGS: {flags}\nint value(void);")})
    archive(project / "lib", 1)
    pair.assert_seen(project, lambda folder: archive(folder / "lib", 2))


def test_an_archive_that_would_be_found_first_is_found(pair: Pair) -> None:
    """A library of the same name that appears earlier on the search path is the one that is linked."""
    flags = "-L${SRCDIR}/first -L${SRCDIR}/lib -lanswer"
    project = pair.project({"main.go": go_file(f"#cgo LDFLAGS: {flags}\nint value(void);")})
    archive(project / "lib", 1)
    pair.assert_seen(project, lambda folder: archive(folder / "first", 2))


def test_argument_files_of_the_linker_are_read_each_time(pair: Pair) -> None:
    """Another flag in a file that CGO_LDFLAGS names is another binary."""
    project = pair.project({"main.go": go_file("static int value(void) { return 1; }")})
    arguments = pair.lab.folder / "arguments"
    pair.variables = {"CGO_LDFLAGS": f"@{arguments}"}
    pair.arguments = ("-ldflags=-buildid= -linkmode=external",)
    arguments.write_text("-Wl,-rpath,/opt/first\n")
    pair.assert_same(project)
    arguments.write_text("-Wl,-rpath,/opt/other\n")
    pair.assert_same(project)


def test_argument_files_of_the_compiler_are_refused(pair: Pair) -> None:
    """As go build does, which runs no command with one."""
    project = pair.project({"main.go": go_file(VALUE)})
    arguments = pair.lab.folder / "arguments"
    arguments.write_text("-DVALUE=1\n")
    variables = {"CGO_CFLAGS": f"@{arguments}"}
    said = f"invalid command-line argument @{arguments} in command: "
    assert said in pair.lab.go_build(project, "-o", os.devnull, env=variables).stderr
    finished = pair.lab.luigigo("build", project, "-o", pair.lab.output_of(project), env=variables)
    assert (finished.returncode, said in finished.stderr) == (1, True)


def test_the_c_linker_runs_in_the_current_folder(pair: Pair) -> None:
    """A relative name in -extldflags is found as by go build, and what it holds is seen."""
    files = {"main.go": go_file("int value(void) { return 1; }"), "exports.map": "{ global: *; };\n"}
    project = pair.project(files)
    script = "-extldflags=-Wl,--version-script=exports.map"
    pair.arguments = (f"-ldflags=-buildid= -linkmode=external {script}",)
    pair.assert_same(project)
    (project / "exports.map").write_text("{ global: *; local: value; };\n")
    pair.assert_same(project)


def test_a_trial_link_runs_in_the_current_folder(pair: Pair) -> None:
    """Whether a package can be linked without a C linker depends on where a relative name leads."""
    part = go_file("#cgo LDFLAGS: part/lib/libanswer.a\nint value(void);")
    main = 'package main\n\nimport "example.com/small/part"\n\nfunc main() { part.Show() }\n'
    part = part.replace("package main", "package part").replace("func main()", "func Show()")
    project = pair.project({"part/part.go": part, "main.go": main})
    archive(project / "part" / "lib", 1)
    pair.assert_same(project)
    pair.variables = {"GO_EXTLINK_ENABLED": "0"}
    flags = ("-o", os.devnull, "example.com/small")
    for folder, words in (
        (project, "relocation target value"),
        (project / "part", "external linking required"),
    ):
        expected = pair.lab.go_build(
            folder, *flags, env={**pair.variables, "GOCACHE": str(pair.fresh_cache())}
        )
        finished = pair.lab.luigigo("build", *flags, env=pair.variables, cwd=folder)
        assert words in expected.stderr and words in finished.stderr
        assert (expected.returncode, finished.returncode) == (1, 1)


@pytest.mark.parametrize("value", ["0", "1"])
@pytest.mark.parametrize("has_c", [False, True])
def test_the_variable_for_external_links_is_obeyed(pair: Pair, value: str, has_c: bool) -> None:
    """GO_EXTLINK_ENABLED decides who links a program, with C in it or without."""
    plain = "package main\n\nfunc main() { println(1) }\n"
    project = pair.project({"main.go": go_file("static int value(void) { return 1; }") if has_c else plain})
    pair.assert_same(project)
    pair.variables = {"GO_EXTLINK_ENABLED": value}
    pair.assert_same(project)


def test_a_compiler_that_is_a_script_reads_its_variables(pair: Pair) -> None:
    """What the user's own variables make of a compile is what is built, and seen when they change."""
    script = pair.lab.folder / "site-cc"
    script.write_text('#!/bin/sh\nexec gcc $SITE_FLAGS "$@"\n')
    script.chmod(0o755)
    project = pair.project({"main.go": go_file(VALUE)})
    pair.variables = {"CC": str(script), "SITE_FLAGS": "-DVALUE=1"}
    before = pair.assert_same(project)
    pair.variables["SITE_FLAGS"] = "-DVALUE=2"
    after = pair.assert_same(project)
    script.write_text('#!/bin/sh\nexec gcc -DVALUE=3 "$@"\n')
    assert len({before, after, pair.assert_same(project)}) == 3


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("SOURCE_DATE_EPOCH", "86400", "1000000000"),
        ("CPATH", "one", "two"),
        ("C_INCLUDE_PATH", "one", "two"),
        ("CGO_CFLAGS", "-DVALUE=1", "-DVALUE=2"),
    ],
)
def test_variables_of_c_compilers_count(pair: Pair, name: str, first: str, second: str) -> None:
    """A variable that the compiler obeys makes another binary where its value is another."""
    text = "static const char *value(void) { return __DATE__; }" if "DATE" in name else VALUE
    include = "#include <site.h>\n" if "PATH" in name else ""
    body = "println(C.GoString(C.value()))" if "DATE" in name else "println(C.value())"
    project = pair.project({"main.go": go_file(include + text, body)})
    for number, folder in enumerate(("one", "two"), start=1):
        place = pair.lab.folder / folder
        place.mkdir()
        (place / "site.h").write_text(f"#define VALUE {number}\n")
    said = set()
    for value in (first, second):
        pair.variables = {name: str(pair.lab.folder / value) if "PATH" in name else value}
        said.add(pair.assert_same(project))
    assert len(said) == 2


def test_the_time_of_a_compile_is_not_kept(pair: Pair) -> None:
    """Text with the date in it is compiled each time; where a variable says the date, it is not."""
    dated = go_file("static const char *value(void) { return __DATE__; }", "println(C.GoString(C.value()))")
    project = pair.project({"main.go": dated, "named.h": "/* not __TIME__ */\n"})
    assert "cgo example.com/small" in pair.lab.build(project).actions()
    assert "cgo example.com/small" in pair.lab.build(project).actions()
    fixed = {"SOURCE_DATE_EPOCH": "86400"}
    pair.lab.build(project, env=fixed)
    assert pair.lab.build(project, env=fixed).outcome == "up-to-date"
    (project / "main.go").write_text(go_file('#include "named.h"\nstatic int value(void) { return 1; }'))
    pair.lab.build(project)
    assert pair.lab.build(project).outcome == "up-to-date"


def test_the_assemblers_include_folders_are_looked_at(pair: Pair) -> None:
    """A header of Go assembly that lies in a folder of -asmflags=-I is seen when it is edited."""
    files = {
        "main.go": "package main\n\nfunc value() int\n\nfunc main() { println(value()) }\n",
        "value_amd64.s": '#include "textflag.h"\n#include "number.h"\n\nTEXT ·value(SB), NOSPLIT, $0-8\n'
        "\tMOVQ $NUMBER, ret+0(FP)\n\tRET\n",
    }
    project = pair.project(files)
    folder = pair.lab.folder / "include"
    folder.mkdir()
    (folder / "number.h").write_text("#define NUMBER 1\n")
    pair.arguments = (f"-asmflags=-I={folder}",)
    pair.assert_seen(project, lambda place: (folder / "number.h").write_text("#define NUMBER 2\n"))


def test_what_did_not_change_is_not_built_again(pair: Pair) -> None:
    """With headers, archives and external links, too, a second build has nothing to do."""
    project = pair.project(
        {"main.go": go_file('#cgo LDFLAGS: -L${SRCDIR}/lib -lanswer\n#include "inc/a.h"\nint value(void);'),
         "inc/a.h": "#define VALUE 1\n"}
    )  # fmt: skip
    archive(project / "lib", 1)
    pair.assert_same(project)
    (project / "inc/a.h").write_text("#define VALUE 1\n\n")
    again = pair.lab.luigigo("build", project, "-o", pair.lab.output_of(project), "--json")
    assert '"outcome":"ran"' not in again.stdout.replace(" ", "")


def test_a_warning_that_changes_no_text_is_told(pair: Pair) -> None:
    """The compiler sees the same as before `#warning` was there, and says it all the same."""
    body = "static int core(void) { return 3; }\n"
    project = pair.project(
        {
            "main.go": go_file("int value(void);"),
            "value.c": '#include "inc/core.c"\nint value(void) { return core(); }\n',
            "inc/core.c": body,
        }
    )
    pair.assert_same(project)
    (project / "inc/core.c").write_text(f"{body}\n#warning careful\n")
    expected = pair.go_build(project)
    assert "#warning careful" in expected.stderr
    built = pair.lab.luigigo("build", project, "-o", pair.lab.output_of(project))
    assert expected.stderr in built.stderr
    pair.assert_same(project)


@pytest.mark.parametrize("name", ["KILL", "TERM"])
def test_a_linker_that_was_ended_decides_nothing(pair: Pair, name: str) -> None:
    """Where cgo's trial link fails the binary is linked by C's linker; one that was ended has not failed."""
    project = pair.project({"main.go": go_file("static int value(void) { return 3; }")})
    tools = pair.lab.folder / "tools"
    tools.mkdir()
    linker = tools / "ld"
    ending = f'case "$*" in *_cgo_.o*) [ ! -e {tools}/ends ] || kill -{name} $$ ;; esac\n'
    linker.write_text(f'#!/bin/sh\n{ending}exec {shutil.which("ld")} "$@"\n')
    linker.chmod(0o755)
    (tools / "ends").touch()
    pair.variables["COMPILER_PATH"] = str(tools)
    output = pair.lab.output_of(project)
    ended = pair.lab.luigigo("build", project, "-o", output, env=pair.variables)
    assert ended.returncode == 1, ended.stderr
    assert "ld terminated with signal" in ended.stderr
    (tools / "ends").unlink()
    pair.assert_same(project)


MAPPED = """package part

// #cgo CFLAGS: -ffile-prefix-map=${SRCDIR}/..=/mine
// static int value(void) { return 3; }
import "C"

func Value() { println(C.value()) }
"""


def test_a_cache_whose_path_begins_with_the_projects(lab: Lab) -> None:
    """What -trimpath and the user's flags rename is not the work folder: go build's lies nowhere near."""
    source = go_file("static int value(void) { return 4; }", "part.Value(); println(C.value())")
    source = source.replace('import "C"', 'import "C"\nimport "example.com/small/part"')
    project = lab.write({"go.mod": MODULE, "main.go": source, "part/part.go": MAPPED}, "small")
    allowed = {"CGO_CFLAGS_ALLOW": ".*"}
    lab.build(project, env={"LUIGIGO_CACHE": str(project / ".cache"), **allowed})
    lab.assert_identical(project, env=allowed)
