"""Draw a world: which features a module has, and the tree that they make."""

from __future__ import annotations

import random

import msgspec

from .cfeatures import C_FEATURES
from .features import GO_FEATURES
from .piece import APP, MODULE, Blobs, Draw, Piece
from .tree import Entry, File, PinAll, State, apply, with_parents

OLD_SECONDS = 1_000_000_000
"""The time to which everything of some worlds is pinned."""
SHARE_WITH_C = 0.4
SHARE_GUIDED = 0.04
SHARE_PINNED = 0.25
SHARE_CACHED_BESIDE = 0.3
_CACHES = (f"{APP}-cache", f"{APP}/.cache")
"""Folders whose paths begin with the characters of the project's: C compilers rewrite paths by characters."""
_APART = (("workspace", "vendored"), ("replaced", "vendored"), ("versioned", "vendored"))
"""Of these pairs a world has one: vendor/ is not for workspaces, and must list all replacements."""

MAIN = """package main

import (
%s)

var text = "none"

var other = "none"

func hot0(v int) int {
	for i := 0; i < %d; i++ {
		v += i * v %% 7
	}
	return v
}

func hot1(v int) int {
	for i := 0; i < %d; i++ {
		v -= i * v %% 5
	}
	return v
}

func main() {
	println(text, other, hot0(%d), hot1(%d))
%s}
"""


class World(msgspec.Struct, frozen=True):
    """A module to begin with."""

    seed: int
    features: tuple[str, ...]
    state: State
    cluster: bool = False


def draw_features(rng: random.Random, *, has_compiler: bool = True) -> tuple[str, ...]:
    """Which features a world has: most are of Go alone, for those of C take ten times as long."""
    names = [name for name in GO_FEATURES if name not in ("plain", "guided")]
    chosen = ["plain", "plain", *rng.sample(names, rng.randint(2, 5))]
    if rng.random() < SHARE_GUIDED:
        chosen.append("guided")
    if has_compiler and rng.random() < SHARE_WITH_C:
        chosen += rng.sample(list(C_FEATURES), rng.choice([1, 1, 2]))
    for kept, left_out in _APART:
        if kept in chosen and left_out in chosen:
            chosen.remove(left_out)
    return tuple(chosen)


def make_world(seed: int, features: tuple[str, ...], blobs: Blobs) -> World:
    """The world that a seed makes of features: the same for the same arguments."""
    rng = random.Random(f"{seed} world")
    functions = {**GO_FEATURES, **C_FEATURES}
    pieces = []
    for number, feature in enumerate(features):
        piece_rng = random.Random(f"{seed} {feature} {number}")
        pieces.append(functions[feature](Draw(piece_rng, f"{feature.replace('_', '')}{number}", blobs)))
    state = assemble(rng, pieces)
    if rng.random() < SHARE_PINNED:
        state = apply(state, PinAll(OLD_SECONDS))
    if rng.random() < SHARE_CACHED_BESIDE:
        state = msgspec.structs.replace(state, cache=rng.choice(_CACHES))
    return World(seed, features, state)


def assemble(rng: random.Random, pieces: list[Piece]) -> State:
    """One module of all pieces, some of whose packages import others."""
    entries: dict[str, Entry] = {}
    variables: dict[str, str] = {}
    for piece in pieces:
        entries.update(piece.files)
        variables.update(piece.variables)
    imports = [path for piece in pieces for path in piece.imports]
    lines = [line for piece in pieces for line in piece.module_lines]
    entries[f"{APP}/go.mod"] = File("\n".join([f"module {MODULE}\n", "go 1.26", *lines, ""]).encode())
    sums = [line for piece in pieces for line in piece.sum_lines]
    if sums:
        entries[f"{APP}/go.sum"] = File("\n".join([*sums, ""]).encode())
    entries[f"{APP}/main.go"] = File(_main(rng, imports).encode())
    entries.update(_edges(rng, [path for path in imports if path.startswith(MODULE)]))
    return State(with_parents(entries), variables=variables)


def _main(rng: random.Random, imports: list[str]) -> str:
    lines = "".join(f'\t"{path}"\n' for path in sorted(imports))
    calls = "".join(f"\t{path.rpartition('/')[2]}.Show()\n" for path in imports)
    numbers = [rng.randint(11, 98) for _ in range(4)]
    return MAIN % (lines, *numbers, calls)


def _edges(rng: random.Random, imports: list[str]) -> dict[str, Entry]:
    """Files with which packages import ones that stand before them."""
    made: dict[str, Entry] = {}
    for index, path in enumerate(imports):
        if index and rng.random() < 0.5:
            name, other = path.rpartition("/")[2], rng.choice(imports[:index])
            use = f"func init() {{ println({other.rpartition('/')[2]}.Value) }}\n"
            text = f'package {name}\n\nimport "{other}"\n\n{use}'
            made[f"{path.replace(MODULE, APP, 1)}/edge.go"] = File(text.encode())
    return made
