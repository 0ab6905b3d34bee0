"""One event loop, in a thread of its own, for all calls that this process makes to language models.

Authors await from loops that come and go (``asyncio.run`` for each batch) and from several threads.
Connections and limits outlive them here.
"""

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def submit(coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
    """Run a coroutine on the loop; cancelling the future cancels it."""
    return asyncio.run_coroutine_threadsafe(coroutine, _running())


def _running() -> asyncio.AbstractEventLoop:
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, daemon=True, name="language-models").start()
        return _loop


def _forget() -> None:
    global _lock, _loop
    _lock, _loop = threading.Lock(), None


# A forked child has neither the thread nor a lock that anyone would release.
os.register_at_fork(after_in_child=_forget)
