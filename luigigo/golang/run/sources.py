"""Source bundles: a package's files as one content in the store, so that a node needs only the share.

The toolchain's own packages are on every node, and a package whose C flags or headers name folders of this
node stays where it is: such an action runs where its folder can be seen.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import msgspec

from luigigo.errors import ActionError, ContentMissing, PlanRefused, SourcesMissing
from luigigo.execution.context import ExecutionContext
from luigigo.golang.actions import (
    Action,
    CgoSpec,
    CompileSpec,
    Files,
    Kind,
    Plan,
    is_toolchains,
)
from luigigo.golang.localonly import SYSTEM_FOLDERS
from luigigo.model import ActionId, Output, digest_of
from luigigo.store import Store
from luigigo.store.bundles import FileChanged, UnsoundBundle, pack, unpack
from luigigo.store.layout import flat
from luigigo.store.nodecache import remove_entry
from luigigo.store.owndisk import own_disk_errors

PUBLISHING_THREADS = 8
"""A share takes milliseconds to answer, and publishing asks it five times."""


def with_bundles(plan: Plan, done: Collection[ActionId], context: ExecutionContext) -> Plan:
    """The plan with the sources of whatever is not `done` put into the store.

    Raises `ActionError` when a file is no longer what its key says, and `StoreError`.
    """
    parts: dict[tuple[str, str], list[Action]] = {}
    for action in plan.actions.values():
        if action.id not in done and can_travel(action):
            parts.setdefault((action.sources.dir, action.sources.root), []).append(action)
    if not parts:
        return plan
    with (
        own_disk_errors(context.work_dir),
        _staging(context.work_dir) as staging,
        ThreadPoolExecutor(PUBLISHING_THREADS, thread_name_prefix="bundles") as threads,
    ):
        bundles = threads.map(lambda actions: _publish(actions, context.store, staging), parts.values())
        bundle_of = dict(zip(parts, bundles, strict=True))
    changed: dict[ActionId, Action] = {}
    for part, actions in parts.items():
        for action in actions:
            sources = msgspec.structs.replace(action.sources, bundle=bundle_of[part])
            changed[action.id] = msgspec.structs.replace(action, sources=sources)
    return msgspec.structs.replace(plan, actions={**plan.actions, **changed})


@contextmanager
def _staging(work_dir: str) -> Iterator[str]:
    """A folder for bundles in the making. The work folder may be gone: somebody cleans up old files."""
    os.makedirs(work_dir, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sources", dir=work_dir, ignore_cleanup_errors=True) as folder:
        yield folder


def publish_missing(plan: Plan, context: ExecutionContext) -> bool:
    """Put bundles of the plan that are gone from the store there again; say whether any were.

    Raises `ActionError` when a file is no longer what its key says, and `StoreError`.
    """
    bundled: dict[Output, dict[ActionId, Action]] = {}
    for action in plan.actions.values():
        if action.sources.bundle is not None:
            bundled.setdefault(action.sources.bundle, {})[action.id] = action
    gone = {
        id_: each
        for bundle, actions in bundled.items()
        if not context.store.has_content(bundle)
        for id_, each in actions.items()
    }
    again = with_bundles(msgspec.structs.replace(plan, actions=gone), (), context)
    for action in again.actions.values():
        if action.sources.bundle != gone[action.id].sources.bundle:
            raise ActionError(
                f"# {action.label}\n{action.sources.dir} changed while the build ran: build again\n"
            )
    return bool(gone)


def can_travel(action: Action) -> bool:
    """Whether the action can run from a bundle: it reads files of its module and of the system only."""
    folder, spec = action.sources.dir, action.spec
    if not folder or is_toolchains(folder) or action.sources.root == "/":
        return False
    if isinstance(spec, CgoSpec):
        return _is_free(action)
    return isinstance(spec, CompileSpec)


def runs_anywhere(action: Action) -> bool:
    """Whether any node with the toolchain can run the action, as far as its own files decide it."""
    if action.sources.local_only or action.is_untold:
        return False
    if not all(file.name.startswith(SYSTEM_FOLDERS) for file in action.sources.system_files):
        return False
    if action.kind is Kind.LINK:
        return True
    if action.kind is Kind.PREPROFILE:
        return False
    if is_toolchains(action.sources.dir):
        return not isinstance(action.spec, CgoSpec) or _is_free(action)
    return action.sources.bundle is not None


def is_local_only_c(action: Action) -> bool:
    """Whether the action builds C that names folders of this node, as the link of a program with it may."""
    return isinstance(action.spec, CgoSpec) and not _is_free(action)


def _is_free(action: Action) -> bool:
    """Whether C reads nothing but its package and the system, by compilers that every node may have."""
    spec = action.spec
    assert isinstance(spec, CgoSpec)
    outside = [file.name for file in (*action.sources.system_files, *spec.syso_files)]
    is_own = bool(spec.bound_to or spec.untold or spec.compilers.everything)
    return not is_own and all(path.startswith(SYSTEM_FOLDERS) for path in outside)


def package_files(action: Action) -> Files:
    """The files that the action reads from its package's folder, and by names that start there."""
    spec = action.spec
    if isinstance(spec, CompileSpec):
        assembly = (*spec.s_files, *spec.h_files, *spec.included)
        return (*spec.go_files, *assembly, *spec.syso_files, *spec.embed_files)
    if isinstance(spec, CgoSpec):
        return (*spec.cgo_files, *spec.c_files, *spec.cxx_files, *spec.s_files, *spec.h_files)
    return ()


def _publish(actions: list[Action], store: Store, staging: str) -> Output:
    """Publish the files that a package's actions read, each once, as they are when they are read."""
    label, sources = actions[0].label, actions[0].sources
    files = {
        os.path.relpath(os.path.join(sources.dir, file.name), sources.root or sources.dir): file
        for action in actions
        for file in package_files(action)
    }
    named = [(name, os.path.join(sources.dir, file.name)) for name, file in sorted(files.items())]
    place = os.path.join(staging, digest_of(sources.dir, sources.root))
    try:
        for (name, path), digest in zip(named, pack(named, place), strict=True):
            if digest != files[name].digest:
                raise ActionError(f"# {label}\n{path} changed while the build ran: build again\n")
        return store.publish_file(place)
    except FileChanged as error:
        raise ActionError(f"# {label}\n{error}\n") from error
    finally:
        with suppress(OSError):
            os.unlink(place)


def unpacked(action: Action, context: ExecutionContext) -> str:
    """The folder with the files of the action's bundle on this node; made in one step, once; "" without one.

    Raises `SourcesMissing` when the bundle cannot be had, `PlanRefused` for one that is none, and
    `NodeTrouble` where it cannot be written.
    """
    bundle = action.sources.bundle
    if bundle is None:
        return ""
    target = flat(context.sources_dir, bundle.digest)
    # Somebody may clean up the disk, file by file.
    if os.path.isdir(target) and not all(map(os.path.isfile, _bundled(action, target))):
        remove_entry(target)
    if not os.path.isdir(target):
        try:
            packed = context.store.open_content(bundle, context.wait_seconds)
        except ContentMissing as error:
            raise SourcesMissing(f"a package's files cannot be read from the store: {error}") from error
        with own_disk_errors(context.sources_dir, bundle.size_bytes):
            _unpack(packed, target)
    return target


def package_folder(action: Action, into: str) -> str:
    """The package's folder in an unpacked bundle."""
    sources = action.sources
    return os.path.join(into, os.path.relpath(sources.dir, sources.root)) if sources.root else into


def _bundled(action: Action, into: str) -> list[str]:
    """Where the package's files are in an unpacked bundle."""
    folder = package_folder(action, into)
    return [os.path.join(folder, file.name) for file in package_files(action)]


def _unpack(packed: str, target: str) -> None:
    folder = os.path.dirname(target)
    os.makedirs(folder, exist_ok=True)
    staging = tempfile.mkdtemp(dir=folder)
    try:
        unpack(packed, staging)
        os.rename(staging, target)
    except BaseException as error:
        shutil.rmtree(staging, ignore_errors=True)
        if isinstance(error, UnsoundBundle):
            raise PlanRefused(str(error)) from error
        # Another process may have made it meanwhile.
        if not (isinstance(error, OSError) and os.path.isdir(target)):
            raise
