"""The keys that are to be reconciled, as client-go's work queue has them.

Adds of a waiting key merge, no key is worked on twice at a time, and one that fails backs off: however often
it is added meanwhile, unless what is asked of it has changed.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from extractor_apis.errors import ExtractorError

Key = TypeVar("Key", bound=Hashable)

_logger = logging.getLogger(__name__)


class WorkQueue(Generic[Key]):
    """Calls ``reconcile(key)`` for what was added; it returns the seconds until the key is due again."""

    def __init__(
        self,
        reconcile: Callable[[Key], Awaitable[float | None]],
        *,
        workers: int = 16,
        least_backoff: float = 0.5,
        most_backoff: float = 300.0,
        jitter: Callable[[], float] = lambda: random.uniform(0.8, 1.2),
    ) -> None:
        self._reconcile = reconcile
        self._workers = workers
        self._least_backoff = least_backoff
        self._most_backoff = most_backoff
        self._jitter = jitter
        self._ready: asyncio.Queue[Key] = asyncio.Queue()
        self._due: dict[Key, float] = {}
        """When a waiting key is to be worked on, in the loop's time."""
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        """Those of them that are not ready yet."""
        self._running: dict[Key, float | None] = {}
        """Keys at work, and when they were asked for again meanwhile."""
        self._renewed: set[Key] = set()
        """Keys at work of which something else is asked by now."""
        self._failures: dict[Key, int] = {}
        self._held: dict[Key, float] = {}
        """Until when a key that failed is left alone."""

    def add(self, key: Key, *, after: float = 0.0, renewed: bool = False) -> None:
        """Have a key reconciled ``after`` seconds from now, or earlier if it waits already.

        A key that failed waits for its back-off to end, unless what is asked of it is ``renewed``: whoever
        has just corrected a mistake does not wait for it.
        """
        if renewed:
            self._failures.pop(key, None)
            self._held.pop(key, None)
        due = max(self._now() + after, self._held.get(key, 0.0))
        if key in self._running:
            again = self._running[key]
            self._running[key] = due if again is None else min(due, again)
            self._renewed |= {key} if renewed else set()
        elif key not in self._due or (key in self._timers and due < self._due[key]):
            self._schedule(key, due)

    def forget(self, key: Key) -> None:
        """Drop what is known of a key whose object is gone."""
        self._failures.pop(key, None)
        self._held.pop(key, None)

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self._workers):
                    group.create_task(self._work(), name=f"worker-{number}")
        finally:
            for timer in self._timers.values():
                timer.cancel()

    @property
    def depth(self) -> int:
        """Count the keys that are ready and not worked on."""
        return len(self._due) - len(self._timers)

    @property
    def failing(self) -> int:
        """Count the keys whose last try failed."""
        return len(self._failures)

    @property
    def oldest_seconds(self) -> float:
        """Tell how long the oldest ready key has been waiting for a worker."""
        ready = (due for key, due in self._due.items() if key not in self._timers)
        return max(0.0, self._now() - min(ready, default=self._now()))

    def _schedule(self, key: Key, due: float) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        self._due[key] = due
        if due <= self._now():
            self._ready.put_nowait(key)
        else:
            self._timers[key] = asyncio.get_running_loop().call_at(due, self._ripen, key)

    def _ripen(self, key: Key) -> None:
        del self._timers[key]
        self._ready.put_nowait(key)

    async def _work(self) -> None:
        while True:
            key = await self._ready.get()
            del self._due[key]
            self._running[key] = None
            try:
                after = await self._reconcile(key)
                self.forget(key)
            except ExtractorError as err:
                # It says everything; the errors that it was made of may show a signed URL.
                after = self._back_off(key)
                _logger.warning("reconciling %s failed: %s; next try in %.1f s", key, err, after)
            except Exception:
                after = self._back_off(key)
                _logger.exception("reconciling %s failed; next try in %.1f s", key, after)
            finally:
                again = self._running.pop(key)
                self._renewed.discard(key)
            if after is not None:
                self.add(key, after=after)
            if again is not None:
                self.add(key, after=again - self._now())

    def _back_off(self, key: Key) -> float:
        """Count a failure, and say how long to wait."""
        if key in self._renewed:
            return 0.0
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        # Bounded, or a key that fails for days overflows a float.
        seconds = min(self._most_backoff, self._least_backoff * 2.0 ** min(failures - 1, 32)) * self._jitter()
        self._held[key] = self._now() + seconds
        return seconds

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
