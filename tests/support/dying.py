"""Processes that are killed while they write: at the first touch of a folder, at the second, and so on.

An audit hook sees every file that is opened, made, renamed or removed, so nothing has to be patched and no
step is missed.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

_FORKSERVER = multiprocessing.get_context("forkserver")
# Imported once instead of at every death.
_FORKSERVER.set_forkserver_preload(["extractor_artifacts"])


def die_at_each_touch(folder: Path, call: Callable[..., object], *args: object) -> Iterator[int]:
    """Run ``call`` in a process that is killed at its n-th touch of ``folder``, for each n until it survives.

    Yields n after each death; the caller looks at what is left and clears the folder.
    """
    for touch in range(1, 1000):
        process = _FORKSERVER.Process(target=_call_and_die, args=(str(folder), touch, call, args))
        process.start()
        process.join(60)
        if process.exitcode == 0:
            return
        assert process.exitcode == -signal.SIGKILL, process.exitcode
        yield touch


def _call_and_die(folder: str, touches: int, call: Callable[..., object], args: tuple[object, ...]) -> None:
    left = touches

    def count(_: str, values: tuple[object, ...]) -> None:
        nonlocal left
        if any(isinstance(value, str | Path) and str(value).startswith(folder) for value in values):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    call(*args)
