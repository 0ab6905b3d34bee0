"""The process that scans on this machine: kept running, since starting one takes longer than most scans.

Every archive still has a worker of its own. After some hundred of them the process is replaced: they share
its layout in memory, which whoever takes one over learns.
"""

import asyncio
import itertools
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_COMMAND = (sys.executable, "-I", "-W", "ignore", "-m", "extractor_sandbox.service")
_DYING_SECONDS = 5.0


@dataclass
class ScanService:
    """Starts the process when it is needed, and another one when it has ended."""

    scans: int = 200
    """Of one process."""
    _current: "_Process | None" = None
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _ids: "itertools.count[int]" = field(default_factory=itertools.count)

    async def scan(self, arguments: Sequence[str], said: Path, seconds: float) -> int | None:
        """Have a scan done as the command does it, with its complaints in the file ``said``.

        Give its exit status, or None if it took too long; nothing of it is left then, nor when cancelled.
        """
        async with self._starting:
            if self._current is None or not self._current.takes_more:
                self._current = await _start(self.scans)
            process = self._current
            id = next(self._ids)
            answer = process.ask(id, {"arguments": list(arguments), "said": str(said)})
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(answer)
        except TimeoutError:
            return None
        finally:
            if not answer.done():
                process.end(id)
                await asyncio.wait({answer}, timeout=_DYING_SECONDS)

    async def close(self) -> None:
        """End the process, and what it is at."""
        if self._current:
            await self._current.close()


class _Process:
    def __init__(self, process: asyncio.subprocess.Process, scans: int) -> None:
        assert process.stdin is not None and process.stdout is not None
        self._process = process
        self._requests, self._answers = process.stdin, process.stdout
        self._asked: dict[int, asyncio.Future[int]] = {}
        self._left = scans
        self._is_over = False
        self._reader = asyncio.ensure_future(self._read())

    @property
    def takes_more(self) -> bool:
        return self._left > 0 and not self._is_over

    def ask(self, id: int, request: dict[str, object]) -> "asyncio.Future[int]":
        self._left -= 1
        self._asked[id] = asyncio.get_running_loop().create_future()
        self._write({"id": id, **request})
        return self._asked[id]

    def end(self, id: int) -> None:
        self._write({"id": id})

    async def close(self) -> None:
        self._requests.close()
        await asyncio.wait({self._reader}, timeout=_DYING_SECONDS)

    async def _read(self) -> None:
        async for line in self._answers:
            said = json.loads(line)
            self._asked.pop(said["id"]).set_result(said["status"])
            if not (self._left or self._asked):
                self._requests.close()
        # It has ended, and with it what it was at.
        self._is_over = True
        for answer in self._asked.values():
            answer.set_result(-signal.SIGKILL)
        await self._process.wait()

    def _write(self, request: dict[str, object]) -> None:
        self._requests.write(json.dumps(request).encode() + b"\n")


async def _start(scans: int) -> _Process:
    process = await asyncio.create_subprocess_exec(
        *_COMMAND,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={},
        cwd="/",
        start_new_session=True,
    )
    return _Process(process, scans)
