"""What comes back from Ray Data: tables, or what ended it, and never a wait without an end."""

import queue
import threading
import time
from collections.abc import Callable, Generator
from typing import Any

import pyarrow as pa

from extractor_runtime import errors

_TICK_SECONDS = 1.0
_STOP_SECONDS = 10.0
_BUFFERED_TABLES = 4


def stream(
    dataset: Any, tick: Callable[[], None], silence: float, *, every: float = _TICK_SECONDS
) -> Generator[pa.Table, None, None]:
    """Execute a dataset and yield its tables as they come.

    Calls ``tick`` about once a second, also while none comes. Raises WorkerDied when a worker process dies,
    and RunError when nothing has come for ``silence`` seconds.
    """
    import ray

    deaths = (
        ray.exceptions.RayActorError,
        ray.exceptions.WorkerCrashedError,
        ray.exceptions.OutOfMemoryError,
    )
    tables: queue.Queue[Any] = queue.Queue(_BUFFERED_TABLES)
    stopped = threading.Event()

    def produce() -> None:
        try:
            for table in dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=1):
                _put(tables, table, stopped)
            _put(tables, None, stopped)
        except BaseException as error:
            _put(tables, error, stopped)

    # In a thread of its own: the main thread stays free for Ctrl-C, progress and the store.
    producer = threading.Thread(target=produce, daemon=True, name="ray-data")
    producer.start()
    heard = time.monotonic()
    try:
        while True:
            try:
                item = tables.get(timeout=every)
            except queue.Empty:
                tick()
                if time.monotonic() - heard > silence:
                    raise errors.RunError(
                        f"nothing came back from Ray for {silence:g} s: it may lack the processors or GPUs "
                        "that the steps ask for; its log is in the run's logs folder"
                    ) from None
                continue
            if item is None:
                return
            if isinstance(item, deaths):
                raise errors.WorkerDied(
                    "a process that ran the extractor's steps died (out of memory, or a crash in native "
                    "code); its last words are in the run's logs folder"
                ) from item
            if isinstance(item, BaseException):
                raise item
            yield item
            tick()
            heard = time.monotonic()
    finally:
        stopped.set()
        if producer.is_alive() and (executor := dataset._current_executor) is not None:
            # The producer may wait for a block that takes its time; Ray Data has no public way to cancel.
            executor.shutdown(force=True)
        producer.join(_STOP_SECONDS)


def _put(tables: queue.Queue[Any], item: Any, stopped: threading.Event) -> None:
    while not stopped.is_set():
        try:
            return tables.put(item, timeout=_TICK_SECONDS)
        except queue.Full:
            continue
