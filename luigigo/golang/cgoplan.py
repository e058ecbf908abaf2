"""The C part of a package when it is planned: its spec, and the object files of its trial link. Pure."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from luigigo.golang import cgo
from luigigo.golang.actions import CgoSpec, CToolchain, Files
from luigigo.golang.environment import GoEnv
from luigigo.golang.packages import Package
from luigigo.golang.releases import Release
from luigigo.model import ImportPath


class CgoFlags(msgspec.Struct, frozen=True):
    """The checked flags of one package's C part, from the environment, its source and pkg-config."""

    compilers: CToolchain
    cpp: tuple[str, ...]
    c: tuple[str, ...]
    cxx: tuple[str, ...]
    ld: tuple[str, ...]
    prefer_external: bool


def cgo_spec(
    package: Package,
    env: GoEnv,
    release: Release,
    flags: CgoFlags,
    files: Callable[[Iterable[str]], Files],
) -> CgoSpec:
    """The C part of one package, without what only compiler and linker can tell of what it reads."""
    _, map_root_to = cgo.root_mapping(package, env.goos)
    standard_cgo = package.standard and package.import_path == "runtime/cgo"
    all_flags = (*flags.cpp, *flags.c, *flags.cxx, *flags.ld)
    return CgoSpec(
        import_path=ImportPath(package.import_path),
        package_name=package.name,
        cgo_flags=cgo.cgo_tool_flags(package),
        cpp_flags=flags.cpp,
        c_flags=flags.c,
        cxx_flags=flags.cxx,
        ld_flags=flags.ld,
        prefer_external=flags.prefer_external,
        map_root_to=map_root_to,
        dynimport_flags=("-dynlinker",) if standard_cgo else (),
        compilers=flags.compilers,
        environment=tuple(sorted({**env.tool_environment(), "CC": env.cc, "CXX": env.cxx}.items())),
        cgo_files=files(package.cgo_files),
        c_files=files(package.c_files),
        cxx_files=files(package.cxx_files),
        s_files=files(cgo.c_assembly_files(package)),
        h_files=files(package.h_files),
        bound_to=package.dir if any(package.dir in flag for flag in all_flags) else "",
    )


def syso_of_closure(
    packages: Sequence[Package], package: Package, imports: Mapping[str, Sequence[str]]
) -> list[str]:
    """Paths of the object files of a package and of all that it imports, sorted (dynimport, gatherSyso)."""
    by_path = {each.import_path: each for each in packages}
    seen: set[str] = set()
    waiting = [package.import_path]
    found: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in seen or path not in by_path:
            continue
        seen.add(path)
        found.update(os.path.join(by_path[path].dir, name) for name in by_path[path].syso_files)
        waiting.extend(imports[path])
    return sorted(found)
