"""Why something was built again: the input that changed, by name, and what came of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support import Lab, wait_until

pytestmark = pytest.mark.builds

FILES = {
    "go.mod": "module example.com/why\n\ngo 1.25\n",
    "main.go": 'package main\n\nimport "example.com/why/mid"\n\n'
    'var word = "a"\n\nfunc main() { println(word, mid.N()) }\n',
    "mid/mid.go": 'package mid\n\nimport "example.com/why/low"\n\nfunc N() int { return low.N() }\n',
    "low/low.go": "package low\n\nfunc N() int { return 1 }\n",
    "low/old.go": "package low\n\nvar Old = 1\n",
    "low/text.txt": "one\n",
    "low/embedded.go": 'package low\n\nimport _ "embed"\n\n//go:embed text.txt\nvar Text string\n',
}  # fmt: skip
CGO = {
    "go.mod": "module example.com/why\n\ngo 1.25\n",
    "main.go": 'package main\n\n// #include <why.h>\nimport "C"\n\nfunc main() { println(int(C.answer)) }\n',
}


def explained(lab: Lab, *arguments: object) -> str:
    """What `luigigo explain` prints."""
    done = lab.luigigo("explain", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(project: Path) -> None:
        path = project / name
        path.write_text(path.read_text().replace(old, new))

    return change


LOW, MID, MAIN = "example.com/why/low", "example.com/why/mid", "example.com/why"
CHANGES: dict[str, tuple[Callable[[Path], object], tuple[str, ...], dict[str, str], str, str]] = {
    "a body": (edit("low/low.go", "1 }", "2 }"), (), {}, LOW, r"file low\.go: [0-9a-f]{12} → [0-9a-f]{12}"),
    "a new file": (
        lambda at: (at / "low" / "new.go").write_text("package low\n\nvar New = 1\n"), (), {}, LOW,
        r"file new\.go was added",
    ),
    "a removed file": (lambda at: (at / "low" / "old.go").unlink(), (), {}, LOW, r"file old\.go was removed"),
    "an embedded file": (edit("low/text.txt", "one", "two"), (), {}, LOW, r"file text\.txt: \w{12} → \w{12}"),
    "-tags": (
        lambda at: (at / "low" / "tagged.go").write_text("//go:build odd\n\npackage low\n\nvar Odd = 1\n"),
        ("-tags", "odd"), {}, LOW, r"file tagged\.go was added",
    ),
    "-ldflags": (lambda at: None, ("-ldflags", "-X main.word=b"), {}, MAIN, r"flag -X main\.word=b was"),
    "-gcflags": (lambda at: None, ("-gcflags", f"{LOW}=-N"), {}, LOW, r"flag -N was added"),
    "go.mod's go line": (edit("go.mod", "1.25", "1.26"), (), {}, LOW, r"compile_flags: .*1\.25.* → .*1\.26"),
    "GOEXPERIMENT": (lambda at: None, (), {"GOEXPERIMENT": "fieldtrack"}, LOW, r"variable GOEXPERIMENT"),
    "GOAMD64": (lambda at: None, (), {"GOAMD64": "v3"}, LOW, r"variable GOAMD64: v1 → v3"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_the_input_that_changed_is_named(lab: Lab, name: str) -> None:
    """It is named for the package that has it, with old and new, and the others say because of which."""
    change, flags, variables, package, reason = CHANGES[name]
    project = lab.write(FILES, "why")
    assert lab.luigigo("build", project, "-o", lab.output_of(project)).returncode == 0
    change(project)
    done = lab.luigigo("build", *flags, project, "-o", lab.output_of(project), env=variables)
    assert done.returncode == 0, done.stderr
    whole = explained(lab)
    assert re.search(reason, whole), whole
    assert re.search(reason, explained(lab, package))
    if package == LOW and name not in ("GOAMD64", "GOEXPERIMENT", "go.mod's go line"):
        assert f"because of {LOW}" in explained(lab, MID)
        assert whole.count("    file ") + whole.count("    flag ") == 1
    if name != "-ldflags":
        lab.assert_identical(project, *flags, env=variables)


def test_c_flags_headers_and_compilers_are_named(lab: Lab) -> None:
    """CGO_CFLAGS, a header outside of the package, and another compiler, each for the package with C."""
    project = lab.write(CGO, "why")
    headers = lab.write({"why.h": "enum { answer = 42 };\n"}, "headers")
    other = lab.folder / "bin" / "othercc"
    other.parent.mkdir()
    other.write_text('#!/bin/sh\nexec gcc "$@"\n')
    other.chmod(0o755)
    flags = {"CGO_CFLAGS": f"-I{headers}"}

    def built(**variables: str) -> str:
        env = {**flags, **variables}
        done = lab.luigigo("build", project, "-o", lab.output_of(project), env=env)
        assert done.returncode == 0, done.stderr
        return explained(lab, MAIN)

    built()
    assert "flag -O1 was added" in built(CGO_CFLAGS=f"-I{headers} -O1")
    (headers / "why.h").write_text("enum { answer = 43 };\n")
    assert re.search(r"file main\.go: \w{12} → \w{12}", built(CGO_CFLAGS=f"-I{headers} -O1"))
    assert f"gcc → {other}" in built(CGO_CFLAGS=f"-I{headers} -O1", CC=str(other)).replace('"', "")


def test_another_go_release_is_named(lab: Lab) -> None:
    """Each tool with its release and digest, old and new."""
    second = os.environ.get("LUIGIGO_TEST_GO126")
    if not second:
        assert "CI" not in os.environ, "CI names the second release"
        pytest.skip("LUIGIGO_TEST_GO126 names no second Go release")
    project = lab.write(FILES, "why")
    assert lab.luigigo("build", project, "-o", lab.output_of(project)).returncode == 0
    other = lab.luigigo("build", project, "-o", lab.output_of(project), env={"LUIGIGO_GO": second})
    assert other.returncode == 0, other.stderr
    assert re.search(r"tool compile: go1\.27\S* \w{12} → go1\.26\S* \w{12}", explained(lab, LOW))


def test_hits_cutoffs_and_what_was_collected_are_told(lab: Lab) -> None:
    """A hit says which run made it, a cutoff that nothing changed, and lost content that it was lost."""
    project = lab.write(FILES, "why")
    lab.build(project)
    first = explained(lab)
    assert "it is the first run of this request in the store" in first
    (project / "low" / "low.go").write_text("package low\n\n// Words.\nfunc N() int { return 1 }\n")
    lab.build(project)
    assert "cut off" in explained(lab) and "was a hit: it was made by run" in explained(lab, "runtime")
    for record in (lab.cache / "store" / "actions").glob("*/*"):
        record.unlink()
    (project / "main.go").write_text(FILES["main.go"].replace('"a"', '"b"'))
    lab.build(project)
    whole = explained(lab)
    assert "file main.go" in whole
    assert "no input differs, and its record, or what it had made, was not in the store any more" in whole


def test_another_checkout_is_held_against(lab: Lab) -> None:
    """`--against` any other run says why a colleague's build did not serve."""
    one, two = lab.write(FILES, "why"), lab.write(FILES, "copy/why")
    lab.build(one)
    run = lab.luigigo("runs", "--json").stdout.splitlines()[-1].split('"')[3]
    (two / "low" / "low.go").write_text(FILES["low/low.go"].replace("1 }", "7 }"))
    lab.build(two)
    assert "it is the first run of this request" in explained(lab)
    found = explained(lab, "--against", run)
    assert re.search(r"file low\.go: \w{12} → \w{12}", found)


TWO_BUILDS = """
import luigi
from luigigo import BuildBinary


class Both(luigi.WrapperTask):
    def requires(self):
        return [BuildBinary(project="why", output=f"{tags}.bin", tags=tags) for tags in ("even", "odd")]
"""


def test_each_build_of_a_workflow_is_explained(lab: Lab) -> None:
    """Where one run builds a program twice, what changed for either is named."""
    project = lab.write(FILES, "why")
    for tag in ("even", "odd"):
        (project / "low" / f"{tag}.go").write_text(f"//go:build {tag}\n\npackage low\n\nvar Of = 1\n")
    (lab.folder / "both.py").write_text(TWO_BUILDS)
    paths = {"PYTHONPATH": os.pathsep.join([lab.environment["PYTHONPATH"], str(lab.folder)])}
    words = ("luigi", "--module", "both", "Both", "--local-scheduler")
    for tag in ("", "even", "odd"):
        if tag:
            edit(f"low/{tag}.go", "Of = 1", "Of = 2")(project)
        done = lab.run(*words, env=paths)
        assert done.returncode == 0, done.stderr
        assert not tag or re.search(rf"file {tag}\.go: \w{{12}} → \w{{12}}", explained(lab)), explained(lab)


def test_imports_and_bad_names(lab: Lab) -> None:
    """The chain that brings a package in, what it costs, and the nearest names of one that is not there."""
    project = lab.write(FILES, "why")
    lab.build(project)
    found = explained(lab, "--imports", LOW)
    assert f"{MAIN} → {MID} → {LOW}" in found and "packages that only it needs" in found
    unknown = lab.luigigo("explain", "example.com/why/lo")
    assert unknown.returncode == 2 and LOW in unknown.stderr
    assert lab.luigigo("explain", "--imports").returncode == 2
    assert lab.luigigo("explain", "--run", "x").returncode == 2


def test_a_forecast_of_a_run_and_of_a_plan(lab: Lab) -> None:
    """`predict` says how long a run takes elsewhere; `--plan-only` what would run, and changes nothing."""
    project = lab.write(FILES, "why")
    cold = lab.luigigo("build", "--plan-only", "-o", lab.output_of(project), project)
    assert cold.returncode == 0, cold.stderr
    assert re.search(r"actions: 5 must run, 0 may, 46 are done", cold.stdout)
    assert "range" in cold.stdout and not lab.output_of(project).exists()
    assert not list((lab.cache / "store" / "runs").glob("*/client.jsonl"))
    lab.build(project)
    found = lab.luigigo("predict", "--nodes", "1,2,4", "--speed", f"{LOW}=0.5")
    assert found.returncode == 0, found.stderr
    assert [line.split()[:2] for line in found.stdout.splitlines()[2:5]] == [
        ["1", "2"],
        ["2", "4"],
        ["4", "8"],
    ]
    assert "measured in the run" in found.stdout and "the longest chain" in found.stdout
    (project / "low" / "low.go").write_text(FILES["low/low.go"].replace("1 }", "2 }"))
    edited = lab.luigigo("build", "--plan-only", "-o", lab.output_of(project), project)
    assert re.search(r"1 must run, 3 may, 47 are done", edited.stdout), edited.stdout
    assert f"must run: compile {LOW}" in edited.stdout
    for words in (("--nodes", "none"), ("--speed", "x"), ("--speed", "x=1"), ("--memory", "much")):
        refused = lab.luigigo("predict", *words)
        assert refused.returncode == 2 and words[1] in refused.stderr


def test_what_is_waited_for_now(lab: Lab) -> None:
    """While a build goes on, a package that has not begun says what it waits for, and what that does."""
    slow = "".join(f"func F{n}(x int) int {{ return x*{n} + x%{n + 1} }}\n" for n in range(150_000))
    main = FILES["main.go"].replace('import "', 'import _ "example.com/why/slow"\nimport "')
    project = lab.write({**FILES, "main.go": main, "slow/slow.go": f"package slow\n\n{slow}"}, "why")
    running = lab.start("luigigo", "build", project, "-o", lab.output_of(project))
    runs = lab.cache / "store" / "runs"
    wait_until(lambda: any(b'"now"' in path.read_bytes() for path in runs.glob("*/client.jsonl")))
    found = explained(lab, MAIN)
    assert f"compile {MAIN} was not begun" in found
    assert re.search(r"example\.com/why/slow runs on \S+ for \S+ s now", found), found
    assert "running" in lab.luigigo("runs").stdout
    status = lab.luigigo("status").stdout
    assert re.search(r"run \S+: \d/6 done, \d+ %", status), status
    assert re.search(r"compile example\.com/why/slow runs on \S+ for \S+ s", status)
    (build,) = json.loads(lab.luigigo("status", "--json").stdout)["builds"]
    assert (build["total"], build["failed"], build["waiting"]) == (6, 0, 2), build
    running.kill()
    running.communicate()
    assert "it waited for example.com/why/slow" in explained(lab, MAIN)
    assert lab.luigigo("status", "--follow").stdout == "no build goes on\n"


def test_an_action_can_be_repeated_alone(lab: Lab) -> None:
    """The folder has the inputs and a script; a failed one fails again with the same words."""
    project = lab.write(FILES, "why")
    lab.build(project)
    folder = lab.folder / "repeated"
    made = lab.luigigo("explain", MID, "--script", folder)
    assert made.returncode == 0, made.stderr
    done = subprocess.run(["sh", folder / "run.sh"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "compile" in done.stderr and list(folder.glob("b*/_pkg_.a"))
    assert sorted(path.name for path in (folder / "sources").iterdir()) == ["mid.go"]
    again = lab.luigigo("explain", MID, "--script", folder)
    assert again.returncode == 2 and "is not empty" in again.stderr
    (project / "mid" / "mid.go").write_text(FILES["mid/mid.go"].replace("low.N()", "low.Nothing()"))
    assert lab.luigigo("build", project, "-o", lab.output_of(project)).returncode == 1
    failing = lab.folder / "failing"
    assert lab.luigigo("explain", MID, "--script", failing).returncode == 0
    done = subprocess.run(["sh", failing / "run.sh"], capture_output=True, text=True)
    assert done.returncode != 0 and "undefined: low.Nothing" in done.stdout + done.stderr
    (project / "mid" / "mid.go").write_text(FILES["mid/mid.go"])
    stale = lab.luigigo("explain", MID, "--script", lab.folder / "stale")
    assert stale.returncode == 2 and "is no longer what" in stale.stderr
