"""The work queue, in virtual time."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import pytest

from extractor_operator.workqueue import WorkQueue
from support import virtual_time

Work = Callable[[str], Awaitable[float | None]]


class Diary:
    """What a queue did, and when, in virtual seconds."""

    def __init__(self, work: Work | None = None) -> None:
        self.entries: list[tuple[float, str]] = []
        self._work = work

    async def __call__(self, key: str) -> float | None:
        self.entries.append((round(asyncio.get_running_loop().time(), 3), key))
        return await self._work(key) if self._work else None


def play(
    diary: Diary,
    script: Callable[[WorkQueue[str]], Awaitable[None]],
    *,
    until: float,
    workers: int = 2,
) -> list[tuple[float, str]]:
    """Run a queue while a script adds to it, for so many virtual seconds."""

    async def main() -> None:
        queue = WorkQueue(diary, workers=workers, jitter=lambda: 1.0)
        running = asyncio.create_task(queue.run())
        await script(queue)
        await asyncio.sleep(until - asyncio.get_running_loop().time())
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    virtual_time.run(main())
    return diary.entries


def slow(seconds: float) -> Work:
    async def work(key: str) -> None:
        await asyncio.sleep(seconds)

    return work


def failing(times: int = 1_000_000, seconds: float = 0.0) -> Work:
    left = [times]

    async def work(key: str) -> None:
        await asyncio.sleep(seconds)
        left[0] -= 1
        if left[0] >= 0:
            raise ValueError("no luck")

    return work


def test_adds_of_a_waiting_key_are_one() -> None:
    async def script(queue: WorkQueue[str]) -> None:
        for key in ("a", "b", "a", "a"):
            queue.add(key)

    assert play(Diary(), script, until=10) == [(0, "a"), (0, "b")]


def test_a_key_is_never_worked_on_twice_at_a_time_and_once_more_after() -> None:
    async def script(queue: WorkQueue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(1)
        queue.add("a")
        queue.add("a")

    assert play(Diary(slow(5)), script, until=60) == [(0, "a"), (5, "a")]


def test_keys_share_the_workers() -> None:
    async def script(queue: WorkQueue[str]) -> None:
        for key in "abc":
            queue.add(key)
        await asyncio.sleep(0)

    assert play(Diary(slow(5)), script, until=60, workers=2) == [(0, "a"), (0, "b"), (5, "c")]


def test_a_key_comes_again_when_its_reconcile_asks_for_it() -> None:
    times = iter([30.0, 60.0, None])

    async def work(key: str) -> float | None:
        return next(times)

    async def script(queue: WorkQueue[str]) -> None:
        queue.add("a")

    assert play(Diary(work), script, until=1000) == [(0, "a"), (30, "a"), (90, "a")]


def test_the_earlier_of_two_times_counts() -> None:
    async def script(queue: WorkQueue[str]) -> None:
        queue.add("a", after=100)
        queue.add("a", after=10)
        queue.add("a", after=50)

    assert play(Diary(), script, until=1000) == [(10, "a")]


def test_a_key_that_fails_backs_off_to_five_minutes() -> None:
    async def script(queue: WorkQueue[str]) -> None:
        queue.add("a")

    entries = play(Diary(failing()), script, until=1200)

    waits = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(entries)]
    assert waits == [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_a_hot_key_that_fails_is_not_tried_earlier() -> None:
    async def script(queue: WorkQueue[str]) -> None:
        for _ in range(1000):
            queue.add("a")
            await asyncio.sleep(0.01)

    assert [when for when, _ in play(Diary(failing()), script, until=10)] == [0, 0.5, 1.5, 3.5, 7.5]


def test_a_hot_key_that_fails_slowly_is_not_tried_earlier() -> None:
    async def script(queue: WorkQueue[str]) -> None:
        for _ in range(1000):
            queue.add("a")
            await asyncio.sleep(0.01)

    assert [when for when, _ in play(Diary(failing(seconds=1)), script, until=10)] == [0, 1.5, 3.5, 6.5]


def test_who_corrects_a_mistake_does_not_wait() -> None:
    async def script(queue: WorkQueue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(100)
        queue.add("a", renewed=True)

    assert (100, "a") in play(Diary(failing(times=8)), script, until=1000)


def test_a_correction_while_the_key_is_at_work_is_tried_at_once() -> None:
    async def script(queue: WorkQueue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(1)
        queue.add("a", renewed=True)

    assert play(Diary(failing(times=1, seconds=5)), script, until=1000) == [(0, "a"), (5, "a")]


def test_success_ends_the_back_off() -> None:
    async def script(queue: WorkQueue[str]) -> None:
        queue.add("a")
        await asyncio.sleep(10)
        assert queue.failing == 0
        queue.add("a")

    assert play(Diary(failing(times=2)), script, until=100) == [(0, "a"), (0.5, "a"), (1.5, "a"), (10, "a")]


def test_a_queue_says_how_long_its_oldest_key_has_waited() -> None:
    async def script(queue: WorkQueue[str]) -> None:
        queue.add("a")
        queue.add("later", after=500)
        await asyncio.sleep(0)
        queue.add("b")
        await asyncio.sleep(100)
        assert (queue.depth, queue.oldest_seconds) == (1, 100)

    play(Diary(slow(1000)), script, until=200, workers=1)
