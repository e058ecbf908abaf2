"""Which runs' records, and which plans, collecting garbage leaves in a store."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from runrecording import head

from luigigo.runrecords.lines import CLIENT_FILE, EndLine
from luigigo.runrecords.naming import run_ids
from luigigo.runrecords.retention import RUN_SECONDS, RUNS_KEPT
from luigigo.runrecords.writing import RunWriter
from luigigo.store.garbage import Limits, collect, gc
from luigigo.store.owners import this_process

NOW = 2_000_000_000.0
DAY = 86_400.0


def _runs(root: Path, ages: list[float]) -> list[str]:
    """Runs of these ages in seconds, the oldest first, each with a plan of its own as old."""
    (root / "plans").mkdir()
    ids = []
    for number, age in enumerate(ages):
        run, plan = f"run-{number:03}", f"{number:064x}"
        writer = RunWriter(str(root), run, pytest.fail)
        writer.put(head(run=run, plans=(plan,)), EndLine("ok", 1.0))
        writer.close()
        (root / "plans" / plan).write_text("")
        for path in (root / "runs" / run / CLIENT_FILE, root / "plans" / plan):
            os.utime(path, (NOW - age, NOW - age))
        ids.append(run)
    return ids


def test_old_runs_go_and_the_newest_stay(tmp_path: Path) -> None:
    """Of runs that are all too old, the newest twenty stay with their plans."""
    ids = _runs(tmp_path, [RUN_SECONDS + DAY * (30 - number) for number in range(30)])
    gc(str(tmp_path), None, None, NOW)
    assert run_ids(str(tmp_path)) == ids[-RUNS_KEPT:]
    assert sorted(os.listdir(tmp_path / "plans")) == [f"{number:064x}" for number in range(10, 30)]


def test_young_runs_stay_however_many(tmp_path: Path) -> None:
    """Runs of the last month stay; only the newest keep their plans for longer than a day."""
    ids = _runs(tmp_path, [DAY * (29 - number) for number in range(29)])
    gc(str(tmp_path), None, None, NOW)
    assert run_ids(str(tmp_path)) == ids
    assert len(os.listdir(tmp_path / "plans")) == RUNS_KEPT
    gc(str(tmp_path), None, 5 * DAY, NOW)
    assert run_ids(str(tmp_path)) == ids[-RUNS_KEPT:]


def test_an_emptied_store_has_no_runs(tmp_path: Path) -> None:
    """Who wants nothing kept keeps no run."""
    _runs(tmp_path, [DAY, 60.0])
    collect(str(tmp_path), Limits(NOW, 0, 0.0, plan_seconds=0, run_seconds=0.0, runs_kept=0))
    assert run_ids(str(tmp_path)) == []
    assert os.listdir(tmp_path / "runs") == os.listdir(tmp_path / "plans") == []


def test_a_run_that_goes_on_stays(tmp_path: Path) -> None:
    """Nobody takes the record away from a client that writes it, whatever else is emptied."""
    writer = RunWriter(str(tmp_path), "run", pytest.fail)
    writer.put(head(run="run", owner=this_process()))
    writer.close()
    everything = Limits(time.time() + 1.0, 0, 0.0, plan_seconds=0, run_seconds=0.0, runs_kept=0)
    collect(str(tmp_path), everything)
    assert run_ids(str(tmp_path)) == ["run"]
    writer = RunWriter(str(tmp_path), "run", pytest.fail)
    writer.put(EndLine("ok", 1.0))
    writer.close()
    collect(str(tmp_path), everything)
    assert run_ids(str(tmp_path)) == []
