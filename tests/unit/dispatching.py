"""A luigid without network or time: peers are lists of what they were told, and the clock is set by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from luigi.task_status import DISABLED, DONE, FAILED, PENDING, RUNNING, UNKNOWN

from luigigo.luigid.dispatcher import Dispatcher
from luigigo.luigid.peers import Peer
from luigigo.protocol import messages
from luigigo.protocol.messages import Ended, FromPeer, FromServer, Held, Hello, Needs, Offer
from luigigo.scheduling.scheduler import ReadyScheduler

GO = "go1"
ALL = (PENDING, RUNNING, DONE, FAILED, DISABLED, UNKNOWN)
Kind = TypeVar("Kind")


class Someone:
    """A node or a client at the other end of a connection."""

    def __init__(self, luigid: Luigid, hello: Hello) -> None:
        self.luigid = luigid
        self.hello = hello
        self.heard: list[FromServer] = []
        self.holds: dict[str, int] = {}
        """Leases by task, as the peer knows of them."""
        self.peer: Peer = luigid.dispatcher.connect(hello, self._hear)

    def _hear(self, told: Sequence[FromServer]) -> None:
        self.heard.extend(told)
        for message in told:
            if isinstance(message, messages.Work):
                self.holds.update((grant.task_id, grant.lease) for grant in message.grants)
            elif isinstance(message, messages.Cancel):
                self.holds = {name: n for name, n in self.holds.items() if n not in message.leases}

    def all(self, kind: type[Kind]) -> list[Kind]:
        """Everything of one kind that it was told."""
        return [message for message in self.heard if isinstance(message, kind)]

    def given(self) -> list[str]:
        """The tasks that it was ever given, in that order."""
        return [grant.task_id for work in self.all(messages.Work) for grant in work.grants]

    def overs(self) -> list[tuple[str, ...]]:
        """The failed tasks of each end of a run that it was told of."""
        return [over.failed for over in self.all(messages.RunOver)]

    def say(self, *said: FromPeer) -> None:
        """Send a frame."""
        for message in said:
            self.luigid.dispatcher.receive(self.peer, message)
        self.luigid.dispatcher.settle()

    def start(self, *task_ids: str) -> None:
        """A slot takes up each task."""
        self.say(*(messages.Started(task_id, self.holds[task_id]) for task_id in task_ids))

    def publish(self, *task_ids: str) -> None:
        """The tools of each task have ended."""
        self.say(*(messages.Publishing(task_id, self.holds[task_id]) for task_id in task_ids))

    def end(self, task_id: str, status: str = "done", explanation: str = "", **more: Any) -> None:
        """Report how a task ended."""
        self.say(Ended(task_id, self.holds.pop(task_id), status, explanation, **more))

    def end_all(self) -> None:
        """Report everything that it holds as done, and what it is given then, and so on."""
        while self.holds:
            self.end(next(iter(self.holds)))

    def offer(self, *offers: Offer, run: bool = True) -> None:
        """Offer tasks, and say that these were all."""
        self.say(messages.Add(offers), *([messages.RunAll()] if run else []))

    def report(self, task_id: str, status: str) -> None:
        """Tell the end of a task of the client's own, as Luigi's worker does."""
        self.holds.pop(task_id, None)
        self.offer(Offer({"task_id": task_id, "status": status, "expl": ""}), run=False)

    def lose(self) -> None:
        """Lose the connection."""
        self.luigid.dispatcher.disconnect(self.peer)

    def silence(self) -> None:
        """Know nothing more of what was said so far."""
        self.heard.clear()


class Luigid:
    """A dispatcher with a clock of its own."""

    def __init__(self, epoch: str = "first", first_lease: int = 100, ahead_from: float = 0.0) -> None:
        self.seconds = 1000.0
        self.scheduler = ReadyScheduler(prune_on_get_work=False, record_task_history=False)
        clock = self._read_clock
        self.dispatcher = Dispatcher(self.scheduler, epoch, clock, first_lease, ahead_from)
        made.append(self)

    def _read_clock(self) -> float:
        return self.seconds

    def node(
        self, name: str, slots: int = 1, *, held: Iterable[tuple[Any, ...]] = (), **more: Any
    ) -> Someone:
        """A node connects."""
        toolchain = more.pop("toolchain", GO)
        facts = {"features": (toolchain,), "go": "go 1", **more}
        return Someone(self, self._hello(name, "node", slots, held, facts))

    def client(
        self, name: str = "client", slots: int = 1, *, held: Iterable[tuple[str, int]] = ()
    ) -> Someone:
        """A client connects."""
        return Someone(self, self._hello(name, "client", slots, held, {}))

    @staticmethod
    def _hello(name: str, role: str, slots: int, held: Iterable[tuple[Any, ...]], facts: Any) -> Hello:
        return Hello(
            protocol=messages.PROTOCOL,
            worker_id=name,
            role=role,
            node=name,
            slots=slots,
            held=tuple(Held(*each) for each in held),
            **facts,
        )

    def status(self, task_id: str) -> str | None:
        """A task's status in Luigi, or None for one that is not known."""
        task = self.scheduler._state.get_task(task_id)
        return None if task is None else task.status

    def wait(self, seconds: float, *alive: Someone) -> list[Peer]:
        """Let time pass, a second at a time; those who are `alive` say so. Returns who was silent at last."""
        silent: list[Peer] = []
        for _ in range(int(seconds)):
            self.seconds += 1
            for someone in alive:
                self.dispatcher.heard(someone.peer)
            silent = self.dispatcher.tick()
        return silent


def action(
    task_id: str,
    *deps: str,
    key: str = "",
    priority: float = 0,
    toolchain: str = GO,
    running_on: str = "",
    status: str = PENDING,
    **needs: Any,
) -> Offer:
    """An action that any node may run; its key is its own unless one is said."""
    call = {"task_id": task_id, "deps": list(deps), "priority": priority, "status": status}
    named = {**call, "family": "CompilePackage", "params": {"import_path": task_id}}
    features = (toolchain, *needs.pop("features", ()))
    return Offer(named, Needs(key or task_id, features, **needs), running_on)


def own(task_id: str, *deps: str, status: str = PENDING, **more: Any) -> Offer:
    """A task of the client's own."""
    return Offer({"task_id": task_id, "deps": list(deps), "family": "Own", "status": status, **more})


made: list[Luigid] = []
"""Those of the test that runs."""


def require_consistent(luigid: Luigid) -> None:
    """What is known of each task in several places is the same in all, and of no task more than is wanted."""
    dispatcher = luigid.dispatcher
    leases, recovery = dispatcher._leases, dispatcher._recovery
    held = {task_id: lease for peer in dispatcher.peers.values() for task_id, lease in peer.leases.items()}
    assert held == leases._leases
    for peer in dispatcher.peers.values():
        for task_id, lease in peer.leases.items():
            assert lease.peer_id == peer.id
            given = [each for each in (peer.capacity, peer.joined) if each and task_id in each.given]
            assert len(given) == (not lease.is_publishing), f"{task_id} counts {len(given)} times"
        for capacity in filter(None, (peer.capacity, peer.joined)):
            extra = capacity.given.keys() - peer.leases.keys() - recovery._claims.keys()
            assert not extra, f"{extra} count and are not held"
            total = sum(needs.peak_bytes for needs in capacity.given.values())
            assert capacity.given_bytes == total
            assert abs(capacity.given_cores - sum(n.cores for n in capacity.given.values())) < 1e-6
    for task_id, needs in leases.needs.items():
        assert task_id in leases._by_key[needs.key]
    assert sum(map(len, leases._by_key.values())) == len(leases.needs)
    for key, holder in leases._holders.items():
        assert holder in held and leases.needs[holder].key == key
    for task_id in held:
        assert luigid.status(task_id) == RUNNING, f"{task_id} is held and {luigid.status(task_id)}"
        assert not recovery.is_kept(task_id), f"{task_id} is held and waited for"
    stock = luigid.scheduler._state._active_workers.keys() - dispatcher.peers.keys()
    for task in dispatcher.tasks.active(RUNNING):
        if task.id in leases.needs and task.worker_running not in stock:
            equals = tuple(leases.equals(task.id))
            assert any(each in held or recovery.is_kept(each) for each in equals), f"{task.id} runs nowhere"
    for known in (leases.losses, leases.kills, leases.refusals, recovery._parked):
        assert known.keys() <= leases.needs.keys() | {task.id for task in dispatcher.tasks.active(*ALL)}


__all__ = ["DONE", "FAILED", "GO", "PENDING", "RUNNING", "Luigid", "Someone", "action", "own"]
