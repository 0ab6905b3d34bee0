"""Do many slow things at once inside one batch: files in threads, remote calls on an event loop.

Both take the items of a batch and never fail for one of them: what raised is logged with its index, has no
result, and is told to who listens by `FAILED`. Only a `SetupError` is raised. It is not about the item, so
that all others would fail, too, and a run that can do nothing would look like one that found nothing. Each
call runs in a copy of the caller's context, in which `usage.ITEM` says which item it works on.
"""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from extractor_runtime import errors, thread_loop, usage

Item = TypeVar("Item")
Result = TypeVar("Result")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failed:
    """An item whose call raised."""

    item: usage.Item
    reason: str


FAILED: ContextVar[list[Failed] | None] = ContextVar("extractor_failed", default=None)
"""Where failed items are added, for the reason of a row that has no result to be told."""


def parallel_io(
    items: Iterable[Item], process_fn: Callable[[Item], Result], max_workers: int = 8
) -> dict[int, Result]:
    """Call a function with each item, in threads; return the results by index, in order.

    Items whose call raised are absent.
    """
    items = list(items)
    _require_positive("max_workers", max_workers)
    results: dict[int, Result] = {}
    if not items:
        return results
    pool = ThreadPoolExecutor(min(max_workers, len(items)), thread_name_prefix="parallel_io")
    try:
        futures = [
            pool.submit(contextvars.copy_context().run, _call, process_fn, index, len(items), item)
            for index, item in enumerate(items)
        ]
        for index, future in enumerate(futures):
            try:
                results[index] = future.result()
            except errors.SetupError:
                raise
            except Exception as error:
                _report("parallel_io", index, len(items), error)
    finally:
        # Only what is raised finds anything left to cancel here.
        pool.shutdown(wait=False, cancel_futures=True)
    return results


def concurrent_api_calls(
    items: Iterable[Item],
    async_fn: Callable[[Item], Awaitable[Result]],
    max_concurrent: int = 10,
) -> list[Result | None]:
    """Call an async function with each item, so many at a time; return a list aligned with the items.

    Items whose call raised are None. Not awaited: it returns when all calls are done, from any thread, also
    from inside a coroutine.
    """
    items = list(items)
    _require_positive("max_concurrent", max_concurrent)
    if not items:
        return []
    calls = _call_all(items, async_fn, max_concurrent)
    if not _is_in_coroutine():
        return thread_loop.run(calls)
    # This thread's loop waits for us, so that the calls need one of their own, in a thread of its own.
    with ThreadPoolExecutor(1, thread_name_prefix="concurrent_api_calls") as pool:
        return pool.submit(contextvars.copy_context().run, asyncio.run, calls).result()


async def _call_all(
    items: list[Item], async_fn: Callable[[Item], Awaitable[Result]], max_concurrent: int
) -> list[Result | None]:
    free = asyncio.Semaphore(max_concurrent)

    async def call(index: int, item: Item) -> Result | None:
        async with free:
            try:
                return await _call(async_fn, index, len(items), item)
            except errors.SetupError:
                raise
            except Exception as error:
                _report("concurrent_api_calls", index, len(items), error)
                return None

    tasks = [asyncio.create_task(call(index, item)) for index, item in enumerate(items)]
    try:
        return await asyncio.gather(*tasks)
    finally:
        # The loop goes on with the next batch, and must not go on with this one.
        for task in tasks:
            task.cancel()


def _call(function: Callable[[Item], Result], index: int, count: int, item: Item) -> Result:
    usage.ITEM.set(usage.Item(index, count))
    return function(item)


def _is_in_coroutine() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _report(function: str, index: int, count: int, error: Exception) -> None:
    reason = errors.describe(error)
    _log.warning("%s: item %d of %d failed: %s", function, index, count, reason)
    if (failed := FAILED.get()) is not None:
        failed.append(Failed(usage.Item(index, count), f"{function}: {reason}"))


def _require_positive(name: str, value: int) -> None:
    if value < 1:
        raise ValueError(f"{name} is {value}: write 1 or more")
