"""The builds of one process: its context, and a plan for each request, new or kept.

What `session` loads when a build is not up to date; until then nothing here is imported.
"""

from __future__ import annotations

import atexit
import hashlib
import math
import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec

from luigigo.builds import uptodate
from luigigo.builds.destinations import deliveries
from luigigo.builds.planned import PlannedBuild, PlanningStart, is_other_toolchain
from luigigo.builds.planning import Desk, describe_go, make_plan, refused_packages
from luigigo.builds.planning_places import places_of
from luigigo.builds.withheld import Withheld
from luigigo.errors import LuigigoError, StoreError
from luigigo.execution.claims import Claims
from luigigo.execution.context import ExecutionContext
from luigigo.execution.events import (
    ActionEnded,
    ActionRequeued,
    ActionStarted,
    CommandStarted,
    Event,
    Outcome,
)
from luigigo.execution.timings import Timing, Timings
from luigigo.execution.workdirs import prepare_work_dir
from luigigo.filesystems import FileSystems
from luigigo.golang.actions import plan_codec
from luigigo.golang.request import BuildRequest
from luigigo.golang.run.executor import ActionExecutor
from luigigo.machine import memory_budget_bytes, node_name, usable_cpus
from luigigo.messages import for_user
from luigigo.model import ActionId, Digest, Told
from luigigo.protocol.messages import Progress, Usage
from luigigo.store import Store
from luigigo.store.pins import Pin
from luigigo.store.stathashes import StatHashes

if TYPE_CHECKING:
    from luigigo.builds.invocation import Invocation

_PATIENCE_SECONDS = 45.0
"""How long to try to write to a share that is full, read-only or away."""
_MISSED_SECONDS = 30.0
"""How long ago a node may have looked for what it says is not in the store: it waits before it says so."""
_RENEW_SECONDS = 60.0


class Builds:
    """One process' context and plans. Safe for threads once a plan is made."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self.has_run = False
        """Whether an action ran, so that there is more in the store than before."""
        self._builds: dict[tuple[BuildRequest, str], PlannedBuild] = {}
        self._executors: dict[Digest, ActionExecutor] = {}
        self._pins: dict[tuple[BuildRequest, str], Pin] = {}
        self._renewed = time.monotonic()
        self._context: ExecutionContext | None = None
        self._republished: dict[Digest, float] = {}
        self._withheld = Withheld()
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="footprint")
        # For whoever plans outside of a run.
        atexit.register(self.end_pins)

    @property
    def context(self) -> ExecutionContext:
        """What this node works with; opened at the first use. Raises `StoreError`."""
        with self._lock:
            if self._context is None:
                self._context = self._make_context()
            return self._context

    @property
    def known_budget_bytes(self) -> int:
        """What actions may take together; 0 while nothing was opened."""
        return 0 if self._context is None else self._context.budget_bytes

    def _make_context(self) -> ExecutionContext:
        config = self._invocation.config
        try:
            os.makedirs(config.cache, exist_ok=True)
            work_dir = self._prepare_work_dir()
        except OSError as error:
            raise StoreError(
                f"the cache folder {config.cache} cannot be used: {error.strerror}; "
                "set LUIGIGO_CACHE, or [luigigo] cache= in luigi.cfg, to one that this user may write to"
            ) from error
        hashes = StatHashes.load(os.path.join(config.cache, "hashes"))
        store = Store.open_at(
            config.store_root,
            config.node_cache,
            hashes,
            self._invocation.say,
            patience_seconds=_PATIENCE_SECONDS if self._invocation.is_on_cluster else 0.0,
        )
        return ExecutionContext(
            store=store,
            runner=self._invocation.runner,
            hashes=hashes,
            timings=Timings.load(os.path.join(config.cache, "timings")),
            work_dir=work_dir,
            keeps_work=self._invocation.keeps_work,
            sources_dir=os.path.join(config.cache, "sources"),
            node=node_name(),
            cpus=usable_cpus(),
            budget_bytes=self._budget_bytes(),
            variables=self._invocation.variables,
            observe=self.observe,
            wait_seconds=10.0 if config.shared else 0.0,
            claims=Claims(store.root),
        )

    def _prepare_work_dir(self) -> str:
        if not self._invocation.keeps_work:
            return prepare_work_dir(self._invocation.config.cache)
        folder = tempfile.mkdtemp(prefix="luigigo-build")
        self._invocation.say(f"WORK={folder}")
        return folder

    def _budget_bytes(self) -> int:
        if self._invocation.config.memory_bytes:
            return self._invocation.config.memory_bytes
        return memory_budget_bytes()

    def observe(self, event: Event) -> None:
        """Pass an event on, with what it is time to tell, and renew the pins now and then."""
        self._invocation.record(event)
        self._tell(self._withheld.take(event))
        if isinstance(event, ActionEnded) and event.outcome is Outcome.RAN:
            self.has_run = True
        self.renew_pins()

    def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            self._invocation.show(event)

    def renew_pins(self) -> None:
        """Renew what the builds need in the store, once a minute."""
        if time.monotonic() - self._renewed > _RENEW_SECONDS:
            self._renewed = time.monotonic()
            for pin in tuple(self._pins.values()):
                try:
                    pin.renew()
                except StoreError as error:
                    # The share may be away for a moment; a pin lasts for ten of these minutes.
                    self._invocation.say(for_user(error))

    def plan(self, request: BuildRequest, output: str) -> PlannedBuild:
        """The plan of a request, made once. Raises what `planning.make_plan` raises."""
        build = self._builds.get((request, output))
        if build is None:
            place = uptodate.place_of(request, output, self._invocation.config, self._invocation.variables)
            recorder = self._invocation.recorder
            try:
                build = self._kept_plan(place) or self._new_plan(request, output, place)
            except LuigigoError as error:
                if recorder is not None:
                    recorder.note_error(for_user(error))
                if self._invocation.watch is not None:
                    refused = refused_packages(request, self._desk())
                    self._invocation.watch.note_refused(refused, request)
                raise
            self._builds[(request, output)] = build
            if recorder is not None:
                recorder.note_plan(build.plan, build.digest, request, build.done)
            self._invocation.phases.enter("schedule")
            self._begin_pin(request, output)
            self.observe(build.outlook())
            self._withheld.add(build.plan, build.done)
            for action_id, record in build.done.items():
                if record.said:
                    action = build.plan.actions[action_id]
                    self._tell(
                        self._withheld.replay(action.key, build.executor.known.told(action, record.said))
                    )
        return build

    def refresh(self, request: BuildRequest, output: str) -> None:
        """Begin a run: forget the plan if its sources changed since it was made; else claim its needs."""
        build = self._builds.get((request, output))
        if build is None:
            return
        if build.may_be_stale():
            del self._builds[(request, output)]
            pin = self._pins.pop((request, output), None)
            if pin is not None:
                pin.end()
        else:
            self._begin_pin(request, output)

    def _kept_plan(self, place: uptodate.Place) -> PlannedBuild | None:
        # Whoever watches wants to know what the plan rests on.
        earlier = None if self._invocation.watch is not None else uptodate.read(place)
        if earlier is None or not earlier.holds:
            return None
        try:
            executor = self.executor(earlier.plan)
        except StoreError:
            return None
        if self._invocation.is_verbose:
            self._invocation.say(earlier.toolchain)
        build = PlannedBuild(earlier.plan, executor, executor.known.prune(), self.context.timings)
        build.keeping.set_result((place, earlier))
        return build

    def _new_plan(self, request: BuildRequest, output: str, place: uptodate.Place) -> PlannedBuild:
        context, phases = self.context, self._invocation.phases
        phases.enter("list")
        asking = PlanningStart.begin(request, self._invocation.variables)
        planned = make_plan(request, self._desk())
        toolchain = describe_go(planned)
        if is_other_toolchain(self._invocation.config.cache, toolchain) or self._invocation.is_verbose:
            self._invocation.say(toolchain)
        executor = ActionExecutor(planned.plan, context)
        phases.enter("prune")
        done = executor.known.prune()
        phases.enter("publish")
        if self._invocation.config.shared:
            executor.publish_sources(done)
        digest = self._write_plan(plan_codec.encode(executor.plan))
        self._executors[digest] = executor
        build = PlannedBuild(digest, executor, done, context.timings)
        outputs = [delivery.path for delivery in deliveries(planned.plan, output)]
        watch = self._invocation.watch

        def keep() -> tuple[uptodate.Place, uptodate.Kept] | None:
            try:
                places = places_of(planned, self._invocation.variables)
            except OSError:
                return None
            if watch is not None:
                watch.note_plan(planned, places, outputs)
            state = asking.kept(digest, planned, places, outputs) if planned.keepable else None
            return None if state is None else (place, state)

        if planned.keepable or watch is not None:
            build.keeping = self._threads.submit(keep)
        else:
            build.keeping.set_result(None)
        return build

    def _desk(self) -> Desk:
        context = self.context
        return Desk(
            self._invocation.config,
            self._invocation.variables,
            self._invocation.runner,
            context.hashes,
            self._invocation.say,
            context.work_dir,
            FileSystems().trusts,
            self._invocation.phases.enter,
        )

    def _write_plan(self, plan: bytes) -> Digest:
        """Publish a plan. A store that can only be read may still hold all that the plan asks for."""
        try:
            return self.context.store.write_plan(plan)
        except StoreError as error:
            self._invocation.say(for_user(error))
            return Digest(hashlib.sha256(plan).hexdigest())

    def publish_again(self, digest: Digest) -> bool:
        """Put a plan of this process and its sources into the store again, as far as they are gone.

        Says whether anything was, now or so lately that who missed it had not looked since. Raises
        `ActionError` for sources that have changed, and `StoreError`.
        """
        executor = self.executor(digest)
        is_plan_gone = not self.context.store.has_plan(digest)
        if is_plan_gone:
            self.context.store.write_plan(plan_codec.encode(executor.plan))
        if executor.publish_again() or is_plan_gone:
            self._republished[digest] = time.monotonic()
        return time.monotonic() - self._republished.get(digest, -math.inf) < _MISSED_SECONDS

    def _begin_pin(self, request: BuildRequest, output: str) -> None:
        """Claim what a planned build needs in the store, once until `end_pins`."""
        if (request, output) in self._pins:
            return
        build = self._builds[(request, output)]
        keys: set[str] = {action.key for action in build.plan.actions.values()}
        for record in build.done.values():
            keys.update(output.digest for output in record.outputs.values())
        for action in build.plan.actions.values():
            if action.sources.bundle is not None:
                keys.add(action.sources.bundle.digest)
        what = " ".join((request.project, *(name for name in request.packages if name != ".")))
        try:
            self._pins[(request, output)] = self.context.store.begin_run(uuid.uuid4().hex, keys, what)
        except StoreError as error:
            # A store that can only be read still serves what it holds.
            self._invocation.say(for_user(error))

    def end_pins(self) -> None:
        """Give up what the builds claim in the store. Never fails."""
        pins, self._pins = self._pins, {}
        for pin in pins.values():
            pin.end()

    def executor(self, digest: Digest) -> ActionExecutor:
        """The executor of a plan in the store. Raises `ContentMissing` when the plan is not there."""
        executor = self._executors.get(digest)
        if executor is None:
            content = self.context.store.read_plan(digest, self.context.wait_seconds)
            executor = self._executors[digest] = ActionExecutor(plan_codec.decode(content), self.context)
        return executor

    def note_elsewhere(self, digest: Digest, action_id: ActionId, progress: Progress) -> None:
        """Tell of an action that a node of the cluster began or ended, and remember what it took."""
        executor = self.executor(digest)
        executor.is_untouched = False
        action = executor.plan.actions[action_id]
        if progress.status == "pending":
            self.observe(ActionRequeued(action.key, progress.node, progress.explanation, progress.attempt))
            return
        if progress.status == "running":
            self.observe(ActionStarted(action.key, action.label, progress.node))
            return
        usage = progress.usage or Usage(outcome="failed" if progress.status == "failed" else "hit")
        for cwd, argv in usage.commands:
            self.observe(CommandStarted(cwd, argv))
        outcome = Outcome.FAILED if progress.status == "failed" else Outcome(usage.outcome)
        if outcome is Outcome.RAN:
            timing = Timing(usage.seconds, progress.attempt.peak_bytes, usage.gogc)
            self.context.timings.note(action_id, timing)
        said = executor.known.told(action, usage.said)
        if progress.explanation and not said:
            said = (Told(f"{progress.explanation}\n"),)
        ended = ActionEnded(
            action.key,
            action.kind.value,
            action.package,
            action.label,
            outcome,
            usage.seconds,
            progress.node,
            said,
            usage.saved_seconds,
            progress.exit_code,
            progress.attempt,
        )
        self.observe(ended)

    def keep(self, build: PlannedBuild, outputs: Mapping[str, Digest]) -> None:
        """Remember that this build's binaries are in place, for the next one to find nothing to do."""
        if build.kept is not None:
            place, state = build.kept
            states = tuple(uptodate.output_state(path, digest) for path, digest in outputs.items())
            state = msgspec.structs.replace(
                state,
                outputs=states,
                records=bytes.fromhex("".join(action.key for action in build.plan.actions.values())),
                version=build.plan.toolchain.version,
                messages=build.executor.known.messages(),
                seconds=build.executor.known.known_seconds(),
            )
            uptodate.write(place, state)

    def save(self) -> None:
        """Write the caches; the builds can still be used."""
        if self._context is None:
            return
        try:
            self._context.hashes.save()
            self._context.timings.save()
        except OSError as error:
            folder = self._invocation.config.cache
            self._invocation.say(f"luigigo: caches in {folder} cannot be written: {error.strerror}")

    def end_run(self) -> None:
        """Tell all, give up the pins and save: a run is over, and the builds can be used by another."""
        self._tell(self._withheld.release())
        self.end_pins()
        self.save()

    def close(self) -> None:
        """The same, end what still looks at files, and remove the work folder."""
        self.end_run()
        atexit.unregister(self.end_pins)
        self._threads.shutdown(cancel_futures=True)
        if self._context is not None and not self._context.keeps_work:
            shutil.rmtree(self._context.work_dir, ignore_errors=True)
