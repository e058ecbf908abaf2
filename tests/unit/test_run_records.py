"""What a run leaves behind, and what can be read of it when some of it is missing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec
import pytest
from runrecording import RUN, content, drawn, head, plan

from luigigo.errors import UsageError
from luigigo.runrecords.lines import (
    CLIENT_FILE,
    AttemptLine,
    EndLine,
    PhaseLine,
    PlannedAction,
    codec,
    planned_name,
    ticks_of,
)
from luigigo.runrecords.naming import find_run
from luigigo.runrecords.reading import parse, read_run
from luigigo.runrecords.writing import RunWriter, remove_record
from luigigo.store.owners import process_of, this_process

RAN = AttemptLine(0, "n1", "ran", ticks=ticks_of((0.1, 0.1, None, None, 0.2, 0.2, 0.3, 0.4)), slot=0)


def _write(root: Path, run: str, *lines: object) -> None:
    writer = RunWriter(str(root), run, pytest.fail)
    writer.put(*lines)  # type: ignore[arg-type]
    writer.close()


@pytest.mark.parametrize("times", [(), (0.0, None, 0.1234, 0.1233, None), (None, 1000.0001, 1000.0002)])
def test_times_come_back_as_they_were(times: tuple[float | None, ...]) -> None:
    """Times are kept as steps of a tenth of a millisecond, with what is not known, and in any order."""
    assert AttemptLine(0, "n1", ticks=ticks_of(times)).times == times


@pytest.mark.parametrize("action_id", ["compile net/http", "compile p [q]", "link p", "cgo net", "compile "])
def test_an_id_comes_back_as_it_was(action_id: str) -> None:
    """A compile is kept by its package, and everything else by its whole id."""
    assert PlannedAction(planned_name(action_id), "k", 0).id == action_id


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """All lines come back as they were, names of any bytes included."""
    strange = head(command=("luigigo", "build", "d\udce9j"))
    _write(tmp_path, RUN, strange, plan([()]), RAN, PhaseLine("run", 0.1, 0.4), EndLine("ok", 0.5))
    record = read_run(str(tmp_path), RUN)
    assert record.head == strange
    assert record.attempts == [RAN]
    assert (record.outcome, record.seconds, record.warnings) == ("ok", 0.5, [])


def test_an_attempt_takes_few_bytes() -> None:
    """An attempt with all that there is to tell takes no more than 300 bytes with its part of the plan."""
    times = (1021.0834, 1021.0836, 1021.0837, 1021.0837, 1021.0838, 1021.0846, 1022.4329, 1022.4381)
    line = AttemptLine(
        11234, "node-0123", "ran", ticks_of(times), 15, (0.0, 0.0002), 101.3631, 299474944, 1852072,
        5628288, ("8a26a09219c2", "76f2006e3f42"), uncertainty_seconds=0.0016, content_key="bed680b1f43c",
    )  # fmt: skip
    name, waits_for = planned_name("compile golang.org/x/tools/internal"), (11230, 11215, 10712, 9811, 301)
    planned = PlannedAction(name, "61564118e2ed", 12, waits_for)
    assert len(codec.encode(line)) + len(msgspec.json.encode(planned)) + 2 <= 300


def test_a_torn_last_line_is_left_out() -> None:
    """A client that was killed while it wrote leaves all that it had written before."""
    whole = content(head(), plan([()]), RAN)
    for cut in range(len(whole) - len(codec.encode(RAN)), len(whole) - 1):
        record = parse(RUN, whole[:cut])
        assert record.attempts == []
        assert len(record.actions) == 1
        assert record.warnings == ["its last line is torn: it is left out"] * (whole[cut - 1 : cut] != b"\n")


def test_what_is_damaged_is_left_out_and_said() -> None:
    """Each line that cannot be read costs that line alone; a lost plan costs what tells of its actions."""
    record = parse(RUN, content(head(), plan([()])) + b"\xff\0garbage\n" + content(RAN))
    assert record.attempts == [RAN]
    assert record.warnings == ["1 of its lines cannot be read: they are left out"]
    record = parse(RUN, content(head(), plan([(), ()], first=3), RAN))
    assert record.attempts == []
    assert record.warnings == ["1 attempts at unknown actions are left out: a plan is missing"]
    assert parse(RUN, content(plan([()]))).warnings == [
        "its beginning is missing: whose run it is, is not known"
    ]


def test_every_cut_and_every_damaged_byte_can_be_read() -> None:
    """Whatever a disk did to a record, it is read as far as it goes."""
    whole = content(*[head(), plan([(), (0,)]), RAN, EndLine("ok", 1.0)])
    for at in range(0, len(whole), 7):
        parse(RUN, whole[:at])
        parse(RUN, whole[:at] + b"\xc1" + whole[at + 1 :])


def test_a_record_of_another_version_is_refused_by_name() -> None:
    """It is not misread, and says whose it is."""
    with pytest.raises(UsageError, match=r"recorded by luigigo 9\.9, in version 2"):
        parse(RUN, b'{"line":"run","version":2,"luigigo":"9.9","new":1}\n')


def test_a_client_that_was_killed_has_ended_without_a_word(tmp_path: Path) -> None:
    """Without an end a run goes on while its process lives, and has ended when that is dead."""
    _write(tmp_path, RUN, head(owner=this_process()), plan([()]), RAN)
    assert read_run(str(tmp_path), RUN).outcome == "running"
    _write(tmp_path, "other", head(owner=this_process().__class__("h", 2**22 + 1, "", "")), plan([()]), RAN)
    os.utime(tmp_path / "runs" / "other" / CLIENT_FILE, (0, 0))
    record = read_run(str(tmp_path), "other")
    assert (record.outcome, record.seconds) == ("ended without a word", 0.4)
    assert "ended without a word" in record.warnings[0]


def test_a_run_is_found_by_the_start_of_its_name(tmp_path: Path) -> None:
    """An id, the unambiguous start of one or `latest`; else the nearest names, or how to get a run."""
    with pytest.raises(UsageError, match="luigigo build DIR records one"):
        find_run(str(tmp_path))
    for run in ("20260101-000000-aaaa", "20260102-000000-bbbb", "20260102-000000-cccc"):
        _write(tmp_path, run, head())
    (tmp_path / "runs" / "pinned").mkdir()
    root = str(tmp_path)
    assert find_run(root) == "20260102-000000-cccc"
    assert find_run(root, "20260101") == find_run(root, "20260101-000000-aaaa") == "20260101-000000-aaaa"
    with pytest.raises(UsageError, match="is not the only one: 20260102-000000-bbbb, 20260102-000000-cccc"):
        find_run(root, "20260102")
    with pytest.raises(UsageError, match="the nearest are 20260101-000000-aaaa"):
        find_run(root, "20260101-000000-aaab")


def test_what_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    """A store in which nothing can be made costs the record and nothing else."""
    (tmp_path / "runs").write_text("a file")
    said: list[str] = []
    writer = RunWriter(str(tmp_path), RUN, said.append)
    for _ in range(3):
        writer.put(RAN)
        writer._flush()
    writer.close()
    assert said == [f"luigigo: this run is not recorded: {writer.path}: Not a directory"]


def test_a_record_is_removed_with_its_folder(tmp_path: Path) -> None:
    """What else lies in the folder stays, and keeps the folder."""
    _write(tmp_path, RUN, head())
    (tmp_path / "runs" / RUN / "pin").write_text("")
    assert remove_record(str(tmp_path), RUN)
    assert os.listdir(tmp_path / "runs" / RUN) == ["pin"]
    assert not remove_record(str(tmp_path), RUN)


def test_drawn_records_are_whole() -> None:
    """The runs that other tests are made from are read without a warning."""
    assert all(drawn(seed).warnings == [] for seed in range(50))


def test_a_process_of_this_machine_is_asked_itself(tmp_path: Path) -> None:
    """A run whose client lives here goes on however long it is silent, and is over as soon as that is."""
    child = subprocess.Popen(["sleep", "60"])
    owner = process_of(child.pid)
    _write(tmp_path, RUN, head(owner=owner), plan([()]), RAN)
    path = tmp_path / "runs" / RUN / CLIENT_FILE
    os.utime(path, (1.0, 1.0))
    assert read_run(str(tmp_path), RUN).is_alive
    child.kill()
    child.wait()
    os.utime(path)
    record = read_run(str(tmp_path), RUN)
    assert (record.is_alive, record.outcome) == (False, "ended without a word")
