"""Builds while daemons, cables and hosts fail: each ends with the binary that go build makes."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

import pytest
from clientbuild import Build
from clusters import MODULE, NODES, SCHEDULER, SMALL, WORKER, Cluster, References, write
from tools import wait_for

SLOW = f"{MODULE}/slow1"
SMALL_ACTIONS = {f"compile {MODULE}/p{number:02d}" for number in range(SMALL)}
FAULT_SECONDS = 10.0
STOPPED_SECONDS = 60.0


# Nodes and cables


def test_what_a_killed_worker_held_runs_elsewhere(cluster: Cluster, many: Path) -> None:
    """It does within ten seconds, and a lost worker is no failed run."""
    build = cluster.build(cluster.project(many))
    lost = cluster.wait_running(SLOW)
    started = time.monotonic()
    cluster.kill_worker(lost)
    cluster.wait_running(SLOW, other_than=lost)
    seconds = time.monotonic() - started
    print(f"elsewhere after {seconds:.2f} s")
    assert seconds < 10
    cluster.end_identical(build, many)
    assert f"node {lost} is lost" in build.stderr
    assert build.nodes_of(SLOW) not in ([], [lost])


@pytest.mark.parametrize(
    ("number", "said"), [(signal.SIGKILL, "killed for memory and is given"), (signal.SIGTERM, "signal 15")]
)
def test_a_compile_that_is_ended_runs_again(cluster: Cluster, many: Path, number: int, said: str) -> None:
    """By SIGKILL, as when memory runs out: with more of it; by another signal: elsewhere."""
    build = cluster.build(cluster.project(many))
    name = cluster.wait_running(SLOW)
    assert cluster.network[name].kill(rf"/compile .* -p {SLOW} ", number)
    cluster.end_identical(build, many)
    assert said in build.stderr


def test_a_cable_that_is_out_for_five_seconds(cluster: Cluster, many: Path) -> None:
    """The node goes on with what it has, and nobody calls it lost."""
    build = cluster.build(cluster.project(many))
    name = cluster.wait_running(SLOW)
    cluster.pause_compile(name, SLOW)
    cluster.network[name].cut()
    time.sleep(5)
    cluster.network[name].mend()
    cluster.resume_tools(name)
    cluster.end_identical(build, many)
    assert build.nodes_of(SLOW) == [name]
    assert "is lost" not in build.stderr


def test_a_cable_that_is_cut_for_good(cluster: Cluster, many: Path) -> None:
    """What the node held runs elsewhere as soon as it was not heard of for too long."""
    build = cluster.build(cluster.project(many))
    lost = cluster.wait_running(SLOW)
    started = time.monotonic()
    cluster.network[lost].cut()
    cluster.wait_running(SLOW, other_than=lost)
    seconds = time.monotonic() - started
    print(f"elsewhere after {seconds:.2f} s")
    assert seconds < 15
    cluster.end_identical(build, many)
    assert build.nodes_of(SLOW) not in ([], [lost])


def test_a_head_that_comes_and_goes(cluster: Cluster, many: Path) -> None:
    """All nodes are silent at once, again and again: each goes on with what it has, and none is lost."""
    build = cluster.build(cluster.project(many))
    name = cluster.wait_running(SLOW)
    cluster.pause_compile(name, SLOW)
    for times in (1, 2):
        cluster.network["head"].cut()
        time.sleep(12)
        cluster.network["head"].mend()
        cluster.wait_here(1 + len(NODES) * (1 + times))
    cluster.resume_tools(name)
    # The share is away with the head, and its mount may hold for two minutes whoever wrote at that moment.
    cluster.end_identical(build, many, seconds=240)
    assert build.nodes_of(SLOW) == [name]
    assert "is lost" not in build.stderr


def test_a_luigid_that_is_stopped_for_a_while(cluster: Cluster, many: Path) -> None:
    """When it goes on it takes nobody for lost that was not heard meanwhile."""
    build = cluster.build(cluster.project(many))
    name = cluster.wait_running(SLOW)
    cluster.pause_compile(name, SLOW)
    cluster.network["head"].pause(SCHEDULER)
    time.sleep(20)
    cluster.network["head"].resume(SCHEDULER)
    cluster.wait_here(1 + 2 * len(NODES))
    cluster.resume_tools(name)
    cluster.end_identical(build, many)
    assert build.nodes_of(SLOW) == [name]
    assert "is lost" not in build.stderr


def test_a_stopped_worker_that_goes_on_comes_too_late(cluster: Cluster, many: Path) -> None:
    """After a minute, what it was given is another's, whose result counts; then it is of use again."""
    build = cluster.build(cluster.project(many))
    late = cluster.wait_running(SLOW)
    started = time.monotonic()
    cluster.network[late].pause(WORKER)
    other = cluster.wait_running(SLOW, other_than=late)
    print(f"elsewhere after {time.monotonic() - started:.2f} s")
    cluster.pause_compile(other, SLOW)
    # Its compiler is not stopped, and ends meanwhile.
    time.sleep(max(0.0, started + STOPPED_SECONDS - time.monotonic()))
    assert late not in cluster.running(SLOW)
    cluster.network[late].resume(WORKER)
    cluster.wait_here(len(NODES) + 2)
    wait_for(lambda: cluster.status()[late]["state"] == "ready", "the late worker")
    cluster.resume_tools(other)
    cluster.end_identical(build, many)
    assert build.nodes_of(SLOW) == [other]


def test_the_build_waits_when_all_workers_are_lost(cluster: Cluster, many: Path) -> None:
    """It says so, and goes on when there is a worker again."""
    build = cluster.build(cluster.project(many))
    cluster.wait_running(SLOW)
    for name in NODES:
        cluster.kill_worker(name)
    build.wait_said("no worker at head:8082 can run this build: waiting for one")
    cluster.start_workers("n2")
    cluster.end_identical(build, many)
    assert "going on" in build.stderr


def test_the_build_falls_back_when_all_workers_are_lost(cluster: Cluster, many: Path) -> None:
    """With `--fallback local` the rest is built on the head."""
    build = cluster.build(cluster.project(many), "--fallback", "local")
    cluster.wait_running(SLOW)
    for name in NODES:
        cluster.kill_worker(name)
    build.wait_said("building here")
    cluster.end_identical(build, many)
    assert build.nodes_of(SLOW) == ["head"]


# luigid and clients


def test_luigid_is_killed_and_started_again(cluster: Cluster, many: Path) -> None:
    """Workers and clients return to it, and what is held is not run twice."""
    build = cluster.build(cluster.project(many))
    holder = cluster.wait_running(SLOW)
    cluster.pause_compile(holder, SLOW)
    build.wait_ended(3)
    cluster.kill_scheduler()
    build.wait_said("does not answer")
    cluster.start_scheduler()
    cluster.wait_here(len(NODES) + 1)
    # All nodes are idle when only this compile is left: whoever could be given it has been.
    build.wait_ended(SMALL + 1)
    assert cluster.running(SLOW) == [holder]
    cluster.resume_tools(holder)
    cluster.end_identical(build, many)
    assert build.nodes_of(SLOW) == [holder]
    # What ended in the moment of luigid's death is found done by whoever is given it again.
    assert len(build.actions()) + len(build.actions("hit")) == SMALL + 4
    assert "luigid was restarted" in build.stderr


def test_what_a_killed_client_had_running_is_used(cluster: Cluster, many: Path) -> None:
    """Workers finish it, and the next build finds it done."""
    project = cluster.project(many)
    killed = cluster.build(project)
    cluster.wait_running(SLOW)
    killed.process.kill()
    wait_for(lambda: cluster.records(f"compile {SLOW}"), "the record of what ran")
    done = set(killed.end(-9).actions()) | {f"compile {SLOW}"}
    build = cluster.end_identical(cluster.build(project), many)
    assert not done & set(build.actions())


def test_ctrl_c_ends_what_runs_on_the_nodes(cluster: Cluster, many: Path) -> None:
    """Within two seconds, and with exit code 130."""
    build = cluster.build(cluster.project(many))
    cluster.wait_running(SLOW)
    started = time.monotonic()
    build.process.interrupt()
    build.end(130)
    wait_for(lambda: not cluster.tools(), "the end of all tools", max(0.1, started + 2 - time.monotonic()))
    print(f"ended after {time.monotonic() - started:.2f} s")
    assert "Traceback" not in build.stderr


def test_a_compile_error_ends_the_build(cluster: Cluster, many: Path, references: References) -> None:
    """It is said as on one machine, nobody tries it again, and what else runs is ended at once."""
    source = cluster.head.view(cluster.project(many))
    # It comes after slow2, when slow1 is compiled elsewhere.
    write(
        source / "broken" / "broken.go",
        f'package broken\n\nimport "{MODULE}/slow2"\n\nvar Sum = slow2.Sum(nothing)\n',
    )
    main = (source / "main.go").read_text()
    write(source / "main.go", main.replace(f'"{MODULE}/slow2"', f'slow2 "{MODULE}/broken"'))
    here = references.lab.luigigo("build", source, "-o", references.lab.folder / "broken")
    build = cluster.build(cluster.local / "project")
    held = cluster.wait_running(SLOW)
    cluster.pause_compile(held, SLOW)
    build.end(here.returncode)
    ended = time.monotonic()
    wait_for(lambda: not cluster.tools(), "the end of all tools", 2)
    print(f"ended after {time.monotonic() - ended:.2f} s")
    assert said_of(f"{MODULE}/broken", build.stderr) == said_of(f"{MODULE}/broken", here.stderr)
    assert build.actions("failed") == [f"compile {MODULE}/broken"]
    assert not build.output.exists()


def said_of(package: str, text: str) -> str:
    """What is said of a package, from its heading to the next, wherever the project is from there."""
    found = re.search(rf"^# {package}\n(?:(?!# |luigigo: ).*\n)+", text, re.M)
    assert found is not None, text
    return re.sub(r"(?m)^\S*project/", "", found.group())


def test_two_clients_build_the_same_program(cluster: Cluster, many: Path) -> None:
    """Each action runs once for both."""
    project = cluster.project(many)
    both = [
        cluster.build(project, name=name, env={"LUIGIGO_CACHE": f"{cluster.local}/{name}-cache"})
        for name in ("first", "second")
    ]
    for build in both:
        cluster.end_identical(build, many)
    assert_each_ran_once(cluster, both, SMALL + 4)


def test_two_clients_build_programs_that_share_packages(cluster: Cluster, many: Path) -> None:
    """Each action runs once for both."""
    project = cluster.project(many)
    both = [
        cluster.build(project, package, name=name, env={"LUIGIGO_CACHE": f"{cluster.local}/{name}-cache"})
        for name, package in (("first", "."), ("second", "./other"))
    ]
    for build, arguments in zip(both, ((), ("./other",)), strict=True):
        cluster.assert_identical(build.end(), many, *arguments)
    assert_each_ran_once(cluster, both, SMALL + 6)


def assert_each_ran_once(cluster: Cluster, builds: list[Build], count: int) -> None:
    """Of all that the builds say, there is one run of each action."""
    ended = {
        (event["outcome"], f"{event['kind']} {event['package']}", event["node"], event["seconds"])
        for build in builds
        for event in build.events
        if event["event"] == "action"
    }
    runs = sorted(action for outcome, action, _, _ in ended if outcome == "ran")
    assert len(set(runs)) == count
    assert len(runs) == count, runs
    assert {outcome for outcome, *_ in ended} <= {"ran", "hit"}
    assert sum(node["done"] for node in cluster.status().values()) == sum(
        1 for _, _, node, _ in ended if node
    )
