"""Processes that leave their session and lose their parent, so that nobody knows whose they are.

On Linux they can be had back: the kernel gives an orphan to the nearest ancestor that asked for it.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from extractor_sandbox import prctl

_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 0.01


@contextlib.contextmanager
def ended() -> Iterator[None]:
    """End what processes that are started in the block leave behind.

    Only where nothing else is started meanwhile: whoever is a child of this process then, and was none
    before, was left behind.
    """
    if sys.platform != "linux":
        yield
        return
    before = _children()
    prctl.adopt_orphans(True)
    try:
        yield
    finally:
        _end_all_but(before)
        prctl.adopt_orphans(False)


def _end_all_but(kept: set[int]) -> None:
    deadline = time.monotonic() + _SECONDS
    # Again, because the children of one that ends are orphans, too.
    while (orphans := _children() - kept) and time.monotonic() < deadline:
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(_LOOK_AGAIN_SECONDS)


def _children() -> set[int]:
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        # The second field, which is the program's name, may hold anything.
        with contextlib.suppress(OSError):
            if int(status.read_bytes().rpartition(b")")[2].split()[1]) == os.getpid():
                found.add(int(status.parts[2]))
    return found
