"""How concurrent items are grouped."""

import asyncio

import pytest

from extractor_runtime.realtime.batching import Batcher

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Doubler:
    """Doubles, once it is allowed to, and remembers what came together."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = asyncio.Event()

    async def __call__(self, items: list[int]) -> list[int]:
        self.batches.append(items)
        await self.go.wait()
        return [2 * item for item in items]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_idle_author_gets_an_item_at_once() -> None:
    doubler = Doubler()
    waiting = asyncio.create_task(Batcher(doubler, 8).submit(1))

    await settle()
    assert doubler.batches == [[1]]
    doubler.go.set()
    assert await waiting == 2


async def test_items_that_come_meanwhile_go_together_up_to_the_limit() -> None:
    doubler = Doubler()
    batcher = Batcher(doubler, 2)
    waiting = [asyncio.create_task(batcher.submit(1))]
    await settle()
    waiting += [asyncio.create_task(batcher.submit(item)) for item in (2, 3, 4)]
    await settle()

    doubler.go.set()

    assert await asyncio.gather(*waiting) == [2, 4, 6, 8]
    assert doubler.batches == [[1], [2, 3], [4]]


async def test_item_that_is_given_up_is_left_out() -> None:
    doubler = Doubler()
    batcher = Batcher(doubler, 8)
    waiting = [asyncio.create_task(batcher.submit(1))]
    await settle()
    waiting += [asyncio.create_task(batcher.submit(item)) for item in (2, 3)]
    await settle()

    waiting[1].cancel()
    await settle()
    doubler.go.set()

    assert await asyncio.gather(waiting[0], waiting[2]) == [2, 6]
    assert doubler.batches == [[1], [3]]


async def test_failure_reaches_all_that_wait_and_the_next_batch_runs() -> None:
    async def compute(items: list[int]) -> list[int]:
        if 0 in items:
            raise ZeroDivisionError
        return items

    batcher = Batcher(compute, 8)

    results = await asyncio.gather(batcher.submit(0), batcher.submit(1), return_exceptions=True)
    assert [isinstance(result, ZeroDivisionError) for result in results] == [True, True]
    assert await batcher.submit(2) == 2


async def test_result_that_is_an_exception_is_raised() -> None:
    async def compute(items: list[int]) -> list[int | Exception]:
        return [KeyError(item) if item else item for item in items]

    with pytest.raises(KeyError):
        await Batcher(compute, 8).submit(1)
