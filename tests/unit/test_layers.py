"""Imports go down the layers of ARCHITECTURE.md, never up."""

from __future__ import annotations

import ast
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "luigigo"

LAYERS = (
    (
        "attempts",
        "currentfolder",
        "encoding",
        "endings",
        "errors",
        "keyedlocks",
        "messages",
        "model",
        "nearest",
        "supported",
    ),
    (
        "clusterfile",
        "config",
        "filesystems",
        "footprint",
        "lifetimes",
        "machine",
        "process",
        "runrecords",
        "store",
        "token",
        "units",
    ),
    ("protocol", "scheduling"),
    ("client", "luigid"),
    ("golang",),
    ("execution",),
    ("golang.run",),
    ("builds",),
    ("reports", "tasks", "watching"),
    ("cluster", "worker"),
    ("commands", "__main__"),
)
"""From the bottom up. A room may import its own layer and those below; `__init__` finds the tasks."""

LOOKING = {
    "open", "os.open", "os.stat", "os.lstat", "os.listdir", "os.scandir", "os.walk", "os.readlink",
    "os.getcwd", "os.access", "os.path.exists", "os.path.isfile", "os.path.isdir", "os.path.islink",
    "os.path.realpath", "os.path.getsize", "shutil.which", "glob.glob", "runner.run", "self._runner.run",
}  # fmt: skip
"""Calls that look at files or run commands."""

READERS = {
    "answers", "buildarguments", "cflags", "clibraries", "cparts", "ctoolchain", "cunits", "embedplaces",
    "listing", "localmodules", "namedfiles", "patternplaces", "pkgconfig", "request", "toolchain",
}  # fmt: skip
"""Modules of `golang` that read files or run commands; the others are functions of what they are given."""


def _module(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


MODULES = {_module(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def _room(module: str) -> str:
    """The topmost package or module, and `golang.run`, which stands above the rest of `golang`."""
    parts = module.split(".")
    return "golang.run" if parts[:2] == ["golang", "run"] else parts[0]


def _rank(module: str) -> int:
    return next(rank for rank, rooms in enumerate(LAYERS) if _room(module) in rooms)


def _imported(path: Path) -> set[str]:
    """The modules of luigigo that a module imports, wherever it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith("luigigo."):
                own = name.removeprefix("luigigo.")
                found.add(own if own in MODULES else own.rpartition(".")[0])
    return found - {""}


def _inner() -> dict[str, Path]:
    return {module: path for module, path in MODULES.items() if module != "__init__"}


def test_every_room_has_a_layer() -> None:
    """Each module or package of luigigo stands in exactly one layer."""
    listed = [room for rooms in LAYERS for room in rooms]
    assert sorted(listed) == sorted({_room(module) for module in _inner()})


def test_imports_go_down() -> None:
    """No room imports one of a higher layer; so what schedules knows nothing of Go."""
    upward = [
        f"{module} imports {imported}"
        for module, path in _inner().items()
        for imported in _imported(path)
        if _rank(imported) > _rank(module)
    ]
    assert upward == []


def test_no_modules_import_each_other() -> None:
    """Neither two, nor several in a circle, wherever the imports stand."""
    order = TopologicalSorter({module: _imported(path) for module, path in _inner().items()})
    order.prepare()


def test_only_some_of_golang_look_at_the_machine() -> None:
    """What plans is a function of what it is given: the other modules of `golang` open and run nothing."""
    doing = {
        module.removeprefix("golang.")
        for module, path in _inner().items()
        if _room(module) == "golang"
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Call) and ast.unparse(node.func) in LOOKING)
    }
    assert doing == READERS


def test_only_process_starts_processes() -> None:
    """One module starts processes; every other hands it a command."""
    starters = [
        module
        for module, path in MODULES.items()
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


def test_public_classes_have_names_of_their_own() -> None:
    """No two classes that anybody may import are called alike: one word for each thing."""
    names = Counter(
        node.name
        for path in MODULES.values()
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []
