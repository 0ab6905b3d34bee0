"""One event loop for each thread, kept from call to call: an author's HTTP client is bound to its loop."""

import asyncio
import contextvars
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine on this thread's loop, in a copy of the context that it is called in."""
    # By default a loop's runner keeps the context of its first call, and with it the usage meter of that.
    return _thread.loop.runner.run(coroutine, context=contextvars.copy_context())


class _Loop:
    """An event loop that is closed with the thread that it belongs to."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()

    def __del__(self) -> None:
        self.runner.close()


class _Thread(threading.local):
    def __init__(self) -> None:
        self.loop = _Loop()


_thread = _Thread()
