"""Imports go down the layers of ARCHITECTURE.md, never up."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "luigigo"

LAYERS = (
    (
        "model",
        "errors",
        "encoding",
        "endings",
        "currentfolder",
        "messages",
        "keyedlocks",
        "supported",
    ),
    (
        "amounts",
        "process",
        "lifetimes",
        "machine",
        "config",
        "access",
        "clusterfile",
        "store",
        "footprint",
        "filesystems",
    ),
    ("golang",),
    ("execution", "timings", "scheduling"),
    (
        "planning",
        "planning_places",
        "kept",
        "destinations",
        "builds",
        "session",
        "delivery",
        "reporting",
        "trimming",
        "progress",
        "jsonlines",
        "liveline",
        "withheld",
    ),
    ("tasks", "actiontasks", "parameters"),
    ("nodes", "cluster", "building", "buildhelp", "dryrun", "storekeeping", "cli", "__main__"),
)
"""From the bottom up. A room may import its own layer and those below; `__init__` finds the tasks."""


def _rank(room: str) -> int:
    return next(rank for rank, rooms in enumerate(LAYERS) if room in rooms)


def _rooms() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room != "__init__":
            found.setdefault(room, []).append(path)
    return found


def _imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "luigigo" and len(parts) > 1 and parts[1] != "__version__":
                rooms.add(parts[1])
    return rooms


def test_every_room_has_a_layer() -> None:
    """Each module or package of luigigo stands in exactly one layer."""
    listed = [room for rooms in LAYERS for room in rooms]
    assert sorted(listed) == sorted(_rooms())


def test_imports_go_down() -> None:
    """No room imports one of a higher layer."""
    upward = [
        f"{path.relative_to(PACKAGE)} imports {imported}"
        for room, paths in _rooms().items()
        for path in paths
        for imported in _imported_rooms(path)
        if _rank(imported) > _rank(room)
    ]
    assert upward == []


def test_only_process_starts_processes() -> None:
    """One module starts processes; every other hands it a command."""
    starters = [
        str(path.relative_to(PACKAGE))
        for paths in _rooms().values()
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        and "subprocess" in ast.dump(node)
        and path.name != "process.py"
    ]
    assert starters == []


def test_test_modules_have_names_of_their_own() -> None:
    """pytest takes two test files of one name for one module: `make test` would collect neither."""
    names = Counter(path.name for path in PACKAGE.parent.joinpath("tests").rglob("test_*.py"))
    assert [name for name, count in names.items() if count > 1] == []
