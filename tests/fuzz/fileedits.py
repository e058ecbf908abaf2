"""Edits of any files: what editors, generators, version control and packagers do to them."""

from __future__ import annotations

import posixpath

from .draws import CONTENTS, GO, HEADERS, SOURCES, C, Editing, another_number, is_cached
from .piece import APP
from .tree import (
    File,
    Folder,
    Link,
    MakeFolder,
    MakeLink,
    Operation,
    PinAll,
    Remove,
    Rename,
    Touch,
    Wait,
    Write,
    difference,
    resolve,
)
from .world import OLD_SECONDS

SAVED_SECONDS = 1_234_567_890
"""A time that single files are pinned to."""


def value(editing: Editing) -> list[Operation] | None:
    """Change a number in a file: the size stays."""
    path = editing.one_of(editing.files(*CONTENTS))
    changed = another_number(editing.rng, editing.content(path)) if path else None
    return [editing.overwrite(path, changed)] if path and changed else None


def value_same_time(editing: Editing) -> list[Operation] | None:
    """Change a number and set the file's time, and perhaps its folder's, to what it was or to an old one."""
    path = editing.one_of(editing.files(*CONTENTS))
    changed = another_number(editing.rng, editing.content(path)) if path else None
    if not path or not changed:
        return None
    entry = editing.tree[path]
    pinned = entry.pinned or SAVED_SECONDS
    folder = posixpath.dirname(path)
    operations: list[Operation] = [editing.overwrite(path, changed, pinned=pinned)]
    return operations + ([Touch(folder, OLD_SECONDS)] if editing.rng.random() < 0.7 else [])


def pin(editing: Editing) -> list[Operation] | None:
    """Set all times to one, as archives and Nix do."""
    return [PinAll(OLD_SECONDS)]


def touch(editing: Editing) -> list[Operation] | None:
    """Set a file's or folder's time to now or to a constant."""
    path = editing.one_of(each for each in editing.tree if not is_cached(each))
    return [Touch(path, editing.rng.choice([None, SAVED_SECONDS, OLD_SECONDS]))] if path else None


def remove(editing: Editing) -> list[Operation] | None:
    """Remove a file or link."""
    path = editing.one_of([*editing.files(), *editing.links()])
    return [Remove(path)] if path else None


def remove_folder(editing: Editing) -> list[Operation] | None:
    """Remove a folder with all in it."""
    path = editing.one_of(folder for folder in editing.folders() if "/" in folder)
    return [Remove(path)] if path else None


def rename(editing: Editing) -> list[Operation] | None:
    """Give a file a name that means another thing, or nothing."""
    path = editing.one_of(editing.files(*SOURCES, ".txt", ".bin"))
    if not path:
        return None
    folder, name = posixpath.split(path)
    stem, dot, ending = name.partition(".")
    names = [f"_{name}", f".{name}", f"{stem}_windows{dot}{ending}", f"{stem}_linux{dot}{ending}"]
    names += [
        f"{stem}_test{dot}{ending}",
        f"{name}.bak",
        f"re{name}",
        name.lstrip("_."),
        f"{stem}_amd64.{ending}",
    ]
    return [Rename(path, f"{folder}/{editing.rng.choice(names)}")]


def rename_folder(editing: Editing) -> list[Operation] | None:
    """Move a folder to another name."""
    path = editing.one_of(folder for folder in editing.folders() if folder.count("/") >= 2)
    prefix = editing.rng.choice(["_", ".", "re"])
    return (
        [Rename(path, posixpath.join(posixpath.dirname(path), prefix + posixpath.basename(path)))]
        if path
        else None
    )


def empty(editing: Editing) -> list[Operation] | None:
    """Empty a file."""
    path = editing.one_of(editing.files())
    return [editing.overwrite(path, b"")] if path else None


def to_folder(editing: Editing) -> list[Operation] | None:
    """A file becomes a folder with a file of the same content in it."""
    path = editing.one_of(editing.files(*SOURCES, ".txt", ".bin"))
    return [Remove(path), Write(f"{path}/inner.txt", editing.content(path))] if path else None


def to_link(editing: Editing) -> list[Operation] | None:
    """A file moves elsewhere, and a link to it takes its place."""
    path = editing.one_of(editing.files())
    if not path or path.startswith("elsewhere/"):
        return None
    place = f"elsewhere/moved/{posixpath.basename(path)}"
    return [Rename(path, place), MakeLink(path, posixpath.relpath(place, posixpath.dirname(path)))]


def folder_to_link(editing: Editing) -> list[Operation] | None:
    """A folder moves elsewhere, and a link to it takes its place."""
    path = editing.one_of(folder for folder in editing.folders() if folder.startswith(f"{APP}/"))
    if not path:
        return None
    place = f"elsewhere/folders/{posixpath.basename(path)}"
    return [Rename(path, place), MakeLink(path, posixpath.relpath(place, posixpath.dirname(path)))]


def from_link(editing: Editing) -> list[Operation] | None:
    """A link becomes the file that it led to."""
    path = editing.one_of(editing.links())
    if not path:
        return None
    entry = editing.tree.get(resolve(editing.tree, path))
    return [Remove(path), Write(path, entry.content)] if isinstance(entry, File) else [Remove(path)]


def relink(editing: Editing) -> list[Operation] | None:
    """A link leads to another file of the same kind."""
    path = editing.one_of(editing.links())
    entry = editing.tree.get(path) if path else None
    if not path or not isinstance(entry, Link):
        return None
    place = editing.one_of(editing.files(posixpath.splitext(path)[1]))
    return (
        [Remove(path), MakeLink(path, posixpath.relpath(place, posixpath.dirname(path)))] if place else None
    )


def noise(editing: Editing) -> list[Operation] | None:
    """What has nothing to do with the build."""
    name = editing.rng.choice(
        [".git/index", "README.md", "notes.txt", ".idea/workspace.xml", "a~", "docs/x.md"]
    )
    folder = editing.rng.choice([APP, ".", *editing.packages()])
    return [editing.overwrite(posixpath.normpath(f"{folder}/{name}"), f"noise {editing.number()}\n".encode())]


def mistake(editing: Editing) -> list[Operation] | None:
    """An error of syntax, type or C."""
    path = editing.one_of(editing.files(*GO, *C, *HEADERS))
    if not path:
        return None
    mistakes = [
        "\nfunc broken( {\n",
        '\nvar wrong int = "text"\n',
        "\nvar _ = undefined\n",
        '\nimport "nowhere"\n',
    ]
    if path.endswith((*C, *HEADERS)):
        mistakes = ["\n#error broken\n", "\nint broken(void) { return }\n", "\n#warning careful\n"]
    return [editing.overwrite(path, editing.content(path) + editing.rng.choice(mistakes).encode())]


def checkout(editing: Editing) -> list[Operation] | None:
    """Set the whole tree back to an earlier state, as git does or with the times that it had."""
    then = editing.rng.choice(editing.history[-6:]) if editing.history else None
    if then is None:
        return None
    return difference(editing.tree, then.tree, with_times=editing.rng.random() < 0.5) or None


def copied_with_time(editing: Editing) -> list[Operation] | None:
    """One more file of a package, whose time and folder's time are old: as rsync leaves it."""
    folder = editing.one_of(editing.packages())
    if not folder:
        return None
    text = f"package {editing.package_name(folder)}\n\nfunc init() {{ println({editing.number()}) }}\n"
    return [Write(f"{folder}/copied.go", text.encode(), False, OLD_SECONDS), Touch(folder, OLD_SECONDS)]


def new_folder(editing: Editing) -> list[Operation] | None:
    """An empty folder somewhere."""
    folder = editing.one_of(editing.folders())
    return [MakeFolder(f"{folder}/{editing.rng.choice(['void', '.void', '_void'])}")] if folder else None


def swap(editing: Editing) -> list[Operation] | None:
    """Two files of a folder change names, times and all."""
    path = editing.one_of(editing.files(*CONTENTS))
    if not path:
        return None
    folder, ending = posixpath.dirname(path), posixpath.splitext(path)[1]
    other = editing.one_of(
        each for each in editing.files(ending) if posixpath.dirname(each) == folder and each != path
    )
    if not other:
        return None
    return [Rename(path, f"{path}.away"), Rename(other, path), Rename(f"{path}.away", other)]


def back_and_forth(editing: Editing) -> list[Operation] | None:
    """A change that is taken back at once."""
    path = editing.one_of(editing.files(*CONTENTS))
    changed = another_number(editing.rng, editing.content(path)) if path else None
    if not path or not changed:
        return None
    return [editing.overwrite(path, changed), Wait(0.05), editing.overwrite(path, editing.content(path))]


def unfold(editing: Editing) -> list[Operation] | None:
    """A folder becomes a file."""
    path = editing.one_of(
        folder
        for folder, entry in editing.tree.items()
        if isinstance(entry, Folder) and folder.count("/") >= 2
    )
    return [Remove(path), Write(path, b"a file now\n")] if path else None
