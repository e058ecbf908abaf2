"""A client of a luigid of luigigo's: Luigi's worker, told by messages what to run and what others did."""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from luigi.task_status import DONE, FAILED, PENDING

from luigigo.attempts import Attempt
from luigigo.client import exit_codes
from luigigo.client.callbacks import ClientCallbacks
from luigigo.client.local_worker import SlotWorker, run_callbacks
from luigigo.client.signals import check, interruptible
from luigigo.client.vacancy import Fallback, Vacancy
from luigigo.errors import ExitCode, LuigidEnded, LuigigoError
from luigigo.protocol import messages
from luigigo.protocol.channel import Channel
from luigigo.protocol.endpoint import Endpoint
from luigigo.protocol.messages import (
    FromPeer,
    FromServer,
    Held,
    Hello,
    Needs,
    Offer,
    Progress,
    Welcome,
)
from luigigo.scheduling import resting

logger = logging.getLogger("luigi-interface")

POLL_SECONDS = 0.2
"""How often a client that hears nothing looks at the clock."""


class ChannelScheduler:
    """Luigi's scheduler as the client's worker calls it; what it says goes through the channel.

    Keeps what was offered, to say it again to a luigid that was restarted.
    """

    def __init__(self, place: Endpoint, callbacks: ClientCallbacks) -> None:
        self.place = place
        self.callbacks = callbacks
        self.offers: dict[str, Offer] = {}
        self.needs_of: Callable[[str], Needs | None] = lambda task_id: None
        self.page_of: Callable[[str], str | None] = lambda task_id: None
        """Where luigid serves a page about a task; Luigi's page links to it."""
        self._unsent: list[Offer] = []
        self._lock = threading.Lock()
        self.send: Callable[..., None] = lambda *messages: None
        self.send_from_fork: Callable[[messages.Call], None] = lambda call: None
        """How a forked task's words come to the process that has the channel."""
        self._pid = os.getpid()

    def add_task(self, **call: Any) -> None:
        """Offer a task, or report what became of it."""
        task_id = call["task_id"]
        call = {"tracking_url": self.page_of(task_id), **call}
        offer = Offer(
            {name: value for name, value in call.items() if value is not None}, self.needs_of(task_id)
        )
        with self._lock:
            before = self.offers.get(task_id)
            if before is not None:
                offer = msgspec.structs.replace(offer, call=before.call | offer.call)
            self.offers[task_id] = offer
            self._unsent.append(offer)
            if len(self._unsent) < messages.TASKS_PER_FRAME:
                return
        self.flush()

    def flush(self) -> None:
        """Send what was offered since the last time."""
        with self._lock:
            offers, self._unsent = self._unsent, []
        if offers:
            self.send(messages.Add(tuple(offers)))

    def note(self, progress: Progress) -> bool:
        """Keep what became of a task elsewhere, for a luigid that knows nothing of it; say if it is news."""
        with self._lock:
            offer = self.offers.get(progress.task_id)
            if offer is None or offer.call.get("status") == DONE:
                return False
            if progress.status == "done":
                offer = msgspec.structs.replace(offer, call={**offer.call, "status": DONE}, running_on="")
            elif progress.status == "running":
                offer = msgspec.structs.replace(offer, running_on=progress.worker_id)
            elif progress.status == "pending":
                offer = msgspec.structs.replace(offer, running_on="")
            self.offers[progress.task_id] = offer
            return True

    def everything(self) -> list[FromPeer]:
        """All offers again, as things stand."""
        with self._lock:
            offers = list(self.offers.values())
            self._unsent.clear()
        size = messages.TASKS_PER_FRAME
        return [messages.Add(tuple(offers[at : at + size])) for at in range(0, len(offers), size)]

    def close(self) -> None:
        """The run is over, and summed up; the worker has closed the channel."""
        resting.end()

    def add_worker(self, worker: str, info: Any) -> None:
        """Said by hello."""

    def announce_scheduling_failure(self, **arguments: Any) -> None:
        """Pass it on."""
        self.send(messages.Call("announce_scheduling_failure", arguments))

    def add_task_batcher(self, **arguments: Any) -> None:
        """Pass it on."""
        self.send(messages.Call("add_task_batcher", arguments))

    def set_task_status_message(self, task_id: str, status_message: str) -> None:
        """Pass it on."""
        arguments = {"task_id": task_id, "status_message": status_message}
        self._say(messages.Call("set_task_status_message", arguments))

    def set_task_progress_percentage(self, task_id: str, progress_percentage: int) -> None:
        """Pass it on."""
        arguments = {"task_id": task_id, "progress_percentage": progress_percentage}
        self._say(messages.Call("set_task_progress_percentage", arguments))

    def _say(self, call: messages.Call) -> None:
        (self.send if os.getpid() == self._pid else self.send_from_fork)(call)


class Inbox:
    """The queue of a worker's results, into which luigid's messages come as well.

    Whoever waits for a result handles the messages that arrive before it.
    """

    def __init__(
        self,
        handle: Callable[[FromServer | messages.Call | LuigigoError], None],
        is_finished: Callable[[], bool],
    ) -> None:
        self._items: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._handle = handle
        self._is_finished = is_finished

    def put(self, item: Any) -> None:
        """A result of Luigi's, a tuple; or a message."""
        self._items.put(item)

    def get(self, block: bool = True, timeout: float | None = None) -> tuple[Any, ...]:
        """The next result. Raises `queue.Empty` after `POLL_SECONDS`, or when the run is over."""
        deadline = time.monotonic() + POLL_SECONDS
        while not self._is_finished():
            item = self._items.get(timeout=max(0.0, deadline - time.monotonic()))
            if isinstance(item, tuple):
                return item
            self._handle(item)
        raise queue.Empty

    def close(self) -> None:
        """As the queue between processes that Luigi has here."""


class ChannelWorker(SlotWorker):
    """Luigi's worker of a client, whose actions run on the nodes and whose other tasks run here."""

    def __init__(self, scheduler: ChannelScheduler, **options: Any) -> None:
        self._inbox = Inbox(self._handle, self._is_finished)
        super().__init__(scheduler=scheduler, **options)
        self._shared = None
        self._channel = Channel(scheduler.place, self)
        self._is_over = False
        """Nothing more is to be expected of luigid."""
        self._run_began = False
        self._epoch = ""
        self._granted: dict[str, int] = {}
        fallback = Fallback(scheduler.callbacks.falls_back, scheduler.callbacks.fallback_seconds)
        self._vacancy = Vacancy(scheduler.place, fallback, time.monotonic())
        self._joined = False
        self._lost_at: float | None = None
        self._said: set[str] = set()
        scheduler.needs_of, scheduler.page_of = self._needs_of, self._page_of
        scheduler.send = self._channel.send
        scheduler.send_from_fork = self._forked_results.report
        self._channel.start()

    def _make_results(self) -> Any:
        return self._inbox

    def _follow_moves(self) -> None:
        """luigid counts the slots; what waits here for another build keeps its own: it runs soon."""
        return None

    def __enter__(self) -> ChannelWorker:
        resting.begin()
        return self

    def __exit__(self, *exception: object) -> None:
        self._channel.close(messages.Leave())
        super().__exit__(*exception)

    def _needs_of(self, task_id: str) -> Needs | None:
        task = self._scheduled_tasks.get(task_id)
        # A task of the user's may have anything by that name.
        needs = getattr(task, "needs", None)
        return needs if isinstance(needs, Needs) else None

    def _page_of(self, task_id: str) -> str | None:
        return getattr(self._scheduled_tasks.get(task_id), "luigigo_page", None)

    # --- in the channel's thread ---

    def hello(self) -> Hello:
        """This client, and what it runs."""
        return Hello(
            protocol=messages.PROTOCOL,
            worker_id=self._id,
            role="client",
            node=self._scheduler.callbacks.node,
            slots=self.worker_processes,
            held=tuple(Held(task_id, lease) for task_id, lease in tuple(self._granted.items())),
            epoch=self._epoch,
        )

    def resume(self, welcome: Welcome) -> Sequence[FromPeer]:
        """All tasks, as things stand."""
        if self._epoch and self._epoch != welcome.epoch:
            self._say("luigid was restarted: it is told everything again")
        self._epoch = welcome.epoch
        self._lost_at = None
        last: list[FromPeer] = [messages.RunAll()] if self._run_began else []
        if self._joined:
            last.insert(0, self._join_message())
        return [*self._scheduler.everything(), *last]

    def receive(self, message: FromServer) -> None:
        """Let the worker's own thread handle it."""
        self._inbox.put(message)

    def lost(self, reason: str) -> None:
        """Say so, once."""
        self._lost_at = time.monotonic()
        place = self._scheduler.place
        self._say(f"luigid at {place} does not answer ({reason}): trying again")

    def refused(self, error: LuigigoError) -> None:
        """End the run."""
        self._inbox.put(error)

    # --- in the worker's thread ---

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            print(f"luigigo: {text}", file=sys.stderr, flush=True)

    def add(self, task: Any, multiprocess: bool = False, processes: int = 0) -> bool:
        """Check a task and all that it needs, and offer them."""
        added = super().add(task, multiprocess, processes)
        self._scheduler.flush()
        return added

    def run(self) -> bool:
        """Run what is to run here, and wait for the rest; return whether all succeeded."""
        self.run_succeeded = True
        with interruptible(self._stop_running):
            self._run_began = True
            for callback in run_callbacks:
                callback(0)
            self._vacancy.restart(time.monotonic())
            self._channel.send(messages.RunAll())
            while not self._is_finished():
                check()
                self._handle_next_task()
                self._scheduler.flush()
                self._scheduler.callbacks.renew()
                self._watch_luigid()
                self._watch_workers()
        return bool(self.run_succeeded)

    def _is_finished(self) -> bool:
        return self._is_over and not self._running_tasks

    def _handle(self, message: FromServer | messages.Call | LuigigoError) -> None:
        if isinstance(message, messages.Call):
            self._channel.send(message)
        elif isinstance(message, LuigigoError):
            self._note_error(message)
            self.run_succeeded = False
            self._is_over = True
        elif isinstance(message, messages.Work):
            for grant in message.grants:
                self._granted[grant.task_id] = grant.lease
                if grant.task_id not in self._running_tasks:
                    self._run_task(grant.task_id)
        elif isinstance(message, Progress):
            self._note_progress(message)
        elif isinstance(message, messages.Republish):
            for held in message.tasks:
                self._channel.send(self._publish_again(held))
        elif isinstance(message, messages.Notice):
            if message.text:
                self._say(message.text)
            news = self._vacancy.note(message.workers, message.why, time.monotonic())
            if news:
                self._say(news)
        elif isinstance(message, messages.Nodes):
            self._scheduler.callbacks.note_nodes(message.nodes, str(self._scheduler.place))
        elif isinstance(message, messages.Cancel):
            self._cancel(message.leases)
        elif isinstance(message, messages.RunOver):
            self._is_over = True

    def _publish_again(self, held: Held) -> messages.Ended:
        """Put into the store what a node misses of a task, and give the task back."""
        task = self._scheduled_tasks.get(held.task_id)
        try:
            was_missing = task is not None and self._scheduler.callbacks.publish_again(task)
        except LuigigoError as error:
            code = int(error.exit_code)
            return messages.Ended(held.task_id, held.lease, "failed", str(error), code)
        if was_missing:
            self._say("what nodes read was gone from the store: it is published again")
        return messages.Ended(held.task_id, held.lease, "returned" if was_missing else "unable")

    def _note_progress(self, progress: Progress) -> None:
        task = self._scheduled_tasks.get(progress.task_id)
        if task is None or progress.task_id in self._granted or progress.task_id in self._taken:
            return
        if not self._scheduler.note(progress):
            return
        progress = msgspec.structs.replace(progress, attempt=self._moved(progress.attempt))
        if progress.status == "done":
            self._add_task_history.append((task, DONE, None))
        elif progress.status == "failed":
            self.run_succeeded = False
            self._add_task_history.append((task, FAILED, None))
            error = LuigigoError(progress.explanation)
            error.exit_code = ExitCode(progress.exit_code or ExitCode.BUILD_FAILED)
            exit_codes.note(error)
        self._scheduler.callbacks.observe(task, progress)

    def _moved(self, attempt: Attempt) -> Attempt:
        """How an attempt went by this process' clock."""
        clock = self._channel.clock
        return msgspec.structs.replace(
            attempt,
            moments=attempt.moments.moved(clock.from_luigid),
            uncertainty_seconds=attempt.uncertainty_seconds + clock.uncertainty_seconds,
        )

    def _add_task(self, *args: Any, **kwargs: Any) -> None:
        if kwargs["status"] != PENDING or kwargs.get("new_deps"):
            self._granted.pop(kwargs["task_id"], None)
        super()._add_task(*args, **kwargs)

    def _cancel(self, leases: Sequence[int]) -> None:
        for task_id, lease in tuple(self._granted.items()):
            process = self._running_tasks.get(task_id)
            if lease in leases and process is not None:
                del self._granted[task_id]
                del self._running_tasks[task_id]
                process.terminate()
                self._release(task_id)

    def _watch_luigid(self) -> None:
        """End the run where a luigid that is away will hardly come back."""
        lost_at, limit_seconds = self._lost_at, self._scheduler.callbacks.luigid_away_seconds
        if lost_at is not None and time.monotonic() - lost_at > limit_seconds and not self._is_over:
            self._handle(LuigidEnded(f"luigid at {self._scheduler.place} has ended: run the command again"))

    def _watch_workers(self) -> None:
        """Tell the user when nobody can run the build, and take part where that is wanted."""
        if self._is_over or self._joined or self._vacancy.is_over or not self._has_actions_left():
            return
        now = time.monotonic()
        text = self._vacancy.due(now)
        if text:
            # It is news each time.
            self._said.discard(text)
            self._say(text)
        if self._vacancy.is_time_to_build_here(now):
            self._joined = True
            self._say(f"luigid at {self._scheduler.place} has no worker: building here")
            self._channel.send(self._join_message())

    def _join_message(self) -> messages.Join:
        return messages.Join(self._scheduler.callbacks.memory_bytes())

    def _has_actions_left(self) -> bool:
        return any(
            offer.needs is not None and offer.call.get("status", PENDING) == PENDING
            for offer in tuple(self._scheduler.offers.values())
        )

    def _stop_running(self) -> None:
        self._channel.send(messages.Leave())
        super()._stop_running()
