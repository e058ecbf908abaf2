"""Where the go command looks for modules and packages: go.mod files, and folders that are in the way. Pure.

The rules are those of cmd/go/internal/modload: init.go (which go.mod, go.work and vendor folder), import.go
(importFromModules, dirInModule: which folder a package is in, and that it is in no other).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from luigigo.footprint import Places, joined
from luigigo.golang.environment import GoEnv
from luigigo.golang.localmodules import LocalModule
from luigigo.golang.packages import Package
from luigigo.golang.request import BuildRequest


def above(project: str) -> Iterator[str]:
    """The go.mod and go.work files that the go command would find from a folder, were they there."""
    while True:
        yield os.path.join(project, "go.work")
        yield os.path.join(project, "go.mod")
        parent = os.path.dirname(project)
        if parent == project:
            return
        project = parent


def module_files(
    env: GoEnv,
    request: BuildRequest,
    project: str,
    modules: Sequence[LocalModule],
    packages: Sequence[Package],
) -> Places:
    """go.mod, go.sum and their like; the vendor folder, by its name in the folder that would hold it."""
    files = [os.path.join(module.dir, name) for module in modules for name in ("go.mod", "go.sum")]
    roots = [module.dir for module in modules if module.is_main]
    if env.gowork not in ("", "off"):
        files += [env.gowork, env.gowork.removesuffix(".work") + ".work.sum"]
        roots.append(os.path.dirname(env.gowork))
    if request.modfile:
        mod_file = os.path.join(project, request.modfile)
        files += [mod_file, mod_file.removesuffix(".mod") + ".sum"]
    files += [os.path.join(root, "vendor", "modules.txt") for root in roots]
    files += _downloaded(packages)
    if env.gomodcache.endswith("/pkg/mod"):
        # Refused where GOPATH is a module itself (init.go, loadModFile).
        files.append(os.path.join(env.gomodcache.removesuffix("/pkg/mod"), "go.mod"))
    return Places(files=tuple(files), listings=tuple(roots))


def _downloaded(packages: Sequence[Package]) -> Iterator[str]:
    """The go.mod files of versioned modules, which lie apart from the modules, and the modules' sums."""
    for go_mod in dict.fromkeys(p.module.go_mod for p in packages if p.module is not None):
        if go_mod:
            yield go_mod
            if "/cache/download/" in go_mod:
                yield go_mod.removesuffix(".mod") + ".ziphash"


class Homes:
    """In which folders the packages of a build are looked for."""

    def __init__(
        self, goroot: str, modules: Sequence[LocalModule], packages: Sequence[Package], vendors: Sequence[str]
    ) -> None:
        """`vendors`: the vendor folders that are in use."""
        self._goroot = goroot
        self._vendors = vendors
        self._local = {module.dir for module in modules}
        self._folders: dict[str, set[str]] = {}
        for module in modules:
            self._folders.setdefault(module.path, set()).add(module.dir)
        for package in packages:
            if package.module is not None and package.module.dir:
                self._folders.setdefault(package.module.path, set()).add(package.module.dir)

    def places(self, package: Package) -> Places:
        """What decides in which folder the package is: other folders for it, and go.mod files on the way.

        A go.mod between a package's folder and its module's makes it another module's; Go files in a second
        folder make the import ambiguous.
        """
        found = [self._way(package.dir, root) for root in self._local]
        for folder, root in self._others(package):
            found += [Places(listings=(folder,)), self._way(folder, root)]
        return joined(found)

    def _others(self, package: Package) -> Iterator[tuple[str, str]]:
        path = package.import_path
        prefix = path
        while prefix:
            for root in self._folders.get(prefix, ()):
                folder = root + path.removeprefix(prefix)
                if folder != package.dir:
                    yield folder, root
            prefix = prefix.rpartition("/")[0]
        if not package.standard:
            if "." not in path.split("/")[0]:
                yield os.path.join(self._goroot, "src", path), ""
            for vendor in self._vendors:
                if not package.dir.startswith(vendor + "/"):
                    yield os.path.join(vendor, path), ""

    def _way(self, folder: str, root: str) -> Places:
        """The go.mod files from a folder up to its module's root, that of the root not included."""
        files = []
        while root and folder.startswith(root + "/"):
            files.append(os.path.join(folder, "go.mod"))
            folder = os.path.dirname(folder)
        return Places(files=tuple(files)) if root in self._local else Places()


def folders_by_module(modules: Sequence[LocalModule], packages: Sequence[Package]) -> Mapping[str, str]:
    """The folder of each module that is known, with its path."""
    found = {module.dir: module.path for module in modules}
    for package in packages:
        if package.module is not None and package.module.dir:
            found.setdefault(package.module.dir, package.module.path)
    return found
