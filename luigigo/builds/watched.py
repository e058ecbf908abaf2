"""What somebody who watches a build looks at between builds, and how the last one went.

Written by the build itself, for whoever started it to watch (`watching/`): also where the build fails, and
where no footprint can be certain, as on a share.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

import msgspec

from luigigo.builds.planning import Planned
from luigigo.builds.planning_places import known_before, unread
from luigigo.builds.progress import Tally
from luigigo.encoding import Codec
from luigigo.footprint import Places, joined
from luigigo.golang.actions import Kind
from luigigo.golang.embedplaces import embed_places
from luigigo.golang.packages import Module, Package
from luigigo.golang.request import BuildRequest
from luigigo.store.staging import publish


class Watched(msgspec.Struct, frozen=True):
    """Where a build's inputs are, or would be were they there, by absolute paths."""

    places: Places
    sources: dict[str, tuple[str, ...]] = {}
    """Folders of packages, with what each embeds of its own folder: no other name than Go's counts there."""
    outputs: tuple[str, ...] = ()
    """What the build itself writes, and nobody reads: it does not count."""
    closed: tuple[str, ...] = ()
    """Trees in which nobody saves a file to look at: the toolchain's and the module cache."""


class Tested(msgspec.Struct, frozen=True):
    """How the packages that a build was asked for are tested, and what says that they are others."""

    argv: tuple[str, ...]
    """The go command with the flags of the build; packages follow."""
    folder: str
    environment: dict[str, str]
    keys: dict[str, str]
    """By import path, the action keys of what is compiled."""
    folders: dict[str, str]
    """Where their test files are."""


class Watching(msgspec.Struct, frozen=True):
    """What one build left for whoever watches."""

    watched: Watched | None = None
    """None where the packages could not be listed at all."""
    is_whole: bool = False
    """Whether it names all that the build rests on, and not only what was found before it was refused."""
    counts: dict[str, int] = {}
    """By outcome, how many actions ended so."""
    paths: tuple[str, ...] = ()
    """The binaries that are in place."""
    tested: Tested | None = None
    """None where there is no plan."""


_codec = Codec[Watching](msgspec.msgpack, Watching)


def watched_plan(planned: Planned, places: Places, outputs: Sequence[str]) -> Watched:
    """All that a plan rests on, which is `places`."""
    return Watched(
        places,
        _sources(planned.packages),
        unread(outputs, planned.packages),
        (planned.env.goroot, planned.env.gomodcache),
    )


def tested_packages(planned: Planned, variables: Mapping[str, str]) -> Tested:
    """The packages that the request names, for `go test`."""
    named = [package for package in planned.packages if not package.dep_only]
    keys: dict[str, list[str]] = {package.import_path: [] for package in named}
    for action in planned.plan.actions.values():
        if action.kind is Kind.COMPILE and action.package in keys:
            keys[action.package].append(action.key)
    request = planned.request
    return Tested(
        argv=(planned.go.path, "test", *request.build_flags()),
        folder=planned.plan.project_dir,
        environment=planned.go.plain_environment({**variables, **request.environment()}),
        keys={path: " ".join(each) for path, each in keys.items()},
        folders={p.import_path: p.dir for p in named},
    )


def watched_packages(
    packages: Sequence[Package], request: BuildRequest, variables: Mapping[str, str]
) -> Watched:
    """What can be said of packages that were refused: their folders, and files of modules and settings."""
    there = [package for package in packages if package.dir and not package.standard]
    modules = {p.module.path: p.module for p in there if p.module is not None and p.module.dir}
    files = [os.path.join(each.dir, name) for each in modules.values() for name in ("go.mod", "go.sum")]
    files += [os.path.join(each.dir, "vendor/modules.txt") for each in modules.values() if each.main]
    if request.modfile:
        files.append(os.path.join(request.project, request.modfile))
    missing = [
        each.dir + package.import_path.removeprefix(path)
        for package in packages
        for path, each in modules.items()
        if not package.dir and package.import_path.startswith(path + "/")
    ]
    files += known_before(request.project, variables)
    places = joined((
        Places(tuple(files), tuple(package.dir for package in there), tuple(missing)),
        *(embed_places(package.dir, package.embed_patterns) for package in there),
    ))  # fmt: skip
    return Watched(places, _sources(there), closed=tuple(filter(None, map(_closed, modules.values()))))


def _closed(module: Module) -> str:
    """The folder of a module that lies in the module cache; "" of one that anybody may edit."""
    source = module.replace or module
    return module.dir if source.version else ""


def _sources(packages: Sequence[Package]) -> dict[str, tuple[str, ...]]:
    return {package.dir: package.embed_patterns for package in packages}


class WatchFile:
    """Collects what one build leaves for whoever watches, and writes it when the build is over."""

    def __init__(self, path: str, variables: Mapping[str, str]) -> None:
        self._path, self._variables = path, variables
        self._watched: Watched | None = None
        self._is_whole = False
        self._tested: Tested | None = None

    def note_plan(self, planned: Planned, places: Places, outputs: Sequence[str]) -> None:
        """The build has a plan, which rests on these places."""
        self._watched, self._is_whole = watched_plan(planned, places, outputs), True
        self._tested = tested_packages(planned, self._variables)

    def note_refused(self, packages: Sequence[Package], request: BuildRequest) -> None:
        """The build has no plan; `packages` are those that the go command could tell of."""
        self._watched = watched_packages(packages, request, self._variables)

    def end(self, tally: Tally) -> None:
        """The build is over. Where nothing can be written, whoever watches is told that the build failed."""
        counts = {outcome.value: count for outcome, count in tally.counts.items()}
        left = Watching(self._watched, self._is_whole, counts, tuple(tally.paths), self._tested)
        try:
            publish(self._path, _codec.encode(left), 0o600)
        except OSError as error:
            print(f"luigigo: cannot write {self._path}: {error.strerror}", file=sys.stderr, flush=True)


def read_watching(path: str) -> Watching | None:
    """What a build has left; None for one that left nothing whole."""
    try:
        with open(path, "rb") as file:
            return _codec.decode(file.read())
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
