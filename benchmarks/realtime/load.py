"""Load in a process of its own: ``load URL closed CONNECTIONS SECONDS`` or ``load URL open RATE SECONDS``.

Raw keep-alive connections, so that the generator takes little of the machine. In open loop a latency counts
from when the request was to be sent: one that waits behind a slow one is slow too.
"""

import asyncio
import json
import sys
import time
import urllib.parse

BODY = json.dumps({"inputs": {"text": "a query of about the usual length"}, "parameters": {}}).encode()


class Connection:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
        self._reader = reader
        self._writer = writer
        self._request = request

    @classmethod
    async def open(cls, url: str) -> "Connection":
        parts = urllib.parse.urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        return cls(reader, writer, f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY)

    async def ask(self) -> None:
        """Send the request and read its answer; anything but 200 ends the benchmark."""
        self._writer.write(self._request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"unexpected answer: {head.decode()}")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await self._reader.readexactly(int(length.split(b":")[1]))


async def closed(url: str, connections: int, seconds: float) -> list[float]:
    """Keep every connection busy; latencies of the requests that ended in time."""
    latencies: list[float] = []
    opened = [await Connection.open(url) for _ in range(connections)]
    end = time.perf_counter() + seconds

    async def ask(connection: Connection) -> None:
        while (began := time.perf_counter()) < end:
            await connection.ask()
            if (now := time.perf_counter()) <= end:
                latencies.append(now - began)

    await asyncio.gather(*(ask(connection) for connection in opened))
    return latencies


async def steady(url: str, rate: float, seconds: float) -> list[float]:
    """Send at a fixed rate, whatever comes back when."""
    latencies: list[float] = []
    idle = [await Connection.open(url) for _ in range(8)]

    async def ask(due: float) -> None:
        connection = idle.pop() if idle else await Connection.open(url)
        await connection.ask()
        latencies.append(time.perf_counter() - due)
        idle.append(connection)

    begin = time.perf_counter() + 0.05
    async with asyncio.TaskGroup() as tasks:
        for number in range(int(rate * seconds)):
            due = begin + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.create_task(ask(due))
    return latencies


if __name__ == "__main__":
    url, mode, amount, seconds = sys.argv[1:]
    if mode == "closed":
        measured = asyncio.run(closed(url, int(amount), float(seconds)))
    else:
        measured = asyncio.run(steady(url, float(amount), float(seconds)))
    json.dump(measured, sys.stdout)
