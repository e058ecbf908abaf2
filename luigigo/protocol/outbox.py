"""What luigid says over a connection: in order; news of tasks a little late, so that they share a frame."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from luigigo.protocol import messages
from luigigo.protocol.messages import FromServer, Prefetch, Progress

NEWS_SECONDS = 0.03
"""How long news may wait. A frame costs luigid more than all else that it does for a task."""
UNSENT_BYTES = 64 << 20
"""A peer that does not read is cut off when so much waits for it."""


class Outgoing:
    """The messages that are on their way to one peer."""

    def __init__(
        self, write: Callable[[bytes], asyncio.Future[None] | None], cut: Callable[[], None]
    ) -> None:
        """`write` sends a frame, and gives None where the connection is over; `cut` ends it."""
        self._write = write
        self._cut = cut
        self._news: list[FromServer] = []
        self._unsent_bytes = 0

    def say(self, messages: Sequence[FromServer]) -> None:
        """Send messages; where they are nothing but news of tasks, soon, with whatever comes until then."""
        is_first = not self._news
        self._news.extend(messages)
        if not all(isinstance(message, Progress | Prefetch) for message in messages):
            self._flush()
        elif is_first:
            asyncio.get_running_loop().call_later(NEWS_SECONDS, self._flush)

    def _flush(self) -> None:
        news, self._news = self._news, []
        if not news:
            return
        if self._unsent_bytes > UNSENT_BYTES:
            self._cut()
            return
        frame = messages.encode(news)
        sent = self._write(frame)
        if sent is not None:
            self._unsent_bytes += len(frame)
            sent.add_done_callback(lambda future: self._count_sent(future, len(frame)))

    def _count_sent(self, sent: asyncio.Future[None], size_bytes: int) -> None:
        self._unsent_bytes -= size_bytes
        # Whether it failed is learned from the connection's end.
        sent.cancelled() or sent.exception()
