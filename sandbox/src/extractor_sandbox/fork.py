"""Processes that begin as copies of this one: that takes a millisecond, and starting Python a hundred.

For a process without threads that has touched nothing hostile and holds no secret: its copies have all of its
memory. What a copy may do otherwise is for the function that it runs.
"""

import contextlib
import itertools
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Self

_FIRST_FREE = 3


class Fork:
    """A process that calls a function, and ends; looks like a `subprocess.Popen`."""

    def __init__(
        self,
        call: Callable[[], int | None],
        *,
        stdin: int,
        stdout: int,
        stderr: int,
        kept: Sequence[int] = (),
        folder: str = "/",
    ) -> None:
        """Call a function, which gives the exit status, in a process group of its own."""
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            _become(call, (stdin, stdout, stderr), kept, folder)
        # It does so, too: whoever comes first, it can be killed with all that it starts from now on.
        with contextlib.suppress(OSError):
            os.setpgid(self.pid, self.pid)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; give its status as `subprocess` does."""
        if self.returncode is None:
            _, status = os.waitpid(self.pid, 0)
            self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()


def _become(
    call: Callable[[], int | None], standard: Sequence[int], kept: Sequence[int], folder: str
) -> None:
    """Be the new process, to its end: nothing of the old one's own ending may run here."""
    status = 1
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        # All three before any is replaced: one may lie where another belongs.
        for place, copy in enumerate([os.dup(each) for each in standard]):
            os.dup2(copy, place)
        _close_all_but(kept)
        # What the old ones have in their buffers is not ours to write, nor what they are of ours to close.
        sys.stdin, sys.stdout, sys.stderr = (
            os.fdopen(number, mode, closefd=False) for number, mode in enumerate("rww")
        )
        os.chdir(folder)
        status = call() or 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _close_all_but(kept: Sequence[int]) -> None:
    edges = [_FIRST_FREE - 1, *sorted(kept), os.sysconf("SC_OPEN_MAX")]
    for low, high in itertools.pairwise(edges):
        os.closerange(low + 1, high)
