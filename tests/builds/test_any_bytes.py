"""Folders, files and values of any bytes are built as go build builds them, and said as they are."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from support import Lab, Result

from luigigo.errors import ExitCode

pytestmark = pytest.mark.builds

ODD = "caf\udce9"
GO_MOD = "module example.com/odd\n\ngo 1.26\n"
MAIN = "package main\n\nvar a, b string\n\nfunc main() { println(a, b) }\n"
BYTES = {"errors": "surrogateescape"}
"""How the tests read what the commands print."""


def _ends_well(finished: Result) -> None:
    assert finished.returncode == 0, ascii(finished.stderr)


def _assert_identical(lab: Lab, project: Path, output: Path, *flags: str, **env: str) -> None:
    """luigigo's output is what go build makes; only then does the file tell anything."""
    expected = lab.folder / "expected"
    made = lab.go_build(project, "-o", expected, *flags, env=env)
    assert made.returncode == 0, ascii(made.stderr)
    assert output.read_bytes() == expected.read_bytes()


@pytest.mark.parametrize(
    "name", [ODD, "\udcff\udcfe", "tab\tbed", 'it\'s "so"', "back\\slash", "a;b", "a=>b", "$x"]
)
def test_a_project_in_a_folder_of_any_name(lab: Lab, name: str) -> None:
    """Also when a project of the same files was built elsewhere before, and again when nothing changed."""
    # go build's own cache does not tell folders apart that -trimpath does not find: these sources are new.
    files = {"go.mod": GO_MOD, "main.go": f"{MAIN}\n// {lab.folder}\n"}
    lab.build(lab.write(files, "plain"))
    project = lab.write(files, f"{name}/project")
    output = lab.folder / f"{name}.bin"
    for _ in range(2):
        finished = lab.luigigo("build", project, "-o", output, **BYTES)
        _ends_well(finished)
        _assert_identical(lab, project, output)
    assert "up to date" in finished.stderr
    assert f"luigigo: {output.name} up to date" in finished.stderr


@pytest.mark.parametrize(
    "files",
    [
        {f"{ODD}.go": "package main\n\nfunc init() { println(1) }\n"},
        {f"{ODD}_amd64.s": "TEXT ·f(SB), 4, $0-0\n\tRET\n", f"{ODD}.h": "",
         "f.go": "package main\n\nfunc f()\n"},
        {f"{ODD}.c": "int f(void) { return 3; }\n",
         "c.go": 'package main\n\n// int f(void);\nimport "C"\n\nfunc init() { println(C.f()) }\n'},
    ],
    ids=["Go", "assembly", "C"],
)  # fmt: skip
def test_source_files_of_any_name(lab: Lab, files: dict[str, str]) -> None:
    """The go command takes them, though what it prints as JSON does not name them."""
    project = lab.write({"go.mod": GO_MOD, "main.go": MAIN, **files})
    lab.build(project)
    lab.assert_identical(project)


def test_a_module_in_a_folder_that_is_no_utf8_may_replace_another(lab: Lab) -> None:
    """Its folder is named in go.mod, and looked at for changes."""
    lab.write({"go.mod": "module example.com/dep\n", "dep.go": "package dep\n\nconst D = 1\n"}, ODD)
    uses = 'package main\n\nimport "example.com/dep"\n\nfunc main() { println(dep.D) }\n'
    project = lab.write({"main.go": uses})
    wanted = f"\nrequire example.com/dep v1.0.0\n\nreplace example.com/dep => ../{ODD}\n"
    (project / "go.mod").write_bytes(os.fsencode(GO_MOD + wanted))
    lab.build(project)
    (lab.folder / ODD / "dep.go").write_text("package dep\n\nconst D = 2\n")
    assert "compile example.com/dep" in lab.build(project).actions()
    lab.assert_identical(project)


VALUES = [
    "-X 'main.a=first\nsecond' -X main.b=",
    "\n-X main.a=1\n-X\tmain.b=2\r\n",
    f"-X main.a={ODD}",
    "",
    "-X main.a=[1]",
]


@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_flags_of_any_value(lab: Lab, value: str) -> None:
    """On either command line, and in GOFLAGS where it has a form for them."""
    project = lab.write({"go.mod": GO_MOD, "main.go": MAIN})
    flags, output = f"-ldflags=-buildid= {value}", lab.folder / "binary"
    _ends_well(lab.luigigo("build", project, "-o", output, flags, **BYTES))
    _assert_identical(lab, project, output, flags)
    output.unlink()
    _ends_well(lab.luigi("--project", project, "--output", output, f"-{flags}", **BYTES))
    _assert_identical(lab, project, output, flags)
    if "'" not in value:
        output.unlink()
        variables = {"GOFLAGS": f"'{flags}' '-tags=a\n{ODD}'"}
        _ends_well(lab.luigigo("build", project, "-o", output, env=variables, **BYTES))
        _assert_identical(lab, project, output, flags, **variables)


def test_tags_are_recorded_as_go_build_records_them(lab: Lab) -> None:
    """Both ways to say several; the one that go build refuses is refused in its words."""
    project = lab.write({"go.mod": GO_MOD, "main.go": MAIN})
    for tags in (f"a,{ODD}", "a\nb", "a b", ",a,,b,"):
        lab.build(project, f"-tags={tags}")
        lab.assert_identical(project, f"-tags={tags}")
    refused = lab.luigigo("build", project, "-tags=a b,c")
    assert refused.returncode == ExitCode.PLAN_FAILED
    assert refused.stderr.endswith(lab.go_build(project, "-tags=a b,c").stderr)


def test_messages_and_events_name_what_they_are_about(lab: Lab) -> None:
    """The terminal gets the bytes that go build prints; an event is JSON that gives the name back."""
    project = lab.write({"go.mod": GO_MOD, "main.go": MAIN, f"{ODD}.go": "package main\n\nvar x = y\n"}, ODD)
    for finished in (
        lab.luigigo("build", project, cwd=project, **BYTES),
        lab.luigi("--project", project, cwd=project, **BYTES),
    ):
        assert finished.returncode == ExitCode.BUILD_FAILED
        assert f"\n./{ODD}.go:3:9: undefined: y\n" in finished.stderr
    (project / f"{ODD}.go").unlink()
    output = lab.folder / f"{ODD}\n.bin"
    for outcome in ("ok", "up-to-date"):
        said = json.loads(lab.luigigo("build", project, "-o", output, "--json").stdout.splitlines()[-1])
        assert (said["outcome"], said["output"]) == (outcome, [str(output)])


def test_what_go_build_refuses_is_refused(lab: Lab) -> None:
    """An embedded file of such a name, and a package in such a folder."""
    embeds = 'package main\n\nimport "embed"\n\n//go:embed *.txt\nvar f embed.FS\n\nfunc main() {}\n'
    project = lab.write({"go.mod": GO_MOD, "main.go": embeds, f"{ODD}.txt": "", f"{ODD}/p.go": "package p\n"})
    for package in (".", f"./{ODD}"):
        refused = lab.luigigo("build", project, package, **BYTES)
        assert refused.returncode == ExitCode.PLAN_FAILED
        assert "invalid" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_caches_and_stores_of_any_name(lab: Lab) -> None:
    """What the store's commands print of it are its bytes."""
    project = lab.write({"go.mod": GO_MOD, "main.go": MAIN})
    cache = {"LUIGIGO_CACHE": str(lab.folder / ODD)}
    lab.build(project, env=cache)
    lab.assert_identical(project)
    stats = lab.luigigo("store", "stats", env=cache, **BYTES)
    assert stats.stdout.splitlines()[0].endswith(f"/{ODD}/store")
