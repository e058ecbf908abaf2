"""A node's worker: takes tasks from luigid, has them staged and run by their families, in slots.

A task that waits for the share holds no slot: it is staged by threads of their own, queues for its cores when
all that it reads is on this node, and leaves them to the next one while what it made is published.
"""

from __future__ import annotations

import heapq
import logging
import math
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from luigigo.attempts import Attempt, Moments, SlotNumbers
from luigigo.errors import (
    ExitCode,
    LuigigoError,
)
from luigigo.machine import processor_name
from luigigo.process import Runner
from luigigo.protocol import messages
from luigigo.protocol.channel import Channel
from luigigo.protocol.endpoint import Endpoint
from luigigo.protocol.messages import Ended, FromPeer, FromServer, Grant, Held, Hello, Welcome
from luigigo.worker.families import Family, TaskRefused
from luigigo.worker.prefetch import Fetcher
from luigigo.worker.results import result_of

_log = logging.getLogger("luigigo.worker")

NO_ATTEMPT = Attempt()
"""Of what was not begun, or told nothing of how it went."""

STAGING_THREADS = 4
RESULTS_KEPT_SECONDS = 60.0
"""How long a result is kept to be said again: one that was said into a dying connection is lost."""
RESULTS_KEPT = 1000
TICK_SECONDS = 0.5
STATE_SECONDS = 15.0
SAVE_SECONDS = 120.0
"""How often the caches of stats and timings are written: tens of thousands of entries each time."""
_EXACTLY = 1e-6
"""Sums of fractions of a core are no more exact than this."""


class WorkerOptions(msgspec.Struct, frozen=True):
    """What a worker offers."""

    place: Endpoint
    node: str
    slots: int
    memory_bytes: int
    idle_exit_seconds: float = 0.0
    """How long it stays without work; 0 is for ever."""
    features: tuple[str, ...] = ()
    """What it has that tasks may need."""
    go: str = ""
    """The name of its Go toolchain, for people."""


class HeldTask(msgspec.Struct):
    """One task under way."""

    grant: Grant
    family: Family
    work: Any
    """What the family made of the grant."""
    received_at: float
    staged_at: float = 0.0
    has_started: bool = False
    has_slot: bool = False
    slot: int = -1
    started_at: float = 0.0
    is_cancelled: bool = False


class NodeWorker:
    """Runs what luigid gives it until it is told to exit, or has been idle for too long."""

    def __init__(
        self,
        options: WorkerOptions,
        families: Mapping[str, Family],
        runner: Runner,
        cache_bytes: Callable[[], int] = lambda: 0,
    ) -> None:
        """`families`: what does the tasks of a family; `runner` starts the processes of all of them."""
        self.options = options
        self.exit_reason = ""
        """Why it takes nothing more; "" while it does."""
        self.error: LuigigoError | None = None
        self.id = f"{options.node}-{os.getpid()}-{secrets.token_hex(3)}"
        self._families = families
        self._runner = runner
        self._cache_bytes = cache_bytes
        self._channel = Channel(options.place, self)
        self._lock = threading.Condition()
        self._held: dict[int, HeldTask] = {}
        """By lease, everything that was taken on and has not ended."""
        self._ready: list[tuple[int, HeldTask]] = []
        """Staged, in the order of their leases: luigid gives out the most urgent first."""
        self._free_cores = float(options.slots)
        self._slots = SlotNumbers()
        self._publishing = 0
        """How many have left their slot and are not over."""
        self._idle_threads = 0
        self._results: deque[tuple[float, Ended]] = deque()
        self._epoch = ""
        self._is_welcome = threading.Event()
        self._staging = ThreadPoolExecutor(STAGING_THREADS, thread_name_prefix="staging")
        self._fetcher = Fetcher(families)
        self._busy_at = time.monotonic()

    # --- the life of the daemon ---

    def run(self) -> None:
        """Serve to the end. Raises the `LuigigoError` with which luigid refused."""
        self._fetcher.start()
        self._channel.start()
        said, saved = 0.0, time.monotonic()
        while not self._is_over():
            time.sleep(TICK_SECONDS)
            if time.monotonic() - said > STATE_SECONDS:
                said = time.monotonic()
                self._channel.send(messages.NodeState(self._cache_bytes()))
            if time.monotonic() - saved > SAVE_SECONDS:
                saved = time.monotonic()
                for family in {id(each): each for each in self._families.values()}.values():
                    family.save()
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
        self._runner.kill_all()
        with self._lock:
            self._held.clear()
            self._ready.clear()
        self._channel.close(messages.Leave())

    def _is_over(self) -> bool:
        if self.error is not None:
            return True
        with self._lock:
            if self._held:
                self._busy_at = time.monotonic()
                return False
        idle_seconds = time.monotonic() - self._busy_at
        if self.options.idle_exit_seconds and idle_seconds > self.options.idle_exit_seconds:
            self.exit(f"idle for {idle_seconds:.0f} s")
        return bool(self.exit_reason)

    # --- in the channel's thread ---

    def hello(self) -> Hello:
        """This node, and what it holds."""
        with self._lock:
            grants = [each.grant for each in self._held.values()]
        return Hello(
            protocol=messages.PROTOCOL,
            worker_id=self.id,
            role="node",
            node=self.options.node,
            slots=self.options.slots,
            memory_bytes=self.options.memory_bytes,
            features=self.options.features,
            go=self.options.go,
            processor=processor_name(),
            held=tuple(Held(each.task_id, each.lease, each.peak_bytes, each.cores) for each in grants),
            epoch=self._epoch,
        )

    def resume(self, welcome: Welcome) -> Sequence[FromPeer]:
        """The latest results again, for those said into a dying connection are lost."""
        self._epoch = welcome.epoch
        self._is_welcome.set()
        _log.info("connected to luigid %s at %s", welcome.epoch, self.options.place)
        with self._lock:
            started = [each for each in self._held.values() if each.has_started]
            oldest = time.monotonic() - RESULTS_KEPT_SECONDS
            return [
                *(result for at, result in self._results if at > oldest),
                *(messages.Started(each.grant.task_id, each.grant.lease) for each in started),
                *(
                    messages.Publishing(each.grant.task_id, each.grant.lease)
                    for each in started
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
            family = self._families.get(grant.family)
            if family is None:
                raise TaskRefused(f"a worker runs no {grant.family[:100]!r}")
            running = HeldTask(grant, family, family.parse(grant), time.monotonic())
        except TaskRefused as refusal:
            _log.warning("refused %s: %s", grant.task_id[:200], refusal)
            self._report(
                Ended(grant.task_id, grant.lease, "failed", f"refused: {refusal}", int(ExitCode.USAGE))
            )
            return
        with self._lock:
            if grant.lease in self._held:
                return
            self._held[grant.lease] = running
        self._staging.submit(self._stage, running)

    def _cancel(self, lease: int) -> None:
        with self._lock:
            running = self._held.pop(lease, None)
            if running is None:
                return
            running.is_cancelled = True
            self._begin_more()
        self._runner.kill(lease)

    def _give_back(self, lease: int) -> None:
        with self._lock:
            running = self._held.get(lease)
            if running is None or running.has_started:
                return
            running.is_cancelled = True
            del self._held[lease]
            self._begin_more()
        self._report(Ended(running.grant.task_id, lease, "returned"))

    # --- in the threads of staging and of slots ---

    def _stage(self, running: HeldTask) -> None:
        if running.is_cancelled:
            return
        lease = running.grant.lease
        try:
            with self._runner.scope(lease):
                running.family.stage(running.work)
        except BaseException as error:
            self._finish(running, result_of(running.grant, error))
            return
        running.staged_at = time.monotonic()
        with self._lock:
            heapq.heappush(self._ready, (lease, running))
            self._begin_more()

    def _may_begin(self) -> bool:
        """Whether the first that is ready may begin. Those that cannot publish count, too: while the share is
        away as many wait for it as there are slots, and as many again, and no more begin."""
        while self._ready and self._ready[0][1].is_cancelled:
            heapq.heappop(self._ready)
        if not self._ready or self._publishing > self.options.slots:
            return False
        return self._free_cores >= min(self._ready[0][1].grant.cores, self.options.slots) - _EXACTLY

    def _begin_more(self) -> None:
        """Let a thread begin what may; the lock is held."""
        if not self._may_begin():
            return
        if self._idle_threads:
            self._lock.notify()
        else:
            threading.Thread(target=self._serve, name="slot", daemon=True).start()

    def _serve(self) -> None:
        while True:
            with self._lock:
                self._idle_threads += 1
                while not self._may_begin():
                    self._lock.wait()
                self._idle_threads -= 1
                _, running = heapq.heappop(self._ready)
                running.has_started = running.has_slot = True
                running.slot = self._slots.take()
                self._free_cores -= running.grant.cores
                self._begin_more()
            try:
                self._run(running)
            finally:
                with self._lock:
                    self._publishing -= 1
                    self._begin_more()

    def _vacate(self, running: HeldTask) -> None:
        """Let another task have the slot, if it was not left already."""
        with self._lock:
            if running.has_slot:
                running.has_slot = False
                self._slots.give_back(running.slot)
                self._free_cores += running.grant.cores
                self._publishing += 1
                self._begin_more()

    def _begin_publishing(self, running: HeldTask) -> None:
        message = messages.Publishing(running.grant.task_id, running.grant.lease)
        if self._ready:
            # The next one says soon that it has started. At the latest this one says that it has ended.
            self._channel.send_along(message)
        else:
            self._channel.send(message)
        self._vacate(running)

    def _run(self, running: HeldTask) -> None:
        grant = running.grant
        self._channel.send(messages.Started(grant.task_id, grant.lease))
        running.started_at = time.monotonic()
        attempt = Attempt()
        try:
            with self._runner.scope(grant.lease):
                took = running.family.run(running.work, lambda: self._begin_publishing(running))
            usage = msgspec.structs.replace(took.usage, seconds=time.monotonic() - running.started_at)
            attempt = took.attempt
            result = Ended(grant.task_id, grant.lease, "done", usage=usage, made=took.made)
        except BaseException as error:
            result = result_of(grant, error)
            attempt = result.attempt
        finally:
            self._vacate(running)
        self._finish(running, result, attempt)

    def _moved(self, running: HeldTask, attempt: Attempt) -> Attempt:
        """How an attempt went that is over, on luigid's clock."""
        clock = self._channel.clock
        attempt = msgspec.structs.replace(attempt, slot=running.slot, made={})
        if math.isinf(clock.uncertainty_seconds):
            return msgspec.structs.replace(attempt, moments=Moments())
        moments = msgspec.structs.replace(
            attempt.moments,
            received=running.received_at,
            staged=running.staged_at or None,
            started=running.started_at or None,
            ended=time.monotonic(),
        )
        return msgspec.structs.replace(
            attempt,
            moments=moments.moved(clock.to_luigid),
            uncertainty_seconds=clock.uncertainty_seconds,
        )

    def _finish(self, running: HeldTask, result: Ended, attempt: Attempt = NO_ATTEMPT) -> None:
        with self._lock:
            if running.is_cancelled or self._held.pop(running.grant.lease, None) is None:
                return
            self._busy_at = time.monotonic()
        result = msgspec.structs.replace(result, attempt=self._moved(running, attempt))
        if result.status != "done":
            _log.warning("%s: %s: %s", result.task_id, result.status, result.explanation[:2000])
        self._report(result)

    def _report(self, result: Ended) -> None:
        with self._lock:
            self._results.append((time.monotonic(), result))
            while len(self._results) > RESULTS_KEPT:
                self._results.popleft()
        self._channel.send(result)
