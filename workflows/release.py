"""Several Go programs and their checksums: a workflow of one's own on top of luigigo's tasks.

    PYTHONPATH=. luigi --module workflows.release Checksums --project tests/programs/several --folder dist

builds every program of a module for several targets, and writes `dist/SHA256SUMS` with sha256sum. It is
typed in the folder that holds `workflows`, for `luigi` looks for modules in PYTHONPATH, not where it is
typed. What is up to date is not built again: change a file and run it again.
"""

from __future__ import annotations

import os
import subprocess

import luigi
from luigi.task import flatten

from luigigo import BuildBinary


class Checksums(luigi.Task):
    """Build the programs of `packages` for each of `targets`; write down their sha256."""

    project = luigi.Parameter(description="A folder inside a Go module.")
    packages = luigi.Parameter(default="./...", description="Which packages; those that are programs count.")
    targets = luigi.Parameter(default="linux/amd64,linux/arm64", description="GOOS/GOARCH, comma-separated.")
    folder = luigi.Parameter(default="dist", description="Where the programs and their checksums go.")

    def requires(self) -> list[BuildBinary]:
        """One build for each target, into a folder of its own; without cgo: that needs a cross-compiler."""
        return [self._build(*target.split("/")) for target in self.targets.split(",")]

    def _build(self, goos: str, goarch: str) -> BuildBinary:
        return BuildBinary(
            project=self.project,
            package=self.packages,
            goos=goos,
            goarch=goarch,
            cgo_enabled="0",
            output=os.path.join(self.folder, f"{goos}_{goarch}") + "/",
        )

    def programs(self) -> list[str]:
        """The paths of all programs, inside the folder."""
        targets = flatten(self.input())
        return sorted(os.path.relpath(target.path, self.folder) for target in targets)

    def output(self) -> luigi.LocalTarget:
        """The list of checksums."""
        return luigi.LocalTarget(os.path.join(self.folder, "SHA256SUMS"))

    def complete(self) -> bool:
        """Whether every program is as its sources make it, and the list is not older than any of them."""
        if not self.output().exists() or not all(build.complete() for build in self.requires()):
            return False
        listed = os.stat(self.output().path).st_mtime_ns
        paths = [os.path.join(self.folder, program) for program in self.programs()]
        return all(os.stat(path).st_mtime_ns <= listed for path in paths)

    def run(self) -> None:
        """Any command would do here: this is a task as every other."""
        command = ["sha256sum", *self.programs()]
        finished = subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE, text=True, check=True)
        with self.output().open("w") as file:
            file.write(finished.stdout)
