"""Workers, cables and luigid's own pauses as they are drawn: each run ends, and all that is known fits."""

from __future__ import annotations

import random

import pytest
from dispatching import Luigid, Someone, action, require_consistent

from luigigo.protocol.messages import Cancel, Ended, Held, Publishing, Revoke, Started, Work

SEEDS = 150
RESULT_SECONDS = 60


class Node:
    """A worker that obeys, and is back with what it holds whenever it is cut off."""

    def __init__(self, luigid: Luigid, name: str, slots: int) -> None:
        self.luigid, self.name, self.slots = luigid, name, slots
        self.holds: dict[str, int] = {}
        self.begun: set[str] = set()
        self.is_away = False
        self._results: list[tuple[float, Ended]] = []
        self._read = 0
        self.line: Someone
        self.connect()

    def connect(self) -> None:
        """Come back, and say again what may have been lost on the way."""
        self.is_away = False
        self.line = self.luigid.node(self.name, self.slots, held=list(self.holds.items()))
        self._read = 0
        self._listen()
        recent = [result for at, result in self._results if self.luigid.seconds - at < RESULT_SECONDS]
        self.line.say(*recent, *(Started(name, self.holds[name]) for name in self.begun & self.holds.keys()))

    def _listen(self) -> None:
        while self._read < len(self.line.heard):
            message = self.line.heard[self._read]
            self._read += 1
            if isinstance(message, Work):
                for grant in message.grants:
                    self.holds[grant.task_id] = grant.lease
                    self.begun.discard(grant.task_id)
            elif isinstance(message, Cancel):
                self.holds = {name: n for name, n in self.holds.items() if n not in message.leases}
            elif isinstance(message, Revoke):
                for name, number in tuple(self.holds.items()):
                    if number in message.leases and name not in self.begun:
                        self._end(name, "returned")

    def _end(self, name: str, status: str, trouble: str = "") -> None:
        ended = Ended(name, self.holds.pop(name), status, "drawn", trouble=trouble)
        self.begun.discard(name)
        self._results.append((self.luigid.seconds, ended))
        self._say(ended)

    def _say(self, message: Ended | Started | Publishing) -> None:
        if self.line.peer is self.luigid.dispatcher.peers.get(self.name):
            self.line.say(message)

    def step(self, draw: random.Random, *, is_well: bool = False) -> None:
        """Begin, publish or end one of the tasks that it holds."""
        self._listen()
        if not self.holds:
            return
        name = draw.choice(sorted(self.holds))
        if name in self.begun:
            if draw.random() < 0.3:
                self._say(Publishing(name, self.holds[name]))
            status = (
                "done" if is_well or draw.random() < 0.85 else draw.choice(["unable", "killed", "unable"])
            )
            trouble = draw.choice(["", "disk", "size"]) if status == "unable" else ""
            self._end(name, status, trouble)
            self._listen()
        elif len(self.begun & self.holds.keys()) < self.slots:
            self.begun.add(name)
            self._say(Started(name, self.holds[name]))


class World:
    """A luigid, a client with a drawn graph, and nodes."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.luigid = Luigid()
        self.client = self.luigid.client()
        self.nodes = [Node(self.luigid, f"n{number}", 2) for number in range(self.draw.choice([1, 2, 3]))]
        count = self.draw.randint(3, 15)
        names = [f"t{number}" for number in range(count)]
        offers = []
        for number, name in enumerate(names):
            deps = self.draw.sample(names[:number], min(number, self.draw.randint(0, 2)))
            key = f"k{self.draw.randint(0, count)}" if self.draw.random() < 0.3 else name
            cores = self.draw.choice([1.0, 1.0, 1.0, 0.5, 2.0])
            offers.append(action(name, *deps, key=key, cores=cores))
        self.client.offer(*reversed(offers))

    def wait(self, seconds: int) -> None:
        """Let time pass: who is away is silent, and who was taken for lost comes back when it is not away."""
        for _ in range(seconds):
            alive = [node.line for node in self.nodes if not node.is_away]
            for peer in self.luigid.wait(1, self.client, *alive):
                self.luigid.dispatcher.disconnect(peer)
            for node in self.nodes:
                if not node.is_away and node.name not in self.luigid.dispatcher.peers:
                    node.connect()

    def go_on(self) -> None:
        """Something happens."""
        what = self.draw.random()
        node = self.draw.choice(self.nodes)
        if what < 0.6:
            node.step(self.draw)
        elif what < 0.7:
            self.wait(self.draw.randint(1, 5))
        elif what < 0.8:
            self._cut(self.nodes)
        elif what < 0.87:
            # luigid was stopped, or its host was.
            self.luigid.seconds += 20
            for each in self.nodes:
                if self.draw.random() < 0.5:
                    self.luigid.dispatcher.disconnect(each.line.peer)
                    each.connect()
        elif what < 0.93:
            self._cut([node])
        else:
            node.connect()

    def _cut(self, nodes: list[Node]) -> None:
        for node in nodes:
            node.is_away = True
        for _ in range(12):
            self.wait(1)
            if self.draw.random() < 0.4:
                self.draw.choice(nodes).step(self.draw)
        for node in self.draw.sample(nodes, len(nodes)):
            node.connect()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_run_ends(seed: int) -> None:
    """Whatever happens on the way, within minutes of quiet; at each step all that is known fits together."""
    world = World(seed)
    for _ in range(world.draw.randint(5, 40)):
        world.go_on()
        require_consistent(world.luigid)
    for _ in range(600):
        if world.client.overs():
            return
        world.wait(1)
        for node in world.nodes:
            node.step(world.draw, is_well=True)
    pytest.fail(f"the run goes on: {[(each.name, each.holds) for each in world.nodes]}")


def test_what_is_held_is_what_was_granted() -> None:
    """The drawn worker understands luigid: else its runs would tell nothing."""
    luigid = Luigid()
    node, client = Node(luigid, "n1", 1), luigid.client()
    client.offer(action("a"), action("b", "a"))
    draw = random.Random(0)
    for _ in range(4):
        node.step(draw, is_well=True)
    assert client.overs() == [()]
    assert [Held(*each) for each in node.holds.items()] == []
