"""`luigigo watch` of a project on the share, which is edited on another host."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from clusters import References
from hosts import Host, Network
from processes import Process
from tools import wait_for

MAIN = 'package main\n\nimport "example.com/w/p"\n\nfunc main() { println(p.Name) }\n'
P = 'package p\n\nvar Name = "first"\n'


class Watching:
    """A watch on one host."""

    def __init__(self, host: Host, project: Path, local: Path) -> None:
        self.log = host.view(local / "watch.log")
        argv = ["luigigo", "watch", "-o", local / "app", project]
        self.process: Process = host.start(argv, {"LUIGIGO_CACHE": str(local)}, log=self.log, cwd=local)

    def wait_said(self, text: str) -> None:
        """Return as soon as it says something."""
        try:
            wait_for(lambda: text in self.log.read_text(), text)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.log.read_text()}") from None


@pytest.fixture
def project(network: Network, shared: Path) -> Path:
    """A program of two packages on the share."""
    folder = network["n2"].view(shared) / "w"
    (folder / "p").mkdir(parents=True)
    (folder / "go.mod").write_text("module example.com/w\n\ngo 1.26\n")
    (folder / "main.go").write_text(MAIN)
    (folder / "p/p.go").write_text(P)
    return shared / "w"


@pytest.fixture
def watching(network: Network, project: Path, local: Path) -> Iterator[Watching]:
    """The watch on n1, after its first build."""
    found = Watching(network["n1"], project, local)
    found.wait_said("actions ran")
    yield found
    found.process.interrupt()
    found.process.wait()


def test_another_hosts_edits_are_built(
    network: Network, project: Path, local: Path, watching: Watching, references: References, tmp_path: Path
) -> None:
    """No event tells of a file that another host writes or replaces, adds or removes: a look does."""
    near, far = network["n1"], network["n2"].view(project)
    (far / "p/p.go").write_text(P.replace("first", "in place"))
    watching.wait_said("w/p/p.go")
    (far / "p/p.go.new").write_text(P.replace("first", "by rename"))
    (far / "main.go").write_text(MAIN.replace("p.Name", "p.Name, p.More"))
    watching.wait_said("failed after")
    (far / "p/p.go.new").rename(far / "p/p.go")
    (far / "p/more.go").write_text('package p\n\nvar More = "more"\n')
    expected = references.binary(Path(shutil.copytree(far, tmp_path / "w")))
    wait_for(lambda: near.view(local / "app").read_bytes() == expected, "the binary that go build makes")
