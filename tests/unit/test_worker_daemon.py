"""When a worker's slots are taken and left. luigid and what does the tasks are fakes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

import luigigo.worker.worker
from luigigo.attempts import Attempt
from luigigo.errors import ActionError, ToolKilled, ToolStopped
from luigigo.model import Digest, Output
from luigigo.protocol.clock import LuigidClock
from luigigo.protocol.endpoint import Endpoint
from luigigo.protocol.messages import Ended, Grant, Publishing, Started, Usage, Welcome, Work
from luigigo.worker.families import TaskRefused, Took
from luigigo.worker.worker import NodeWorker, WorkerOptions


class Channel:
    """What was said to luigid."""

    def __init__(self, place: Endpoint, owner: NodeWorker) -> None:
        self.said: list[Any] = []
        self.clock = LuigidClock()

    def send(self, *messages: Any) -> None:
        self.said.extend(messages)

    def start(self) -> None:
        """Nobody is there."""

    close = send_along = send


class Steps:
    """A family that knows nothing of Go: its tools take no time; results come when the test says so."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.failing: dict[str, ActionError] = {}
        self.may_publish: dict[str, threading.Event] = {}

    def parse(self, grant: Grant) -> str:
        if set(grant.params) != {"name"}:
            raise TaskRefused("a step has a name, and nothing else")
        return grant.params["name"]

    def stage(self, name: str) -> None:
        """Nothing is read."""

    def run(self, name: str, tools_ended: Callable[[], None]) -> Took:
        published = self.may_publish.setdefault(name, threading.Event())
        self.begun.append(name)
        if name in self.failing:
            raise self.failing[name]
        tools_ended()
        assert published.wait(10)
        return Took(Usage("ran"), {"result": Output(Digest("1" * 64), 7)})

    fetch = save = stage

    def publish(self, name: str) -> None:
        self.may_publish.setdefault(name, threading.Event()).set()


class Scene:
    """A worker of one slot, by default."""

    def __init__(self, slots: int = 1) -> None:
        self.executor = Steps()
        families: Any = {"Step": self.executor}
        runner: Any = SimpleNamespace(scope=lambda lease: nullcontext(), kill=lambda lease: None)
        options = WorkerOptions(Endpoint("head", 8082, "token"), "n1", slots, 0)
        self.worker = NodeWorker(options, families, runner)
        self.thread = threading.Thread(target=self.worker.run)
        self.thread.start()

    def give(self, *names: str, cores: float = 1.0) -> None:
        """Have luigid give tasks, one after the other."""
        for name in names:
            grant = Grant(name, len(self.worker._held) + 1, "Step", {"name": name}, cores=cores)
            self.worker.receive(Work((grant,)))
            wait_for(partial(self._has_staged, name))

    def _has_staged(self, name: str) -> bool:
        return name in self.executor.begun or any(
            each.grant.task_id == name for _, each in self.worker._ready
        )

    @property
    def results(self) -> dict[str, str]:
        channel: Any = self.worker._channel
        return {said.task_id: said.status for said in channel.said if isinstance(said, Ended)}


def wait_for(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def make_scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Scene]]:
    monkeypatch.setattr(luigigo.worker.worker, "Channel", Channel)
    monkeypatch.setattr(luigigo.worker.worker, "TICK_SECONDS", 0.01)
    made: list[Scene] = []

    def make(slots: int) -> Scene:
        made.append(Scene(slots))
        return made[-1]

    yield make
    for scene in made:
        scene.worker.exit("the test is over")
        while scene.thread.is_alive():
            for name in tuple(scene.executor.may_publish):
                scene.executor.publish(name)
            time.sleep(0.01)


@pytest.fixture
def scene(make_scene: Callable[[int], Scene]) -> Scene:
    return make_scene(1)


def test_a_slot_serves_another_while_results_are_published(scene: Scene) -> None:
    """The tools of one run while the share is waited for on behalf of another."""
    scene.give("first", "second")
    wait_for(lambda: scene.executor.begun == ["first", "second"])
    assert scene.results == {}
    scene.executor.publish("second")
    wait_for(lambda: scene.results == {"second": "done"})


def test_who_cannot_publish_lets_no_more_begin(scene: Scene) -> None:
    """While the share is away, as many assignments wait for it as there are slots, and as many again."""
    scene.give("first", "second", "third")
    time.sleep(0.05)
    assert scene.executor.begun == ["first", "second"]
    scene.executor.publish("first")
    wait_for(lambda: scene.executor.begun == ["first", "second", "third"])


def test_who_fails_leaves_its_slot(scene: Scene) -> None:
    """It publishes nothing, and the slot is free for the next."""
    scene.executor.failing["first"] = ActionError("does not compile")
    scene.give("first", "second")
    wait_for(lambda: scene.executor.begun == ["first", "second"])
    wait_for(lambda: scene.results == {"first": "failed"})


def test_an_action_whose_tool_was_stopped_is_for_another(scene: Scene) -> None:
    """An allocation that ends may signal the tools before their worker."""
    scene.executor.failing["first"] = ToolStopped("compile: signal 15")
    scene.give("first")
    wait_for(lambda: scene.results == {"first": "unable"})


def test_luigid_is_told_what_was_taken_until_it_was_killed(scene: Scene) -> None:
    """So that it is given more where there is more."""
    killed = ToolKilled("compile was killed")
    killed.attempt = Attempt(peak_bytes=7)
    scene.executor.failing["first"] = killed
    scene.give("first")
    wait_for(lambda: scene.results == {"first": "killed"})
    channel: Any = scene.worker._channel
    ended = next(said for said in channel.said if isinstance(said, Ended))
    assert ended.attempt.peak_bytes == 7


def test_luigid_is_told_when_a_slot_is_left(scene: Scene) -> None:
    """Before the next one starts there; and again to a luigid that has missed it."""
    scene.give("first", "second")
    wait_for(lambda: scene.executor.begun == ["first", "second"])
    channel: Any = scene.worker._channel
    wait_for(lambda: sum(isinstance(said, Publishing) for said in channel.said) == 2)
    told = [(type(said), said.task_id) for said in channel.said if isinstance(said, Started | Publishing)]
    assert told == [
        (Started, "first"),
        (Publishing, "first"),
        (Started, "second"),
        (Publishing, "second"),
    ]
    again = scene.worker.resume(Welcome("epoch"))
    assert [said.task_id for said in again if isinstance(said, Publishing)] == ["first", "second"]


def test_fractions_of_cores_share_a_slot(make_scene: Callable[[int], Scene]) -> None:
    """Four quarters run at a time, and the fifth waits; no sum of fractions is too exact for that."""
    scene = make_scene(1)
    scene.worker._publishing = -100
    scene.give("a", "b", "c", "d", "e", cores=0.25)
    wait_for(lambda: len(scene.executor.begun) == 5)
    thirds = make_scene(1)
    hold = threading.Event()
    thirds.executor.run = lambda name, tools_ended: (  # type: ignore[method-assign]
        thirds.executor.begun.append(name),
        hold.wait(10),
        Took(Usage("ran")),
    )[-1]
    thirds.give("a", "b", "c", "d", cores=1 / 3)
    wait_for(lambda: thirds.executor.begun == ["a", "b", "c"])
    time.sleep(0.05)
    assert thirds.executor.begun == ["a", "b", "c"]
    hold.set()
    wait_for(lambda: len(thirds.results) == 4)


def test_what_needs_several_cores_waits_for_them(make_scene: Callable[[int], Scene]) -> None:
    """It begins when so many are free, before what was given after it; more than there are is all of them."""
    scene = make_scene(2)
    hold = threading.Event()
    scene.executor.run = lambda name, tools_ended: (  # type: ignore[method-assign]
        scene.executor.begun.append(name),
        name == "first" and hold.wait(10),
        Took(Usage("ran")),
    )[-1]
    scene.give("first")
    scene.give("large", cores=2.0)
    scene.give("small")
    time.sleep(0.05)
    assert scene.executor.begun == ["first"]
    hold.set()
    wait_for(lambda: scene.executor.begun == ["first", "large", "small"])


def test_another_family_is_refused(scene: Scene) -> None:
    """As are parameters that the family does not take; both in few words, for good."""
    scene.worker.receive(Work((Grant("a", 1, "CompilePackage", {"import_path": "a", "plan": "0" * 64}),)))
    scene.worker.receive(Work((Grant("b", 2, "Step", {"name": "b", "more": "x"}),)))
    assert scene.results == {"a": "failed", "b": "failed"}
    channel: Any = scene.worker._channel
    words = [said.explanation for said in channel.said if isinstance(said, Ended)]
    assert words == [
        "refused: a worker runs no 'CompilePackage'",
        "refused: a step has a name, and nothing else",
    ]
