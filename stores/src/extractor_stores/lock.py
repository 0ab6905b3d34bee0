"""One run writes to a collection at a time, wherever it runs.

The lock is the kernel's, on an open file: it goes with the process, however that ends, so no lock is ever
stale. On a volume that several nodes mount it is as good as the volume's own: NFS 4 and CephFS keep it at
the server, and let go of it when a node is gone. A volume without locks is refused; one that grants the same
lock on two nodes (an object store as a folder, SMB with ``nobrl``) cannot be told, and is not supported.
What the file says is only for the message that the second run gives.
"""

import errno
import fcntl
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from extractor_stores.errors import StoreBusy, StoreError

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


@contextmanager
def exclusive(path: Path, run_id: str, what: str) -> Iterator[None]:
    """Hold the lock of ``what`` for a run, or raise StoreBusy with who does."""
    path.parent.mkdir(exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreBusy(
                f"{what} is being written by {_holder(descriptor)}: wait until it ends, or stop it"
            ) from None
        except OSError as err:
            if err.errno in _NO_LOCKS:
                raise StoreError(
                    f"{path} cannot be locked ({err.strerror}): a store needs a volume whose file locks "
                    "work, such as a local disk, NFS 4 or CephFS"
                ) from err
            raise
        holder = {
            "pid": os.getpid(),
            "host": platform.node(),
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
        return f"run {said['run_id']} (process {said['pid']} on {said['host']}, since {said['started']})"
    except (ValueError, KeyError, TypeError):
        # It took the lock a moment ago and has not said yet who it is.
        return "another run"
