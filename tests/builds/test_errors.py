"""What the user reads when a build cannot succeed: the go command's words, once, and no traceback."""

from __future__ import annotations

import os
import re
import uuid

import pytest
from support import PROGRAMS, Lab, Result

from luigigo.errors import ExitCode

pytestmark = pytest.mark.builds

FAILING = {
    "compileerror": (".", ExitCode.BUILD_FAILED),
    "cerror": (".", ExitCode.BUILD_FAILED),
    "nomain": (".", ExitCode.BUILD_FAILED),
    "directives": (".", ExitCode.BUILD_FAILED),
    "cycle": (".", ExitCode.PLAN_FAILED),
    "badinternal": (".", ExitCode.PLAN_FAILED),
    "missingmodule": (".", ExitCode.PLAN_FAILED),
    "nogofiles": (".", ExitCode.PLAN_FAILED),
    "nogofiles ./excluded": ("./excluded", ExitCode.PLAN_FAILED),
    "toonew": (".", ExitCode.PLAN_FAILED),
}


def go_words(text: str) -> list[str]:
    """A go command's message in blocks, one for each package, in an order that does not vary."""
    return sorted(re.split(r"(?m)^(?=# )", text.strip("\n") + "\n"))


def without_ours(finished: Result) -> str:
    """What a command said, without what luigigo and Luigi say for themselves."""
    lines = (finished.stdout + finished.stderr).splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(("luigigo: ", "INFO: ", "DEBUG: ")))
    return re.sub(r"(?ms)^\n?===== Luigi Execution Summary =====.*^===== .*?\n", "", text)


def assert_says_what_go_says(finished: Result, code: ExitCode, expected: Result) -> None:
    assert expected.returncode == 1
    assert finished.returncode == code, finished.stderr
    assert go_words(without_ours(finished)) == go_words(expected.stderr)
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("name", FAILING)
def test_both_commands_say_what_go_build_says(lab: Lab, name: str) -> None:
    """Each prints go build's message as go build prints it in that folder, once."""
    package, code = FAILING[name]
    project = PROGRAMS / name.split()[0]
    output = lab.folder / "out" / "binary"
    expected = lab.go_build(project, "-o", output, package)
    ours = lab.luigigo("build", package, "-o", output, cwd=project)
    assert_says_what_go_says(ours, code, expected)
    by_luigi = lab.luigi("--project", project, "--package", package, "--output", output, cwd=project)
    assert_says_what_go_says(by_luigi, code, expected)
    assert not output.parent.exists()


def test_a_removed_debug_setting_is_refused_as_go_refuses_it(lab: Lab) -> None:
    """The settings that count are those of the installed release, with its word for what it removed."""
    project = PROGRAMS / "removeddebug"
    expected = lab.go_build(project, "-o", lab.folder / "binary")
    finished = lab.luigigo("build", project, "-o", lab.folder / "binary", cwd=project)
    assert_says_what_go_says(finished, ExitCode.BUILD_FAILED, expected)


DEBUG_LINES = {
    "no value": "//go:debug panicnil",
    "nothing": "//go:debug",
    "a space in the value": "//go:debug panicnil=1 2",
    "a comma in the value": "//go:debug panicnil=1,2",
    "an unfit default": "//go:debug default=1.21",
    "a default too new": "//go:debug default=go1.99",
    "twice": "//go:debug panicnil=1\n//go:debug panicnil=1",
    "below a block comment": "/* //go:debug a=b */ //go:debug nosuch=1",
    "no blank": "//go:debugger=1",
    "good": "//go:debug default=go1.21\n//go:debug panicnil=1",
}


@pytest.mark.parametrize("name", DEBUG_LINES)
def test_debug_lines_are_checked_as_go_checks_them(lab: Lab, name: str) -> None:
    """Whatever is wrong with a line, the message and its place are go build's."""
    source = f"{DEBUG_LINES[name]}\n\npackage main\n\n//go:debug below=ignored\n\nfunc main() {{}}\n"
    project = lab.write({"go.mod": "module example.com/debug\n\ngo 1.26\n", "sub/main.go": source})
    expected = lab.go_build(project, "-o", lab.folder / "expected", "./sub")
    finished = lab.luigigo("build", "./sub", "-o", lab.folder / "binary", cwd=project)
    assert go_words(without_ours(finished)) == go_words(expected.stderr)
    assert finished.returncode == expected.returncode


def test_packages_that_do_not_depend_on_a_failed_one_are_compiled(lab: Lab) -> None:
    """One run shows the faults of all packages, and the next one does not compile the good ones again."""
    project = lab.program("compileerror")
    arguments = ("build", project, "-o", lab.folder / "binary", "--json")
    finished = lab.luigigo(*arguments)
    assert '"package": "example.com/compileerror/good", "outcome": "ran"' in finished.stdout
    assert '"outcome": "failed"' in finished.stdout.splitlines()[-1]
    again = lab.luigigo(*arguments)
    assert "compileerror/good" not in again.stdout
    assert go_words(again.stderr) == go_words(finished.stderr)


WARNS = """package main

/*
static int twice(int n) { int UNUSED; return 2 * n; }
#cgo CFLAGS: -Wall
*/
import "C"

func main() { println(C.twice(21)) }
"""


def test_a_warning_of_a_tool_that_succeeds_appears_once_and_again_from_the_cache(lab: Lab) -> None:
    """A build that compiles nothing any more still shows what gcc had to say; go build shows it once."""
    unused = f"unused_{uuid.uuid4().hex}"
    source = WARNS.replace("UNUSED", unused)
    project = lab.write({"go.mod": "module example.com/warns\n\ngo 1.26\n", "main.go": source})
    expected = lab.go_build(project, "-o", lab.folder / "expected").stderr
    assert unused in expected
    for output in ("first", "second"):
        finished = lab.luigigo("build", project, "-o", lab.folder / output, cwd=project)
        assert finished.returncode == 0, finished.stderr
        assert go_words(without_ours(finished)) == go_words(expected)


def test_the_compilers_own_remarks_are_replayed(lab: Lab) -> None:
    """`-gcflags=-m` prints under every command and at every build, also of another output."""
    project = lab.program("tags")
    expected = lab.go_build(project, "-o", lab.folder / "expected", "-gcflags=-m")
    assert expected.stderr
    flags = ("-gcflags=-m", "-o")
    first = lab.luigigo("build", project, *flags, lab.folder / "first", cwd=project)
    second = lab.luigigo("build", project, *flags, lab.folder / "second", cwd=project)
    third = lab.luigi("--project", project, "--gcflags=-m", "--output", lab.folder / "third", cwd=project)
    for finished in (first, second, third):
        assert finished.returncode == 0, finished.stderr
        assert go_words(without_ours(finished)) == go_words(expected.stderr)


WITH_C = 'package main\n\n// int value(void);\nimport "C"\n\nfunc main() { println(C.value()) }\n'


@pytest.mark.parametrize("compiler", ["no-such-compiler", "/no/such/compiler"])
def test_a_c_compiler_that_is_not_there_is_named(lab: Lab, compiler: str) -> None:
    """In the words of the cgo tool, and what to do follows."""
    project = lab.write({"go.mod": "module example.com/c\n\ngo 1.26\n", "main.go": WITH_C})
    lab.environment["CC"] = compiler
    finished = lab.luigigo("build", project, "-o", lab.folder / "binary", cwd=project)
    assert_says_what_go_says(finished, ExitCode.NO_TOOLCHAIN, lab.go_build(project, "-o", "/dev/null"))
    assert "set CC" in finished.stderr


def test_a_failed_c_link_is_told_as_by_go_build(lab: Lab) -> None:
    """The linker's words, with the names that go build gives to the files of a link."""
    project = lab.write({"go.mod": "module example.com/c\n\ngo 1.26\n", "main.go": WITH_C})
    finished = lab.luigigo("build", project, "-o", lab.folder / "binary", cwd=project)
    expected = lab.go_build(project, "-o", "/dev/null")
    assert (finished.returncode, expected.returncode) == (ExitCode.BUILD_FAILED, 1)
    assert "undefined reference to `value'" in expected.stderr

    def plain(text: str) -> str:
        return re.sub(r"_cgo_[0-9a-f]+_", "_cgo_", re.sub(r"\S*/go-link-\d+", "LINK", text.strip("\n")))

    assert plain(without_ours(finished)) == plain(expected.stderr)


def test_every_c_file_tells_its_errors(lab: Lab) -> None:
    """The first one that does not compile keeps no other from being compiled."""
    project = lab.write(
        {
            "go.mod": "module example.com/c\n\ngo 1.26\n",
            "main.go": WITH_C,
            "a.c": "int a(void) { return x; }\n",
            "b.c": "#warning b\nint b(void) { return y; }\n",
            "c.c": "#warning c\n",
        }
    )
    finished = lab.luigigo("build", project, "-o", lab.folder / "binary", cwd=project)
    assert_says_what_go_says(finished, ExitCode.BUILD_FAILED, lab.go_build(project, "-o", "/dev/null"))


def test_c_is_not_spoken_of_after_an_import_failed(lab: Lab) -> None:
    """go build does not come to such a package; here its C was compiled already, now or earlier."""
    broken = 'package c\n\nimport _ "example.com/c/part"\n\n// #error broken\nimport "C"\n'
    warned = 'package w\n\nimport _ "example.com/c/above"\n\n// #warning warned\nimport "C"\n'
    imports = "".join(f'import _ "example.com/c/{each}"\n' for each in ("broken", "warned"))
    project = lab.write(
        {
            "go.mod": "module example.com/c\n\ngo 1.26\n",
            "main.go": f"package main\n\n{imports}\nfunc main() {{}}\n",
            "part/part.go": "package part\n",
            "above/above.go": 'package above\n\nimport _ "example.com/c/part"\n',
            "broken/c.go": broken,
            "warned/w.go": warned,
        }
    )

    def assert_same(words: str) -> None:
        finished = lab.luigigo("build", project, "-o", lab.folder / "binary", cwd=project)
        fresh = {"GOCACHE": str(lab.folder / "gocache" / words)}
        expected = lab.go_build(project, "-o", "/dev/null", env=fresh)
        assert words in expected.stderr
        assert_says_what_go_says(finished, ExitCode.BUILD_FAILED, expected)

    assert_same("#warning warned")
    (project / "part" / "part.go").write_text("package part\n\nvar Value int = true\n")
    assert_same("cannot use true")


def test_a_package_that_is_left_with_tests_is_named(lab: Lab) -> None:
    """The go command lists it, and says when it is to compile it that there is nothing."""
    project = lab.write(
        {
            "go.mod": "module example.com/t\n\ngo 1.26\n",
            "main.go": 'package main\n\nimport _ "example.com/t/part"\n\nfunc main() {}\n',
            "part/part_test.go": "package part\n",
        }
    )
    finished = lab.luigigo("build", project, "-o", lab.folder / "binary", cwd=project)
    assert_says_what_go_says(finished, ExitCode.BUILD_FAILED, lab.go_build(project, "-o", "/dev/null"))


def test_every_package_that_is_refused_is_named(lab: Lab) -> None:
    """As go build names them all, where listing packages would end with the first."""
    project = lab.write(
        {
            "go.mod": "module example.com/m\n\ngo 1.26\n",
            "main.go": 'package main\n\nimport _ "example.com/m/gone"\nimport _ "example.com/m/two"\n\n'
            "func main() {}\n",
            "two/a.go": "package a\n",
            "two/b.go": "package b\n",
        }
    )
    finished = lab.luigigo("build", project, "-o", lab.folder / "binary", cwd=project)
    expected = lab.go_build(project, "-o", "/dev/null")
    assert len(expected.stderr.splitlines()) > 1
    assert_says_what_go_says(finished, ExitCode.PLAN_FAILED, expected)


def test_go_assembly_beside_cgo_is_told_as_by_go_build(lab: Lab) -> None:
    """Such a file is for no assembler, and which package has it stands before."""
    project = lab.write(
        {
            "go.mod": "module example.com/c\n\ngo 1.26\n",
            "main.go": 'package main\n\nimport "C"\n\nfunc main() {}\n',
            "a_amd64.s": "TEXT ·f(SB), 4, $0\n\tRET\n",
        }
    )
    finished = lab.luigigo("build", project, "-o", lab.folder / "binary", cwd=project)
    assert_says_what_go_says(finished, ExitCode.BUILD_FAILED, lab.go_build(project, "-o", "/dev/null"))


def test_a_profile_that_is_a_folder_is_refused_by_what_reads_it(lab: Lab) -> None:
    """A folder called default.pgo is taken for a profile, as by go build."""
    project = lab.write(
        {"go.mod": "module example.com/p\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() {}\n"}
    )
    (project / "default.pgo").mkdir()
    finished = lab.luigigo("build", project, "-o", lab.folder / "binary", cwd=project)
    assert_says_what_go_says(finished, ExitCode.BUILD_FAILED, lab.go_build(project, "-o", "/dev/null"))


def test_a_folder_whose_go_files_are_passed_over_holds_no_package(lab: Lab) -> None:
    """What the go command's index of packages makes of such a folder is what luigigo says."""
    project = lab.write(
        {
            "go.mod": "module example.com/u\n\ngo 1.26\n",
            "main.go": 'package main\n\nimport _ "example.com/u/part"\n\nfunc main() {}\n',
            "part/_part.go": "package part\n",
        }
    )
    finished = lab.luigigo("build", project, "-o", lab.folder / "binary", cwd=project)
    assert_says_what_go_says(finished, ExitCode.PLAN_FAILED, lab.go_build(project, "-o", "/dev/null"))


def test_a_download_that_fails_is_told_once(lab: Lab) -> None:
    """The version is known and its files are not there: go's line about the download, then its error."""
    proxy = lab.folder / "proxy" / "example.com" / "dep" / "@v"
    proxy.mkdir(parents=True)
    (proxy / "v1.0.0.info").write_text('{"Version":"v1.0.0"}')
    (proxy / "v1.0.0.mod").write_text("module example.com/dep\n\ngo 1.26\n")
    module = "module example.com/p\n\ngo 1.26\n\nrequire example.com/dep v1.0.0\n"
    main = 'package main\n\nimport _ "example.com/dep"\n\nfunc main() {}\n'
    project = lab.write({"go.mod": module, "main.go": main})
    env = {
        "GOPROXY": f"file://{lab.folder}/proxy",
        "GONOSUMDB": "*",
        "GOMODCACHE": str(lab.folder / "modcache"),
        "GOFLAGS": "-modcacherw -mod=mod",
    }
    expected = lab.go_build(project, "-o", "/dev/null", env=env)
    assert "downloading example.com/dep v1.0.0" in expected.stderr
    finished = lab.luigigo("build", project, "-o", lab.folder / "binary", env=env, cwd=project)
    assert_says_what_go_says(finished, ExitCode.PLAN_FAILED, expected)


def test_a_package_of_tests_and_excluded_files_has_gos_words(lab: Lab) -> None:
    """Constraints are what go names where they keep files out."""
    excluded = "//go:build ignore\n\npackage main\n"
    files = {
        "go.mod": "module example.com/p\n\ngo 1.26\n",
        "main.go": excluded,
        "main_test.go": "package main\n",
    }
    project = lab.write(files)
    finished = lab.luigigo("build", project, "-o", lab.folder / "binary")
    assert_says_what_go_says(finished, ExitCode.BUILD_FAILED, lab.go_build(project, "-o", "/dev/null"))


def test_an_empty_file_that_its_name_keeps_out_is_refused_as_go_refuses_it(lab: Lab) -> None:
    """By its index, which reads it, where that is in use: some seconds after the file was written."""
    files = {
        "go.mod": "module example.com/p\n\ngo 1.26\n",
        "main.go": "package main\n\nfunc main() {}\n",
        "main_windows.go": "",
    }
    project = lab.write(files)
    for path in project.iterdir():
        os.utime(path, (1_000_000_000, 1_000_000_000))
    finished = lab.luigigo("build", project, "-o", lab.folder / "binary", cwd=project)
    assert_says_what_go_says(finished, ExitCode.PLAN_FAILED, lab.go_build(project, "-o", "/dev/null"))
    (project / "main_windows.go").write_text("package main\n")
    assert lab.luigigo("build", project, "-o", lab.folder / "binary").returncode == 0
