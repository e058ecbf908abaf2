"""Build the sdist and from it the wheel, look whether they are whole, and build a program with the wheel.

    python .ci/try_wheel.py GO

tries it on each Python that luigigo supports and this machine has, outside of the checkout, with the go
command GO. What fails ends it with exit code 1.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MINORS = range(10, 15)
GENERAL_TASK = """
import luigi
from luigigo import BuildBinary


class Size(luigi.Task):
    number = luigi.IntParameter()

    def requires(self):
        return BuildBinary(project="hello", output="bin/hello")

    def output(self):
        return luigi.LocalTarget(f"bin/{self.number}")

    def run(self):
        with self.output().open("w") as file, open(self.input().path, "rb") as binary:
            file.write(str(len(binary.read())))


if __name__ == "__main__":
    assert luigi.build([Size(1), Size(2)], workers=2, local_scheduler=True, log_level="WARNING")
"""


def run(*command: object, cwd: Path, **variables: str) -> str:
    """What a command prints; its failure ends the whole."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "LUIGIGO_GO")
    }
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=environment | variables, text=True, capture_output=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def build(folder: Path) -> tuple[Path, Path]:
    """The sdist and the wheel that is built from it."""
    run(sys.executable, "-m", "venv", folder / "tools", cwd=folder)
    python = folder / "tools" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", "build", "twine", cwd=folder)
    run(python, "-m", "build", "--outdir", folder / "dist", ROOT, cwd=folder)
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    (wheel,) = (folder / "dist").glob("*.whl")
    run(python, "-m", "twine", "check", "--strict", sdist, wheel, cwd=folder)
    return sdist, wheel


def wanted_files() -> set[str]:
    """What Git has; without Git, what lies in the folders that have sources."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    names = {os.fsdecode(name) for name in tracked.stdout.split(b"\0") if name}
    if tracked.returncode != 0:
        folders = (".ci", "benchmarks", "deploy", "luigigo", "tests", "workflows")
        files = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
        names = {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts}
    return names


def require_whole(sdist: Path, wheel: Path) -> None:
    """All of the checkout is in the sdist, and all of the package, with its license, in the wheel."""
    names = wanted_files()
    with tarfile.open(sdist) as archive:
        packed = {member.name.partition("/")[2] for member in archive.getmembers()}
    missing = sorted(names - packed)
    if missing:
        raise SystemExit(f"not in the sdist: {missing}")
    with zipfile.ZipFile(wheel) as installed:
        wheel_names = set(installed.namelist())
    missing = sorted(name for name in names if name.startswith("luigigo/") and name not in wheel_names)
    if missing:
        raise SystemExit(f"not in the wheel: {missing}")
    for ending in ("licenses/LICENSE", "entry_points.txt"):
        if not any(name.endswith(f".dist-info/{ending}") for name in wheel_names):
            raise SystemExit(f"not in the wheel: {ending}")
    other = sorted(name for name in wheel_names if not name.startswith(("luigigo/", "luigigo-")))
    if other:
        raise SystemExit(f"the wheel holds what is no part of the package: {other}")


def pythons() -> dict[str, str]:
    """The interpreters of this machine, by release, on PATH and of pyenv."""
    pyenv = os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")
    found = {}
    for minor in MINORS:
        release = f"3.{minor}"
        candidates = [
            shutil.which(f"python{release}"),
            *sorted(glob.glob(f"{pyenv}/versions/{release}.*/bin/python")),
        ]
        for candidate in filter(None, candidates):
            # pyenv's own commands are there also where the release is not.
            asked = subprocess.run([candidate, "-c", "import venv, ensurepip"], capture_output=True)
            if asked.returncode == 0:
                found[release] = candidate
                break
    return found


def try_on(python: str, wheel: Path, folder: Path, go: str) -> None:
    """Install the wheel for one interpreter, and build a program by each command and from Python."""
    folder.mkdir()
    run(python, "-m", "venv", folder / "venv", cwd=folder)
    commands = folder / "venv" / "bin"
    run(commands / "python", "-m", "pip", "install", "-q", wheel, cwd=folder)
    project = folder / "hello"
    project.mkdir()
    (project / "go.mod").write_text("module example.com/hello\n\ngo 1.26\n")
    (project / "main.go").write_text(f'package main\n\nfunc main() {{ println("{folder.name}") }}\n')
    (folder / "mine.py").write_text(GENERAL_TASK)
    task = ("luigi", "--module", "luigigo", "BuildBinary")
    for words in (
        ("luigigo", "--version"),
        (*task, "--help"),
        ("luigigo", "build", "hello", "-o", "by-luigigo"),
        (*task, "--local-scheduler", "--project", "hello", "--output", "by-luigi"),
        ("python", "mine.py"),
    ):
        run(
            commands / words[0],
            *words[1:],
            cwd=folder,
            LUIGIGO_GO=go,
            LUIGIGO_CACHE=str(folder.parent / "cache"),
        )
    for name in ("by-luigigo", "by-luigi", "bin/hello"):
        if run(folder / name, cwd=folder).strip() != folder.name:
            raise SystemExit(f"{name} is not the program")


def main(go: str) -> None:
    """Try all."""
    with tempfile.TemporaryDirectory(prefix="luigigo-wheel-") as scratch:
        folder = Path(scratch)
        sdist, wheel = build(folder)
        require_whole(sdist, wheel)
        found = pythons()
        if not found:
            raise SystemExit("no Python that luigigo supports")
        for release, python in found.items():
            try_on(python, wheel, folder / release, go)
            print(f"{wheel.name} works on Python {release} ({python})", flush=True)
        absent = [f"3.{minor}" for minor in MINORS if f"3.{minor}" not in found]
        if absent:
            print(f"not tried, for this machine does not have them: {', '.join(absent)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
