"""Bundles: one file that holds many, so that a package's files are one content in the store.

The format is a magic line, the length of the header in 8 bytes, the header (names and sizes, as MessagePack),
and the files' contents one after the other. The same files in the same order give the same bytes.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, BinaryIO

import msgspec

from luigigo.errors import NodeTrouble, StoreError
from luigigo.model import Digest
from luigigo.store.owndisk import own_disk_errors
from luigigo.store.staging import CHUNK_BYTES, staged

_MAGIC = b"luigigo bundle 1\n"
_LENGTH_BYTES = 8
_START_BYTES = len(_MAGIC) + _LENGTH_BYTES


class UnsoundBundle(StoreError):
    """What is said to be a bundle is none, or names files that no bundle may hold."""


_Header = list[tuple[bytes, Annotated[int, msgspec.Meta(ge=0)]]]


class FileChanged(NodeTrouble):
    """A file that a bundle shall hold cannot be read, or was changed meanwhile."""


def pack(files: Sequence[tuple[str, str]], target: str) -> list[Digest]:
    """Write a bundle of `(name, path)` to `target`, in this order and in one step; return the files' digests.

    Names are relative, parted by '/'. Raises `StoreError` for a name that leads elsewhere or comes twice,
    `FileChanged`, and `NodeTrouble` where the bundle cannot be written.
    """
    sizes = []
    for name, path in files:
        with _reading(path):
            sizes.append((name, os.stat(path).st_size))
    start = _start(sizes)
    digests = []
    with own_disk_errors(os.path.dirname(target)), staged(target, 0o644) as bundle:
        bundle.write(start)
        for (_, path), (_, size) in zip(files, sizes, strict=True):
            hasher = hashlib.sha256()
            for chunk in _chunks(path, size):
                hasher.update(chunk)
                bundle.write(chunk)
            digests.append(Digest(hasher.hexdigest()))
    return digests


def _chunks(path: str, size: int) -> Iterator[bytes]:
    """What a file holds, of which it is known how much that is."""
    with _reading(path), open(path, "rb") as file:
        left = size
        while left and (chunk := file.read(min(left, CHUNK_BYTES))):
            yield chunk
            left -= len(chunk)
        if left or file.read(1):
            raise FileChanged(f"{path} changed while the build ran: build again")


@contextmanager
def _reading(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileChanged(f"{path}: {error.strerror}") from error


def unpack(bundle: str, into: str) -> list[str]:
    """Write a bundle's files below the folder `into`; return their names, in order.

    Raises `StoreError` when the file is no sound bundle, before anything is written, and when a file cannot
    be written; then others may be there already.
    """
    with own_disk_errors(os.path.dirname(bundle)), open(bundle, "rb") as file:
        entries = _read_header(file, bundle)
        for folder in {os.path.dirname(f"{into}/{name}") for name, _ in entries} | {into}:
            with own_disk_errors(into):
                os.makedirs(folder, exist_ok=True)
        for name, size in entries:
            path = f"{into}/{name}"
            with own_disk_errors(into), open(path, "wb") as target:
                if _copy(file, target, size) != size:
                    raise UnsoundBundle(f"{bundle} is no sound bundle: it ends inside {name}")
    return [name for name, _ in entries]


def _start(sizes: Iterable[tuple[str, int]]) -> bytes:
    """Everything that comes before the contents."""
    header: _Header = [(os.fsencode(name), size) for name, size in sizes]
    _check_names([name for name, _ in header])
    encoded = msgspec.msgpack.encode(header)
    return _MAGIC + len(encoded).to_bytes(_LENGTH_BYTES, "big") + encoded


def _read_header(file: BinaryIO, where: str) -> list[tuple[str, int]]:
    total = os.fstat(file.fileno()).st_size
    length = _header_length(file.read(_START_BYTES), total, where)
    return _parse_header(file.read(length), total - _START_BYTES - length, where)


def _header_length(start: bytes, total: int, where: str) -> int:
    if len(start) < _START_BYTES or not start.startswith(_MAGIC):
        raise UnsoundBundle(f"{where} is no bundle: it does not start as one")
    length = int.from_bytes(start[len(_MAGIC) :], "big")
    if length > total - _START_BYTES:
        raise UnsoundBundle(f"{where} is no sound bundle: its header is longer than the file")
    return length


def _parse_header(encoded: bytes, rest_bytes: int, where: str) -> list[tuple[str, int]]:
    try:
        header = msgspec.msgpack.decode(encoded, type=_Header)
    except msgspec.MsgspecError as error:
        raise UnsoundBundle(f"{where} is no sound bundle: {error}") from error
    _check_names([name for name, _ in header])
    total = sum(size for _, size in header)
    if total != rest_bytes:
        raise UnsoundBundle(f"{where} is no sound bundle: it names {total} bytes and holds {rest_bytes}")
    return [(os.fsdecode(name), size) for name, size in header]


def _check_names(names: Sequence[bytes]) -> None:
    for name in names:
        if b"\0" in name or any(part in (b"", b".", b"..") for part in name.split(b"/")):
            raise UnsoundBundle(f"{os.fsdecode(name)!r} cannot be the name of a file in a bundle")
    duplicates = [name for name, count in Counter(names).items() if count > 1]
    if duplicates:
        raise UnsoundBundle(f"a bundle cannot hold two files of the name {os.fsdecode(duplicates[0])!r}")


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> int:
    """Copy up to `size` bytes; return how many there were."""
    left = size
    while left and (chunk := source.read(min(left, CHUNK_BYTES))):
        target.write(chunk)
        left -= len(chunk)
    return size - left
