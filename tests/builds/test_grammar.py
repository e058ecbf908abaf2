"""What is typed for `go build` means the same to `luigigo build`: the same programs in the same places."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from support import IDENTICAL, Lab, Result

pytestmark = pytest.mark.builds


def program(text: str, imported: str = "") -> str:
    """A main package."""
    line = f'import "{imported}"\n\n' if imported else ""
    value = f"{imported.rpartition('/')[2]}.Name" if imported else f'"{text}"'
    return f"package main\n\n{line}func main() {{ println({value}) }}\n"


APP = "example.com/app"
FILES = {
    "app/go.mod": f"module {APP}\n\ngo 1.26\n",
    "app/main.go": program("root", f"{APP}/lib"),
    "app/lib/lib.go": 'package lib\n\nconst Name = "lib"\n',
    "app/cmd/a/main.go": program("a", f"{APP}/internal/deep"),
    "app/cmd/b/main.go": program("b"),
    "app/cmd/b/more.go": "package main\n\nfunc init() { println(1) }\n",
    "app/internal/deep/deep.go": 'package deep\n\nconst Name = "deep"\n',
    "app/tested/only_test.go": "package tested\n",
    "app/nested/go.mod": "module example.com/nested\n\ngo 1.26\n",
    "app/nested/main.go": program("nested"),
    "other/go.mod": "module example.com/other\n\ngo 1.26\n",
    "other/main.go": program("other"),
    "wrong/go.mod": "module example.com/wrong\n\ngo 1.26\n",
    "wrong/main.go": "package main\n\nfunc main() { missing() }\n",
}

FORMS = [
    ("app", ()),
    ("app", (".",)),
    ("app", ("./...",)),
    ("app", ("./cmd/a", "./cmd/b")),
    ("app", ("-o", "bin/", "./cmd/...")),
    ("app", ("-o=bin/", "./...")),
    ("app", ("-o=zz",)),
    ("app", ("--o", "zz", "main.go")),
    ("app", ("main.go",)),
    ("app", ("cmd/b/main.go", "cmd/b/more.go")),
    ("app", (f"{APP}/cmd/a",)),
    ("app", (f"{APP}/...",)),
    ("app", ("-p=2", "-v=false", "-race=false", "-o", "x", "./cmd/a")),
    ("app", ("-tags=a,b", "-ldflags=-s -buildid=", "-o", "x", "./cmd/a")),
    ("app", ("-C", "cmd/a", "-o", "x")),
    ("app", ("-C=cmd", "./b")),
    ("app", ("unsafe",)),
    ("app", ("fmt", "unsafe")),
    ("app", ("-o", "x", ".", "unsafe")),
    ("app", ("cmd/a",)),
    ("app", ("./tested",)),
    ("app", ("./nowhere",)),
    ("app", ("./cmd/a", "main.go")),
    ("app", ("example.com/elsewhere",)),
    ("app", ("-o", "x", "./cmd/...")),
    ("app", ("-buildmode=exe", "-o", "bin/", "./cmd/a", "./cmd/b")),
    ("app", ("-buildmode=exe", "-o", os.devnull, "./...")),
    ("app", ("-buildmode=exe", "-o", "x", "./cmd/a")),
    ("app", ("-buildmode=exe", "./...")),
    ("app/cmd", ("./...",)),
    ("app/cmd", ("-o", "../bin/", "./a", "./b")),
    ("app/cmd/a", ()),
    ("app/cmd/a", ("../..",)),
    ("app/internal", ("./deep",)),
    ("app/nested", ()),
    ("wrong", ()),
    (".", ("./app",)),
]


def both(lab: Lab) -> tuple[Path, Path]:
    """The files twice: for go build, and for luigigo."""
    return lab.write(FILES, "go"), lab.write(FILES, "luigigo")


def made(root: Path) -> dict[str, bytes]:
    """What was added to the files."""
    found = [path for path in root.rglob("*") if path.is_file() or path.is_symlink()]
    names = {path.relative_to(root).as_posix(): path for path in found}
    return {name: path.read_bytes() for name, path in names.items() if name not in FILES}


def words(said: str, root: Path) -> list[str]:
    """What a command said, without what luigigo says for itself, and wherever the files are."""
    lines = said.replace(str(root), "ROOT").splitlines()
    return [line for line in lines if line and not line.startswith("luigigo: ")]


def go(lab: Lab, folder: Path, arguments: tuple[str, ...]) -> Result:
    """What the user types, with the flags whose binary luigigo promises."""
    count = 2 if arguments[:1] == ("-C",) else int(arguments[:1] == ("-C=cmd",))
    first, rest = arguments[:count], arguments[count:]
    has_own = any(argument.startswith("-ldflags") for argument in rest)
    own = [flag for flag in IDENTICAL if not (has_own and flag.startswith("-ldflags"))]
    argv = [lab.go.path, "build", *first, *own, *rest]
    env = lab.go.plain_environment(lab.environment)
    return subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True)


@pytest.mark.parametrize(("folder", "arguments"), FORMS, ids=lambda value: str(value))
def test_it_means_the_same(lab: Lab, folder: str, arguments: tuple[str, ...]) -> None:
    """From the module's folder, below it, above it: the same ending, the same files, the same words."""
    for_go, for_luigigo = both(lab)
    expected = go(lab, for_go / folder, arguments)
    built = lab.luigigo("build", *arguments, cwd=for_luigigo / folder)
    assert (built.returncode == 0) == (expected.returncode == 0), built.stderr
    assert made(for_luigigo) == made(for_go)
    if folder != ".":
        assert words(built.stderr, for_luigigo) == words(expected.stderr, for_go)


@pytest.mark.parametrize(
    ("here", "arguments", "place"),
    [
        ("app", ("nested", "-o", "x"), "app/nested"),
        ("app", ("../other", "-o=x"), "other"),
        (".", ("app", "./cmd/a", "-o", "x"), "app/cmd/a"),
    ],
)
def test_a_folder_of_another_module_is_a_project(
    lab: Lab, here: str, arguments: tuple[str, ...], place: str
) -> None:
    """Which go build does from that folder alone."""
    for_go, for_luigigo = both(lab)
    assert go(lab, for_go / place, ("-o", "x")).returncode == 0
    built = lab.luigigo("build", *arguments, cwd=for_luigigo / here)
    assert built.returncode == 0, built.stderr
    assert (for_luigigo / here / "x").read_bytes() == (for_go / place / "x").read_bytes()


def test_a_member_of_the_workspace_is_built_by_its_folder(lab: Lab) -> None:
    """As go build does, from the other member."""
    for root in (trees := both(lab)):
        (root / "go.work").write_text("go 1.26\n\nuse (\n\t./app\n\t./other\n)\n")
    for_go, for_luigigo = trees
    arguments = ("-o", "x", "../other")
    assert go(lab, for_go / "app", arguments).returncode == 0
    assert lab.luigigo("build", *arguments, cwd=for_luigigo / "app").returncode == 0
    assert made(for_luigigo) == made(for_go)


def test_luigis_command_means_the_same(lab: Lab) -> None:
    """Without a project it builds in the current folder."""
    for_go, for_luigigo = both(lab)
    assert go(lab, for_go / "app", ("-o", "bin/", "./...")).returncode == 0
    by_luigi = lab.luigi("--package", "./...", "--output", "bin/", cwd=for_luigigo / "app")
    assert by_luigi.returncode == 0, by_luigi.stderr
    assert made(for_luigigo) == made(for_go)


def test_a_builds_everything_again(lab: Lab) -> None:
    """Each time, whatever the store has; the binary is the same, and the next build has nothing to do."""
    _, root = both(lab)
    build = ("build", "-o", "x", "./cmd/a")
    assert lab.luigigo(*build, cwd=root / "app").returncode == 0
    binary = (root / "app" / "x").read_bytes()
    assert "up to date" in lab.luigigo(*build, cwd=root / "app").stderr
    for _ in range(2):
        again = lab.luigigo("build", "-a", "-json", "-o", "x", "./cmd/a", cwd=root / "app")
        assert again.returncode == 0, again.stderr
        assert '"ran"' in again.stdout and '"outcome": "hit"' not in again.stdout
    assert (root / "app" / "x").read_bytes() == binary
    assert "up to date" in lab.luigigo(*build, cwd=root / "app").stderr


def test_n_prints_and_does_nothing(lab: Lab) -> None:
    """What would run is printed, dependencies first; no file and no record comes of it."""
    _, root = both(lab)
    shown = lab.luigigo("build", "-n", "-o", "x", "./cmd/a", cwd=root / "app")
    assert shown.returncode == 0, shown.stderr
    lines = shown.stderr.splitlines()
    assert lines.index(f"# {APP}/internal/deep") < lines.index(f"# {APP}/cmd/a")
    assert any("/compile -o " in line and line.endswith("deep.go") for line in lines)
    assert any("/link -o " in line for line in lines)
    assert made(root) == {}
    built = lab.luigigo("build", "-o", "x", "./cmd/a", "--json", cwd=root / "app")
    assert f'"package":"{APP}/internal/deep"' in built.stdout.replace(" ", "")
    assert "/compile" not in lab.luigigo("build", "-n", "-o", "x", "./cmd/a", cwd=root / "app").stderr


def test_work_keeps_the_folder_of_the_tools(lab: Lab) -> None:
    """It is named first, and what the tools were given is in it."""
    _, root = both(lab)
    temporary = lab.folder / "temporary"
    temporary.mkdir()
    env = {"TMPDIR": str(temporary)}
    built = lab.luigigo("build", "-work", "-o", "x", "./cmd/a", cwd=root / "app", env=env)
    assert built.returncode == 0, built.stderr
    place = next(line for line in built.stderr.splitlines() if line.startswith("WORK=")).removeprefix("WORK=")
    assert os.path.dirname(place) == str(temporary)
    assert list(Path(place).rglob("importcfg.link"))
    shutil.rmtree(place)


def test_modcacherw_leaves_folders_writable(lab: Lab) -> None:
    """Those that a download makes."""
    from test_identity import publish

    proxy = lab.folder / "proxy"
    publish(proxy, "example.org/lib", {"go.mod": "module example.org/lib\n", "lib.go": "package lib\n"})
    project = lab.write(
        {
            "go.mod": "module example.com/p\n\ngo 1.26\n\nrequire example.org/lib v1.0.0\n",
            "main.go": 'package main\n\nimport _ "example.org/lib"\n\nfunc main() {}\n',
        }
    )
    modules = lab.folder / "modules"
    env = {"GOPROXY": proxy.as_uri(), "GONOSUMDB": "*", "GOMODCACHE": str(modules), "GOFLAGS": "-mod=mod"}
    built = lab.luigigo("build", "-modcacherw", "-o", "x", cwd=project, env=env)
    assert built.returncode == 0, built.stderr
    assert (modules / "example.org" / "lib@v1.0.0").stat().st_mode & 0o200
