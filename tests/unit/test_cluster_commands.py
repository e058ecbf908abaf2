"""The command lines of `luigigo cluster`, and what is printed."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from luigigo.cluster import bootstrap, tables
from luigigo.cluster.findings import Finding, Severity
from luigigo.cluster.preparing import prepare_state
from luigigo.clusterfile import ClusterDescription, NodeEntry, SchedulerPlace, read_cluster, remember
from luigigo.commands import cluster as cluster_commands
from luigigo.commands.choosing import choose
from luigigo.errors import UsageError
from luigigo.store.preparing import prepare_shared


def write_cluster(folder: Path, host: str) -> ClusterDescription:
    """A cluster's file."""
    file = folder / f"{host}.yaml"
    file.write_text(f"shared: {folder}/share\nscheduler: {{host: {host}}}\nnodes: [{{host: n1}}]\n")
    return read_cluster(str(file))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


@pytest.mark.parametrize(
    ("words", "option", "file", "rest"),
    [
        (["n1"], "", "", ["n1"]),
        (["c.yaml", "n1"], "", "c.yaml", ["n1"]),
        (["n1"], "c.yaml", "c.yaml", ["n1"]),
    ],
)
def test_the_file_may_be_left_out(words: list[str], option: str, file: str, rest: list[str]) -> None:
    """`logs n1`, `logs FILE n1` and `logs --cluster FILE n1` mean the same."""
    assert cluster_commands._file_and_names(words, option, ("NODE",)) == (file, rest)


@pytest.mark.parametrize(
    ("words", "option", "complaint"),
    [
        ([], "", "NODE is missing"),
        (["a", "b", "c"], "", "too many arguments"),
        (["a", "n1"], "b", "too many arguments"),
    ],
)
def test_arguments_that_make_no_sense(words: list[str], option: str, complaint: str) -> None:
    """Too few or too many are a usage error."""
    with pytest.raises(UsageError, match=complaint):
        cluster_commands._file_and_names(words, option, ("NODE",))


def test_the_only_known_cluster_is_meant(config: Path) -> None:
    """With none or several the message says what to do."""
    with pytest.raises(UsageError, match="no cluster is known yet"):
        choose("")
    first = write_cluster(config, "head1")
    remember(first)
    assert choose("") == first
    second = write_cluster(config, "head2")
    remember(second)
    with pytest.raises(UsageError, match=r"--cluster FILE:\n  head1:8082 .*\n  head2:8082"):
        choose("")
    assert choose(second.file) == second


def test_the_share_is_prepared_once(tmp_path: Path) -> None:
    """Every folder that will be published into is there before a worker looks; again is harmless."""
    share = tmp_path / "share"
    for _ in range(2):
        prepare_shared(str(share))
    assert len(os.listdir(share / "cas")) == len(os.listdir(share / "actions")) == 256
    cluster = ClusterDescription(str(share), SchedulerPlace("head"), (NodeEntry("n1"),))
    marks = prepare_state(cluster)
    assert marks == str(share / "cluster" / "marks")
    assert (share / "cluster").stat().st_mode & 0o777 == 0o700


def test_many_may_prepare_the_share_at_once(tmp_path: Path) -> None:
    """Each finds it ready, whoever made which folder."""
    together = threading.Barrier(8)

    def prepare(share: Path) -> str:
        together.wait(10)
        return prepare_state(ClusterDescription(str(share), SchedulerPlace("head"), (NodeEntry("n1"),)))

    with ThreadPoolExecutor(8) as pool:
        for number in range(30):
            share = tmp_path / str(number)
            assert set(pool.map(prepare, [share] * 8)) == {str(share / "cluster" / "marks")}


def test_what_a_node_says_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters and markup are shown, not obeyed."""
    tables.show_findings([Finding("n1", Severity.BAD, "bad \x1b[31m[bold]word[/bold]\x07", "mend it")])
    assert capsys.readouterr().out == "n1: left out: bad \ufffd[31m[bold]word[/bold]\ufffd\n    mend it\n"


def test_times_for_people() -> None:
    """Short, with a unit."""
    assert [tables.span(seconds) for seconds in (5, 90, 7200, 172800)] == ["5 s", "1.5 min", "2.0 h", "2.0 d"]


def test_bootstrap_installs_what_runs_here() -> None:
    """The checkout, and the same version of everything it needs."""
    assert bootstrap.source_tree() == str(Path(__file__).parents[2])
    versions = bootstrap.versions_here()
    assert any(line.startswith("luigi==3.8") for line in versions)
    assert not any(line.lower().startswith("luigigo") for line in versions)


def test_bootstrap_leaves_a_folder_alone_that_it_did_not_make(tmp_path: Path) -> None:
    """A real folder at the place of the link is somebody's."""
    (tmp_path / "env").mkdir()
    cluster = ClusterDescription(str(tmp_path), SchedulerPlace("head"), (NodeEntry("n1"),))
    with pytest.raises(UsageError, match="bootstrap did not make"):
        bootstrap.bootstrap(cluster, sys.executable, lambda _: None)


def test_bootstrap_names_a_python_that_is_not_there(tmp_path: Path) -> None:
    """Nothing is left behind."""
    cluster = ClusterDescription(str(tmp_path), SchedulerPlace("head"), (NodeEntry("n1"),))
    with pytest.raises(UsageError, match="/no/python cannot be run: No such file"):
        bootstrap.bootstrap(cluster, "/no/python", lambda _: None)
    assert os.listdir(tmp_path / "envs") == []
