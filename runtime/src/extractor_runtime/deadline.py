"""A deadline around code that is not ours.

Python cannot stop a thread, but it can stop waiting for one and say where it stands. The thread is a daemon:
whoever gets the error ends the process soon after.
"""

import inspect
import os
import queue
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from extractor_runtime import errors, thread_loop

T = TypeVar("T")


class AuthorThread:
    """One thread that runs the author's code, always the same: models and clients are made and used in it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process = os.getpid()
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = (
            queue.SimpleQueue()
        )
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
                f"{what} did not return within {seconds:g} s and was given up", self._position()
            ) from None

    def _serve(self) -> None:
        while True:
            future, function, args = self._calls.get()
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
            del future, function, args, result, error

    def _position(self) -> str | None:
        frame: FrameType | None = sys._current_frames().get(self._thread.ident or 0)
        frames = [(entry.filename, entry.lineno) for entry in traceback.extract_stack(frame)]
        return errors.innermost(frames, self._root)


def awaited(result: Any) -> Any:
    """Wait for what an ``async def`` of the author's returned; anything else is the result itself."""
    return thread_loop.run(_await(result)) if inspect.isawaitable(result) else result


async def _await(result: Awaitable[Any]) -> Any:
    return await result
