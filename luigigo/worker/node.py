"""What a node works with: its toolchain, its caches, the share, and the plans that it was asked about."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import cache

import msgspec

from luigigo.builds.session import Session
from luigigo.clusterfile import private_folder
from luigigo.config import Config
from luigigo.errors import (
    ContentDamaged,
    ContentMissing,
    NodeTrouble,
    PlanRefused,
    SourcesElsewhere,
    SourcesMissing,
    ToolchainError,
    UsageError,
)
from luigigo.execution.claims import Claims
from luigigo.execution.context import ExecutionContext
from luigigo.execution.events import Event
from luigigo.golang import quoted
from luigigo.golang.actions import Action, CgoSpec, CToolchain, LinkSpec, Plan, plan_codec
from luigigo.golang.cflags import read_allowed_flags
from luigigo.golang.ctoolchain import CProbe
from luigigo.golang.features import c_feature
from luigigo.golang.localonly import Trusted, why_local_only
from luigigo.golang.run.executor import ActionExecutor
from luigigo.golang.toolchain import Toolchain, find_go, read_toolchain, run_env
from luigigo.golang.validation import require_sane
from luigigo.keyedlocks import KeyedLocks
from luigigo.model import Digest
from luigigo.store.nodecache import CacheKeeper
from luigigo.worker.families import Lacking

PLANS_KEPT = 8
"""How many plans a worker keeps in memory."""


class NodeContext:
    """One node's context and its executors. Safe for threads."""

    def __init__(
        self,
        config: Config,
        variables: Mapping[str, str],
        node: str,
        observe: Callable[[Event], None],
        cache_bytes: int = 0,
    ) -> None:
        """Open the share and find the toolchain. Raises `StoreError` and `ToolchainError`."""
        self._session = Session(config, variables)
        self._session.is_on_cluster = True
        self._session.add_observer(observe)
        context = self._session.builds.context
        self.keeper = CacheKeeper([str(config.node_cache), context.sources_dir], cache_bytes)
        self.context: ExecutionContext = msgspec.structs.replace(
            context, node=node, has_projects=False, claims=Claims(), keeper=self.keeper
        )
        self.toolchain, self._trusted = self._find_toolchain(config.go)
        self._probe = CProbe(context.runner, context.hashes, os.path.join(config.cache, "probes"), variables)
        self._executors: OrderedDict[Digest, ActionExecutor] = OrderedDict()
        self._has_compilers: dict[str, bool] = {}
        self._lock = threading.Lock()
        self._opening = KeyedLocks()
        self._probing = threading.Lock()

    def _find_toolchain(self, configured: str) -> tuple[Toolchain, Trusted]:
        context = self.context
        go = find_go(configured, context.variables)
        # No folder of a project's: the toolchain that a project asks for is matched by its identity.
        variables = {**context.variables, "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
        env = run_env(go, context.work_dir, variables, context.runner)
        own = frozenset(tuple(quoted.split(compiler)) for compiler in (env.cc, env.cxx) if compiler)
        trusted = Trusted(own, context.variables, cache(lambda: read_allowed_flags(env.goroot)))
        return read_toolchain(env, context.hashes), trusted

    def require_folder(self) -> None:
        """Make the cache's folder again if it is gone, as it was: for this user alone.

        Raises `NodeTrouble` where that cannot be, as where somebody else has made it.
        """
        try:
            private_folder(self._session.config.cache)
        except UsageError as error:
            raise NodeTrouble(str(error)) from error

    def executor(self, digest: Digest) -> ActionExecutor:
        """The executor of a plan, with this node's toolchain.

        Raises `SourcesMissing` where the plan can't be had, `PlanRefused` for one that is damaged or none of
        luigigo's, and `ToolchainError` for a plan of another toolchain.
        """
        # Reading one from a slow share holds up nobody but those who want the same.
        with self._opening.hold(digest):
            with self._lock:
                executor = self._executors.get(digest)
            if executor is None:
                executor = self._open(digest)
            with self._lock:
                self._executors[digest] = executor
                self._executors.move_to_end(digest)
                while len(self._executors) > PLANS_KEPT:
                    self._executors.popitem(last=False)
            return executor

    def _open(self, digest: Digest) -> ActionExecutor:
        context = self.context
        try:
            plan = plan_codec.decode(context.store.read_plan(digest, context.wait_seconds))
        except ContentDamaged as error:
            raise PlanRefused(str(error)) from error
        except ContentMissing as error:
            raise SourcesMissing(str(error)) from error
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise PlanRefused(f"plan {digest} is none that this luigigo understands: {error}") from error
        require_sane(plan)
        if plan.toolchain.identity != self.toolchain.identity:
            raise ToolchainError(
                f"node {context.node} has {self.toolchain.version}, and not the {plan.toolchain.version} "
                "that the plan was made with"
            )
        actions = {action_id: self._judged(action) for action_id, action in plan.actions.items()}
        return ActionExecutor(
            msgspec.structs.replace(plan, actions=actions, toolchain=self.toolchain), context
        )

    def _judged(self, action: Action) -> Action:
        sources = msgspec.structs.replace(action.sources, local_only=why_local_only(action, self._trusted))
        return msgspec.structs.replace(action, sources=sources)

    def require_c(self, executor: ActionExecutor, action: Action) -> None:
        """Raise `Lacking` unless this node's C toolchain and system files are what the action counts on.

        Raises `SourcesElsewhere` for programs and flags that are its client's own affair: not even asked
        what they are, for that runs them.
        """
        if action.sources.local_only:
            raise SourcesElsewhere(f"{action.label}: {action.sources.local_only}")
        compilers = compilers_of(executor.plan, action)
        if compilers is None:
            return
        with self._probing:
            if compilers.identity not in self._has_compilers:
                os.makedirs(os.path.join(self._session.config.cache, "probes"), exist_ok=True)
                self._has_compilers[compilers.identity] = self._probe.has(compilers)
        if not self._has_compilers[compilers.identity]:
            raise Lacking(
                c_feature(compilers.identity), f"its C compiler ({' '.join(compilers.cc)}) is another one"
            )
        for file in action.sources.system_files:
            if not self._has_file(file.name, file.digest):
                raise Lacking(c_feature(compilers.identity), f"its {file.name} is another one")

    def _has_file(self, path: str, digest: str) -> bool:
        try:
            return os.path.isfile(path) and self.context.hashes.digest(path) == digest
        except OSError:
            return False

    def save(self) -> None:
        """Write the caches of stats and timings."""
        self._session.save()

    def close(self) -> None:
        """Save, and remove the work folder."""
        self._session.close()


def compilers_of(plan: Plan, action: Action) -> CToolchain | None:
    """The C toolchain that an action calls, or None."""
    if isinstance(action.spec, CgoSpec):
        return action.spec.compilers
    if isinstance(action.spec, LinkSpec) and action.spec.compilers is not None:
        for other in plan.actions.values():
            if isinstance(other.spec, CgoSpec) and other.spec.compilers.identity == action.spec.compilers:
                return other.spec.compilers
    return None
