"""Where programs go, and what is done with what lies there."""

from __future__ import annotations

from pathlib import Path

import pytest

from luigigo.builds.destinations import Site, SiteKind, deliveries, is_object, is_replaced, refusal
from luigigo.errors import UsageError
from luigigo.golang.actions import Plan, Root
from luigigo.golang.request import absolute_output, output_words
from luigigo.golang.toolchain import Toolchain
from luigigo.model import ActionId, Digest, ImportPath

X = ImportPath("example.com/x")
TEXT, ELF = b"a text", b"\x7fELF\x02\x01\x01"


def planned(*executables: str) -> Plan:
    """A plan of programs; "" is a package that is none."""
    toolchain = Toolchain("go1.27.3", "/go", "/go/tool", {}, Digest(""))
    roots = tuple(
        Root(ActionId(f"link {number}"), ImportPath(f"example.com/{name or 'lib'}"), name)
        for number, name in enumerate(executables)
    )
    count = len(executables)
    return Plan(toolchain, "/project", {}, roots, named_count=count, built_count=count)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which holds one folder."""
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def places(plan: Plan, output: str) -> list[tuple[str, str]]:
    """The path of each program and what the go command calls it."""
    return [(each.path, each.name) for each in deliveries(plan, absolute_output(output))]


@pytest.mark.parametrize("words", ["x", "./x", "../x", "x/", "/x", "/a/x/", ".", "x/.", "a/../x", "x//y"])
def test_an_output_keeps_the_users_words(here: Path, words: str) -> None:
    """However often it is made absolute, the words that messages need can be had back."""
    once = absolute_output(words)
    assert once.startswith("/")
    assert absolute_output(once) == once
    assert output_words(once) == words


def test_no_output_has_no_words(here: Path) -> None:
    """It is told from every output that a user can mean."""
    assert output_words(absolute_output("")) == ""
    assert absolute_output("") != absolute_output(".") != absolute_output("./.")


@pytest.mark.parametrize(
    ("words", "path", "name"),
    [
        ("", "x", "x"),
        ("y", "y", "y"),
        ("./y", "y", "./y"),
        ("new/y", "new/y", "new/y"),
        (".", "x", "x"),
        ("folder", "folder/x", "folder/x"),
        ("./folder/.", "folder/x", "folder/x"),
        ("new/", "new/x", "new/x"),
        ("new/.", "new/.", "new/."),
        ("link/../y", "link/../y", "link/../y"),
        ("link/../new/", "new/x", "new/x"),
    ],
)
def test_a_program_goes_where_go_build_puts_it(here: Path, words: str, path: str, name: str) -> None:
    """A name that is a folder, or ends like one, takes the program by its own name."""
    assert places(planned("x"), words) == [(f"{here}/{path}", name)]


def test_several_programs_go_into_a_folder_or_nowhere(here: Path) -> None:
    """Packages that are no programs leave nothing there."""
    plan = planned("a", "", "b")
    assert places(plan, "folder/.") == places(plan, "folder")
    assert places(plan, "folder") == [(f"{here}/folder/{name}", f"folder/{name}") for name in "ab"]
    for nowhere in ("", "/dev/null"):
        assert places(plan, nowhere) == []


@pytest.mark.parametrize(
    ("executables", "words", "said"),
    [
        (("a", "b"), "./file", "go: cannot write multiple packages to non-directory ./file"),
        (("",), "folder", "go: no main packages to build"),
        (("folder",), "", 'go: build output "folder" already exists and is a directory'),
        (
            ("",),
            "file",
            "luigigo: example.com/lib is not a main package: there is no binary to write to file",
        ),
    ],
)
def test_what_has_no_place_is_refused(
    here: Path, executables: tuple[str, ...], words: str, said: str
) -> None:
    """In the go command's words where it has some."""
    with pytest.raises(UsageError) as refused:
        places(planned(*executables), words)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("site", "what"),
    [
        (Site(SiteKind.NOTHING), ""),
        (Site(SiteKind.FILE, size_bytes=0), ""),
        (Site(SiteKind.FILE, size_bytes=9, head=ELF), ""),
        (Site(SiteKind.FILE, size_bytes=9, head=TEXT), "is not an object file"),
        (Site(SiteKind.FILE, size_bytes=9, head=b""), "is not an object file"),
        (Site(SiteKind.FILE, is_symlink=True, size_bytes=9, head=TEXT), "is not an object file"),
        (Site(SiteKind.FOLDER, is_symlink=True, size_bytes=9), "is a directory"),
        (Site(SiteKind.PIPE), ""),
        (Site(SiteKind.OTHER, size_bytes=9), ""),
    ],
)
def test_only_nothing_and_objects_are_overwritten(site: Site, what: str) -> None:
    """A file that cannot be read is taken for the user's."""
    said = f'{X}: go build {X}: build output "a\\"b" already exists and {what}' if what else ""
    assert refusal(X, 'a"b', site) == said


@pytest.mark.parametrize(
    ("site", "elsewhere", "moved_here"),
    [
        (Site(SiteKind.NOTHING), True, True),
        (Site(SiteKind.FILE), True, True),
        (Site(SiteKind.NOTHING, is_symlink=True), False, True),
        (Site(SiteKind.FILE, is_symlink=True), False, True),
        (Site(SiteKind.OTHER), False, True),
        (Site(SiteKind.PIPE), False, False),
        (Site(SiteKind.PIPE, is_symlink=True), False, False),
    ],
)
def test_what_is_no_plain_file_is_replaced_where_go_build_can_rename(
    site: Site, elsewhere: bool, moved_here: bool
) -> None:
    """Files always are, pipes never."""
    assert is_replaced(site) is moved_here
    assert is_replaced(Site(site.kind, site.is_symlink, takes_moves=False)) is elsewhere


@pytest.mark.parametrize(
    ("head", "known"),
    [(ELF, True), (b"!<arch>\nx", True), (b"MZ\x90\x00\x03\x00", True), (b"MZ a text", False), (b"", False)],
)
def test_objects_are_known_by_their_first_bytes(head: bytes, known: bool) -> None:
    """The whole of a magic has to be there."""
    assert is_object(head) is known
