"""What is sent when: news of tasks together, everything else at once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from luigigo.protocol import messages
from luigigo.protocol.messages import FromServer, Progress, RunOver
from luigigo.protocol.outbox import NEWS_SECONDS, UNSENT_BYTES, Outgoing


class Line:
    """A connection that takes frames and, where it is told to, never says that they are sent."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.frames: list[list[FromServer]] = []
        self.is_cut = False
        self.stuck = stuck
        self.outgoing = Outgoing(self._write, self._cut)

    def _write(self, frame: bytes) -> asyncio.Future[None]:
        self.frames.append(list(messages.decode_from_server(frame)))
        sent = asyncio.get_running_loop().create_future()
        if not self.stuck:
            sent.set_result(None)
        return sent

    def _cut(self) -> None:
        self.is_cut = True


def news(task_id: str) -> Progress:
    return Progress(task_id, "running")


def after(scene: Callable[[Line], Awaitable[None]], *, stuck: bool = False) -> Line:
    """The line after a scene played in a loop of its own."""

    async def play() -> Line:
        line = Line(stuck=stuck)
        await scene(line)
        return line

    return asyncio.run(play())


def test_news_of_a_short_time_share_a_frame() -> None:
    """Each is said once, in order, though each was reported alone."""

    async def scene(line: Line) -> None:
        for number in range(5):
            line.outgoing.say([news(f"t{number}")])
        assert line.frames == []
        await asyncio.sleep(3 * NEWS_SECONDS)
        line.outgoing.say([news("later")])
        await asyncio.sleep(3 * NEWS_SECONDS)

    assert after(scene).frames == [[news(f"t{number}") for number in range(5)], [news("later")]]


def test_the_rest_is_said_at_once_and_after_the_news_before_it() -> None:
    """A client that is told of the end has heard of all that led to it."""

    async def scene(line: Line) -> None:
        line.outgoing.say([news("t")])
        line.outgoing.say([RunOver()])
        assert line.frames == [[news("t"), RunOver()]]
        await asyncio.sleep(3 * NEWS_SECONDS)

    assert after(scene).frames == [[news("t"), RunOver()]]


def test_a_peer_that_does_not_read_is_cut_off() -> None:
    """What waits for it is bounded."""

    async def scene(line: Line) -> None:
        text = "x" * (UNSENT_BYTES // 4)
        for _ in range(5):
            assert not line.is_cut
            line.outgoing.say([messages.Notice(text, 1)])

    line = after(scene, stuck=True)
    assert line.is_cut
    assert len(line.frames) == 4
