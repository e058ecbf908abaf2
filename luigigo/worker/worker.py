"""A node's worker: takes assignments from luigid, fetches what they read, and runs them in slots.

An assignment that waits for the share holds no slot: it is staged by threads of their own, queues for a slot
when all that it reads is on this node, and leaves the slot to the next one while what it made is published.
"""

from __future__ import annotations

import heapq
import logging
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from luigigo.errors import (
    ActionError,
    ExitCode,
    LuigigoError,
    NodeTrouble,
    PlanRefused,
    SourcesElsewhere,
    SourcesMissing,
    ToolKilled,
    ToolStopped,
)
from luigigo.execution.events import ActionEnded, CommandStarted, Event, Resources
from luigigo.protocol import messages
from luigigo.protocol.channel import Channel
from luigigo.protocol.endpoint import Endpoint
from luigigo.protocol.messages import Ended, FromPeer, FromServer, Grant, Held, Hello, Usage, Welcome
from luigigo.store.nodecache import CacheKeeper
from luigigo.worker.assignment import Assignment, TaskRefused, assignment_of
from luigigo.worker.node import Lacking, NodeContext
from luigigo.worker.prefetch import Fetcher

_log = logging.getLogger("luigigo.worker")

STAGING_THREADS = 4
RESULTS_KEPT_SECONDS = 60.0
"""How long a result is kept to be said again: one that was said into a dying connection is lost."""
RESULTS_KEPT = 1000
TICK_SECONDS = 0.5
STATE_SECONDS = 15.0
SAVE_SECONDS = 120.0
"""How often the caches of stats and timings are written: tens of thousands of entries each time."""


class WorkerOptions(msgspec.Struct, frozen=True):
    """What a worker offers."""

    place: Endpoint
    node: str
    slots: int
    memory_bytes: int
    idle_exit_seconds: float = 0.0
    """How long it stays without work; 0 is for ever."""


class Running(msgspec.Struct):
    """One assignment under way."""

    assignment: Assignment
    received_at: float
    staged_at: float = 0.0
    has_started: bool = False
    has_slot: bool = False
    is_cancelled: bool = False
    commands: list[tuple[str, tuple[str, ...]]] = []
    ended: ActionEnded | None = None


class NodeWorker:
    """Runs assignments until it is told to exit, or has been idle for too long."""

    def __init__(self, options: WorkerOptions, node_context: NodeContext, keeper: CacheKeeper) -> None:
        self.options = options
        self.exit_reason = ""
        """Why it takes nothing more; "" while it does."""
        self.error: LuigigoError | None = None
        self.id = f"{options.node}-{os.getpid()}-{secrets.token_hex(3)}"
        self._node_context = node_context
        self._keeper = keeper
        self._channel = Channel(options.place, self)
        self._lock = threading.Condition()
        self._assignments: dict[int, Running] = {}
        """By lease, everything that was taken on and has not ended."""
        self._ready: list[tuple[int, Running]] = []
        """Staged, in the order of their leases: luigid gives out the most urgent first."""
        self._free_slots = options.slots
        self._results: deque[tuple[float, Ended]] = deque()
        self._epoch = ""
        self._is_welcome = threading.Event()
        self._staging = ThreadPoolExecutor(STAGING_THREADS, thread_name_prefix="staging")
        self._fetcher = Fetcher(node_context)
        self._busy_at = time.monotonic()
        self._current = threading.local()

    # --- the life of the daemon ---

    def run(self) -> None:
        """Serve to the end. Raises the `LuigigoError` with which luigid refused."""
        # Those that publish count as well: when as many as this cannot reach the share, no more begin.
        for number in range(2 * self.options.slots):
            threading.Thread(target=self._serve, name=f"assignment {number + 1}", daemon=True).start()
        self._fetcher.start()
        self._channel.start()
        said, saved = 0.0, time.monotonic()
        while not self._is_over():
            time.sleep(TICK_SECONDS)
            if time.monotonic() - said > STATE_SECONDS:
                said = time.monotonic()
                self._channel.send(messages.NodeState(self._keeper.size_bytes()))
            if time.monotonic() - saved > SAVE_SECONDS:
                saved = time.monotonic()
                self._node_context.save()
        self._channel.close(messages.Leave())
        self._staging.shutdown(wait=False, cancel_futures=True)
        if self.error is not None:
            raise self.error

    def wait_welcome(self, timeout_seconds: float) -> bool:
        """Whether luigid let us in within the time."""
        return self._is_welcome.wait(timeout_seconds)

    def exit(self, reason: str) -> None:
        """Take nothing more; end when what runs has ended."""
        self.exit_reason = reason

    def stop(self) -> None:
        """End at once: kill what runs. luigid gives it to others."""
        self.exit("stopped")
        self._node_context.context.runner.kill_all()
        with self._lock:
            self._assignments.clear()
            self._ready.clear()
        self._channel.close(messages.Leave())

    def _is_over(self) -> bool:
        if self.error is not None:
            return True
        with self._lock:
            if self._assignments:
                self._busy_at = time.monotonic()
                return False
        idle_seconds = time.monotonic() - self._busy_at
        if self.options.idle_exit_seconds and idle_seconds > self.options.idle_exit_seconds:
            self.exit(f"idle for {idle_seconds:.0f} s")
        return bool(self.exit_reason)

    # --- in the channel's thread ---

    def hello(self) -> Hello:
        """This node, and what it holds."""
        toolchain = self._node_context.toolchain
        with self._lock:
            assignments = {lease: each.assignment for lease, each in self._assignments.items()}
        held = tuple(Held(each.task_id, lease, each.peak_bytes) for lease, each in assignments.items())
        return Hello(
            protocol=messages.PROTOCOL,
            worker_id=self.id,
            role="node",
            node=self.options.node,
            slots=self.options.slots,
            memory_bytes=self.options.memory_bytes,
            toolchain=toolchain.identity,
            go=toolchain.version,
            held=held,
            epoch=self._epoch,
        )

    def resume(self, welcome: Welcome) -> Sequence[FromPeer]:
        """The latest results again, for those said into a dying connection are lost."""
        self._epoch = welcome.epoch
        self._is_welcome.set()
        _log.info("connected to luigid %s at %s", welcome.epoch, self.options.place)
        with self._lock:
            started = {lease: each for lease, each in self._assignments.items() if each.has_started}
            oldest = time.monotonic() - RESULTS_KEPT_SECONDS
            return [
                *(result for at, result in self._results if at > oldest),
                *(messages.Started(each.assignment.task_id, lease) for lease, each in started.items()),
                *(
                    messages.Publishing(each.assignment.task_id, lease)
                    for lease, each in started.items()
                    if not each.has_slot
                ),
            ]

    def receive(self, message: FromServer) -> None:
        """Take assignments, or give them up."""
        if isinstance(message, messages.Work):
            for grant in message.grants:
                self._take_on(grant)
        elif isinstance(message, messages.Prefetch):
            self._fetcher.expect(message)
        elif isinstance(message, messages.Cancel):
            for lease in message.leases:
                self._cancel(lease)
        elif isinstance(message, messages.Revoke):
            for lease in message.leases:
                self._give_back(lease)
        elif isinstance(message, messages.Exit):
            _log.info("exiting: %s", message.reason)
            self.exit(message.reason)

    def lost(self, reason: str) -> None:
        """What runs goes on meanwhile."""
        _log.warning("luigid at %s does not answer (%s): trying again", self.options.place, reason)

    def refused(self, error: LuigigoError) -> None:
        """End."""
        self.error = error
        self._is_welcome.set()

    def _take_on(self, grant: Grant) -> None:
        try:
            assignment = assignment_of(grant)
        except TaskRefused as refusal:
            _log.warning("refused %s: %s", grant.task_id[:200], refusal)
            self._report(
                Ended(grant.task_id, grant.lease, "failed", f"refused: {refusal}", int(ExitCode.USAGE))
            )
            return
        running = Running(assignment, time.monotonic())
        with self._lock:
            if assignment.lease in self._assignments:
                return
            self._assignments[assignment.lease] = running
        self._staging.submit(self._stage, running)

    def _cancel(self, lease: int) -> None:
        with self._lock:
            running = self._assignments.pop(lease, None)
            if running is None:
                return
            running.is_cancelled = True
        self._node_context.context.runner.kill(lease)

    def _give_back(self, lease: int) -> None:
        with self._lock:
            running = self._assignments.get(lease)
            if running is None or running.has_started:
                return
            running.is_cancelled = True
            del self._assignments[lease]
        self._report(Ended(running.assignment.task_id, lease, "returned"))

    # --- in the threads of staging and of slots ---

    def _stage(self, running: Running) -> None:
        assignment = running.assignment
        if running.is_cancelled:
            return
        try:
            with self._node_context.context.runner.scope(assignment.lease):
                self._node_context.require_folder()
                executor = self._node_context.executor(assignment.plan)
                action = executor.plan.actions.get(assignment.action)
                if action is None:
                    raise TaskRefused(f"plan {assignment.plan} has no action {assignment.action[:200]!r}")
                self._node_context.require_c(executor, action)
                executor.learn(assignment.made)
                executor.stage(assignment.action, probably_done=assignment.probably_done)
        except BaseException as error:
            self._finish(running, self._result_of(assignment, error))
            return
        running.staged_at = time.monotonic()
        with self._lock:
            heapq.heappush(self._ready, (assignment.lease, running))
            self._lock.notify()

    def _serve(self) -> None:
        while True:
            with self._lock:
                while not (self._ready and self._free_slots):
                    self._lock.wait()
                _, running = heapq.heappop(self._ready)
                if running.is_cancelled:
                    continue
                running.has_started = running.has_slot = True
                self._free_slots -= 1
            self._run(running)

    def _vacate(self, running: Running) -> None:
        """Let another assignment have the slot, if it was not left already."""
        with self._lock:
            if running.has_slot:
                running.has_slot = False
                self._free_slots += 1
                self._lock.notify()

    def _begin_publishing(self, running: Running) -> None:
        message = messages.Publishing(running.assignment.task_id, running.assignment.lease)
        if self._ready:
            # The next one says soon that it has started. At the latest this one says that it has ended.
            self._channel.send_along(message)
        else:
            self._channel.send(message)
        self._vacate(running)

    def _run(self, running: Running) -> None:
        assignment = running.assignment
        self._channel.send(messages.Started(assignment.task_id, assignment.lease))
        started_at = time.monotonic()
        self._current.running = running
        try:
            with self._node_context.context.runner.scope(assignment.lease):
                executor = self._node_context.executor(assignment.plan)
                executor.reserve(assignment.action, assignment.peak_bytes)
                record = executor.perform(assignment.action, lambda: self._begin_publishing(running))
            seen = running.ended
            took = seen.resources if seen is not None else Resources()
            usage = Usage(
                outcome=seen.outcome.value if seen is not None else "ran",
                seconds=time.monotonic() - started_at,
                cpu_seconds=took.cpu_seconds,
                peak_bytes=took.peak_bytes,
                published_seconds=took.published_seconds,
                gogc=self._node_context.context.timings.gogc(assignment.action),
                waited_seconds=running.staged_at - running.received_at,
                saved_seconds=seen.saved_seconds if seen is not None else 0.0,
                said=record.said,
                commands=tuple(running.commands),
            )
            result = Ended(assignment.task_id, assignment.lease, "done", usage=usage, made=record.outputs)
        except BaseException as error:
            result = self._result_of(assignment, error)
        finally:
            self._current.running = None
            self._vacate(running)
        self._finish(running, result)

    def _result_of(self, assignment: Assignment, error: BaseException) -> Ended:
        """What an error means for luigid: the action's fault, or this node's."""
        name, lease, text = assignment.task_id, assignment.lease, str(error)
        if isinstance(error, ToolKilled):
            usage = Usage(outcome="killed", peak_bytes=error.peak_bytes)
            return Ended(name, lease, "killed", text, int(error.exit_code), usage)
        if isinstance(error, ActionError) and not isinstance(error, ToolStopped):
            usage = Usage("failed", said=error.said)
            return Ended(name, lease, "failed", text, int(error.exit_code), usage)
        if isinstance(error, TaskRefused | PlanRefused):
            return Ended(name, lease, "failed", f"refused: {text}", int(ExitCode.USAGE))
        if isinstance(error, SourcesElsewhere):
            return Ended(name, lease, "home", text)
        if isinstance(error, SourcesMissing):
            return Ended(name, lease, "sourceless", text)
        if isinstance(error, Lacking):
            return Ended(name, lease, "unable", text, lacks=error.compilers)
        if not isinstance(error, LuigigoError):
            _log.exception("%s", name, exc_info=error)
            text = f"{type(error).__name__}: {error}"
        trouble = error.kind if isinstance(error, NodeTrouble) else ""
        code = error.exit_code if isinstance(error, LuigigoError) else ExitCode.INTERNAL
        return Ended(name, lease, "unable", text, int(code), trouble=trouble)

    def _finish(self, running: Running, result: Ended) -> None:
        with self._lock:
            if running.is_cancelled or self._assignments.pop(running.assignment.lease, None) is None:
                return
            self._busy_at = time.monotonic()
        if result.status != "done":
            _log.warning("%s: %s: %s", result.task_id, result.status, result.explanation[:2000])
        self._report(result)

    def _report(self, result: Ended) -> None:
        with self._lock:
            self._results.append((time.monotonic(), result))
            while len(self._results) > RESULTS_KEPT:
                self._results.popleft()
        self._channel.send(result)

    def observe(self, event: Event) -> None:
        """Note what the running assignment of this thread does."""
        running: Running | None = getattr(self._current, "running", None)
        if running is None:
            return
        if isinstance(event, ActionEnded):
            running.ended = event
        elif isinstance(event, CommandStarted) and running.assignment.wants_commands:
            running.commands.append((event.cwd, event.argv))
