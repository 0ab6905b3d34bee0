"""One process at a time. The kernel lets go of the lock when its holder dies, however it dies."""

import contextlib
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path

from extractor_artifacts.errors import ArtifactError

_POLL_SECONDS = 0.02


@contextlib.contextmanager
def exclusive(path: Path, *, seconds: float) -> Iterator[int]:
    """Hold the lock file at ``path``; raise ArtifactError if another process keeps it for that long.

    Yields its descriptor: a child that inherits it holds the lock, too.
    """
    deadline = time.monotonic() + seconds
    with path.open("ab") as file:
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                held = f"{path.parent} has been in use by another process for {seconds:g} s"
                raise ArtifactError(f"{held}: wait for it, or end it")
            time.sleep(_POLL_SECONDS)
        yield file.fileno()


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
