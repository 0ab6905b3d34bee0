"""One thread with an event loop, in which all of a realtime author's code runs.

Models and clients are made and used in the same thread. Neither a computation nor an ``async def`` that
computes (the usual way to write one) keeps the endpoint's own loop from serving and watching deadlines.
"""

import asyncio
import concurrent.futures
import inspect
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from extractor_runtime import errors, places

T = TypeVar("T")


class AuthorLoop:
    """Runs functions and coroutines of the archive at ``root``; ``threads`` plain functions at a time."""

    def __init__(self, root: Path, threads: int = 1) -> None:
        self._root = root
        self._pool = concurrent.futures.ThreadPoolExecutor(threads, "author") if threads > 1 else None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True, name="author")
        self._thread.start()

    def call(self, function: Callable[..., T], *args: Any, seconds: float, what: str) -> T:
        """Run a plain function and wait for it; its exceptions pass through.

        Raises AuthorError with the line at which the code stands when it takes longer than ``seconds``.
        """
        future = asyncio.run_coroutine_threadsafe(_call(function, args), self._loop)
        finished, _ = concurrent.futures.wait([future], timeout=seconds)
        if not finished:
            raise errors.AuthorError(
                f"{what} did not return within {seconds:g} s and was given up",
                places.of_thread(self._thread, self._root),
            )
        result: T = future.result()
        return result

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run a function, await what it returns if that is awaitable, and return the result.

        Cancelling reaches a coroutine, and a function that has not begun; one that computes goes on.
        """
        caller = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = caller.create_future()

        async def work() -> None:
            result, error = None, None
            try:
                result = await _call(function, args, self._pool)
            except Exception as raised:
                error = raised
            # At once: a task's own callbacks would wait until all calls that are due had computed as well.
            caller.call_soon_threadsafe(_settle, answer, result, error)

        running = asyncio.run_coroutine_threadsafe(work(), self._loop)
        try:
            return await answer
        finally:
            running.cancel()

    def close(self) -> None:
        """Stop the thread; what the author's code is doing is cancelled."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=1)
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()


def _settle(answer: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)


async def _call(
    function: Callable[..., Any], args: tuple[Any, ...], pool: concurrent.futures.Executor | None = None
) -> Any:
    try:
        if pool is None or inspect.iscoroutinefunction(function):
            result = function(*args)
        else:
            result = await asyncio.get_running_loop().run_in_executor(pool, function, *args)
        return await result if inspect.isawaitable(result) else result
    except Exception:
        raise
    except BaseException as error:
        task = asyncio.current_task()
        if isinstance(error, GeneratorExit) or (task is not None and task.cancelling()):
            raise
        # An exit, a panic of a Rust library, a cancellation of its own: past this task it would end the loop,
        # or leave a request waiting for nothing.
        raise RuntimeError(errors.describe(error)).with_traceback(error.__traceback__) from None
