"""Do actions of a plan on this node: look for what is done, run what is not, publish, tell.

States of an action here: its record may exist under the action key (*hit*); or one under the content key,
once the dependencies are done (*cutoff*, or a hit where it is that of this very action), if need be after
waiting for another build on this machine that makes it (`claims`); else its tools run.
Whatever happens, afterwards a record lies under the action key, or an `ActionError` was raised and nothing
was published.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from typing import TypeVar

import msgspec

from luigigo.attempts import AT_ONCE, SlotTurn
from luigigo.endings import Ending
from luigigo.errors import (
    ActionError,
    ContentMissing,
    ExitCode,
    LuigigoError,
    NodeTrouble,
    SourcesElsewhere,
    SourcesMissing,
    StoreError,
)
from luigigo.execution.claims import Turn
from luigigo.execution.context import ExecutionContext
from luigigo.execution.events import ActionEnded, ActionRequeued, ActionStarted, Outcome
from luigigo.execution.stopwatch import LeaveSlot, Stopwatch, stay
from luigigo.execution.timings import Timing
from luigigo.golang.actions import Action, Kind, Plan
from luigigo.golang.keys import role_read
from luigigo.golang.run.faults import change_behind, disk_behind, doubt, interrupted, require_there
from luigigo.golang.run.job import Job, JobFailed
from luigigo.golang.run.known import KnownActions
from luigigo.golang.run.memory import MemoryEstimates
from luigigo.golang.run.outcomes import attempt_of, error_of
from luigigo.golang.run.sources import is_local_only_c, publish_missing, runs_anywhere, unpacked, with_bundles
from luigigo.golang.run.steps import make_outputs
from luigigo.golang.run.toolcheck import ToolCheck
from luigigo.messages import for_user
from luigigo.model import ActionId, ActionRecord, ContentKey, Digest, Output, Told
from luigigo.process import Interrupted
from luigigo.store.layout import flat
from luigigo.store.nodecache import remove_entry
from luigigo.store.owndisk import own_disk_errors

_Made = TypeVar("_Made")


class _Prepared(msgspec.Struct, frozen=True):
    """What is known of an action once its dependencies are done."""

    inputs: dict[str, Output]
    """What it reads of them, by name."""
    content_key: ContentKey
    earlier: ActionRecord | None
    """The record of an action that read the same: its outputs serve."""


class ActionExecutor:
    """Does the actions of one plan. Safe for threads."""

    def __init__(self, plan: Plan, context: ExecutionContext) -> None:
        self.known = KnownActions(plan, context)
        self.memory = MemoryEstimates(self.known, context)
        self.is_untouched = True
        """Whether nothing was done since `prune`, as far as is known here."""
        self.ended: dict[ActionId, ActionEnded] = {}
        """How the actions ended that were done here."""
        self._context = context
        self._prepared: dict[ActionId, _Prepared] = {}
        """Of what is staged and has not run, so that the share is asked once."""

    @property
    def plan(self) -> Plan:
        """The plan, with its sources' bundles once they are published."""
        return self.known.plan

    @cached_property
    def toolchain(self) -> Digest:
        """The identity of the toolchain that every action of the plan asks for."""
        return self.plan.toolchain.identity

    @cached_property
    def _tool_check(self) -> ToolCheck:
        return ToolCheck(self.plan.toolchain, self._context.hashes)

    @cached_property
    def _has_bound_c(self) -> bool:
        return any(is_local_only_c(action) for action in self.plan.actions.values())

    def runs_anywhere(self, action: Action) -> bool:
        """Whether any node with the toolchain can run the action; else only this one can."""
        if action.kind is Kind.LINK and self._has_bound_c:
            return False
        return runs_anywhere(action)

    def publish_sources(self, done: Collection[ActionId]) -> None:
        """Put the sources of what is not done into the store: nodes that see nothing else can then run it.

        Raises what `with_bundles` raises.
        """
        self.known.plan = with_bundles(self.plan, done, self._context)

    def publish_again(self) -> bool:
        """Put what is gone of the plan's sources into the store again; say whether anything was.

        Raises what `publish_missing` raises.
        """
        return publish_missing(self.plan, self._context)

    def perform(
        self,
        action_id: ActionId,
        tools_ended: Callable[[], None] = lambda: None,
        leave_slot: LeaveSlot = stay,
        turn: SlotTurn = AT_ONCE,
    ) -> ActionRecord:
        """Do one action whose dependencies are done. Raises `ActionError` with the tools' words.

        `tools_ended` is called when all that is left is to publish: the action then needs no slot any more.
        `leave_slot` is called where another build is making the same, before waiting for it.
        """
        action = self.plan.actions[action_id]
        self.is_untouched = False
        observe = self._context.observe
        observe(ActionStarted(action.key, action.label))
        watch = Stopwatch(tools_ended, leave_slot)
        outcome: Outcome | None = Outcome.FAILED
        said: tuple[Told, ...] = ()
        saved_seconds, exit_code = 0.0, 0
        record: ActionRecord | None = None
        failure: ActionError | None = None
        try:
            record, outcome = self._find_or_run(action, watch, turn.run)
            said = self.known.told(action, record.said)
            if outcome is not Outcome.RAN:
                saved_seconds = record.seconds
            return record
        except LuigigoError as error:
            exit_code = int(error.exit_code)
            if isinstance(error, ActionError):
                said, failure = error.told, error
                watch.tools_failed()
            elif error.exit_code == ExitCode.INTERRUPTED:
                outcome = None
            else:
                said = (Told(f"{for_user(error)}\n"),)
            raise
        finally:
            attempt = attempt_of(watch, turn, outcome, record, failure)
            if failure is not None:
                failure.attempt = attempt
            node = self._context.node
            if outcome is None:
                observe(ActionRequeued(action.key, node, "interrupted", attempt))
            else:
                ended = self.ended[action_id] = ActionEnded(
                    action.key, action.kind.value, action.package, action.label, outcome,
                    watch.seconds, node, said, saved_seconds, exit_code, attempt,
                )  # fmt: skip
                observe(ended)

    def stage(self, action_id: ActionId, *, probably_done: bool = False) -> None:
        """Bring to this node all that the action reads, unless it is done. Raises what `perform` raises.

        `probably_done`: another node did it moments ago, so its record is worth waiting for.
        """
        action = self.plan.actions[action_id]
        # It may have been staged here before, and done elsewhere.
        self._prepared.pop(action_id, None)
        # Else it was not done when the build was planned; what was done since is found by its content key.
        may_be_done = probably_done or self.known.has_record(action.key)
        if may_be_done and self.known.record(action_id, is_done=True) is not None:
            return
        prepared = self._prepare(action)
        if prepared.earlier is None:
            self._require_sources(action)
            self._mended(action, lambda _: self._fetch(action, prepared.inputs))
        self._prepared[action_id] = prepared

    def fetch(self, action_id: ActionId, dependency: ActionId) -> None:
        """Bring to this node what an action will read of a dependency that is done.

        Ignores what the plan does not have. Raises `StoreError`s.
        """
        action = self.plan.actions.get(action_id)
        if action is None or dependency not in self.plan.actions:
            return
        own_role = {Kind.CGO: "bundle", Kind.PREPROFILE: "profile"}.get(self.plan.actions[dependency].kind)
        output = self.known.output(dependency, own_role or role_read(action.kind))
        self._context.store.open_content(output, self._context.wait_seconds)

    def input_paths(self, action_id: ActionId) -> dict[str, str]:
        """Paths of what a done action read, by name. Raises `StoreError`s, and what `perform` raises."""
        action = self.plan.actions[action_id]
        return self._open_inputs(action, self.known.inputs(action))

    def _unpack(self, action: Action) -> str:
        """Bring the action's sources to this node, from a store that may have lost them.

        Raises `SourcesMissing` where only a client elsewhere can put them there again.
        """
        try:
            return unpacked(action, self._context)
        except SourcesMissing:
            if not self._context.has_projects:
                raise
            self.publish_again()
        return unpacked(action, self._context)

    def _fetch(self, action: Action, inputs: Mapping[str, Output]) -> None:
        self._unpack(action)
        self._open_inputs(action, inputs)

    def _mended(self, action: Action, attempt: Callable[[bool], _Made]) -> _Made:
        """Attempt once more, with False, where this node's own disk failed and can be helped."""
        context, bundle = self._context, action.sources.bundle
        try:
            return attempt(True)
        except NodeTrouble as trouble:
            if trouble.kind != "disk" or (trouble.is_full and not context.keeper.make_room()):
                raise
            if bundle is not None:
                remove_entry(flat(context.sources_dir, bundle.digest))
        return attempt(False)

    def _require_sources(self, action: Action) -> None:
        if not self._context.has_projects and not runs_anywhere(action):
            node = self._context.node
            raise SourcesElsewhere(f"{action.label}: its sources are not on node {node}, nor in the store")

    def _find_or_run(self, action: Action, watch: Stopwatch, run: str) -> tuple[ActionRecord, Outcome]:
        prepared = self._prepared.pop(action.id, None)
        if prepared is None:
            known = self.known.record(action.id)
            if known is not None:
                return known, Outcome.HIT
            return self._make_once(action, watch, run)
        # What is staged was given to this node alone.
        return self._serve(action, prepared, watch) or self._make(action, prepared, watch, run)

    def _make_once(self, action: Action, watch: Stopwatch, run: str) -> tuple[ActionRecord, Outcome]:
        """Take what others made from the same inputs, or are making now on this machine; else make it."""
        inputs, key = self.known.read(action)
        turn = Turn(self._context.runner.require_running, watch.leave_slot)

        def find() -> tuple[ActionRecord, Outcome] | None:
            earlier = self.known.earlier(action, key)
            # Who made this very action while it was waited for has filed it under both keys.
            if earlier is not None and earlier.key == action.key:
                known = self.known.record(action.id)
                if known is not None:
                    watch.tools_ended()
                    return known, Outcome.HIT
            return self._serve(action, _Prepared(inputs, key, earlier), watch)

        try:
            return self._context.claims.make_once(
                key,
                find,
                lambda: self._make(action, _Prepared(inputs, key, None), watch, run),
                turn,
            )
        except Interrupted:
            raise interrupted() from None

    def _serve(
        self, action: Action, prepared: _Prepared, watch: Stopwatch
    ) -> tuple[ActionRecord, Outcome] | None:
        """File what was made earlier from the same inputs, if anything was, as this action's."""
        if prepared.earlier is None:
            return None
        watch.tools_ended()
        # Under the content key it lies already.
        record = msgspec.structs.replace(prepared.earlier, key=action.key, content_key="")
        return self.known.file(record), Outcome.HIT if prepared.earlier.key == action.key else Outcome.CUTOFF

    def _make(
        self, action: Action, prepared: _Prepared, watch: Stopwatch, run: str
    ) -> tuple[ActionRecord, Outcome]:
        record = self._run(action, prepared.inputs, watch)
        return self.known.file(
            msgspec.structs.replace(record, content_key=prepared.content_key, run=run)
        ), Outcome.RAN

    def _prepare(self, action: Action) -> _Prepared:
        """Find out what an action that is not done reads, and whether it was read by one like it before."""
        inputs, key = self.known.read(action)
        return _Prepared(inputs, key, self.known.earlier(action, key))

    def _run(self, action: Action, inputs: Mapping[str, Output], watch: Stopwatch) -> ActionRecord:
        bundle = action.sources.bundle
        read = [*inputs.values(), *([bundle] if bundle else [])]
        watch.read_bytes = sum(output.size_bytes for output in read)

        def attempt(is_first: bool) -> ActionRecord:
            with (
                self._context.keeper.hold([output.digest for output in read]),
                own_disk_errors(self._context.work_dir),
            ):
                return self._run_tools(action, inputs, watch, is_first)

        return self._mended(action, attempt)

    def _run_tools(
        self, action: Action, inputs: Mapping[str, Output], watch: Stopwatch, is_first: bool
    ) -> ActionRecord:
        context = self._context
        wanted = self.memory.estimate(action)
        unpacked_dir = self._unpack(action)
        started = time.monotonic()
        job = Job.start(action, self.plan, context, unpacked_dir, wanted.gogc)
        paths: dict[str, str] = {}
        try:
            paths = self._open_inputs(action, inputs)
            watch.tools_begin()
            outputs = make_outputs(job, paths)
            require_there(outputs.values())
            self._require_unchanged(job)
            watch.tools_ended()
            published = self._publish(outputs)
        except JobFailed as failed:
            if failed.ending is Ending.KILLED:
                context.timings.note(action.id, Timing(0.0, 2 * wanted.peak_bytes, wanted.gogc))
            raise self._cause_of(failed, job, paths, is_first) from None
        except Interrupted:
            raise interrupted() from None
        finally:
            if not context.keeps_work:
                shutil.rmtree(job.layout.object_dir, ignore_errors=True)
        seconds = time.monotonic() - started
        context.timings.note(action.id, Timing(seconds, job.peak_bytes, wanted.gogc))
        return ActionRecord(
            key=action.key,
            kind=action.kind.value,
            package=action.package,
            outputs=published,
            seconds=seconds,
            cpu_seconds=job.cpu_seconds,
            peak_bytes=job.peak_bytes,
            node=context.node,
            said=job.said,
        )

    def _require_unchanged(self, job: Job) -> None:
        """Raise where the action did not run on what its key says."""
        change = change_behind(job, self._tool_check.changed(), has_failed=False)
        if change is not None:
            raise change

    def _cause_of(
        self, failed: JobFailed, job: Job, inputs: Mapping[str, str], is_first: bool
    ) -> ActionError | NodeTrouble:
        """What a failure is to be taken for: the program's, or this node's."""
        error = error_of(failed, job)
        if not failed.ending.is_verdict:
            return error
        change = change_behind(job, self._tool_check.changed(), has_failed=True)
        if isinstance(change, NodeTrouble):
            return change
        return disk_behind(error, job, inputs.values()) or (doubt(error, job) if is_first else None) or error

    def _publish(self, outputs: Mapping[str, str]) -> dict[str, Output]:
        """Publish what the tools made. Raises `StoreError`, and nothing that is worth another attempt here.

        The slot is somebody else's by now.
        """
        try:
            return {
                role: self._context.store.publish_file(path, executable=role == "binary")
                for role, path in outputs.items()
            }
        except NodeTrouble as error:
            raise StoreError(str(error)) from error

    def _open_inputs(self, action: Action, inputs: Mapping[str, Output]) -> dict[str, str]:
        """Paths of the inputs on this node. One that turns out damaged is made again, here and now."""
        paths = {}
        by_name = {str(path): each for path, each in action.imports}
        for name, output in inputs.items():
            producer = by_name.get(name) or (action.cgo if name == " cgo" else action.profile)
            assert producer is not None
            paths[name] = self.open_output(producer, output)
        return paths

    def open_output(self, producer: ActionId, output: Output) -> str:
        """The path of what an action made, on this node; if it is lost or damaged the action runs again.

        Raises `ActionError`, and `ContentMissing` when the action now makes something else.
        """
        context = self._context
        try:
            return context.store.open_content(output, context.wait_seconds)
        except ContentMissing:
            record = self._remake(producer)
        if output not in record.outputs.values():
            raise ContentMissing(
                f"{producer} was made again and differs from before (was {output.digest}): its tools are not "
                "deterministic; run `luigigo store verify` and build again"
            )
        return context.store.open_content(output, context.wait_seconds)

    def _remake(self, action_id: ActionId) -> ActionRecord:
        """Run an action again whose record says that it was done, and before it whatever else was lost."""
        action = self.plan.actions[action_id]
        self._require_sources(action)
        self.known.forget(action.key)
        for dependency in action.dependencies:
            if self.known.record(dependency) is None:
                self._remake(dependency)
        self._context.observe(ActionStarted(action.key, action.label))
        record = self._run(action, self.known.inputs(action), Stopwatch())
        self.known.file(record)
        key, kind, package, label = action.key, action.kind.value, action.package, action.label
        node = self._context.node
        self._context.observe(ActionEnded(key, kind, package, label, Outcome.RAN, record.seconds, node))
        return record
