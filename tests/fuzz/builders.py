"""Run the two builders on a tree: `go build` from scratch, and luigigo with its kept plan and store.

Only the standard library is warm for them, and it comes from builds of a program that no world contains.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from .piece import Blobs
from .tree import File, State

LONGEST_BUILD_SECONDS = 120.0
CRASHED = 4
"""Exit code with which luigigo ends on a bug of its own."""
HUNG = -1000
"""Exit code of a build that did not end."""
_KEPT_VARIABLES = ("PATH", "LANG", "TMPDIR", "USER")

SEED_FILES = {
    "go.mod": "module example.com/standard\n\ngo 1.26\n",
    "main.go": 'package main\n\nimport (\n\t_ "embed"\n\t_ "errors"\n\t_ "io/fs"\n\t_ "unicode/utf8"\n)\n\n'
    "func main() {}\n",
    "c.go": 'package main\n\nimport "C"\n',
}


class Outcome(msgspec.Struct, frozen=True):
    """How a build ended."""

    exit_code: int
    said: str
    """What it printed on both streams, with its own output's path as OUTPUT."""
    digest: str
    """Of the file at the output's place afterwards; empty without one."""


class Places(msgspec.Struct, frozen=True):
    """Where things are: the go command, luigigo's code, and a folder for this process."""

    go: str
    luigigo: str
    folder: Path


def plain_environment(folder: Path) -> dict[str, str]:
    """An environment without settings for Go, Luigi or C, and without the network."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | {
        "HOME": str(home), "GOENV": "off", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOTELEMETRY": "off",
        "GOPATH": str(folder / "gopath"), "GOFLAGS": "", "LC_ALL": "C", "TERM": "dumb",
        "PYTHONFAULTHANDLER": "1",
    }  # fmt: skip


def environment(base: Mapping[str, str], state: State, root: Path) -> dict[str, str]:
    """The variables of a build, with the root's path filled in."""
    own = {name: value.replace("{root}", str(root)) for name, value in state.variables.items()}
    return {**base, **own}


def identical_flags(state: State) -> list[str]:
    """The flags with which `go build` makes what luigigo promises."""
    said = [*state.flags, state.variables.get("GOFLAGS", "")]
    buildid = [] if any("-ldflags" in flag for flag in said) else ["-ldflags=-buildid="]
    return ["-trimpath", "-buildvcs=false", *buildid, *state.flags]


def variant(state: State) -> str:
    """What the compiled standard library depends on; equal for states that share it."""
    named = ("-mod", "-tags", "-ldflags", "-asmflags", "-gcflags=example.com")
    flags = [flag for flag in state.flags if not flag.startswith(named)]
    names = (
        "CC",
        "CXX",
        "CGO_",
        "CPATH",
        "C_INCLUDE_PATH",
        "GOAMD64",
        "GOEXPERIMENT",
        "SITE_CC",
        "SOURCE_DATE",
    )
    variables = sorted(item for item in state.variables.items() if item[0].startswith(names))
    guide = state.tree.get(f"{state.project}/default.pgo")
    content = guide.content if isinstance(guide, File) and "-pgo=off" not in flags else b""
    return hashlib.sha256(msgspec.json.encode([flags, variables, content])).hexdigest()


class Standard:
    """Makes the standard library warm for each variant once, by building a program of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done: set[str] = set()

    def prepare(self, state: State, root: Path, build: Callable[[State, Path], None]) -> bool:
        """Run `build` for the seed program with a state's settings, once for each variant. Whether it ran."""
        name = variant(state)
        if name in self._done:
            return False
        self._done.add(name)
        project = self._folder / "standard"
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir(parents=True)
        for file, text in SEED_FILES.items():
            (project / file).write_text(text)
        guide = state.tree.get(f"{state.project}/default.pgo")
        if isinstance(guide, File):
            (project / "default.pgo").write_bytes(guide.content)
        left_out = ("-mod", "-tags")
        flags = tuple(flag for flag in state.flags if not flag.startswith(left_out))
        left = {"GOFLAGS", "GOWORK", "GO111MODULE"}
        variables = {name: value.replace("{root}", str(root)) for name, value in state.variables.items()}
        variables = {name: value for name, value in variables.items() if name not in left} | {"GOWORK": "off"}
        build(State({}, ".", flags, variables), project)
        return True


class Reference:
    """`go build` with a cache that holds the standard library only."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._folder = places.folder / "reference"
        self._standard = Standard(self._folder)
        self._base = plain_environment(self._folder)
        self._warm = self._folder / "gocache"

    def prepare(self, state: State, root: Path) -> None:
        """Compile the standard library for a state's settings."""
        self._standard.prepare(state, root, lambda seed, project: self._seed(seed, project))

    def build(self, state: State, root: Path) -> Outcome:
        """Build from scratch into a folder of its own, where what is at the output's place was copied to."""
        self.prepare(state, root)
        cache, output = self._folder / "scratch", self._folder / "out" / Path(state.output).name
        self._clear(cache)
        if self._warm.exists():
            shutil.copytree(self._warm, cache, copy_function=os.link)
        shutil.rmtree(output.parent, ignore_errors=True)
        output.parent.mkdir(parents=True)
        if (root / state.output).is_file():
            shutil.copy2(root / state.output, output)
        env = environment(self._base, state, root) | {"GOCACHE": str(cache)}
        argv = [self._places.go, "build", *identical_flags(state), "-o", str(output), "."]
        return run(argv, root / state.project, env, output, str(output))

    def _seed(self, state: State, project: Path) -> None:
        env = environment(self._base, state, project) | {"GOCACHE": str(self._warm)}
        argv = [self._places.go, "build", *identical_flags(state), "-o", str(project / "out"), "."]
        run(argv, project, env, project / "out", "")

    def _clear(self, cache: Path) -> None:
        shutil.rmtree(cache, ignore_errors=True)


class Luigigo:
    """luigigo with a cache folder that is kept between the builds of one world."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._folder = places.folder / "luigigo"
        self._standard = Standard(self._folder)
        self._base = plain_environment(self._folder) | {"PYTHONPATH": places.luigigo}
        self._warm = self._folder / "warm"
        self._cache = self._folder / "cache"
        self.arguments: tuple[str, ...] = ()
        self.variables: dict[str, str] = {}

    def begin(self, state: State, root: Path) -> None:
        """Start a world: with the standard library and nothing else."""
        self._cache = root / state.cache if state.cache else self._folder / "cache"
        shutil.rmtree(self._cache, ignore_errors=True)
        self._share()

    def prepare(self, state: State, root: Path) -> None:
        """Have the standard library for a state's settings."""
        if self._standard.prepare(state, root, self._seed):
            self._share()

    def build(self, state: State, root: Path) -> Outcome:
        """Build into the state's output."""
        process, place = self.start(state, root)
        return finish(process, root / state.output, place)

    def start(self, state: State, root: Path) -> tuple[subprocess.Popen[bytes], str]:
        """Start a build and leave it running; gives how -o names the output."""
        output = root / state.output
        if not state.output_is_relative:
            output.parent.mkdir(parents=True, exist_ok=True)
        folder = root / state.project
        place = os.path.relpath(output, folder) if state.output_is_relative else str(output)
        env = environment(self._base, state, root) | {"XDG_CACHE_HOME": str(self._cache), **self.variables}
        argv = [*command(), "build", ".", "-o", place, *state.flags, *self.arguments]
        return start(argv, folder, env), place

    def _seed(self, state: State, project: Path) -> None:
        env = environment(self._base, state, project) | {"XDG_CACHE_HOME": str(self._warm)}
        argv = [*command(), "build", ".", "-o", str(project / "out"), *state.flags]
        run(argv, project, env, project / "out", "")

    def _share(self) -> None:
        """Bring what the seed program's builds have made into the world's cache, as another user would."""
        left_out = {"kept", "runs", "work"}
        for source in self._warm.rglob("*"):
            relative = source.relative_to(self._warm)
            target = self._cache / relative
            if left_out & set(relative.parts) or "go-build" in relative.parts:
                continue
            if source.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            elif not target.exists():
                # What is in the store is replaced by renaming, never in place.
                (os.link if "store" in relative.parts else shutil.copy2)(source, target)


def command() -> list[str]:
    """How luigigo is started: by its own script, so that the project's folder is not on Python's path."""
    script = Path(sys.executable).with_name("luigigo")
    return [sys.executable, str(script)] if script.exists() else [sys.executable, "-m", "luigigo"]


def start(argv: list[str], folder: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a program in a folder, which it believes to have been given by that name."""
    return subprocess.Popen(
        argv,
        cwd=folder,
        env={**env, "PWD": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[bytes], output: Path, place: str) -> Outcome:
    """Wait for a build; one that takes far too long is killed and counts as hung."""
    try:
        said, _ = process.communicate(timeout=LONGEST_BUILD_SECONDS)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        code = HUNG
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    text = said.decode(errors="replace")
    for named in sorted({str(output), place} - {""}, key=len, reverse=True):
        # A bare name may be a part of other words: it is one where it is quoted.
        bare = os.sep not in named
        text = text.replace(f'"{named}"' if bare else named, '"OUTPUT"' if bare else "OUTPUT")
    return Outcome(code, text, digest(output))


def run(argv: list[str], folder: Path, env: Mapping[str, str], output: Path, place: str) -> Outcome:
    """Start a build and wait for it."""
    if not folder.is_dir():
        return Outcome(1, "", digest(output))
    return finish(start(argv, folder, env), output, place)


def digest(path: Path) -> str:
    """A file's sha256, or nothing where no file is."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def make_blobs(folder: Path) -> Blobs:
    """Compile the libraries and objects that worlds have; none without a C compiler."""
    folder.mkdir(parents=True, exist_ok=True)
    libraries, objects = [], []
    if not (shutil.which("gcc") and shutil.which("ar")):
        return Blobs((), ())
    for number in (41, 42, 43):
        (folder / "answer.c").write_text(f"int answer(void) {{ return {number}; }}\n")
        subprocess.run(["gcc", "-c", "-o", "answer.o", "answer.c"], cwd=folder, check=True)
        (folder / "libanswer.a").unlink(missing_ok=True)
        subprocess.run(["ar", "rcD", "libanswer.a", "answer.o"], cwd=folder, check=True)
        libraries.append((folder / "libanswer.a").read_bytes())
        objects.append((folder / "answer.o").read_bytes())
    return Blobs(tuple(libraries), tuple(objects))
