"""One run writes to a store at a time.

The lock is the kernel's, on an open file: it goes with the process, however that ends, so no lock is ever
stale. What the file says is only for the message that the second run gives.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from extractor_stores.errors import StoreBusy


@contextmanager
def exclusive(path: Path, run_id: str) -> Iterator[None]:
    """Hold the lock for a run, or raise StoreBusy with who does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreBusy(
                f"{path.parent} is being written by {_holder(descriptor)}: wait until it ends, or stop it"
            ) from None
        holder = {
            "pid": os.getpid(),
            "run_id": run_id,
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    try:
        said = json.loads(os.pread(descriptor, 4096, 0))
        return f"run {said['run_id']} (process {said['pid']}, since {said['started']})"
    except (ValueError, KeyError, TypeError):
        # It took the lock a moment ago and has not said yet who it is.
        return "another run"
