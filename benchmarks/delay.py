"""A way to a server that takes longer: hands bytes on, in both directions, some time after they came.

    python benchmarks/delay.py LISTEN_PORT HOST:PORT SECONDS

Stands in for a network with that much between request and answer, where the kernel has no netem: half of the
time is put on each direction. Runs until it is ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time

CHUNK_BYTES = 1 << 16


async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter, delay_seconds: float) -> None:
    """Hand on what comes, in order, each piece when its time is over; then the end."""
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if not piece:
                target.close()
                return
            target.write(piece)
            await target.drain()

    delivering = asyncio.ensure_future(deliver())
    with contextlib.suppress(OSError):
        while piece := await source.read(CHUNK_BYTES):
            pieces.put_nowait((time.monotonic() + delay_seconds, piece))
    pieces.put_nowait((0.0, b""))
    with contextlib.suppress(OSError):
        await delivering


async def serve(port: int, host: str, host_port: int, delay_seconds: float) -> None:
    """Take connections, and make one to the server for each."""

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection(host, host_port)
        await asyncio.gather(carry(reader, requests, delay_seconds), carry(answers, writer, delay_seconds))

    server = await asyncio.start_server(connect, "0.0.0.0", port)
    async with server:
        await server.serve_forever()


def main() -> None:
    place, seconds = sys.argv[2], float(sys.argv[3])
    host, _, port = place.rpartition(":")
    asyncio.run(serve(int(sys.argv[1]), host, int(port), seconds / 2))


if __name__ == "__main__":
    main()
