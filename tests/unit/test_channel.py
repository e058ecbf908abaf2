"""What a peer says, as frames. There is no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from luigigo.protocol.channel import Channel
from luigigo.protocol.endpoint import Endpoint
from luigigo.protocol.messages import FromPeer, Publishing, Started


class Line:
    """A channel whose frames are kept instead of sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.frames: list[list[FromPeer]] = []
        owner: Any = None
        self.channel = Channel(Endpoint("head", 8082, "token"), owner)
        self.loop = self.channel._loop
        self.channel._connection = object()
        monkeypatch.setattr(self.channel, "_write", self._keep)

    def _keep(self, messages: Sequence[FromPeer]) -> None:
        self.frames.append(list(messages))

    def run(self) -> None:
        """Let the channel's thread do what it has to."""
        for _ in range(3):
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    return Line(monkeypatch)


def test_what_is_in_no_hurry_goes_before_what_is_said_next(line: Line) -> None:
    """It makes no frame of its own."""
    line.channel._is_welcome = True
    line.channel.send_along(Publishing("a", 1))
    line.run()
    assert line.frames == []
    line.channel.send(Started("b", 2))
    line.run()
    assert line.frames == [[Publishing("a", 1), Started("b", 2)]]
    line.loop.close()


def test_what_was_said_into_a_dead_connection_is_not_said_later(line: Line) -> None:
    """Whoever is welcomed says all that luigid must know."""
    line.channel.send_along(Publishing("a", 1))
    line.channel.send(Started("b", 2))
    line.run()
    line.channel._is_welcome = True
    line.channel.send(Started("c", 3))
    line.run()
    assert line.frames == [[Started("c", 3)]]
    line.loop.close()
