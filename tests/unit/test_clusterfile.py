"""What a cluster's file may hold, what is refused with which words, and which clusters are known."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from luigigo.clusterfile import (
    as_file,
    find_known,
    is_host,
    known_clusters,
    parse_cluster,
    private_folder,
    read_cluster,
    remember,
)
from luigigo.errors import UsageError

ROOT = Path(__file__).parents[2]
SMALL = "shared: /shared/luigigo\nscheduler: {host: head}\nnodes:\n  - {host: n1}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cluster.yaml"


def test_the_smallest_file_has_defaults_for_all_else(file: Path) -> None:
    """Share, luigid's host and one node are enough."""
    file.write_text(SMALL)
    cluster = read_cluster(str(file))
    assert (cluster.shared, cluster.scheduler.host, cluster.scheduler.port) == (
        "/shared/luigigo",
        "head",
        8082,
    )
    assert [(node.name, node.slots, node.memory_bytes) for node in cluster.nodes] == [("n1", 0, 0)]
    assert cluster.token_path == "/shared/luigigo/cluster/token"
    assert cluster.cache_bytes == 20 << 30
    assert cluster.interpreter == sys.executable
    assert cluster.file == str(file)


def test_everything_that_can_be_set(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes, times and paths of the home folder are read as people write them."""
    monkeypatch.setenv("HOME", "/home/me")
    file.write_text(
        "shared: /shared/luigigo/\n"
        "scheduler: {host: head, port: 9000, bind: 10.0.0.1, tls_certificate: /c, tls_key: /k}\n"
        "nodes:\n"
        "  - {host: n1, slots: 16, memory: 64G, user: build, key: ~/.ssh/id, port: 2222}\n"
        "  - {host: 'fe80::1', memory: 1048576}\n"
        "cache: /scratch\ncache_size: 1.5T\ntoken_file: ~/token\nidle_exit: 90m\n"
        "python: /usr/bin/python3\ngo: /opt/go/bin/go\n"
    )
    cluster = read_cluster(str(file))
    first, second = cluster.nodes
    assert cluster.shared == "/shared/luigigo"
    assert (cluster.scheduler.trusted, cluster.scheduler.bind) == ("/c", "10.0.0.1")
    assert (first.memory_bytes, first.key, first.port) == (64 << 30, "/home/me/.ssh/id", 2222)
    assert second.memory_bytes == 1 << 20
    assert (cluster.cache_bytes, cluster.idle_exit_seconds) == (int(1.5 * (1 << 40)), 5400)
    assert (cluster.token_path, cluster.interpreter) == ("/home/me/token", "/usr/bin/python3")


def test_nodes_may_be_left_out(file: Path) -> None:
    """Where Slurm starts the workers, nobody knows their nodes before."""
    file.write_text("shared: /shared\nscheduler: {host: head}\n")
    cluster = read_cluster(str(file))
    assert cluster.nodes == ()
    with pytest.raises(UsageError, match="has no node 'n1'; it has none"):
        cluster.node("n1")


def test_json_is_read_as_well(file: Path) -> None:
    """A program may write the file."""
    file.write_text(json.dumps({"shared": "/s", "scheduler": {"host": "h"}, "nodes": [{"host": "n"}]}))
    assert read_cluster(str(file)).nodes[0].host == "n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- 1", "wanted a mapping (name: value), found a list"),
        ("", "wanted a mapping (name: value), found `null`"),
        ("shared: [", "line 1: this is no YAML"),
        (SMALL + "nodes: []\n", "line 1: this is no YAML: 'nodes' stands there twice"),
        (SMALL.replace("host: n1", "host: n1, slots: many"), "nodes[0].slots: wanted `int`, found `str`"),
        (SMALL.replace("host: n1", "host: n1, slots: true"), "nodes[0].slots: wanted `int`, found `bool`"),
        (SMALL.replace("host: n1", "host: n1, slot: 1"), "nodes[0]: there is no such setting: `slot`"),
        (SMALL.replace("host: n1", "slots: 1"), "nodes[0]: missing is `host`"),
        (SMALL.replace("host: n1", "host: n1, slots: -1"), "nodes[0].slots: -1 is no number of slots"),
        (SMALL.replace("host: n1", "host: n1, memory: lots"), "nodes[0].memory: 'lots' is no size"),
        (SMALL.replace("host: n1", "host: n1, port: 70000"), "nodes[0].port: 70000 is no port"),
        (SMALL.replace("host: n1", "host: n1, user: -oProxyCommand=x"), "nodes[0].user:"),
        (SMALL.replace("host: n1", "host: n1, key: id"), "nodes[0].key: 'id' must be an absolute path"),
        (SMALL.replace("host: n1", "host: -n1"), "nodes[0].host: '-n1' is no host name"),
        (SMALL.replace("host: n1", "host: 'n1;reboot'"), "nodes[0].host: 'n1;reboot' is no host name"),
        (SMALL.replace("host: n1", "host: ../n1"), "nodes[0].host: '../n1' is no host name"),
        (SMALL + "  - {host: n1}\n", "nodes[1].host: n1 is listed twice"),
        (SMALL.replace("host: head", "host: head, port: 0"), "scheduler.port: 0 is no port"),
        (
            SMALL.replace("host: head", "host: head, tls_key: /k"),
            "tls_certificate and tls_key belong together",
        ),
        (SMALL.replace("/shared/luigigo", "shared"), "shared: 'shared' must be the absolute path"),
        (SMALL.replace("/shared/luigigo", "/"), "shared: '/' must be the absolute path"),
        (SMALL + "cache: tmp\n", "cache: 'tmp' must be an absolute path"),
        (SMALL + "cache_size: 20 apples\n", "cache_size: '20 apples' is no size; write it as 20G"),
        (SMALL + "idle_exit: soon\n", "idle_exit: 'soon' is no time; write it as 8h"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(file: Path, text: str, words: str) -> None:
    """A message names the file, the place in it and what is wanted there."""
    file.write_text(text)
    with pytest.raises(UsageError) as raised:
        read_cluster(str(file))
    assert words in str(raised.value)
    assert str(raised.value).startswith(str(file))


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    """No traceback for a wrong path."""
    with pytest.raises(UsageError, match=r"cluster\.yaml cannot be read: No such file"):
        read_cluster(str(file))


def test_yaml_cannot_make_objects(file: Path, tmp_path: Path) -> None:
    """A tag that would run a program is refused."""
    file.write_text(f"shared: !!python/object/apply:os.mkdir ['{tmp_path / 'made'}']\n")
    with pytest.raises(UsageError, match="no YAML"):
        read_cluster(str(file))
    assert not (tmp_path / "made").exists()


def test_a_description_travels_as_a_file(file: Path) -> None:
    """What is written for a node is read there as the same description."""
    file.write_text(
        SMALL.replace("host: n1", "host: n1, memory: 3G, slots: 2") + "idle_exit: 2h\ncache: /scratch\n"
    )
    cluster = read_cluster(str(file))
    assert parse_cluster(json.loads(json.dumps(as_file(cluster))), cluster.file) == cluster


def test_the_example_is_right() -> None:
    """workflows/cluster.yaml can be read."""
    assert read_cluster(str(ROOT / "workflows" / "cluster.yaml")).nodes


@pytest.mark.parametrize("name", ["n1", "10.0.0.1", "node_3.example.org", "::1", "fe80::1"])
def test_hosts(name: str) -> None:
    """Names and addresses are hosts."""
    assert is_host(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "-n", "n1:22", "a/b", "a b", "n\n", "a" * 300, "fe80::1%eth0"]
)
def test_no_hosts(name: str) -> None:
    """What could be an option, a path or a port is none."""
    assert not is_host(name)


def test_bootstraps_python_is_kept_when_there_is_a_newer_one(tmp_path: Path, file: Path) -> None:
    """The interpreter is named by the environment's own folder, not by the link that is turned later."""
    (tmp_path / "envs" / "first" / "bin").mkdir(parents=True)
    (tmp_path / "envs" / "first" / "bin" / "python").symlink_to(sys.executable)
    (tmp_path / "env").symlink_to("envs/first")
    file.write_text(SMALL.replace("/shared/luigigo", str(tmp_path)))
    assert read_cluster(str(file)).interpreter == str(tmp_path / "envs" / "first" / "bin" / "python")


def test_a_cache_is_one_folder_for_each_node_and_user(file: Path) -> None:
    """A name from outside cannot lead out of it."""
    file.write_text(SMALL + "cache: /scratch\n")
    cluster = read_cluster(str(file))
    assert cluster.cache_of("n1") == f"/scratch/luigigo-{os.geteuid()}-n1"
    with pytest.raises(UsageError):
        cluster.cache_of("../n1")


def test_a_private_folder_is_made_for_this_user_alone(tmp_path: Path) -> None:
    """Mode 700, also where others could read before."""
    path = tmp_path / "cache"
    private_folder(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    path.chmod(0o755)
    private_folder(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_folder_that_others_could_fill_is_refused(tmp_path: Path) -> None:
    """So are a link and a file."""
    path = tmp_path / "cache"
    path.mkdir()
    path.chmod(0o777)
    with pytest.raises(UsageError, match="must be this user's alone"):
        private_folder(str(path))
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(UsageError, match="is no folder"):
        private_folder(str(tmp_path / "link"))
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is no folder"):
        private_folder(str(tmp_path / "file"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_somebody_elses_folder_is_refused(tmp_path: Path) -> None:
    """Whoever made it first does not get what is put into it."""
    (tmp_path / "cache").mkdir(mode=0o700)
    os.chown(tmp_path / "cache", 12345, 12345)
    with pytest.raises(UsageError, match="belongs to user 12345"):
        private_folder(str(tmp_path / "cache"))


def test_a_cluster_that_was_started_is_found_by_host_and_port(tmp_path: Path, file: Path) -> None:
    """A client finds share and token with nothing configured; the file is private."""
    file.write_text(SMALL.replace("host: head", "host: head, tls_certificate: /c, tls_key: /k"))
    variables = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    assert find_known("head", 8082, variables) is None
    path = remember(read_cluster(str(file)), variables)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    known = find_known("head", 8082, variables)
    assert known is not None
    assert (known.shared, known.token_path, known.tls_ca) == (
        "/shared/luigigo",
        "/shared/luigigo/cluster/token",
        "/c",
    )
    assert find_known("head", 8083, variables) is None
    assert find_known("../head", 8082, variables) is None
    assert [cluster.file for cluster in known_clusters(variables)] == [str(file)]


def test_a_broken_file_of_a_known_cluster_counts_as_none(tmp_path: Path) -> None:
    """A build does not fail for it."""
    folder = tmp_path / "luigigo" / "clusters"
    folder.mkdir(parents=True)
    (folder / "head_8082.json").write_text("{")
    assert find_known("head", 8082, {"XDG_CONFIG_HOME": str(tmp_path)}) is None
    assert known_clusters({"XDG_CONFIG_HOME": str(tmp_path)}) == []


def test_yaml_is_not_loaded_before_a_file_is_read() -> None:
    """A build that asks for a known cluster does not pay for it."""
    program = "import sys, luigigo.clusterfile as c; c.find_known('h', 1); sys.exit('yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
