"""A deadline around code that is not ours.

Python cannot stop a thread, but it can stop waiting for one and say where it stands. The thread is a daemon:
whoever gets the error ends the process soon after.
"""

import inspect
import os
import queue
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import Any, TypeVar

from extractor_runtime import errors, places, thread_loop

T = TypeVar("T")

_Call = tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]


class AuthorThread:
    """One thread that runs the author's code, always the same: models and clients are made and used in it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process = os.getpid()
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, daemon=True, name="author")
        self._thread.start()

    def call(self, function: Callable[..., T], *args: Any, seconds: float, what: str) -> T:
        """Run ``function(*args)`` and wait for it; its exceptions pass through.

        What would end the process (SystemExit, KeyboardInterrupt) comes as a RuntimeError. Raises Overdue
        with the line at which the code stands when it takes longer than ``seconds``.
        """
        future: Future[T] = Future()
        self._calls.put((future, function, args))
        try:
            return future.result(timeout=seconds)
        except FutureTimeoutError:
            if future.done():
                raise
            raise errors.Overdue(
                f"{what} did not return within {seconds:g} s and was given up",
                places.of_thread(self._thread, self._root),
            ) from None

    def close(self) -> None:
        """End the thread once the call that it is at is over; nobody waits for it."""
        self._calls.put(None)

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            future, function, args = call
            result, error = None, None
            try:
                result = function(*args)
            except Exception as raised:
                error = raised
            except BaseException as raised:
                error = RuntimeError(f"the code raised {errors.describe(raised)}")
                error.with_traceback(raised.__traceback__)
            if os.getpid() != self._process:
                # A process that the author forked has come back here: a second worker, that nobody asked for.
                os._exit(0)
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)
            # Neither the batch nor its result may live on until the next call.
            del call, future, function, args, result, error


def awaited(result: Any) -> Any:
    """Wait for what an ``async def`` of the author's returned; anything else is the result itself."""
    return thread_loop.run(_await(result)) if inspect.isawaitable(result) else result


async def _await(result: Awaitable[Any]) -> Any:
    return await result
