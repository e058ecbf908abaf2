"""How long actions would take on other nodes: luigid's own dispatcher on a made-up clock.

The dispatcher is the real one, given peers that only pretend to work: each stages for as long as its action
did, runs it in a free slot, and publishes. Nothing is started, and nothing is read.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from itertools import count, pairwise
from typing import Any

import msgspec

from luigigo.luigid.dispatcher import Dispatcher
from luigigo.luigid.peers import Peer
from luigigo.protocol import messages
from luigigo.protocol.messages import Ended, FromServer, Hello, Needs, Offer
from luigigo.reports.simulation import Graph, WorkTime
from luigigo.scheduling.scheduler import ReadyScheduler

MESSAGE_SECONDS = 0.001
"""From luigid to a node, or back."""
FEATURE = "any"


class Task(msgspec.Struct, frozen=True):
    """One action to run."""

    name: str
    work: WorkTime
    dependencies: tuple[int, ...]
    peak_bytes: int = 0


class Machines(msgspec.Struct, frozen=True):
    """The nodes of a forecast, all alike."""

    count: int
    slots: int
    memory_bytes: int = 0
    """Of each; 0 is no limit."""

    @property
    def all_slots(self) -> int:
        """Of all nodes together."""
        return self.count * self.slots


class Forecast(msgspec.Struct, frozen=True):
    """What came of it."""

    machines: Machines
    seconds: float
    """Until the last action is done."""
    utilisation: float
    """What share of the slots' time something ran."""
    limit: str
    """`the longest chain`, `slots` or `memory`: what holds it back most."""


def forecast(tasks: Mapping[int, Task], machines: Machines) -> Forecast:
    """How long the tasks take on these nodes. Dependencies that are no tasks are done."""
    world = _World(tasks, machines)
    seconds = world.run()
    work = sum(task.work.slot_seconds for task in tasks.values())
    graph = Graph({number: task.dependencies for number, task in tasks.items()})
    chain = max(graph.remaining({n: task.work for n, task in tasks.items()}).values(), default=0.0)
    whole = machines.all_slots * seconds
    limit = "the longest chain" if chain > 0.85 * seconds else "slots"
    if limit == "slots" and world.has_waited_for_memory:
        limit = "memory"
    return Forecast(machines, seconds, work / whole if whole else 0.0, limit)


def until_it_gains_little(forecasts: Sequence[Forecast], share: float = 0.05) -> int | None:
    """From which number of nodes on another one gains less than this share; None where each gains more.

    Between two counts that were looked at, each node's gain is taken to be the same part.
    """
    for before, after in pairwise(forecasts):
        added = after.machines.count - before.machines.count
        if added > 0 and before.seconds > 0:
            factor = (after.seconds / before.seconds) ** (1 / added)
            if 1 - factor < share:
                return before.machines.count
    return None


class _Node:
    """A peer that pretends to work."""

    def __init__(self, world: _World, name: str, machines: Machines) -> None:
        self._world = world
        self._free = machines.slots
        self._staged: list[tuple[int, int]] = []
        self._begun: set[int] = set()
        self._revoked: set[int] = set()
        self.peer: Peer = world.dispatcher.connect(
            Hello(
                protocol=messages.PROTOCOL,
                worker_id=name,
                role="node",
                node=name,
                slots=machines.slots,
                memory_bytes=machines.memory_bytes,
                features=(FEATURE,),
            ),
            self.hear,
        )

    def hear(self, told: Sequence[FromServer]) -> None:
        """Take what luigid says, a moment later."""
        for message in told:
            if isinstance(message, messages.Work):
                for grant in message.grants:
                    number = int(grant.task_id)
                    staging = self._world.tasks[number].work.before_seconds
                    self._world.after(MESSAGE_SECONDS + staging, self._stage, grant.lease, number)
            elif isinstance(message, messages.Revoke):
                for lease in message.leases:
                    self._world.after(MESSAGE_SECONDS, self._give_back, lease)

    def _stage(self, lease: int, number: int) -> None:
        if lease not in self._revoked:
            heapq.heappush(self._staged, (lease, number))
            self._begin_more()

    def _give_back(self, lease: int) -> None:
        if lease in self._begun or lease in self._revoked:
            return
        self._revoked.add(lease)
        held = [each for each in self.peer.leases.items() if each[1].number == lease]
        self._staged = [each for each in self._staged if each[0] != lease]
        heapq.heapify(self._staged)
        for task_id, _ in held:
            self._say(Ended(task_id, lease, "returned"))

    def _begin_more(self) -> None:
        while self._free and self._staged:
            lease, number = heapq.heappop(self._staged)
            self._free -= 1
            self._begun.add(lease)
            self._say(messages.Started(str(number), lease))
            self._world.after(self._world.tasks[number].work.slot_seconds, self._leave, lease, number)

    def _leave(self, lease: int, number: int) -> None:
        self._free += 1
        self._say(messages.Publishing(str(number), lease))
        self._world.after(self._world.tasks[number].work.after_seconds, self._end, lease, number)
        self._begin_more()

    def _end(self, lease: int, number: int) -> None:
        self._world.finished_at = self._world.now
        self._say(Ended(str(number), lease, "done"))

    def _say(self, message: Any) -> None:
        self._world.after(MESSAGE_SECONDS, self._world.receive, self.peer, message)


class _World:
    """luigid, its nodes and one client on a clock that jumps from one event to the next."""

    def __init__(self, tasks: Mapping[int, Task], machines: Machines) -> None:
        self.tasks = tasks
        self.now = 0.0
        self.finished_at = 0.0
        self.has_waited_for_memory = False
        self._order = count()
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        scheduler = ReadyScheduler(prune_on_get_work=False, record_task_history=False)
        self.dispatcher = Dispatcher(scheduler, "forecast", lambda: self.now, first_lease=1)
        self._nodes = [_Node(self, f"n{number}", machines) for number in range(machines.count)]
        self._offer(machines)

    def after(self, seconds: float, call: Callable[..., None], *arguments: Any) -> None:
        """Let something happen so much later."""
        heapq.heappush(self._events, (self.now + seconds, next(self._order), call, arguments))

    def receive(self, peer: Peer, message: Any) -> None:
        """A peer has said something. What others say at the same moment is heard before it is settled."""
        self.dispatcher.receive(peer, message)

    def run(self) -> float:
        """Let time pass until nothing more happens; return when the last task was done."""
        while self._events:
            self.now = self._events[0][0]
            while self._events and self._events[0][0] <= self.now:
                _, _, call, arguments = heapq.heappop(self._events)
                call(*arguments)
            self.dispatcher.settle()
        return self.finished_at

    def _offer(self, machines: Machines) -> None:
        graph = Graph({number: task.dependencies for number, task in self.tasks.items()})
        remaining = graph.remaining({number: task.work for number, task in self.tasks.items()})
        hello = Hello(messages.PROTOCOL, "client", "client", "client", 1)
        client = self.dispatcher.connect(hello, lambda told: None)
        most = machines.memory_bytes
        for number in reversed(graph.order):
            task = self.tasks[number]
            self.has_waited_for_memory |= bool(most) and task.peak_bytes * machines.slots > most
            call = {
                "task_id": str(number),
                "deps": [str(each) for each in graph.dependencies[number]],
                "priority": round(1000 * remaining[number]),
                "family": "Forecast",
                "params": {},
            }
            needs = Needs(key=str(number), features=(FEATURE,), peak_bytes=task.peak_bytes)
            self.dispatcher.receive(client, messages.Add((Offer(call, needs),)))
        self.dispatcher.receive(client, messages.RunAll())
        self.dispatcher.settle()
