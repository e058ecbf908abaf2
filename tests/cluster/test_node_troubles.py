"""A node's own disk or toolchain is full, gone or changed: others do its work, no program is blamed."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from glob import glob
from pathlib import Path

import pytest
from clusters import MODULE, NODES, SMALL, WORKER, Cluster, write, write_many
from hosts import LOCAL, Host, Network
from tools import tool, wait_for

SLOW = f"{MODULE}/slow1"
SMALL_DISK = "48M"
HASHES = ("adler32", "crc32", "crc64", "fnv")
"""Packages that are not in the store from the first."""

MakeSmall = Callable[..., None]


def own_folders(cluster: Cluster, name: str) -> list[Path]:
    """What the worker has on its node's disk."""
    return list(cluster.network[name].view(cluster.local).glob("luigigo-*"))


def remove_files(folder: Path) -> None:
    """As a cleaner of old files does, which leaves folders."""
    for parent, _, names in os.walk(folder):
        for each in names:
            (Path(parent) / each).unlink(missing_ok=True)


def has_only_slow(cluster: Cluster, name: str) -> bool:
    """Whether the small packages are done, and the node has one more."""
    status = cluster.status()
    return sum(node["done"] for node in status.values()) >= SMALL and status[name]["running"] == 1


def states(cluster: Cluster) -> dict[str, str]:
    return {name: node["state"] for name, node in cluster.status().items()}


@pytest.mark.parametrize("remove", [shutil.rmtree, remove_files], ids=["folders", "files"])
def test_what_a_node_has_is_removed_while_it_compiles(
    cluster: Cluster, many: Path, remove: Callable[[Path], None]
) -> None:
    """The node makes it again and does what it was given; nobody is told of an error."""
    build = cluster.build(cluster.project(many))
    held = cluster.wait_running(SLOW)
    cluster.pause_compile(held, SLOW)
    wait_for(lambda: has_only_slow(cluster, held), "the small packages")
    for folder in own_folders(cluster, held):
        remove(folder)
    cluster.resume_tools(held)
    cluster.end_identical(build, many)
    assert build.nodes_of(SLOW) == [held]
    assert "unable" not in cluster.log_text(held)
    assert set(states(cluster).values()) == {"ready"}


@pytest.fixture
def small_disks(idle_cluster: Cluster) -> Iterator[MakeSmall]:
    """Gives nodes a small disk of their own for what their workers need."""
    mounted: list[Host] = []

    def make(*names: str) -> None:
        for name in names:
            host = idle_cluster.network[name]
            options = ["-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs"]
            host.run([tool("mount"), *options, idle_cluster.local], cwd="/")
            mounted.append(host)
        idle_cluster.describe()

    yield make
    for host in mounted:
        host.run([tool("umount"), "--lazy", idle_cluster.local], cwd="/")


def fill(host: Host, folder: Path) -> None:
    """Leave no room on the disk under a folder."""
    with pytest.raises(OSError, match="No space"), open(host.view(folder) / "filled", "wb") as file:
        while True:
            file.write(b"x" * 65536)
            file.flush()


def test_a_node_makes_room_on_its_full_disk(
    idle_cluster: Cluster, seed: Path, many: Path, small_disks: MakeSmall, tmp_path: Path
) -> None:
    """It removes what its cache does not need at the moment, and goes on."""
    cluster = idle_cluster
    cluster.seed()
    small_disks("n1")
    cluster.start(["n1"])
    project = cluster.project(many)
    cluster.end_identical(cluster.build(project), many)
    fill(cluster.network["n1"], cluster.local)
    edited = shutil.copytree(many, tmp_path / "edited")
    text = (edited / "p00" / "sum.go").read_text().replace("return n*2", "return n*3")
    for folder in (edited, cluster.head.view(project)):
        (folder / "p00" / "sum.go").write_text(text)
    build = cluster.end_identical(cluster.build(project, name="again"), edited)
    assert f"compile {MODULE}/p00" in build.actions()
    assert "the disk is full: removed" in cluster.log_text("n1")
    assert states(cluster) == {"n1": "ready"}


def test_a_node_whose_disk_is_full_for_good(
    idle_cluster: Cluster, seed: Path, many: Path, small_disks: MakeSmall
) -> None:
    """Others do its work; the user is told which node it is, which folder, and what is free."""
    cluster = idle_cluster
    cluster.seed()
    small_disks("n1")
    cluster.start()
    fill(cluster.network["n1"], cluster.local)
    build = cluster.end_identical(cluster.build(cluster.project(many)), many)
    assert {event["node"] for event in build.events if event["event"] == "action"} == {"n2", "n3"}
    assert f"node n1: {cluster.local}/" in build.stderr
    assert " are free" in build.stderr
    assert states(cluster)["n1"] == "suspended"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A program of which one package embeds more than a small disk holds."""
    write_many(tmp_path, slow=("slow1",), imports=[f"{MODULE}/large"])
    write(
        tmp_path / "large" / "large.go",
        'package large\n\nimport _ "embed"\n\n//go:embed file\nvar File string\n',
    )
    (tmp_path / "large" / "file").write_bytes(os.urandom(60 << 20))
    return tmp_path


def test_a_package_that_is_too_large_for_a_node(
    idle_cluster: Cluster, seed: Path, large: Path, small_disks: MakeSmall
) -> None:
    """Another compiles it, and the first goes on with the rest."""
    cluster = idle_cluster
    cluster.seed()
    small_disks("n1", "n2")
    cluster.start()
    build = cluster.end_identical(cluster.build(cluster.project(large)), large)
    assert build.nodes_of(f"{MODULE}/large") == ["n3"]
    assert set(states(cluster).values()) == {"ready"}


def test_a_package_that_is_too_large_for_all(
    idle_cluster: Cluster, seed: Path, large: Path, small_disks: MakeSmall
) -> None:
    """The build ends, and says of each node what is free and what is needed."""
    cluster = idle_cluster
    cluster.seed()
    small_disks(*NODES)
    cluster.start()
    build = cluster.build(cluster.project(large)).end(6)
    assert build.stderr.count("no node can run it") == 1, build.stderr
    for name in NODES:
        assert f"{name}: {cluster.local}/" in build.stderr, build.stderr
    assert "60.0 MB are needed" in build.stderr, build.stderr
    assert "Traceback" not in build.stderr


ChangeGo = Callable[[str, str], list[str]]


@pytest.fixture
def change_go(network: Network) -> Iterator[ChangeGo]:
    """Changes files of Go as one node sees them; tools can still use them. Returns their paths."""
    changed: list[tuple[Host, str]] = []

    def change(name: str, within: str) -> list[str]:
        host = network[name]
        goroot = host.run(["go", "env", "GOROOT"], cwd="/").stdout.strip()
        paths = [path for path in glob(f"{goroot}/{within}") if not path.endswith("_test.go")]
        for path in paths:
            other = LOCAL / f"changed{len(changed)}"
            host.run(["cp", "-p", path, other], cwd="/")
            with open(host.view(other), "ab") as file:
                file.write(b"\n")
            host.run([tool("mount"), "--bind", other, path], cwd="/")
            changed.append((host, path))
        return paths

    yield change
    for host, path in changed:
        host.run([tool("umount"), "--lazy", path], cwd="/")


@pytest.mark.parametrize(
    "within",
    ["pkg/tool/*/compile", "pkg/include/funcdata.h", "src/hash/*/*.go"],
    ids=["tool", "header", "sources"],
)
def test_go_changes_under_a_worker(
    idle_cluster: Cluster, seed: Path, tmp_path: Path, change_go: ChangeGo, within: str
) -> None:
    """The node is named, with the file, and runs nothing more of that; another goes on."""
    cluster = idle_cluster
    cluster.seed()
    cluster.start(["n1", "n2"])
    write_many(tmp_path, slow=("slow1",), imports=[f"hash/{name}" for name in HASHES])
    paths = change_go("n1", within)
    # It is given fewer than there are of what n1 can't run any more.
    cluster.network["n2"].pause(WORKER)
    build = cluster.build(cluster.project(tmp_path))
    wait_for(lambda: " is not what the build was planned with" in build.stderr, "what n1 says")
    cluster.network["n2"].resume(WORKER)
    cluster.end_identical(build, tmp_path)
    told = re.findall(r"^luigigo: node n1: (.*) is not what", build.stderr, re.MULTILINE)
    assert {path for path in paths for each in told if f"{path}/".startswith(f"{each}/")}, build.stderr
    assert [build.nodes_of(f"hash/{name}") for name in HASHES] == [["n2"]] * len(HASHES)
    assert states(cluster) == {"n1": "suspended", "n2": "ready"}


def test_go_has_changed_on_all_nodes(
    idle_cluster: Cluster, seed: Path, many: Path, change_go: ChangeGo
) -> None:
    """The build ends and names the node and the file; nothing of what was made is used."""
    cluster = idle_cluster
    cluster.seed()
    cluster.start(["n1"])
    [path] = change_go("n1", "pkg/tool/*/compile")
    build = cluster.build(cluster.project(many)).end(6)
    assert "no node can run it" in build.stderr
    assert f"n1: {path} is not what the build was planned with" in build.stderr, build.stderr
    assert build.actions() == []
    assert not build.output.exists()


def test_why_nobody_can_run_a_build(idle_cluster: Cluster, seed: Path, many: Path, other_go: str) -> None:
    """It waits, and says of each node why it is of no use; then it goes on."""
    cluster = idle_cluster
    cluster.seed()
    cluster.start([])
    cluster.start_workers("n1", "n3", env={"LUIGIGO_GO": other_go})
    build = cluster.build(cluster.project(many))
    wait_for(lambda: "waiting for one" in build.stderr, "what is waited for")
    wait_for(lambda: build.stderr.count("not this build's Go\n") == 2, "what the nodes have")
    lines = build.stderr.splitlines()
    first = next(number for number, line in enumerate(lines) if "waiting for one" in line)
    for line, name in zip(lines[first + 1 :], ("n1", "n3"), strict=True):
        assert re.fullmatch(rf"  {name} has go1\.26\S*, not this build's Go", line), build.stderr
    cluster.start_workers("n2")
    cluster.end_identical(build, many)
