"""What a build does when little or nothing changed: nothing, or exactly what is right."""

from __future__ import annotations

import os
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support import Lab, replace_content

pytestmark = pytest.mark.builds

MODULE = "module example.com/small\n\ngo 1.26\n"
MAIN = """package main

import (
	_ "embed"

	"example.com/small/part"
)

//go:embed texts/one.txt
var one string

func main() { println(one, part.Name) }
"""
FILES = {
    "go.mod": MODULE,
    "main.go": MAIN,
    "texts/one.txt": "one",
    "part/part.go": 'package part\n\nvar Name = "first"\n',
}


@pytest.fixture
def project(lab: Lab) -> Path:
    """A program of two packages with an embedded file, built once."""
    made = lab.write(FILES, "small")
    assert lab.build(made).outcome == "ok"
    return made


def rebuilt(lab: Lab, project: Path, **options: dict[str, str]) -> set[str]:
    """The actions that a build runs, of which go build confirms the binary."""
    built = lab.build(project, **options)
    lab.assert_identical(project, **options)
    return built.actions()


def test_a_second_build_does_nothing(lab: Lab, project: Path) -> None:
    """It says so in every form, and does not start the go command or look at the store."""
    again = lab.build(project, env={"LUIGIGO_GO": ""})
    (event,) = again.events
    assert (event["outcome"], event["output"]) == ("up-to-date", [str(again.output)])
    assert event["counts"]["hit"] > 0
    binary = lab.output_of(project)
    said = lab.luigigo("build", project, "-o", binary)
    assert said.returncode == 0
    assert "up to date" in said.stderr
    by_luigi = lab.luigi("--project", project, "--output", binary)
    assert by_luigi.returncode == 0
    assert "1 complete ones were encountered" in by_luigi.stdout + by_luigi.stderr


def test_a_touched_file_costs_a_look_and_no_action(lab: Lab, project: Path) -> None:
    """Content counts, not times."""
    os.utime(project / "main.go")
    assert rebuilt(lab, project) == set()
    assert lab.build(project).outcome == "up-to-date"


def test_an_edit_taken_back_is_found_in_the_store(lab: Lab, project: Path) -> None:
    """There and back again: the first way compiles, the second does not."""
    part = project / "part" / "part.go"
    before = part.read_text()
    part.write_text(before.replace("first", "other"))
    assert rebuilt(lab, project) == {"compile example.com/small/part", "link example.com/small"}
    part.write_text(before)
    assert rebuilt(lab, project) == set()


def test_a_deleted_output_comes_back(lab: Lab, project: Path) -> None:
    """So does one that is damaged but still an object, under both commands."""
    output = lab.output_of(project)
    output.unlink()
    assert rebuilt(lab, project) == set()
    output.write_bytes(output.read_bytes()[:100])
    assert rebuilt(lab, project) == set()
    output.unlink()
    assert lab.luigi("--project", project, "--output", output).returncode == 0
    lab.assert_identical(project)


def test_an_output_with_another_content_of_the_same_size_is_replaced(lab: Lab, project: Path) -> None:
    """Even where the times are those of the right one."""
    output = lab.output_of(project)
    stat = output.stat()
    content = output.read_bytes()
    replace_content(output, content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(output, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert rebuilt(lab, project) == set()


def test_an_edit_whose_time_is_set_back_is_seen(lab: Lab, project: Path) -> None:
    """As by an editor or a copying tool that preserves times, in a file that is long settled."""
    part = project / "part" / "part.go"
    os.utime(part, (0, 0))
    lab.build(project)
    part.write_text(part.read_text().replace("first", "other"))
    os.utime(part, (0, 0))
    assert "link example.com/small" in rebuilt(lab, project)


def test_edits_at_once_after_a_build_are_seen(lab: Lab, project: Path) -> None:
    """A file that keeps its size, and its time as coarse clocks have it, is still another."""
    part = project / "part" / "part.go"
    for word in ("third", "forth", "fifth"):
        part.write_text(part.read_text().replace(part.read_text().split('"')[1], word))
        stat = part.stat()
        assert "link example.com/small" in rebuilt(lab, project)
        replaced = part.read_text().replace(word, word.upper())
        with part.open("r+") as file:
            file.write(replaced)
        os.utime(part, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert "link example.com/small" in rebuilt(lab, project)


Change = Callable[[Path], object]


def _write(name: str, text: str) -> Change:
    def change(project: Path) -> None:
        path = project / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    return change


CHANGES: dict[str, tuple[Change, bool]] = {
    "a new file in a package": (
        _write("part/more.go", 'package part\n\nfunc init() { Name += "!" }\n'),
        True,
    ),
    "a new file for another system": (_write("part/more_windows.go", "package part\n"), False),
    "a new test file": (_write("part/part_test.go", "package part\n"), False),
    "a file removed and its content elsewhere": (
        lambda project: (project / "part" / "part.go").rename(project / "part" / "renamed.go"),
        True,
    ),
    "another embedded content": (_write("texts/one.txt", "two"), True),
    "another language version": (_write("go.mod", MODULE.replace("1.26", "1.25")), True),
    "a debug setting": (_write("go.mod", MODULE + "\ngodebug panicnil=1\n"), True),
    "a go.work in the folder": (_write("go.work", "go 1.26\n\nuse .\n"), False),
    "a nested module": (
        _write("part/go.mod", "module example.com/small/part\n\ngo 1.26\n"),
        None,  # type: ignore[dict-item]
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_the_binary_is_seen(lab: Lab, project: Path, name: str) -> None:
    """Whatever go build looks at counts, and what it does not look at compiles nothing."""
    change, compiles = CHANGES[name]
    change(project)
    if compiles is None:
        finished = lab.luigigo("build", project, "-o", lab.output_of(project), cwd=project)
        expected = lab.go_build(project, "-o", lab.folder / "expected")
        assert finished.returncode == 5
        assert finished.stderr.strip() == expected.stderr.strip()
        return
    assert bool(rebuilt(lab, project)) is compiles


def test_a_new_file_that_a_pattern_embeds_is_seen(lab: Lab, project: Path) -> None:
    """Globs and folders are looked at again, on every level."""
    text = MAIN.replace("texts/one.txt\nvar one string", "texts\nvar one embed.FS").replace("_ ", "")
    (project / "main.go").write_text(text.replace("one, ", "&one, "))
    (project / "texts" / "deep").mkdir()
    (project / "texts" / "deep" / "file.txt").write_text("")
    assert rebuilt(lab, project)
    for name in ("texts/two.txt", "texts/deep/three.txt", "texts/newer/four.txt"):
        _write(name, "more")(project)
        assert rebuilt(lab, project) == {"compile example.com/small", "link example.com/small"}


ENVIRONMENTS = {
    "CGO_ENABLED": {"CGO_ENABLED": "0"},
    "GOFLAGS": {"GOFLAGS": "-ldflags=-s"},
    "GOFLAGS tags": {"GOFLAGS": "-tags=fancy"},
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_another_environment_is_another_build(lab: Lab, project: Path, name: str) -> None:
    """And the first one is still up to date, once its output is back."""
    env = ENVIRONMENTS[name]
    if name == "GOFLAGS":
        built = lab.build(project, env=env)
        assert built.actions() == {"link example.com/small"}
    else:
        assert rebuilt(lab, project, env=env)
    assert rebuilt(lab, project) == set()


def test_another_processor_level_is_another_build(lab: Lab) -> None:
    """Of a program that needs next to nothing, for everything below it is compiled again."""
    project = lab.write({"go.mod": MODULE, "main.go": "package main\n\nfunc main() {}\n"}, "least")
    assert rebuilt(lab, project)
    assert rebuilt(lab, project, env={"GOAMD64": "v3"})
    assert rebuilt(lab, project, env={"GOAMD64": "v3"}) == rebuilt(lab, project) == set()


EMBEDDING = {
    "go.mod": MODULE,
    "main.go": """package main

import "embed"

//go:embed files b*
var files embed.FS

func main() {
	for _, name := range []string{"files/later/new", "files/small.bin", "b2", "b/deep/new"} {
		text, err := files.ReadFile(name)
		println(name, string(text), err == nil)
	}
}
""",
    "files/one.txt": "one",
    "b1": "b1",
}


@pytest.fixture
def embedding(lab: Lab) -> Path:
    """A program that embeds a folder with an empty one in it, and what a pattern matches; built once."""
    made = lab.write(EMBEDDING, "small")
    (made / "files" / "later").mkdir()
    lab.build(made)
    assert lab.build(made).outcome == "up-to-date"
    return made


EMBEDDED: dict[str, Change] = {
    "the first file in an empty folder": _write("files/later/new", "text"),
    "a file that is called like the program": _write("files/small.bin", "text"),
    "a new match": _write("b2", "text"),
    "a new folder that matches": lambda project: (
        (project / "b" / "deep").mkdir(parents=True),
        _write("b/deep/new", "text")(project),
    ),
    "a file that becomes a folder": lambda project: (
        (project / "files" / "one.txt").unlink(),
        _write("files/one.txt/inside", "text")(project),
    ),
    "a folder that becomes a link": lambda project: (
        _write("files/later/new", "text")(project),
        (project / "files" / "later").rename(project / "elsewhere"),
        (project / "files" / "later").symlink_to("../elsewhere"),
        _write("files/more", "text")(project),
    ),
}


@pytest.mark.parametrize("name", EMBEDDED)
def test_whatever_a_pattern_would_take_is_seen(lab: Lab, embedding: Path, name: str) -> None:
    """On every level, in empty folders, and whatever it is called."""
    EMBEDDED[name](embedding)
    assert rebuilt(lab, embedding) == {"compile example.com/small", "link example.com/small"}


def test_a_program_in_its_own_folder_is_left_out_and_nothing_else(lab: Lab, project: Path) -> None:
    """The binary that a build puts into the package's folder makes the next one no work."""
    arguments = ("build", ".", "-o", "small")
    for text in ("first", "other"):
        _write("part/part.go", f'package part\n\nvar Name = "{text}"\n')(project)
        assert lab.luigigo(*arguments, cwd=project).returncode == 0
        assert "up to date" in lab.luigigo(*arguments, cwd=project).stderr
    _write("small.go", "package main\n\nfunc init() { println(1) }\n")(project)
    assert "up to date" not in lab.luigigo(*arguments, cwd=project).stderr
    assert lab.go_build(project, "-o", lab.folder / "expected").returncode == 0
    assert (project / "small").read_bytes() == (lab.folder / "expected").read_bytes()


def test_a_file_that_a_constraint_kept_out_may_enter(lab: Lab, project: Path) -> None:
    """Also where it changes in place, in a package that had nothing else to build."""
    _write("part/more.go", '//go:build ignore\n\npackage part\n\nfunc init() { Name += "!" }\n')(project)
    assert rebuilt(lab, project) == set()
    write_in_place(project / "part" / "more.go", 'package part\n\nfunc init() { Name += "!" }\n'.ljust(64))
    assert "compile example.com/small/part" in rebuilt(lab, project)


def test_a_debug_setting_that_a_constraint_kept_out_counts(lab: Lab) -> None:
    """A file of nothing but a setting changes no package, and the binary all the same."""
    setting = "//go:debug panicnil=1\npackage main\n"
    main = "package main\n\nfunc main() { panic(nil) }\n"
    files = {"go.mod": MODULE, "main.go": main, "setting.go": "//go:build ignore\n\n" + setting}
    project = lab.write(files, "small")
    lab.build(project)
    assert lab.build(project).outcome == "up-to-date"
    _write("setting.go", setting)(project)
    assert "link example.com/small" in rebuilt(lab, project)
    _write("setting.go", "//go:build ignore\n\n" + setting)(project)
    assert rebuilt(lab, project) == set()


def test_a_package_that_a_pattern_would_match_is_seen(lab: Lab) -> None:
    """Whether its folder is new, or a file in it was kept out by a constraint."""
    program = "package main\n\nfunc main() {}\n"
    ignored = "//go:build ignore\n\n" + program
    project = lab.write({"go.mod": MODULE, "a/main.go": program, "b/main.go": ignored}, "small")
    place = lab.folder / "programs"

    def names(pattern: str) -> set[str]:
        finished = lab.luigigo("build", project, pattern, "-o", f"{place}/")
        assert finished.returncode == 0, finished.stderr
        return {path.name for path in place.iterdir()}

    for pattern in ("./...", "example.com/small/..."):
        (project / "b" / "main.go").write_text(ignored)
        assert {"a"} <= names(pattern) <= {"a", "b", "c"}
        (project / "b" / "main.go").write_text(program)
        assert {"a", "b"} <= names(pattern)
        shutil.rmtree(place)
        lab.write({"c/main.go": program}, "small")
        assert names(pattern) == {"a", "b", "c"}
        shutil.rmtree(project / "c")
        shutil.rmtree(place)


def refused_by_both(lab: Lab, project: Path, *arguments: str) -> str:
    """What go build says, and luigigo too, of what neither builds."""
    finished = lab.luigigo("build", project, *arguments, "-o", lab.output_of(project), cwd=project)
    expected = lab.go_build(project, "-o", lab.folder / "expected", *arguments)
    assert (finished.returncode, expected.returncode) == (5, 1)
    assert finished.stderr.strip() == expected.stderr.strip()
    return finished.stderr


def test_a_module_file_between_is_seen(lab: Lab) -> None:
    """A go.mod between a package and the root of its module cuts the package off."""
    main = 'package main\n\nimport "example.com/small/sub/lib"\n\nfunc main() { println(lib.Name) }\n'
    lib = 'package lib\n\nvar Name = "lib"\n'
    project = lab.write({"go.mod": MODULE, "main.go": main, "sub/lib/lib.go": lib}, "small")
    lab.build(project)
    assert lab.build(project).outcome == "up-to-date"
    _write("sub/go.mod", "module example.com/elsewhere\n\ngo 1.26\n")(project)
    refused_by_both(lab, project)
    (project / "sub" / "go.mod").unlink()
    assert rebuilt(lab, project) == set()


def test_a_vendor_folder_that_appears_is_seen(lab: Lab) -> None:
    """Even an empty one decides where go build looks for modules."""
    module = MODULE + "\nrequire example.com/dep v1.0.0\n\nreplace example.com/dep => ../dep\n"
    lab.write({"go.mod": "module example.com/dep\n\ngo 1.26\n", "dep.go": "package dep\n"}, "dep")
    main = 'package main\n\nimport _ "example.com/dep"\n\nfunc main() {}\n'
    project = lab.write({"go.mod": module, "cmd/main.go": main}, "small")
    lab.build(project, "./cmd")
    assert lab.build(project, "./cmd").outcome == "up-to-date"
    (project / "vendor").mkdir()
    assert "inconsistent vendoring" in refused_by_both(lab, project, "./cmd")


WORKSPACE = {
    "go.work": "go 1.26\n\nuse (\n\t./small\n\t./other\n)\n",
    "small/go.mod": MODULE,
    "small/main.go": "package main\n\nfunc main() {}\n",
    "other/go.mod": "module example.com/other\n\ngo 1.26\n",
    "other/other.go": "package other\n",
}


def test_a_member_of_the_workspace_counts_without_a_package(lab: Lab) -> None:
    """Its go.mod takes part in choosing versions, and what it replaces is replaced for all."""
    project = lab.write(WORKSPACE, "work") / "small"
    lab.build(project)
    lab.assert_identical(project)
    assert lab.build(project).outcome == "up-to-date"
    (project.parent / "other" / "go.mod").write_text("module example.com/other\n\ngo 99.1\n")
    refused_by_both(lab, project)


def old_module(name: str, *required: str) -> str:
    """A go.mod from before module graphs were pruned: what a dependency requires is looked up in it."""
    lines = [f"require example.com/{other} v1.0.0" for other in required]
    return "\n".join([f"module example.com/{name}", "go 1.16", *lines, ""])


def test_a_replacement_by_folder_counts_without_a_package(lab: Lab) -> None:
    """A module that gives no package, but brings in one that does."""
    replaced = ("dep", "mid", "lib")
    for name, required in zip(replaced, ("mid", "lib", None), strict=True):
        lab.write({"go.mod": old_module(name, *([required] if required else []))}, name)
    lab.write({"dep.go": 'package dep\n\nimport _ "example.com/lib"\n'}, "dep")
    lab.write({"lib.go": "package lib\n"}, "lib")
    replaces = "".join(f"replace example.com/{name} => ../{name}\n" for name in replaced)
    main = 'package main\n\nimport _ "example.com/dep"\n\nfunc main() {}\n'
    project = lab.write({"go.mod": old_module("small", "dep") + replaces, "main.go": main}, "small")
    lab.build(project)
    assert lab.build(project).outcome == "up-to-date"
    (lab.folder / "mid" / "go.mod").write_text(old_module("mid"))
    assert "replaced but not required" in refused_by_both(lab, project)


def test_a_second_home_of_a_package_is_seen(lab: Lab) -> None:
    """Go files in the other folder where an import could be make it ambiguous."""
    module = MODULE + "\nrequire example.com/small/dep v1.0.0\n\nreplace example.com/small/dep => ../dep\n"
    dep = {"go.mod": "module example.com/small/dep\n\ngo 1.26\n", "dep.go": "package dep\n"}
    lab.write(dep, "dep")
    main = 'package main\n\nimport _ "example.com/small/dep"\n\nfunc main() {}\n'
    project = lab.write({"go.mod": module, "main.go": main}, "small")
    lab.build(project)
    assert lab.build(project).outcome == "up-to-date"
    _write("dep/dep.go", "package dep\n")(project)
    assert "ambiguous import" in refused_by_both(lab, project)


def test_an_edited_file_of_the_module_cache_is_seen(lab: Lab) -> None:
    """go build compiles what lies there, and so does luigigo, whatever go.sum says."""
    proxy = lab.folder / "proxy" / "example.com" / "dep" / "@v"
    proxy.mkdir(parents=True)
    module = "module example.com/dep\n\ngo 1.26\n"
    (proxy / "v1.0.0.info").write_text('{"Version":"v1.0.0"}')
    (proxy / "v1.0.0.mod").write_text(module)
    (proxy / "list").write_text("v1.0.0\n")
    with zipfile.ZipFile(proxy / "v1.0.0.zip", "w") as archive:
        archive.writestr("example.com/dep@v1.0.0/go.mod", module)
        archive.writestr("example.com/dep@v1.0.0/dep.go", 'package dep\n\nvar Name = "first"\n')
    env = {
        "GOPROXY": f"file://{lab.folder}/proxy",
        "GONOSUMDB": "*",
        "GOMODCACHE": str(lab.folder / "modcache"),
        "GOFLAGS": "-modcacherw -mod=mod",
    }
    main = 'package main\n\nimport "example.com/dep"\n\nfunc main() { println(dep.Name) }\n'
    project = lab.write({"go.mod": MODULE + "\nrequire example.com/dep v1.0.0\n", "main.go": main}, "small")
    lab.build(project, env=env)
    lab.build(project, env=env)
    assert lab.build(project, env=env).outcome == "up-to-date"
    write_in_place(
        lab.folder / "modcache" / "example.com" / "dep@v1.0.0" / "dep.go",
        'package dep\n\nvar Name = "other"\n',
    )
    assert "compile example.com/dep" in rebuilt(lab, project, env=env)


def write_in_place(path: Path, text: str) -> None:
    """Another content of the same inode under the same modification time."""
    before = path.stat()
    with path.open("r+") as file:
        file.truncate()
        file.write(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_pinned_times_hide_nothing(lab: Lab) -> None:
    """Another import of the same length under the same time, where go's own index takes it for the same."""
    main = 'package main\n\nimport "example.com/small/aaa"\n\nfunc main() { println(aaa.Name) }\n'
    parts = {f"{name}/part.go": f'package {name}\n\nvar Name = "{name}"\n' for name in ("aaa", "bbb")}
    project = lab.write({"go.mod": MODULE, "main.go": main, **parts}, "small")

    def pin() -> None:
        for path in (project, *project.rglob("*")):
            os.utime(path, (1_000_000_000, 1_000_000_000))

    pin()
    lab.build(project)
    assert lab.build(project).outcome == "up-to-date"
    write_in_place(project / "main.go", main.replace("aaa", "bbb"))
    assert rebuilt(lab, project, env={"GODEBUG": "goindex=0"}) >= {"compile example.com/small/bbb"}
    _write("bbb/more.go", 'package bbb\n\nfunc init() { Name = "more" }\n')(project)
    pin()
    assert "compile example.com/small/bbb" in rebuilt(lab, project, env={"GODEBUG": "goindex=0"})


def test_an_edit_while_the_plan_is_made_is_not_missed(lab: Lab, project: Path) -> None:
    """What changes after the go command looked is looked at again by the next build."""
    go = lab.folder / "go"
    part = project / "part" / "more.go"
    go.write_text(
        "#!/bin/sh\n"
        f'"{lab.go.path}" "$@"; code=$?\n'
        f'[ "$1" = list ] && printf "package part\\n\\nfunc init() {{ Name = \\"more\\" }}\\n" > "{part}"\n'
        "exit $code\n"
    )
    go.chmod(0o755)
    env = {"LUIGIGO_GO": str(go), "GOROOT": lab.go.goroot or ""}
    lab.build(project, env=env)
    assert "compile example.com/small/part" in lab.build(project, env=env).actions()
    lab.assert_identical(project)


def test_the_c_compiler_counts_where_there_is_c(lab: Lab) -> None:
    """A CC that is a script links each time, and compiles the C again when it is changed in place."""
    preamble = '// int answer(void) { return 42; }\nimport "C"'
    source = f"package main\n\n{preamble}\n\nfunc main() {{ println(C.answer()) }}\n"
    project = lab.write({"go.mod": MODULE, "main.go": source}, "small")
    compiler = lab.folder / "cc"
    compiler.write_text('#!/bin/sh\nexec gcc "$@"\n')
    compiler.chmod(0o755)
    env = {"CC": str(compiler)}
    lab.build(project, env=env)
    lab.assert_identical(project, env=env)
    assert lab.build(project, env=env).actions() == {"link example.com/small"}
    compiler.write_text('#!/bin/sh\nexec gcc -O1 "$@"\n')
    assert "cgo example.com/small" in lab.build(project, env=env).actions()


def test_a_second_build_with_c_does_nothing(lab: Lab) -> None:
    """Also where a system's header names files that are not headers: /etc, with /etc/hosts, is busy."""
    source = 'package main\n\nimport "net"\n\nfunc main() { println(net.ParseIP("::1").String()) }\n'
    project = lab.write({"go.mod": MODULE, "main.go": source}, "small")
    lab.build(project)
    lab.assert_identical(project)
    assert lab.build(project).outcome == "up-to-date"


def test_another_toolchain_is_another_build(lab: Lab, project: Path) -> None:
    """A copy of the toolchain elsewhere shares every action; one with another compiler shares none."""
    copied = lab.folder / "toolchain"
    assert lab.go.path
    goroot = Path(lab.go.path).parents[1]
    copied.mkdir()
    for entry in goroot.iterdir():
        (copied / entry.name).symlink_to(entry)
    built = lab.build(project, env={"LUIGIGO_GO": str(copied / "bin" / "go")})
    assert built.actions() == set()


def test_a_workspace_that_appears_above_is_seen(lab: Lab) -> None:
    """A go.work in a parent folder replaces a dependency; removed, the first binary returns."""
    main = 'package main\n\nimport "example.com/dep"\n\nfunc main() { println(dep.Name) }\n'
    module = MODULE + "\nrequire example.com/dep v1.0.0\n\nreplace example.com/dep => ../dep\n"
    project = lab.write({"go.mod": module, "main.go": main}, "above/small")
    for folder in ("dep", "other"):
        source = f'package dep\n\nvar Name = "{folder}"\n'
        lab.write({"go.mod": "module example.com/dep\n\ngo 1.26\n", "dep.go": source}, f"above/{folder}")
    lab.build(project)
    lab.assert_identical(project)
    work = lab.folder / "above" / "go.work"
    work.write_text("go 1.26\n\nuse (\n\t./small\n)\n\nreplace example.com/dep => ./other\n")
    assert "compile example.com/dep" in rebuilt(lab, project)
    work.unlink()
    assert rebuilt(lab, project) == set()


def test_two_checkouts_share_every_action(lab: Lab, project: Path) -> None:
    """Where the sources lie is in no key: the second checkout runs nothing."""
    other = lab.write(FILES, "elsewhere/deeper/small")
    assert rebuilt(lab, other) == set()
    assert lab.build(other).outcome == "up-to-date"


def test_nothing_to_do_takes_little_time(lab: Lab, project: Path) -> None:
    """Less than go build takes for it, with room for a busy machine."""
    lab.build(project)
    seconds = []
    for _ in range(5):
        started = time.monotonic()
        assert lab.build(project).outcome == "up-to-date"
        seconds.append(time.monotonic() - started)
    assert min(seconds) < 1.0


def test_a_compiler_that_comes_first_on_the_path_counts(lab: Lab, tmp_path: Path) -> None:
    """PATH is the same as before, but another gcc would be found in it now."""
    earlier = tmp_path / "bin"
    earlier.mkdir()
    env = {"PATH": f"{earlier}{os.pathsep}{os.environ['PATH']}"}
    project = lab.program("cgo")
    assert lab.build(project, env=env).outcome == "ok"
    assert lab.build(project, env=env).outcome == "up-to-date"
    compiler = earlier / "gcc"
    compiler.write_text('#!/bin/sh\nPATH=${PATH#*:}\nexec gcc "$@"\n')
    compiler.chmod(0o755)
    assert lab.build(project, env=env).outcome == "ok"
