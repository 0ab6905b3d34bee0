"""Give concurrent requests to the author together.

A request that finds the author idle starts at once. Those that come meanwhile wait, and go together when the
author is free: batches grow with the load, and nobody waits for company. (`serve.batch` forms a batch before
the author is free: without a waiting time, for which an idle endpoint would pay, it groups nothing.)
"""

import asyncio
import collections
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Calls ``compute`` with up to ``limit`` items, one call at a time; a result may be an exception."""

    def __init__(
        self, compute: Callable[[list[Item]], Awaitable[Sequence[Result | Exception]]], limit: int
    ) -> None:
        self._compute = compute
        self._limit = limit
        self._waiting: collections.deque[tuple[Item, asyncio.Future[Result]]] = collections.deque()
        self._task: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """Wait for the item's result; one that is cancelled before its batch begins is left out of it."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        try:
            while batch := self._take():
                await self._answer(batch)
        finally:
            self._task = None

    def _take(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        batch: list[tuple[Item, asyncio.Future[Result]]] = []
        while self._waiting and len(batch) < self._limit:
            item, future = self._waiting.popleft()
            if not future.done():
                batch.append((item, future))
        return batch

    async def _answer(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._compute([item for item, _ in batch])
        except Exception as error:
            results = [error] * len(batch)
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
