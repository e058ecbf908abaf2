"""What a real build leaves in its record, held against what the build itself said."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from support import Lab, wait_until

from luigigo import reports
from luigigo.reports import columns

pytestmark = pytest.mark.builds

SIX: dict[str, str] = {
    "go.mod": "module example.com/six\n\ngo 1.26\n",
    "main.go": 'package main\n\nimport "example.com/six/p1"\n\nfunc main() { println(p1.N) }\n',
    **{
        f"p{n}/p.go": f'package p{n}\n\nimport "example.com/six/p{n + 1}"\n\nconst N = p{n + 1}.N + 1\n'
        for n in range(1, 5)
    },
    "p5/p.go": "package p5\n\nconst N = 1\n",
}


def store_of(lab: Lab) -> str:
    return str(lab.cache / "store")


def report(lab: Lab, *arguments: object) -> str:
    """What `luigigo report` prints, which must succeed."""
    done = lab.luigigo("report", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_record_tells_what_the_build_told(lab: Lab) -> None:
    """Each action that ran is a row with all its times, node and slot, and phases account for the time."""
    project = lab.write(SIX, "six")
    began = time.monotonic()
    built = lab.build(project)
    wall_seconds = time.monotonic() - began
    found = reports.actions(store=store_of(lab))
    ran = found[found.outcome == "ran"]
    told = {(each["kind"], each["package"]): each for each in built.events if each["event"] == "action"}
    assert {(row.kind, row.package) for row in ran.itertuples()} == set(told)
    for row in ran.itertuples():
        event = told[row.kind, row.package]
        assert row.node == event["node"] and row.slot >= 0
        assert row.cpu_seconds == event["cpu_seconds"] and row.peak_bytes == event["peak_bytes"]
        assert row.seconds == pytest.approx(event["seconds"], abs=0.002)
        times = [
            row.ready_at_seconds, row.given_at_seconds, row.started_at_seconds,
            row.tools_started_at_seconds, row.tools_ended_at_seconds, row.ended_at_seconds,
        ]  # fmt: skip
        assert times == sorted(times) and row.seconds > 0
    hits = found[found.outcome == "hit"]
    counts = built.events[-1]["counts"]
    assert (len(ran), len(hits)) == (counts["ran"], counts["hit"])
    # The standard library was built by the run that made the lab's cache.
    assert hits.made_by.str.len().min() > 0
    phases = reports.phases(store=store_of(lab))
    assert list(phases.phase)[:2] == ["start", "list"]
    whole_seconds = reports.runs(store=store_of(lab)).iloc[-1].seconds
    assert abs(phases.seconds.sum() - whole_seconds) <= max(0.05, 0.01 * whole_seconds)
    # What the interpreter takes to end is nobody's phase.
    assert whole_seconds <= wall_seconds
    assert reports.runs(store=store_of(lab)).outcome.tolist()[-1] == "ok"


def test_luigis_own_command_leaves_a_record(lab: Lab) -> None:
    """`luigi --module luigigo BuildBinary` is recorded as `luigigo build` is, with its delivery."""
    project = lab.write(SIX, "six")
    done = lab.luigi("--project", project, "--output", lab.output_of(project))
    assert done.returncode == 0, done.stderr
    summary = reports.summary(store=store_of(lab)).iloc[0]
    assert (summary.outcome, summary.ran, summary.failed) == ("ok", 7, 0)
    assert "deliver" in set(reports.phases(store=store_of(lab)).phase)


def test_what_makes_nothing_leaves_no_record(lab: Lab) -> None:
    """A build that is up to date, and a task that is only asked, leave nothing."""
    project = lab.write(SIX, "six")
    lab.build(project)
    runs = os.listdir(lab.cache / "store" / "runs")
    assert lab.build(project).outcome == "up-to-date"
    assert os.listdir(lab.cache / "store" / "runs") == runs
    asked = lab.write({}, "empty")
    asked.mkdir(exist_ok=True)
    script = asked / "ask.py"
    script.write_text(
        f"import luigigo\nluigigo.BuildBinary(project={str(project)!r}, output='/dev/null').complete()\n"
    )
    lab.run(script, as_module=False)
    assert os.listdir(lab.cache / "store" / "runs") == runs


def test_a_failed_build_is_reported(lab: Lab) -> None:
    """What ran is there, and the failure with its message; a report of it is no failure."""
    project = lab.write({**SIX, "p5/p.go": 'package p5\n\nconst N int = "text"\n'}, "six")
    done = lab.luigigo("build", project, "-o", lab.output_of(project))
    assert done.returncode == 1
    text = report(lab)
    assert ": failed, " in text and "p.go:3:15: cannot use" in text
    found = reports.actions(store=store_of(lab))
    (failed,) = found[found.outcome == "failed"].itertuples()
    assert failed.package == "example.com/six/p5" and failed.exit_code == 1
    assert failed.message in done.stderr
    assert failed.cpu_seconds > 0 and failed.peak_bytes > 0
    times = failed.tools_started_at_seconds, failed.tools_ended_at_seconds, failed.ended_at_seconds
    assert 0 < times[0] < times[1] <= times[2]
    nothing = lab.luigigo("build", lab.folder / "nowhere")
    assert nothing.returncode != 0
    assert nothing.stderr.strip().splitlines()[-1] in report(lab)


def test_a_build_that_was_killed_is_reported(lab: Lab) -> None:
    """What ran before the client was killed is there, with a warning; the next build is a run of its own."""
    slow = "".join(f"func F{n}(x int) int {{ return x*{n} + x%{n + 1} }}\n" for n in range(40_000))
    main = SIX["main.go"].replace('import "', 'import _ "example.com/six/slow"\nimport "')
    project = lab.write({**SIX, "main.go": main, "slow/slow.go": f"package slow\n\n{slow}"}, "six")
    process = lab.start("luigigo", "build", project, "-o", lab.output_of(project))
    runs = lab.cache / "store" / "runs"

    def recorded() -> bool:
        return any(path.read_bytes().count(b'"line":"a"') >= 3 for path in runs.glob("*/client.jsonl"))

    wait_until(recorded, "for three lines of the record")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    text = report(lab)
    assert "ended without a word" in text and "warning: the client ended" in text
    assert (reports.actions(store=store_of(lab)).outcome == "ran").sum() >= 3
    assert lab.luigigo("build", project, "-o", lab.output_of(project)).returncode == 0
    assert reports.runs(store=store_of(lab)).outcome.tolist()[-1] == "ok"
    assert len(reports.runs(store=store_of(lab))) == 2


def _keys(lab: Lab) -> set[str]:
    return {path.name for path in (lab.cache / "store" / "actions").glob("*/*")}


def test_recording_changes_nothing_that_is_made(lab: Lab, tmp_path: Path) -> None:
    """With and without a record the keys, the contents and the binary are the same."""
    project = lab.write(SIX, "six")
    other = Lab.on(lab.cache, tmp_path / "other")
    settings = lab.write({"luigi.cfg": "[luigigo]\nrecord=false\n"}, "settings") / "luigi.cfg"
    with_record = lab.build(project)
    without = other.luigigo(
        "build", project, "-o", tmp_path / "bin", env={"LUIGI_CONFIG_PATH": str(settings)}
    )
    assert without.returncode == 0 and "luigigo report" not in without.stderr
    assert _keys(lab) == _keys(other)
    assert with_record.output.read_bytes() == (tmp_path / "bin").read_bytes()
    assert not list((other.cache / "store" / "runs").glob("*/client.jsonl"))
    refused = other.luigigo("build", project, env={"LUIGI_CONFIG_PATH": str(
        lab.write({"luigi.cfg": "[luigigo]\nrecord=maybe\n"}, "odd") / "luigi.cfg")})  # fmt: skip
    assert refused.returncode == 2 and "record=maybe: wanted true or false" in refused.stderr


def test_a_record_that_cannot_be_written_costs_a_line(lab: Lab) -> None:
    """The build goes on and says so once."""
    project = lab.write(SIX, "six")
    (lab.cache / "store" / "runs").rmdir() if (lab.cache / "store" / "runs").exists() else None
    (lab.cache / "store" / "runs").write_text("in the way")
    done = lab.luigigo("build", project, "-o", lab.folder / "bin")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("this run is not recorded") == 1


def test_runs_and_frames_are_written(lab: Lab, tmp_path: Path) -> None:
    """`luigigo runs` lists the newest last; `--csv` and `--parquet` write each frame, alike for any run."""
    import pandas

    project = lab.write(SIX, "six")
    lab.build(project)
    (project / "main.go").write_text(SIX["main.go"].replace("println", "print"))
    lab.build(project)
    lines = [json.loads(line) for line in lab.luigigo("runs", "--json").stdout.splitlines()]
    assert [line["ran"] for line in lines] == [7, 2]
    first, second = (line["run"] for line in lines)
    assert lab.luigigo("runs").stdout.splitlines()[-1].split()[0] == second
    for run, folder in ((first, "one"), (second, "two")):
        report(lab, run, "--csv", tmp_path / folder, "--parquet", tmp_path / folder)
    for name, layout in columns.FRAMES.items():
        frames: list[Any] = [
            pandas.read_parquet(tmp_path / each / f"{name}.parquet") for each in ("one", "two")
        ]
        assert list(pandas.concat(frames).columns) == list(layout)
        assert list(pandas.read_csv(tmp_path / "one" / f"{name}.csv").columns) == list(layout)
    text = report(lab, second, "--against", first)
    assert f"against run {first}" in text
    unknown = lab.luigigo("report", "tomorrow")
    assert unknown.returncode == 2 and "the nearest are" in unknown.stderr
    nowhere = lab.luigigo("report", "--csv", "/proc/nothing")
    assert nowhere.returncode == 2 and "cannot write /proc/nothing" in nowhere.stderr


def test_several_runs_of_one_process_are_several_records(lab: Lab) -> None:
    """`luigi.build` twice in a process leaves two records, each with its own time."""
    project = lab.write(SIX, "six")
    script = lab.folder / "twice.py"
    script.write_text(
        "import luigi, luigigo, pathlib\n"
        f"main = pathlib.Path({str(project / 'main.go')!r})\n"
        "for word in ('println', 'print'):\n"
        "    main.write_text(main.read_text().replace('println', word))\n"
        f"    build = luigigo.BuildBinary(project={str(project)!r}, output='b')\n"
        "    assert luigi.build([build], local_scheduler=True)\n"
    )
    done = lab.run(script, as_module=False)
    assert done.returncode == 0, done.stderr
    found = reports.runs(store=store_of(lab))
    assert found.ran.tolist() == [7, 2]
    assert (reports.phases(found.run[1], store=store_of(lab)).start_seconds >= 0).all()
