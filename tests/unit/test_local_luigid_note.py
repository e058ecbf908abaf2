"""The note by which a user's commands find the luigid that runs on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from luigigo.clusterfile import KnownCluster, announce, find_access, find_local, remember
from luigigo.clusterfile.description import ClusterDescription, SchedulerPlace
from luigigo.config import luigids_folder
from luigigo.errors import UsageError
from luigigo.lifetimes import own_life

KNOWN = KnownCluster("127.0.0.1", 8082, "/home/me/\udce9store", "/home/me/token")


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """An environment with a home of its own."""
    return {"HOME": str(tmp_path)}


def test_what_is_announced_is_found(variables: dict[str, str]) -> None:
    """At its own port, or where none is named; names of any bytes are kept."""
    assert find_local(0, variables) is None
    note = announce(KNOWN, variables)
    assert os.stat(note).st_mode & 0o777 == 0o600
    assert os.path.dirname(note) == luigids_folder(variables)
    assert find_local(0, variables) == find_local(8082, variables) == KNOWN
    assert find_local(8083, variables) is None
    os.unlink(note)
    assert find_local(0, variables) is None


def test_a_note_of_a_process_that_ended_counts_for_nothing(variables: dict[str, str]) -> None:
    """Nor does one of another process with its number, of an earlier boot, or a file that is none."""
    note = announce(KNOWN, variables)
    content = Path(note).read_bytes()
    for now, then in (
        (own_life().start_time, "1"),
        (own_life().boot_id, "another"),
        (f'"pid":{os.getpid()}', '"pid":4194304'),
    ):
        assert now.encode() in content
        Path(note).write_bytes(content.replace(now.encode(), then.encode()))
        assert find_local(0, variables) is None
    Path(note).write_bytes(content[:-3])
    assert find_local(0, variables) is None


def test_only_this_machines_dead_notes_are_removed(variables: dict[str, str]) -> None:
    """A home may be shared: what runs on another machine cannot be told here."""
    folder = Path(luigids_folder(variables))
    folder.mkdir(parents=True)
    own = os.path.basename(announce(KNOWN, variables)).rpartition("_")[0]
    (folder / f"{own}_1.json").write_text("torn")
    (folder / "elsewhere_1.json").write_text("{}")
    announce(KNOWN, variables)
    assert sorted(path.name for path in folder.iterdir()) == ["elsewhere_1.json", f"{own}_{os.getpid()}.json"]


def test_this_hosts_names_find_it_and_others_a_known_cluster(variables: dict[str, str]) -> None:
    """A port of this host's is first looked for among the luigids that run."""
    cluster = ClusterDescription("/shared", SchedulerPlace("localhost", 8082), ())
    remember(cluster, variables)
    known = find_access("localhost", 8082, variables)
    assert known is not None
    assert known.shared == "/shared"
    announce(KNOWN, variables)
    for host in ("localhost", "127.0.0.1", "::1"):
        assert find_access(host, 8082, variables) == KNOWN
    assert find_access("head", 8082, variables) is None


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The error says which file could not be written."""
    (tmp_path / "home").write_text("")
    with pytest.raises(UsageError, match=r"cannot write .*luigids"):
        announce(KNOWN, {"HOME": str(tmp_path / "home")})


def test_the_note_names_no_secret(variables: dict[str, str]) -> None:
    """The token's file, not the token."""
    fields = set(msgspec.json.decode(Path(announce(KNOWN, variables)).read_bytes().lstrip(b"\xc1"))["known"])
    assert fields == set(KnownCluster.__struct_fields__)
