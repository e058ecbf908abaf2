"""When a worker's slots are taken and left. luigid and what does the actions are fakes."""

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
from luigigo.errors import ActionError, ToolKilled, ToolStopped
from luigigo.model import ActionId, Digest, Output
from luigigo.protocol.endpoint import Endpoint
from luigigo.protocol.messages import Ended, Grant, Publishing, Started, Welcome, Work
from luigigo.worker.worker import NodeWorker, WorkerOptions

PLAN = "0123456789abcdef" * 4


class Channel:
    """What was said to luigid."""

    def __init__(self, place: Endpoint, owner: NodeWorker) -> None:
        self.said: list[Any] = []

    def send(self, *messages: Any) -> None:
        self.said.extend(messages)

    def start(self) -> None:
        """Nobody is there."""

    close = send_along = send


class ActionExecutor:
    """Actions whose tools take no time, and whose results are published when the test says so."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.failing: dict[str, ActionError] = {}
        self.may_publish: dict[str, threading.Event] = {}
        self.plan = SimpleNamespace(actions=self)

    def get(self, action_id: ActionId) -> object:
        return action_id

    def learn(self, made: Any) -> None:
        """What others made is nothing to it."""

    def reserve(self, action_id: ActionId, peak_bytes: int) -> None:
        """They take no memory."""

    def stage(self, action_id: ActionId, *, probably_done: bool) -> None:
        """All that it reads is here."""

    def perform(self, action_id: ActionId, tools_ended: Callable[[], None]) -> Any:
        name = action_id.rpartition(" ")[2]
        published = self.may_publish.setdefault(name, threading.Event())
        self.begun.append(name)
        if name in self.failing:
            raise self.failing[name]
        tools_ended()
        assert published.wait(10)
        return SimpleNamespace(said=(), outputs={"export": Output(Digest("1" * 64), 7)})

    def publish(self, name: str) -> None:
        self.may_publish.setdefault(name, threading.Event()).set()


class Scene:
    """A worker with one slot."""

    def __init__(self) -> None:
        self.executor = ActionExecutor()
        context = SimpleNamespace(
            runner=SimpleNamespace(scope=lambda lease: nullcontext()),
            timings=SimpleNamespace(gogc=lambda action: ""),
        )
        site: Any = SimpleNamespace(
            context=context,
            executor=lambda plan: self.executor,
            require_folder=lambda: None,
            require_c=lambda executor, action: None,
            save=lambda: None,
        )
        keeper: Any = SimpleNamespace(size_bytes=lambda: 0)
        options = WorkerOptions(Endpoint("head", 8082, "token"), "n1", 1, 0)
        self.worker = NodeWorker(options, site, keeper)
        self.thread = threading.Thread(target=self.worker.run)
        self.thread.start()

    def give(self, *names: str) -> None:
        """Have luigid give actions, one after the other."""
        for lease, name in enumerate(names, 1):
            grant = Grant(name, lease, "CompilePackage", {"import_path": name, "plan": PLAN})
            self.worker.receive(Work((grant,)))
            wait_for(partial(self._has_staged, name))

    def _has_staged(self, name: str) -> bool:
        return name in self.executor.begun or any(
            each.assignment.task_id == name for _, each in self.worker._ready
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
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr(luigigo.worker.worker, "Channel", Channel)
    monkeypatch.setattr(luigigo.worker.worker, "TICK_SECONDS", 0.01)
    scene = Scene()
    yield scene
    for name in tuple(scene.executor.may_publish):
        scene.executor.publish(name)
    scene.worker.exit("the test is over")
    scene.thread.join(10)
    assert not scene.thread.is_alive()


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
    killed.peak_bytes = 7
    scene.executor.failing["first"] = killed
    scene.give("first")
    wait_for(lambda: scene.results == {"first": "killed"})
    channel: Any = scene.worker._channel
    ended = next(said for said in channel.said if isinstance(said, Ended))
    assert ended.usage is not None and ended.usage.peak_bytes == 7


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
