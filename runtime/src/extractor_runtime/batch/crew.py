"""The threads of one actor in which the author's processors live.

Each has objects of its own, made when they are first needed, so that what the author wrote is never called by
two threads. One thread is enough to compute; many wait for remote APIs at the same time.
"""

import concurrent.futures
import functools
import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from extractor_runtime.batch.author import Processor
from extractor_runtime.deadline import AuthorThread

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Worker:
    """One thread and its objects."""

    thread: AuthorThread
    processors: Sequence[Processor]


class Crew:
    """Up to ``threads`` workers, whose processors ``make`` makes within ``seconds``."""

    def __init__(
        self, make: Callable[[], Sequence[Processor]], root: Path, *, threads: int, seconds: float
    ) -> None:
        """Make the first worker; what its making raises passes through."""
        self._make = make
        self._root = root
        self._seconds = seconds
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self._pool = concurrent.futures.ThreadPoolExecutor(threads, "crew") if threads > 1 else None
        self._first = self._hire()
        self._idle.put(self._first)

    def map(self, work: Callable[[Worker, Item], Result], items: Sequence[Item]) -> list[Result]:
        """Do the work with every item, as many at a time as there are threads; results in their order."""
        if self._pool is None:
            return [work(self._first, item) for item in items]
        return list(self._pool.map(functools.partial(self._work, work), items))

    def create_seconds(self, index: int) -> float:
        """Say how long the first worker's ``index``-th processor took to be made."""
        return self._first.processors[index].create_seconds

    def _work(self, work: Callable[[Worker, Item], Result], item: Item) -> Result:
        try:
            worker = self._idle.get_nowait()
        except queue.Empty:
            worker = self._hire()
        try:
            return work(worker, item)
        finally:
            self._idle.put(worker)

    def _hire(self) -> Worker:
        thread = AuthorThread(self._root)
        return Worker(thread, thread.call(self._make, seconds=self._seconds, what="the pipeline"))
