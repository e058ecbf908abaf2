"""Content by digest: published whole or not at all, checked before it is used."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from luigigo.errors import ContentMissing, StoreError
from luigigo.model import Digest, Output
from luigigo.store import StatHashes, Store

CONTENT = b"export data\n" * 200_000


def output_of(content: bytes) -> Output:
    return Output(Digest(hashlib.sha256(content).hexdigest()), len(content))


class Node:
    """A store as one node sees it, and what was reported."""

    def __init__(self, root: Path, cache: Path | None = None) -> None:
        self.root = root
        self.cache = cache
        self.damage: list[str] = []
        self.store = Store.open_at(str(root), str(cache) if cache else None, StatHashes(), self.damage.append)

    def path(self, output: Output) -> Path:
        return self.root / "cas" / output.digest[:2] / output.digest

    def cached(self, output: Output) -> Path:
        assert self.cache is not None
        return self.cache / output.digest[:2] / output.digest


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path / "store")


def files_below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def write_file(path: Path, content: bytes = CONTENT) -> str:
    path.write_bytes(content)
    return str(path)


def overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB of its own."""
    point = tmp_path / "disk"
    point.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(point)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = f"cannot mount a file system: {error}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    yield point
    subprocess.run(["umount", "--lazy", str(point)], check=True)


@pytest.mark.parametrize(("executable", "mode"), [(False, 0o444), (True, 0o555)])
def test_a_file_is_moved_in(node: Node, tmp_path: Path, executable: bool, mode: int) -> None:
    """It lies under its digest, cannot be written, and its old name is gone."""
    source = write_file(tmp_path / "source")
    output = node.store.publish_file(source, executable=executable)
    assert output == output_of(CONTENT)
    assert node.store.open_content(output) == str(node.path(output))
    assert node.path(output).read_bytes() == CONTENT
    assert node.path(output).stat().st_mode & 0o777 == mode
    assert not os.path.exists(source)
    assert files_below(node.root) == [output.digest]


@pytest.mark.parametrize("content", [b"", b"x", CONTENT])
def test_bytes_are_stored(node: Node, content: bytes) -> None:
    """Empty content is content."""
    output = node.store.publish_bytes(content)
    assert output == output_of(content)
    assert Path(node.store.open_content(output)).read_bytes() == content
    assert node.store.has_content(output)


def test_a_file_of_another_file_system_is_copied(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rename across file systems fails; the result is the same."""
    source = write_file(tmp_path / "source")
    rename = os.rename

    def refuse(old: str, new: str) -> None:
        if old == source:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(old, new)

    monkeypatch.setattr(os, "rename", refuse)
    output = node.store.publish_file(source, executable=True)
    assert node.path(output).read_bytes() == CONTENT
    assert node.path(output).stat().st_mode & 0o777 == 0o555
    assert not os.path.exists(source)
    assert files_below(node.root) == [output.digest]


def test_publishing_replaces_what_is_damaged(node: Node, tmp_path: Path) -> None:
    """A file of the right size under the right name is not believed."""
    output = node.store.publish_bytes(CONTENT)
    overwrite(node.path(output), b"?" * len(CONTENT))
    node.store.publish_file(write_file(tmp_path / "source"))
    assert Path(node.store.open_content(output)).read_bytes() == CONTENT
    assert node.damage == []


def test_absent_content_is_named(node: Node) -> None:
    """The error tells digest, place and what is wrong; nothing is reported as damaged."""
    output = output_of(b"never made")
    with pytest.raises(ContentMissing, match=f"{output.digest} is missing at {node.root}"):
        node.store.open_content(output)
    assert not node.store.has_content(output)
    assert node.damage == []


@pytest.mark.parametrize(
    ("damaged", "what"),
    [
        (CONTENT[:-1], f"truncated: {len(CONTENT) - 1} of {len(CONTENT)} bytes"),
        (b"", "truncated: 0 of"),
        (CONTENT + b"x", "corrupt: "),
        (b"X" + CONTENT[1:], "corrupt: its sha256 is "),
    ],
)
@pytest.mark.parametrize("shared", [False, True])
def test_damaged_content_is_removed_and_reported(
    tmp_path: Path, damaged: bytes, what: str, shared: bool
) -> None:
    """On one machine as on a share; then it can be made again."""
    maker = Node(tmp_path / "store")
    node = Node(tmp_path / "store", tmp_path / "cache" if shared else None)
    output = maker.store.publish_bytes(CONTENT)
    overwrite(maker.path(output), damaged)
    with pytest.raises(ContentMissing, match=what):
        node.store.open_content(output)
    assert len(node.damage) == 1 and what in node.damage[0] and "removed" in node.damage[0]
    assert files_below(tmp_path) == []
    maker.store.publish_bytes(CONTENT)
    assert Path(node.store.open_content(output)).read_bytes() == CONTENT


def test_unreadable_content_is_reported_and_left(node: Node) -> None:
    """A folder in its place, which even root cannot read as a file."""
    output = output_of(CONTENT)
    node.path(output).mkdir(parents=True)
    with pytest.raises(ContentMissing):
        node.store.open_content(msgspec.structs.replace(output, size_bytes=node.path(output).stat().st_size))
    assert "unreadable" in node.damage[0] and "left in place" in node.damage[0]
    assert node.path(output).is_dir()


@pytest.mark.parametrize("digest", ["", "..", "../../etc/passwd", "A" * 64, "0" * 64 + "\n"])
def test_a_digest_that_is_none_never_becomes_a_path(node: Node, digest: str) -> None:
    """The caller has a bug or worse."""
    with pytest.raises(ValueError, match="sha256"):
        node.store.open_content(Output(Digest(digest), 1))
    with pytest.raises(ValueError, match="sha256"):
        node.store.has_content(Output(Digest(digest), 1))
    with pytest.raises(ValueError, match="sha256"):
        node.store.read_plan(Digest(digest))


def test_content_published_late_is_waited_for(tmp_path: Path) -> None:
    """Another node's rename may take a moment to be seen; the time is bounded."""
    maker, reader = Node(tmp_path / "store"), Node(tmp_path / "store", tmp_path / "cache")
    timer = threading.Timer(0.3, maker.store.publish_bytes, (CONTENT,))
    timer.start()
    assert Path(reader.store.open_content(output_of(CONTENT), wait_seconds=10)).read_bytes() == CONTENT
    timer.join()
    with pytest.raises(ContentMissing, match=r"missing at .* after 0\.\d s"):
        reader.store.open_content(output_of(b"never"), wait_seconds=0.3)


def test_a_shared_content_is_copied_to_the_node_once(tmp_path: Path) -> None:
    """The share may lose it afterwards; the node's copy keeps the mode."""
    maker, reader = Node(tmp_path / "store"), Node(tmp_path / "store", tmp_path / "cache")
    output = maker.store.publish_bytes(CONTENT, executable=True)
    place = reader.store.open_content(output)
    assert place == str(reader.cached(output))
    assert os.stat(place).st_mode & 0o777 == 0o555
    maker.path(output).unlink()
    assert reader.store.open_content(output) == place
    assert not reader.store.has_content(output)
    assert files_below(tmp_path / "cache") == [output.digest]


def test_a_publishing_node_keeps_its_own_copy(tmp_path: Path) -> None:
    """What a node made it need not fetch."""
    node = Node(tmp_path / "store", tmp_path / "cache")
    output = node.store.publish_file(write_file(tmp_path / "source"))
    assert node.path(output).read_bytes() == node.cached(output).read_bytes() == CONTENT
    assert not (tmp_path / "source").exists()
    node.path(output).unlink()
    assert node.store.open_content(output) == str(node.cached(output))


def test_a_damaged_node_copy_is_fetched_again(tmp_path: Path) -> None:
    """The share is the truth."""
    node = Node(tmp_path / "store", tmp_path / "cache")
    output = node.store.publish_file(write_file(tmp_path / "source"))
    overwrite(node.cached(output), CONTENT[:10])
    assert Path(node.store.open_content(output)).read_bytes() == CONTENT
    assert len(node.damage) == 1 and str(node.cache) in node.damage[0]


def test_a_node_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """It is not taken for missing content."""
    (tmp_path / "cache").write_text("not a folder")
    node = Node(tmp_path / "store", tmp_path / "cache")
    output = node.store.publish_bytes(CONTENT)
    with pytest.raises(StoreError, match=rf"{tmp_path}/cache: .*Not a directory") as caught:
        node.store.open_content(output)
    assert not isinstance(caught.value, ContentMissing)
    assert node.store.has_content(output)


def test_many_threads_open_one_content(tmp_path: Path) -> None:
    """All get it, and it is copied once."""
    maker, reader = Node(tmp_path / "store"), Node(tmp_path / "store", tmp_path / "cache")
    output = maker.store.publish_bytes(CONTENT)
    with ThreadPoolExecutor(32) as pool:
        places = set(pool.map(lambda _: reader.store.open_content(output), range(64)))
    assert places == {str(reader.cached(output))}
    assert files_below(tmp_path / "cache") == [output.digest]


def test_racing_threads_all_publish(node: Node, tmp_path: Path) -> None:
    """Every publisher succeeds, and a reader never sees a part."""
    expected = output_of(CONTENT)
    node.store.publish_bytes(CONTENT)
    sources = [write_file(tmp_path / f"source{number}") for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        publishing = [pool.submit(node.store.publish_file, source) for source in sources]
        publishing += [pool.submit(node.store.publish_bytes, CONTENT) for _ in range(20)]
        while not all(future.done() for future in publishing):
            assert Path(node.store.open_content(expected)).read_bytes() == CONTENT
        assert all(future.result() == expected for future in publishing)
    assert files_below(node.root) == [expected.digest]
    assert node.damage == []


def test_racing_processes_all_publish(tmp_path: Path) -> None:
    """The same between processes that know nothing of each other, in a store that is not there yet."""
    script = (
        "import sys; from luigigo.store import Store\n"
        "store = Store.open_at(sys.argv[1])\n"
        "for number in range(30): store.publish_bytes(bytes([number]) * 100_000)\n"
    )
    command = [sys.executable, "-W", "error", "-c", script, str(tmp_path / "store")]
    running = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait(60) for process in running] == [0, 0, 0, 0]
    node = Node(tmp_path / "store")
    for number in range(30):
        node.store.open_content(output_of(bytes([number]) * 100_000))
    assert len(files_below(node.root)) == 30


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "free space"),
        (errno.EDQUOT, "free space"),
        (errno.EROFS, "writable"),
        (errno.EIO, "mend"),
    ],
)
def test_a_failing_publication_leaves_nothing(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    """The error says path, reason and what to do; the source is still there."""
    source = write_file(tmp_path / "source")

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(StoreError, match=rf"cas/.*{os.strerror(number)}; .*{advice}.*shared="):
        node.store.publish_file(source)
    with pytest.raises(StoreError, match=advice):
        node.store.publish_bytes(b"x")
    assert files_below(tmp_path) == ["source"]


def test_an_absent_source_is_a_store_error(node: Node, tmp_path: Path) -> None:
    """A step that did not write its output is told so."""
    with pytest.raises(StoreError, match=r"absent: No such file"):
        node.store.publish_file(str(tmp_path / "absent"))


@pytest.mark.root
def test_a_full_disk_leaves_nothing(small_disk: Path, tmp_path: Path) -> None:
    """A real one, of a megabyte: what fits is kept, what does not leaves no file behind."""
    node = Node(small_disk / "store")
    small = node.store.publish_bytes(b"small")
    with pytest.raises(StoreError, match="No space left on device; free space"):
        node.store.publish_bytes(CONTENT)
    source = write_file(tmp_path / "source")
    with pytest.raises(StoreError, match="No space left on device; free space"):
        node.store.publish_file(source)
    assert os.path.exists(source)
    assert files_below(small_disk) == [small.digest]
    assert node.store.publish_bytes(b"also small").size_bytes == 10


@pytest.mark.root
def test_a_full_node_cache_is_told_from_missing_content(small_disk: Path, tmp_path: Path) -> None:
    """The node's disk is full, not the share."""
    maker, reader = Node(tmp_path / "store"), Node(tmp_path / "store", small_disk / "cache")
    output = maker.store.publish_bytes(CONTENT)
    with pytest.raises(StoreError, match=f"{small_disk}.*No space left") as caught:
        reader.store.open_content(output)
    assert not isinstance(caught.value, ContentMissing)
    assert files_below(small_disk) == []
    assert maker.store.has_content(output)


@pytest.mark.root
def test_a_read_only_store_is_readable(small_disk: Path) -> None:
    """Reading never needs to write, and writing says what is wrong."""
    before = Node(small_disk / "store")
    output = before.store.publish_bytes(b"small")
    plan = before.store.write_plan(b"a plan")
    os.utime(small_disk / "store" / "plans" / plan, (1, 1))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    node = Node(small_disk / "store")
    assert Path(node.store.open_content(output)).read_bytes() == b"small"
    assert node.store.read_plan(plan) == b"a plan"
    with pytest.raises(StoreError, match="Read-only file system; make it writable"):
        node.store.publish_bytes(b"other")
    with pytest.raises(StoreError, match="Read-only file system"):
        node.store.write_plan(b"other")
    with pytest.raises(StoreError, match="Read-only file system"):
        node.store.begin_run("r1", [])


def test_a_store_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    """The error names the folder."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot make the store .*/file/store"):
        Store.open_at(str(tmp_path / "file" / "store"))


def test_plans_are_checked(node: Node) -> None:
    """A plan comes back as it was; a damaged one is removed and reported."""
    digest = node.store.write_plan(b"a plan")
    path = node.root / "plans" / digest
    assert node.store.read_plan(digest) == b"a plan"
    path.write_bytes(b"a pla")
    with pytest.raises(ContentMissing, match="truncated or corrupt"):
        node.store.read_plan(digest)
    assert len(node.damage) == 1 and not path.exists()
    with pytest.raises(ContentMissing, match="missing"):
        node.store.read_plan(digest)
