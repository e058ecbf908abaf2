"""Trees of files as values, and the operations that change them.

Everything here is pure: an operation on a `State` gives the next `State`. `disk` does the same to real files.
An operation that is not applicable (any more) is none, so that steps can be left out of a list.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping

import msgspec


class File(msgspec.Struct, frozen=True, tag=True):
    """A regular file."""

    content: bytes
    executable: bool = False
    pinned: int | None = None
    """Its modification time in seconds, where an operation has set it."""


class Link(msgspec.Struct, frozen=True, tag=True):
    """A symbolic link."""

    target: str
    pinned: int | None = None


class Folder(msgspec.Struct, frozen=True, tag=True):
    """A folder; each folder of a tree has its entry."""

    pinned: int | None = None


Entry = File | Link | Folder
Tree = Mapping[str, Entry]


class Write(msgspec.Struct, frozen=True, tag=True):
    """Give a file this content; parents are made."""

    path: str
    content: bytes
    in_place: bool = True
    """The same inode is overwritten, through a link as well; else a new file is renamed to the path."""
    pinned: int | None = None
    executable: bool = False


class Remove(msgspec.Struct, frozen=True, tag=True):
    """Remove a file, link or folder with all in it."""

    path: str


class Rename(msgspec.Struct, frozen=True, tag=True):
    """Move to a path where nothing is."""

    path: str
    to: str


class MakeFolder(msgspec.Struct, frozen=True, tag=True):
    """Make an empty folder, and its parents."""

    path: str


class MakeLink(msgspec.Struct, frozen=True, tag=True):
    """Make a symbolic link where nothing is."""

    path: str
    target: str


class Touch(msgspec.Struct, frozen=True, tag=True):
    """Set a modification time, to now without `pinned`."""

    path: str
    pinned: int | None = None


class PinAll(msgspec.Struct, frozen=True, tag=True):
    """Set all modification times below the root to one."""

    pinned: int


class SetFlags(msgspec.Struct, frozen=True, tag=True):
    """Build with these flags from now on."""

    flags: tuple[str, ...]


class SetVariable(msgspec.Struct, frozen=True, tag=True):
    """Build with this variable from now on, or without it. `{root}` in the value is the tree's folder."""

    name: str
    value: str | None


class SetOutput(msgspec.Struct, frozen=True, tag=True):
    """Deliver to this file from now on, a path below the root."""

    path: str
    relative: bool = False
    """Whether -o names it relative to the project."""


class Spoil(msgspec.Struct, frozen=True, tag=True):
    """Do something to the delivered binary: append, truncate, empty, remove, touch, replace, text."""

    how: str


class Wait(msgspec.Struct, frozen=True, tag=True):
    """Let time pass."""

    seconds: float


Operation = (
    Write
    | Remove
    | Rename
    | MakeFolder
    | MakeLink
    | Touch
    | PinAll
    | SetFlags
    | SetVariable
    | SetOutput
    | Spoil
    | Wait
)


class State(msgspec.Struct, frozen=True):
    """All that a build can depend on."""

    tree: dict[str, Entry]
    project: str = "app"
    """The folder in which the builds run."""
    flags: tuple[str, ...] = ()
    variables: dict[str, str] = {}
    output: str = "out/prog"
    output_is_relative: bool = False
    cache: str = ""
    """Where luigigo's cache lies below the root; without, far from it."""


class Step(msgspec.Struct, frozen=True):
    """One edit, after which both builders run."""

    kind: str
    operations: tuple[Operation, ...]
    during: float | None = None
    """Seconds after a build of luigigo began at which the edit happens; without, no build runs."""
    again: bool = False
    """Whether luigigo runs a second time, which must change nothing."""


def parents(path: str) -> Iterator[str]:
    """The folders that hold a path, the innermost first."""
    while path := posixpath.dirname(path):
        yield path


def with_parents(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """The tree of these entries and of all folders that hold them."""
    folders: dict[str, Entry] = {parent: Folder() for path in entries for parent in parents(path)}
    return dict(sorted({**folders, **entries}.items()))


def below(tree: Tree, folder: str) -> dict[str, Entry]:
    """The entries in a folder and its subfolders, without itself."""
    return {path: entry for path, entry in tree.items() if path.startswith(folder + "/")}


def resolve(tree: Tree, path: str) -> str:
    """The path of the file that a link leads to, as far as the tree knows it."""
    for _ in range(8):
        entry = tree.get(path)
        if not isinstance(entry, Link):
            break
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), entry.target))
    return path


def concrete(state: State, operation: Operation) -> Operation | None:
    """The operation as it is to be done now, links followed; None if it is not applicable."""
    tree = state.tree
    if isinstance(operation, Write):
        path = resolve(tree, operation.path) if operation.in_place else operation.path
        fits = _has_room(tree, path) and isinstance(tree.get(path), File | Link | None)
        return msgspec.structs.replace(operation, path=path) if fits and not path.startswith("..") else None
    if isinstance(operation, Remove | Touch):
        return operation if operation.path in tree else None
    if isinstance(operation, MakeFolder | MakeLink):
        return operation if operation.path not in tree and _has_room(tree, operation.path) else None
    if isinstance(operation, Rename):
        fits = operation.path in tree and operation.to not in tree and _has_room(tree, operation.to)
        return operation if fits and not operation.to.startswith(operation.path + "/") else None
    return operation


def apply(state: State, operation: Operation) -> State:
    """The state after an operation that `concrete` gave."""
    tree = dict(state.tree)
    if isinstance(operation, SetFlags):
        return msgspec.structs.replace(state, flags=operation.flags)
    if isinstance(operation, SetVariable):
        kept = {name: value for name, value in state.variables.items() if name != operation.name}
        added = {} if operation.value is None else {operation.name: operation.value}
        return msgspec.structs.replace(state, variables={**kept, **added})
    if isinstance(operation, SetOutput):
        return msgspec.structs.replace(
            state, output=operation.path, output_is_relative=operation.relative, tree=tree
        )
    if isinstance(operation, Spoil | Wait):
        return state
    if isinstance(operation, PinAll):
        pinned = {path: msgspec.structs.replace(e, pinned=operation.pinned) for path, e in tree.items()}
        return msgspec.structs.replace(state, tree=pinned)
    _change(tree, operation)
    return msgspec.structs.replace(state, tree=dict(sorted(tree.items())))


def advance(state: State, operations: Iterable[Operation]) -> tuple[State, list[Operation]]:
    """The state after those of the operations that are applicable, and these."""
    done: list[Operation] = []
    for operation in operations:
        ready = concrete(state, operation)
        if ready is not None:
            state = apply(state, ready)
            done.append(ready)
    return state, done


def difference(now: Tree, then: Tree, *, with_times: bool) -> list[Operation]:
    """The operations that make one tree of another, as a checkout does: what is equal stays untouched."""
    operations: list[Operation] = []
    for path, entry in now.items():
        other = then.get(path)
        if type(other) is not type(entry) or (isinstance(entry, Link) and entry != other):
            operations.append(Remove(path))
    for path, entry in then.items():
        before = now.get(path)
        if isinstance(entry, Folder):
            if not isinstance(before, Folder):
                operations.append(MakeFolder(path))
        elif isinstance(entry, Link):
            if before != entry:
                operations.append(MakeLink(path, entry.target))
        elif not isinstance(before, File) or before.content != entry.content:
            pinned = entry.pinned if with_times else None
            operations.append(Write(path, entry.content, False, pinned, entry.executable))
    if with_times:
        folders = {parent for operation in operations for parent in parents(_path_of(operation))}
        operations += [Touch(path, pin) for path in sorted(folders) if (pin := _pin(then, path)) is not None]
    return operations


def _path_of(operation: Operation) -> str:
    return str(getattr(operation, "path", ""))


def _pin(tree: Tree, path: str) -> int | None:
    return tree[path].pinned if path in tree else None


def _has_room(tree: Tree, path: str) -> bool:
    """Whether all that holds the path is a folder, or not there."""
    return all(isinstance(tree.get(parent), Folder | None) for parent in parents(path))


def _change(tree: dict[str, Entry], operation: Operation) -> None:
    if isinstance(operation, Write):
        _add(tree, operation.path, File(operation.content, operation.executable, operation.pinned))
    elif isinstance(operation, MakeFolder):
        _add(tree, operation.path, Folder())
    elif isinstance(operation, MakeLink):
        _add(tree, operation.path, Link(operation.target))
    elif isinstance(operation, Touch):
        tree[operation.path] = msgspec.structs.replace(tree[operation.path], pinned=operation.pinned)
    elif isinstance(operation, Remove | Rename):
        moved = {operation.path: tree[operation.path], **below(tree, operation.path)}
        for path in moved:
            del tree[path]
        if isinstance(operation, Rename):
            for path, entry in moved.items():
                _add(tree, operation.to + path.removeprefix(operation.path), entry)


def _add(tree: dict[str, Entry], path: str, entry: Entry) -> None:
    for parent in parents(path):
        tree.setdefault(parent, Folder())
    tree[path] = entry
