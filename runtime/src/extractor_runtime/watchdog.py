"""End what Ray leaves behind when the process that started it is killed.

Ray's daemons die with their driver, but its agents then wait a minute for them (`publish_error`, 60 s, in
Ray 2.60), and HAProxy for ever. A small process of ours waits for the driver's end instead.
"""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_SWEEP_SECONDS = 5.0


@contextlib.contextmanager
def guard(folder: Path) -> Iterator[None]:
    """Once the block or this process ends, end whoever writes to a file in ``folder``, and remove it."""
    command = [sys.executable, "-I", "-S", __file__, str(folder), str(os.getpid())]
    # In a session of its own: Ctrl-C in a terminal reaches the driver only.
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True):
        yield


def main(folder: str, driver: str) -> None:
    """Wait until standard input ends, as it does with the driver; then sweep."""
    sys.stdin.buffer.read()
    end = time.monotonic() + _SWEEP_SECONDS
    while (pids := _writers(Path(folder)) - {int(driver)}) and time.monotonic() < end:
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def _writers(folder: Path) -> set[int]:
    """Find the processes that have a file below a folder open for writing; none where there is no /proc."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if link.readlink().is_relative_to(folder) and link.lstat().st_mode & stat.S_IWUSR:
                found.add(int(link.parts[2]))
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
