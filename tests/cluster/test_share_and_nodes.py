"""Builds while the share fails, what nodes need, and stock programs: each binary is the one of go build."""

from __future__ import annotations

import re
import shutil
import time
import zipfile
from pathlib import Path

import pytest
from clusters import MODULE, NODES, SMALL, Cluster, write
from moosefs import RECOVERY_SECONDS, MooseFS
from support import IDENTICAL, PROGRAMS, replace_content
from tools import wait_for_port

SLOW = f"{MODULE}/slow1"
SMALL_ACTIONS = {f"compile {MODULE}/p{number:02d}" for number in range(SMALL)}
FAULT_SECONDS = 10.0
STOPPED_SECONDS = 60.0


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
