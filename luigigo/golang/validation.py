"""What every plan of luigigo's keeps to. Pure.

A node reads plans off the share, and whoever may write there can put one there. So before a node does
anything of a plan, the plan is held against what the planner makes: no name in it leads out of a package's
folder, no folder out of the toolchain, no variable to the tools but those that they are meant to see. What a
sane plan may still ask only of its own client's machine is told by `localonly`.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterable, Iterator, Mapping

from luigigo.errors import PlanRefused, UsageError
from luigigo.golang import quoted
from luigigo.golang.actions import (
    Action,
    CgoSpec,
    CompileSpec,
    CToolchain,
    Files,
    Kind,
    LinkSpec,
    Plan,
    PreprofileSpec,
    Sources,
)
from luigigo.golang.asmincludes import common_folder
from luigigo.golang.cflags import is_safe_argument
from luigigo.golang.environment import ARCH_VARIABLE
from luigigo.golang.variables import TOOL_SETTINGS, is_c_variable
from luigigo.model import ActionId
from luigigo.store.layout import is_digest

TOOL_VARIABLES = frozenset({"GOOS", "GOARCH", "GOEXPERIMENT", *ARCH_VARIABLE.values(), *TOOL_SETTINGS})

_KINDS = {
    CompileSpec: Kind.COMPILE,
    CgoSpec: Kind.CGO,
    LinkSpec: Kind.LINK,
    PreprofileSpec: Kind.PREPROFILE,
}
_WORD = re.compile(r"[A-Za-z0-9_]*")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_NAME = 4096
_CGO_FLAGS = ("-import_runtime_cgo=false", "-import_syscall=false")
_PREFIX_MAP_FLAGS = ("", "-ffile-prefix-map", "-fdebug-prefix-map")
_GOROOT = "GOROOT"

Flaws = Iterator[str]


def require_sane(plan: Plan) -> None:
    """Raise `PlanRefused`, with the action's name, for what no plan of luigigo's says."""
    seen: dict[ActionId, Kind] = {}
    for name, action in plan.actions.items():
        flaw = next(_action_flaws(name, action, seen), "")
        if flaw:
            raise PlanRefused(f"the plan's {name[:200]!r} is none of luigigo's: {flaw}")
        seen[name] = action.kind
    for root in plan.roots:
        if root.action not in seen:
            raise PlanRefused(f"the plan has no action {root.action[:200]!r}, which it is to end with")


def _action_flaws(name: ActionId, action: Action, seen: Mapping[ActionId, Kind]) -> Flaws:
    spec = action.spec
    is_named = action.id == name and name.startswith(action.kind.value + " ")
    if not is_named or action.kind is not _KINDS[type(spec)]:
        yield "its name, its kind and what it does are at odds"
    yield from _name_flaws(name)
    if _UNPRINTABLE.search(action.package + action.label):
        yield "its package is none"
    yield from _digest_flaws((action.key, action.own_digest))
    yield from _dependency_flaws(action, seen)
    yield from _source_flaws(action.sources)
    if isinstance(spec, CompileSpec):
        yield from _compile_flaws(spec)
        yield from _included_flaws(spec.included, action.sources)
    elif isinstance(spec, CgoSpec):
        yield from _cgo_flaws(spec)
    elif isinstance(spec, LinkSpec):
        yield from _link_flaws(spec, action)
    else:
        yield from _file_flaws((spec.profile,))


def _dependency_flaws(action: Action, seen: Mapping[ActionId, Kind]) -> Flaws:
    """Dependencies come first, so that there is no circle, and each makes what is read of it."""
    wanted = [(each, Kind.COMPILE) for _, each in action.imports]
    wanted += [(action.cgo, Kind.CGO)] if action.cgo is not None else []
    wanted += [(action.profile, Kind.PREPROFILE)] if action.profile is not None else []
    for each, kind in wanted:
        if seen.get(each) is not kind:
            yield f"it reads {each[:200]!r}, which is no {kind.value} before it"
    yield from _name_flaws(*(path for path, _ in action.imports))
    has_parts = action.cgo is not None or action.profile is not None
    if (action.imports and action.kind not in (Kind.COMPILE, Kind.LINK)) or (
        has_parts and action.kind is not Kind.COMPILE
    ):
        yield f"a {action.kind.value} reads no such action"


def _source_flaws(sources: Sources) -> Flaws:
    for folder in (sources.dir, sources.root, sources.map_root, *sources.syso_paths):
        if folder and not _is_place(folder):
            yield f"{folder[:200]!r} is no folder or file of a plan"
    yield from _system_file_flaws(sources.system_files)
    if not all(sources.syso_paths):
        yield "an object file without a name"
    if sources.bundle is not None:
        yield from _digest_flaws((sources.bundle.digest,))
        if sources.bundle.size_bytes < 0:
            yield "its bundle has no proper size"


def _compile_flaws(spec: CompileSpec) -> Flaws:
    package_files = (*spec.go_files, *spec.s_files, *spec.h_files, *spec.syso_files)
    yield from _file_flaws(package_files)
    yield from _digest_flaws(file.digest for file in spec.embed_files)
    for file in spec.embed_files:
        if not _is_inside(file.name):
            yield f"{file.name[:200]!r} is no file of a package"
    yield from _variable_flaws(spec.environment, TOOL_VARIABLES)
    yield from _name_flaws(spec.import_path, *(part for pair in spec.import_map for part in pair))
    texts = (*spec.compile_flags, *spec.asm_flags, *spec.embed_patterns, spec.trim_to, spec.bound_to)
    yield from _text_flaws(texts)
    if _WORD.fullmatch(spec.goos) is None or _WORD.fullmatch(spec.goarch) is None:
        yield "its target is none"


def _included_flaws(files: Files, sources: Sources) -> Flaws:
    """Assembly includes files of its package's folder, or of the one above that the plan names for it."""
    yield from _digest_flaws(file.digest for file in files)
    yield from _text_flaws(file.name for file in files)
    names = [file.name for file in files]
    if sources.root and not sources.dir.startswith(sources.root.rstrip("/") + "/"):
        yield f"{sources.dir[:200]!r} is not inside {sources.root[:200]!r}"
    if sources.root != "/" and common_folder(sources.dir, names) != (sources.root or sources.dir):
        yield "its assembly includes files of other folders than it says"
    if sources.root == "/" and sources.bundle is not None:
        yield "it reads files of whole paths, and is to run anywhere"


def _cgo_flaws(spec: CgoSpec) -> Flaws:
    package_files = (*spec.cgo_files, *spec.c_files, *spec.cxx_files, *spec.s_files, *spec.h_files)
    yield from _file_flaws(package_files)
    yield from _system_file_flaws((*spec.syso_files, *spec.assembled, *spec.libraries))
    yield from _digest_flaws(file.digest for file in spec.units)
    yield from _digest_flaws((spec.commands,))
    yield from _name_flaws(spec.import_path, spec.package_name)
    yield from _variable_flaws(spec.environment, TOOL_VARIABLES | {"CC", "CXX"})
    flags = (*spec.cpp_flags, *spec.c_flags, *spec.cxx_flags, *spec.ld_flags)
    yield from _text_flaws((*flags, spec.map_root_to, spec.bound_to))
    if not set(spec.cgo_flags) <= set(_CGO_FLAGS) or spec.dynimport_flags not in ((), ("-dynlinker",)):
        yield "it has flags that cgo is never given"
    yield from _compiler_flaws(spec.compilers, dict(spec.environment))


def _compiler_flaws(compilers: CToolchain, environment: Mapping[str, str]) -> Flaws:
    """The compilers that cgo calls by its environment are those that were identified."""
    yield from _digest_flaws((compilers.identity,))
    yield from _variable_flaws(compilers.environment, frozenset(), c=True)
    yield from _text_flaws((*compilers.cc, *compilers.cxx, *compilers.cc_flags, *compilers.cxx_flags))
    if compilers.prefix_map_flag not in _PREFIX_MAP_FLAGS:
        yield f"{compilers.prefix_map_flag[:200]!r} maps no folders"
    for name, argv, default in (("CC", compilers.cc, "gcc"), ("CXX", compilers.cxx, "g++")):
        try:
            same = tuple(quoted.split(environment.get(name, ""))) or (default,)
        except UsageError:
            same = ()
        if not argv or same != argv:
            yield f"its {name} is not the compiler that was identified"


def _link_flaws(spec: LinkSpec, action: Action) -> Flaws:
    if spec.import_path not in {path for path, _ in action.imports}:
        yield "the program is not among what it links"
    if not spec.modinfo.startswith("modinfo "):
        yield "its build information is none"
    yield from _variable_flaws(spec.environment, TOOL_VARIABLES, c=True)
    yield from _system_file_flaws(spec.libraries)
    yield from _text_flaws((*spec.link_flags, spec.modinfo))
    if _UNPRINTABLE.search(spec.modinfo):
        yield "its build information has more than one line"
    yield from _digest_flaws(each for each in (spec.compilers, spec.linker) if each is not None)


def _file_flaws(files: Files) -> Flaws:
    """Files right in a package's folder, by names that the go command accepts (load.SafeArg)."""
    for file in files:
        if not _is_inside(file.name) or "/" in file.name or not is_safe_argument(file.name):
            yield f"{file.name[:200]!r} is no file of a package"
    yield from _digest_flaws(file.digest for file in files)


def _digest_flaws(digests: Iterable[str]) -> Flaws:
    for digest in digests:
        if not is_digest(digest):
            yield f"{digest[:200]!r} is no digest"


def _name_flaws(*names: str) -> Flaws:
    for name in names:
        if not name or name[0] in "-@" or len(name) > _LONGEST_NAME or _UNPRINTABLE.search(name):
            yield f"{name[:200]!r} is no name"


def _system_file_flaws(files: Files) -> Flaws:
    for file in files:
        if not (os.path.isabs(file.name) and _is_place(file.name)):
            yield f"{file.name[:200]!r} is no file of a system by its whole path"
    yield from _digest_flaws(file.digest for file in files)


def _variable_flaws(
    environment: Iterable[tuple[str, str]], known: frozenset[str], *, c: bool = False
) -> Flaws:
    """Variables that are not `known`, nor the C compilers' where the action calls those (`c`)."""
    for name, value in environment:
        if name not in known and not (c and is_c_variable(name)):
            yield f"it sets {name[:200]!r}, which a plan never sets"
        yield from _text_flaws((value,))


def _text_flaws(texts: Iterable[str]) -> Flaws:
    if any("\0" in text for text in texts):
        yield "a zero byte among its arguments"


def _is_inside(name: str) -> bool:
    """Whether a relative name stays in the folder that it starts from."""
    return "\0" not in name and all(part not in ("", ".", "..") for part in name.split("/"))


def _is_place(path: str) -> bool:
    """Whether it is a whole path as the planner writes them, of a machine or below GOROOT."""
    below = path.removeprefix(_GOROOT) if path.startswith(_GOROOT + "/") else path
    if path == _GOROOT or below == "/":
        return True
    return below.startswith("/") and _is_inside(below[1:])
