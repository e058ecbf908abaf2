"""Builds while daemons, cables, hosts and the share fail: each ends with the binary that go build makes."""

from __future__ import annotations

import re
import shutil
import signal
import time
import zipfile
from pathlib import Path

import pytest
from clientbuild import Build
from clusters import MODULE, NODES, SCHEDULER, SMALL, WORKER, Cluster, References, write
from moosefs import RECOVERY_SECONDS, MooseFS
from support import IDENTICAL, PROGRAMS, replace_content
from tools import wait_for, wait_for_port

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
    cluster.end_identical(build, many)
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


# The share


@pytest.mark.parametrize("fault", ["read_only", "full", "paused"])
def test_the_share_fails_for_a_while(cluster: Cluster, share: MooseFS, many: Path, fault: str) -> None:
    """While it is read-only, full or gone, the build waits."""
    build = cluster.build(cluster.project(many))
    cluster.wait_running(SLOW)
    with getattr(share, fault)():
        time.sleep(FAULT_SECONDS)
        assert build.process.poll() is None
    cluster.end_identical(build, many, RECOVERY_SECONDS)


def test_damage_in_the_store_is_mended(cluster: Cluster, many: Path) -> None:
    """Content that is changed, shortened or gone and a torn record are found by whoever reads them."""
    project = cluster.project(many)
    cluster.end_identical(cluster.build(project), many)
    for name in NODES:
        cluster.kill_worker(name)
    # So that nobody remembers what is done.
    cluster.kill_scheduler()
    cluster.forget_caches()
    for action in (f"link {MODULE}", f"compile {MODULE}"):
        for record in cluster.records(action):
            record.unlink()
    changed = cluster.content(f"compile {MODULE}/p19", "export")
    replace_content(changed, bytes(byte ^ 1 for byte in changed.read_bytes()))
    shortened = cluster.content(f"compile {MODULE}/p21", "object")
    replace_content(shortened, shortened.read_bytes()[:100])
    cluster.content(f"compile {MODULE}/p22", "object").unlink()
    for record in cluster.records(f"compile {MODULE}/p23"):
        replace_content(record, record.read_bytes()[:80])
    cluster.start()
    build = cluster.build(project, name="again").end()
    cluster.assert_identical(build, many)
    assert {f"compile {MODULE}/p{number}" for number in (19, 21, 22, 23)} <= set(build.actions())


def test_garbage_is_collected_while_a_build_runs(cluster: Cluster, many: Path) -> None:
    """What the build needs stays, even where nothing else may."""
    build = cluster.build(cluster.project(many))
    held = cluster.wait_running(SLOW)
    cluster.pause_compile(held, SLOW)
    build.wait_ended(SMALL + 1)
    parts = [cluster.shared / "actions", cluster.shared / "cas"]
    cluster.head.run(["find", *parts, "-exec", "touch", "-d", "yesterday", "{}", "+"])
    env = cluster.environment({"LUIGIGO_SHARED": str(cluster.shared)})
    collected = cluster.head.run(["luigigo", "store", "gc", "--max-age", "1h"], env, cluster.local).stdout
    assert re.match(r"removed [1-9]\d* records, [1-9]\d* contents", collected), collected
    cluster.resume_tools(held)
    cluster.end_identical(build, many)


# What a node must have, and what it need not


def test_a_node_with_another_toolchain_is_left_out(
    idle_cluster: Cluster, seed: Path, many: Path, other_go: str
) -> None:
    """It is given nothing, and the user is told its name."""
    idle_cluster.seed()
    idle_cluster.start(["n1", "n2"])
    idle_cluster.start_workers("n3", env={"LUIGIGO_GO": other_go})
    build = idle_cluster.end_identical(idle_cluster.build(idle_cluster.project(many)), many)
    assert {event["node"] for event in build.events if event["event"] == "action"} == {"n1", "n2"}
    assert re.search(r"n3 has go1\.26\S*, not this build's Go: left out", build.stderr), build.stderr
    assert idle_cluster.status()["n3"]["done"] == 0


def test_modules_are_read_on_the_head_alone(cluster: Cluster, tmp_path: Path) -> None:
    """A node builds packages of a module that only the head has in its cache."""
    version = "example.com/greeting@v1.0.0"
    with zipfile.ZipFile(tmp_path / "v1.0.0.zip", "w") as file:
        file.writestr(f"{version}/go.mod", "module example.com/greeting\n\ngo 1.26\n")
        file.writestr(f"{version}/greeting.go", 'package greeting\n\nconst Text = "good day"\n')
    proxy = cluster.local / "proxy"
    offered = cluster.head.view(proxy / "example.com/greeting/@v")
    offered.mkdir(parents=True)
    shutil.copy(tmp_path / "v1.0.0.zip", offered)
    write(offered / "v1.0.0.info", '{"Version": "v1.0.0"}')
    write(offered / "v1.0.0.mod", "module example.com/greeting\n\ngo 1.26\n")
    source = tmp_path / "user"
    write(source / "go.mod", "module example.com/user\n\ngo 1.26\n\nrequire example.com/greeting v1.0.0\n")
    write(
        source / "main.go",
        'package main\n\nimport "fmt"\nimport "example.com/greeting"\n\n'
        "func main() { fmt.Println(greeting.Text) }\n",
    )
    project = cluster.project(source)
    env = {"GOMODCACHE": str(cluster.local / "modules"), "GOPROXY": f"file://{proxy}", "GOSUMDB": "off"}
    cluster.head.run(["go", "mod", "tidy"], cluster.environment(env), project)
    build = cluster.build(project, env=env).end()
    assert cluster.head.run([cluster.local / "program"]).stdout == "good day\n"
    reference = ["go", "build", *IDENTICAL, "-o", cluster.local / "expected"]
    cluster.head.run(reference, cluster.environment(env), project)
    assert build.output.read_bytes() == build.output.with_name("expected").read_bytes()
    assert set(build.nodes_of("example.com/greeting")) <= set(NODES)


@pytest.mark.parametrize("program", ["assembly", "cgo", "embed"])
def test_nodes_need_only_the_share(cluster: Cluster, program: str) -> None:
    """They see neither the project nor the head's home, whatever the package reads."""
    source = PROGRAMS / program
    project = cluster.project(source)
    for name in NODES:
        assert not cluster.network[name].view(project).exists()
    build = cluster.end_identical(cluster.build(project), source)
    assert {event["node"] for event in build.events if event["event"] == "action"} <= set(NODES)


def test_several_programs_are_built_on_nodes(cluster: Cluster) -> None:
    """Each is what go build makes."""
    source = PROGRAMS / "several"
    cluster.head.view(cluster.local / "programs").mkdir()
    build = cluster.build(cluster.project(source), "./cmd/one", "./cmd/three", name="programs").end()
    for name in ("one", "three"):
        expected = cluster.references.binary(source, f"./cmd/{name}")
        assert (build.output / name).read_bytes() == expected
    assert {event["node"] for event in build.events if event["event"] == "action"} <= set(NODES)


def test_luigis_own_command_builds_on_nodes(cluster: Cluster, many: Path) -> None:
    """With the host of luigid and the file of its token."""
    output = cluster.local / "program"
    command = ["luigi", "--module", "luigigo", "BuildBinary", "--project", cluster.project(many)]
    token = {"LUIGIGO_TOKEN_FILE": str(cluster.shared / "cluster" / "token")}
    told = ["--output", output, "--scheduler-host", "head"]
    cluster.head.run([*command, *told], cluster.environment(token), cluster.local)
    assert cluster.head.view(output).read_bytes() == cluster.references.binary(many)
    assert sum(node["done"] for node in cluster.status().values()) == SMALL + 4


# Stock programs


def test_a_stock_client_runs_its_tasks_through_our_luigid(cluster: Cluster) -> None:
    """With the token in the URL; nothing of luigigo is loaded there."""
    folder = cluster.head.view(cluster.local)
    write(
        folder / "plain.py",
        "import luigi, pathlib, sys\n\n\n"
        "class Part(luigi.Task):\n    number = luigi.IntParameter()\n\n"
        "    def output(self):\n        return luigi.LocalTarget(f'part{self.number}')\n\n"
        "    def run(self):\n        assert 'luigigo' not in sys.modules\n"
        "        pathlib.Path(self.output().path).touch()\n\n\n"
        "class Whole(luigi.WrapperTask):\n"
        "    def requires(self):\n        return [Part(number) for number in range(5)]\n",
    )
    url = f"http://luigigo:{cluster.token}@head:8082"
    command = ["luigi", "--module", "plain", "Whole", "--scheduler-url", url]
    done = cluster.head.run(command, cluster.environment({"PYTHONPATH": "."}), cluster.local)
    assert "This progress looks :)" in done.stderr + done.stdout
    assert sorted(path.name for path in folder.glob("part*")) == [f"part{number}" for number in range(5)]
    stranger = ["luigi", "--module", "plain", "Part", "--number", "7", "--scheduler-url", "http://head:8082"]
    more = {"PYTHONPATH": ".", "LUIGI_CONFIG_PATH": "luigi.cfg"}
    write(folder / "luigi.cfg", "[core]\nrpc_retry_attempts=1\nrpc_retry_wait=0\n")
    refused = cluster.head.run(stranger, cluster.environment(more), cluster.local, check=False)
    assert "401" in refused.stderr
    assert not (folder / "part7").exists()


def test_our_client_runs_with_a_stock_luigid(idle_cluster: Cluster, many: Path, seed: Path) -> None:
    """It builds on the head, and says in one line that no node helps."""
    head, project = idle_cluster.head, idle_cluster.project(many)
    idle_cluster.seed()
    head.start(["luigid", "--port", "8083"], cwd=idle_cluster.local)
    wait_for_port(head.address, 8083)
    env = {"LUIGIGO_SHARED": str(idle_cluster.shared)}
    output = idle_cluster.local / "program"
    command = ["luigigo", "build", project, "-o", output, "--scheduler-host", "head", "--scheduler-port"]
    done = head.run([*command, "8083"], idle_cluster.environment(env), idle_cluster.local)
    told = [line for line in done.stderr.splitlines() if "a stock one" in line]
    assert len(told) == 1 and "slower" in told[0]
    assert head.view(output).read_bytes() == idle_cluster.references.binary(many)
