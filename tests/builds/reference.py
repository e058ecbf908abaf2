"""Build programs with luigigo and with the go command, each in a copy of its own, to compare the results."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parents[1] / "programs"
RELEASES = ("1.26", "1.27")
BUILD_SECONDS = 300

_CLEARED = ("GO", "CGO_", "LUIGI", "PKG_CONFIG")
"""Beginnings of variables that the tests set themselves, or that must not take part."""


@dataclass(frozen=True)
class Toolchain:
    """A go command of one release."""

    release: str
    go: Path
    goroot: Path

    @property
    def is_package(self) -> bool:
        """Whether it is the one that luigigo uses by itself."""
        return _packaged_go() == self.go


@dataclass(frozen=True)
class Variant:
    """One way to build one program, as flags.json has it."""

    program: str
    name: str
    package: str = "."
    flags: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    dir: str = "."
    releases: tuple[str, ...] = RELEASES

    @property
    def makes_several(self) -> bool:
        """Whether it makes a folder of programs."""
        return self.package.endswith("...")


@dataclass(frozen=True)
class Built:
    """How a build ended."""

    exit_code: int
    text: str
    """What it printed."""
    digests: dict[str, str]
    """sha256 of each file that it made, by name."""


class Bench:
    """Builds with both, against caches that one test session shares. Go finds nothing of luigigo's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self._copies = 0

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of both builders, without anything that the user has set for Go."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(_CLEARED)}
        env |= {
            "HOME": str(self.home),
            "GOENV": "off",
            "GOFLAGS": "",
            "GOTOOLCHAIN": "local",
            "GOPROXY": "off",
            "GOPATH": str(self.folder / "gopath"),
            "GOTELEMETRY": "off",
            "GOCACHE": os.environ.get("LUIGIGO_TEST_GOCACHE") or str(self.folder / "gocache"),
            "LUIGIGO_CACHE": os.environ.get("LUIGIGO_TEST_CACHE") or str(self.folder / "luigigo"),
        }
        return {**env, **(extra or {})}

    def copy(self, source: Path, name: str = "") -> Path:
        """A copy of a program at a path that no other copy has."""
        self._copies += 1
        target = self.folder / f"copy{self._copies}" / (name or source.name)
        shutil.copytree(source, target, symlinks=True)
        return target

    def go_build(
        self,
        toolchain: Toolchain,
        folder: Path,
        packages: Sequence[str] = (".",),
        flags: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        *,
        several: bool = False,
        buildvcs: str = "false",
    ) -> Built:
        """`go build` as luigigo promises to equal it."""
        out = self._out(several)
        arguments = [f"-buildvcs={buildvcs}", *_with_empty_buildid(flags), "-o", _output(out, several)]
        return self.go(toolchain, folder, ["build", "-trimpath", *arguments, *packages], env, out.parent)

    def go(
        self,
        toolchain: Toolchain,
        folder: Path,
        arguments: Sequence[str],
        env: Mapping[str, str] | None = None,
        out: Path | None = None,
    ) -> Built:
        """Any go command; the digests are those of the files in `out`."""
        variables = self.environment({"GOROOT": str(toolchain.goroot), "PWD": str(folder), **(env or {})})
        return _run([str(toolchain.go), *arguments], folder, variables, out)

    def luigigo_build(
        self,
        toolchain: Toolchain,
        project: Path | str,
        packages: Sequence[str] = (".",),
        flags: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        *,
        several: bool = False,
    ) -> Built:
        """`luigigo build`, from a folder that is not the project's."""
        out = self._out(several)
        chosen = {} if toolchain.is_package else {"LUIGIGO_GO": str(toolchain.go)}
        program = Path(sys.executable).with_name("luigigo")
        argv = [str(program), "build", str(project), *packages, "-o", _output(out, several), *flags]
        return _run(argv, out.parent, self.environment({**chosen, **(env or {})}), out.parent)

    def _out(self, several: bool) -> Path:
        self._copies += 1
        folder = self.folder / f"out{self._copies}"
        folder.mkdir()
        return folder / "program"

    def build_both(
        self, toolchain: Toolchain, variant: Variant, source: Path, name: str = ""
    ) -> tuple[Built, Built]:
        """Build a variant with go and with luigigo, each from its own copy, at the same time."""
        places = [self.copy(source) / variant.dir, self.copy(source, name) / variant.dir]
        envs = [{k: v.replace("{dir}", str(place)) for k, v in variant.env.items()} for place in places]
        packages, several = (variant.package,), variant.makes_several
        with ThreadPoolExecutor(2) as pool:
            by_go = pool.submit(
                self.go_build, toolchain, places[0], packages, variant.flags, envs[0], several=several
            )
            by_luigigo = pool.submit(
                self.luigigo_build, toolchain, places[1], packages, variant.flags, envs[1], several=several
            )
            return by_go.result(), by_luigigo.result()


def _with_empty_buildid(flags: Sequence[str]) -> list[str]:
    """The flags with `-buildid=` in the value of -ldflags, which counts only once."""
    own = [flag for flag in flags if not flag.startswith("-ldflags=")]
    ldflags = [flag.removeprefix("-ldflags=") for flag in flags if flag.startswith("-ldflags=")]
    return [*own, "-ldflags=" + " ".join(["-buildid=", *ldflags])]


def _output(out: Path, several: bool) -> str:
    return f"{out.parent}/" if several else str(out)


def _run(argv: Sequence[str], folder: Path, env: Mapping[str, str], out: Path | None) -> Built:
    finished = subprocess.run(
        argv,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=BUILD_SECONDS,
        check=False,
    )
    digests = {} if out is None else {p.name: _sha256(p) for p in sorted(out.iterdir()) if p.is_file()}
    return Built(finished.returncode, finished.stdout.decode(errors="replace"), digests)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _packaged_go() -> Path | None:
    spec = importlib.util.find_spec("go")
    return Path(spec.origin).resolve().parent / "bin" / "go" if spec and spec.origin else None


def _find_toolchain(release: str) -> Toolchain | None:
    named = os.environ.get("LUIGIGO_TEST_GO" + release.replace(".", ""))
    installed = shutil.which("go", path=f"/usr/local/go/bin:{os.environ.get('PATH', '')}")
    for candidate in (Path(named) if named else None, _packaged_go(), installed and Path(installed)):
        if candidate is None or not os.access(candidate, os.X_OK):
            continue
        go = candidate.resolve()
        finished = subprocess.run(
            [go, "env", "GOVERSION"],
            env={"HOME": "/", "GOENV": "off", "GOTOOLCHAIN": "local", "GOROOT": str(go.parents[1])},
            stdout=subprocess.PIPE,
            check=False,
        )
        if finished.stdout.decode().strip().startswith((f"go{release}.", f"go{release}rc")):
            return Toolchain(release, go, go.parents[1])
    return None


@pytest.fixture(scope="session")
def toolchains() -> Callable[[str], Toolchain]:
    """The go command of a release; a missing one skips the test, but fails it in CI."""
    found = {release: _find_toolchain(release) for release in RELEASES}

    def get(release: str) -> Toolchain:
        toolchain = found[release]
        if toolchain is not None:
            return toolchain
        reason = f"no Go {release}: set LUIGIGO_TEST_GO{release.replace('.', '')} to its go command"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)

    return get


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Both builders, with the caches of this session."""
    return Bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture(params=RELEASES)
def toolchain(request: pytest.FixtureRequest, toolchains: Callable[[str], Toolchain]) -> Toolchain:
    """Each supported release in turn."""
    return toolchains(request.param)
