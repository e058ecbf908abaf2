"""luigigo beside `go build` on the same cores: cold, unchanged, and after an edit.

    python benchmarks/builds.py cold:hello noop:gopls edit-body:gopls edit-api:gopls --pairs 5

Every pair runs both from the same state; binaries are compared at the end of each contest.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from pairs import HEADER, Contest, Run, contest, run

from luigigo.golang.toolchain import find_go
from luigigo.machine import usable_cpus

HERE = Path(__file__).resolve().parent
IDENTITY_FLAGS = ["-trimpath", "-buildvcs=false", "-ldflags=-buildid="]


@dataclass(frozen=True)
class Program:
    """Something to build."""

    dir: str
    packages: tuple[str, ...] = (".",)
    several: bool = False


def programs(goroot: str) -> dict[str, Program]:
    """The programs of the benchmarks, by name."""
    pinned = HERE / "programs"
    return {
        "hello": Program(str(HERE.parent / "workflows" / "hello")),
        "gopls": Program(str(pinned / "gopls"), ("golang.org/x/tools/gopls",)),
        "golangci-lint": Program(
            str(pinned / "golangci-lint"), ("github.com/golangci/golangci-lint/v2/cmd/golangci-lint",)
        ),
        "nats-server": Program(str(pinned / "nats-server"), ("github.com/nats-io/nats-server/v2",)),
        "caddy": Program(str(pinned / "caddy"), ("github.com/caddyserver/caddy/v2/cmd/caddy",)),
        "cmd/go": Program(os.path.join(goroot, "src", "cmd"), ("cmd/go",)),
        "sqlite": Program(str(pinned / "sqlite")),
        "redis": Program(str(pinned / "redis")),
        "telegram": Program(str(pinned / "telegram")),
        "several": Program(str(pinned / "several"), ("./cmd/...",), several=True),
    }


NO_VARIABLES: Mapping[str, str] = {}


class Bench:
    """Runs contests in a scratch folder."""

    def __init__(self, scratch: str, pairs: int, go: str) -> None:
        self.scratch, self.pairs, self.go = scratch, pairs, find_go(go, os.environ)
        self.env = self.go.plain_environment(os.environ)
        if go:
            self.env["LUIGIGO_GO"] = go
        # As on a user's machine, Python keeps what it compiled.
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)
        goroot = subprocess.run(
            [self.go.path, "env", "GOROOT"], env=self.env, capture_output=True, text=True, check=True
        ).stdout.strip()
        self.programs = programs(goroot)
        self.luigigo = os.path.join(os.path.dirname(sys.executable), "luigigo")
        self.luigi = os.path.join(os.path.dirname(sys.executable), "luigi")
        self.cpus = usable_cpus()

    def go_build(self, program: Program, cache: str, output: str, flags: list[str] | None = None) -> Run:
        env = {**self.env, "GOCACHE": cache}
        argv = [self.go.path, "build", "-p", str(self.cpus), *(IDENTITY_FLAGS if flags is None else flags)]
        return run([*argv, "-o", output, *program.packages], program.dir, env)

    def luigigo_build(
        self, program: Program, caches: str, output: str, variables: Mapping[str, str] = NO_VARIABLES
    ) -> Run:
        """`caches` holds both luigigo's cache and the go command's, which `go list` uses."""
        env = {**self.env, "GOCACHE": caches + "/go", "LUIGIGO_CACHE": caches + "/luigigo", **variables}
        argv = [self.luigigo, "build", "-o", output, *program.packages]
        return run(argv, program.dir, env)

    def luigi_build(self, program: Program, caches: str, output: str) -> Run:
        env = {**self.env, "GOCACHE": caches + "/go", "LUIGIGO_CACHE": caches + "/luigigo"}
        argv = [self.luigi, "--module", "luigigo", "BuildBinary", "--project", program.dir]
        return run([*argv, "--package", " ".join(program.packages), "--output", output], program.dir, env)

    def fresh(self, name: str) -> str:
        path = os.path.join(self.scratch, name)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path

    def output(self, program: Program, name: str) -> str:
        path = os.path.join(self.scratch, name)
        if program.several:
            os.makedirs(path, exist_ok=True)
            return path + "/"
        return path

    def cold(self, name: str) -> Contest:
        """Both caches empty; the module cache is full."""
        program = self.programs[name]
        ours, theirs = self.output(program, "ours"), self.output(program, "theirs")
        result = contest(
            f"cold, {name}",
            self.pairs,
            lambda: self.luigigo_build(program, self.fresh("a"), ours),
            lambda: self.go_build(program, self.fresh("b"), theirs),
        )
        require_same(ours, theirs)
        return result

    def record(self, name: str) -> Contest:
        """The same with and without a record of the run: what recording costs."""
        program = self.programs[name]
        settings = Path(self.scratch) / "unrecorded.cfg"
        settings.write_text("[luigigo]\nrecord=false\n")
        without = {"LUIGI_CONFIG_PATH": str(settings)}
        ours, theirs = self.output(program, "ours"), self.output(program, "theirs")
        result = contest(
            f"cold, {name}, recorded, beside record=false",
            self.pairs,
            lambda: self.luigigo_build(program, self.fresh("a"), ours),
            lambda: self.luigigo_build(program, self.fresh("b"), theirs, without),
        )
        require_same(ours, theirs)
        return result

    def noop(self, name: str, with_luigi: bool = False) -> Contest:
        """Nothing changed and the binary is in place; go build with its own default flags."""
        program = self.programs[name]
        ours, theirs = self.output(program, "ours"), self.output(program, "theirs")
        a, b = self.fresh("a"), self.fresh("b")
        build = self.luigi_build if with_luigi else self.luigigo_build
        build(program, a, ours)
        self.go_build(program, b, theirs, [])
        command = "luigi" if with_luigi else "luigigo build"
        return contest(
            f"nothing changed, {name}, `{command}`",
            max(self.pairs, 20),
            lambda: build(program, a, ours),
            lambda: self.go_build(program, b, theirs, []),
        )

    def edit(self, kind: str) -> Contest:
        """gopls with its own copy of golang.org/x/tools, one file of which is edited before each build."""
        program, inspector = editable_gopls(self.go.path, self.env, self.fresh("src"))
        text = inspector.read_text()
        numbers = itertools.count(1_000_001)
        ours, theirs = self.output(program, "ours"), self.output(program, "theirs")
        a, b = self.fresh("a"), self.fresh("b")
        self.luigigo_build(program, a, ours)
        self.go_build(program, b, theirs)
        state = {"edits": 0, "text": text}

        def edited(build: Callable[[], Run]) -> Run:
            # Both builds of a pair see the same edit: it changes before the first of them.
            if state["edits"] % 2 == 0:
                state["text"] = EDITS[kind](text, next(numbers))
                inspector.write_text(str(state["text"]))
            state["edits"] = int(state["edits"]) + 1
            return build()

        result = contest(
            f"{kind}, gopls",
            self.pairs,
            lambda: edited(lambda: self.luigigo_build(program, a, ours)),
            lambda: edited(lambda: self.go_build(program, b, theirs)),
        )
        require_same(ours, theirs)
        return result


def _edit_body(text: str, number: int) -> str:
    """A statement more, on the same line, in a function that is not inlined."""
    line = "\tmask := maskOf(types)\n"
    return text.replace(line, f"\tmask := maskOf(types); if len(types) == {number} {{ println(types) }}\n")


def _edit_api(text: str, number: int) -> str:
    """A new exported function above the others, which moves them down as well."""
    line = "// New returns an Inspector"
    assert line in text
    function = f"// Edit{number} is new.\nfunc Edit{number}() int {{ return {number} }}\n\n"
    return text.replace(line, function + line, 1)


EDITS: dict[str, Callable[[str, int], str]] = {"edit-body": _edit_body, "edit-api": _edit_api}


def editable_gopls(go: str, env: dict[str, str], folder: str) -> tuple[Program, Path]:
    """A copy of the gopls program whose golang.org/x/tools can be edited, and the file to edit."""
    project = Path(folder) / "gopls"
    shutil.copytree(HERE / "programs" / "gopls", project)

    def go_command(*arguments: str) -> str:
        argv = [go, *arguments]
        done = subprocess.run(argv, cwd=project, env=env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    go_command("mod", "download", "golang.org/x/tools")
    cached = go_command("list", "-m", "-f", "{{.Dir}}", "golang.org/x/tools")
    tools = Path(folder) / "tools"
    shutil.copytree(cached, tools)
    for path in [tools, *tools.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)
    go_command("mod", "edit", f"-replace=golang.org/x/tools={tools}")
    return Program(str(project), ("golang.org/x/tools/gopls",)), tools / "go/ast/inspector/inspector.go"


def require_same(ours: str, theirs: str) -> None:
    """Raise `SystemExit` unless both made the same bytes."""
    names = sorted(os.listdir(theirs)) if os.path.isdir(theirs) else [""]
    for name in names:
        a, b = os.path.join(ours, name).rstrip("/"), os.path.join(theirs, name).rstrip("/")
        if _digest(a) != _digest(b):
            raise SystemExit(f"{a} and {b} differ")


def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def main() -> None:
    """Run the contests that the command line names and print a table."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    kinds = "cold:NAME, record:NAME, noop:NAME, luigi-noop:NAME, edit-body, edit-api"
    parser.add_argument("contests", nargs="+", help=kinds)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--go", default="", help="the go command; by default the one luigigo finds")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="luigigo-bench-") as scratch:
        bench = Bench(scratch, options.pairs, options.go)
        for wanted in options.contests:
            kind, _, name = wanted.partition(":")
            if kind in EDITS:
                rows.append(bench.edit(kind).row())
            elif kind in ("cold", "record"):
                rows.append(getattr(bench, kind)(name).row())
            else:
                rows.append(bench.noop(name, with_luigi=kind == "luigi-noop").row())
            print(rows[-1], flush=True)
    print(HEADER, *rows, sep="\n")


if __name__ == "__main__":
    main()
