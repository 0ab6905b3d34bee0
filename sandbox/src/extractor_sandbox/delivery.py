"""The canonical archive on its way from the worker, which writes it, to the caller: hashed by us, once.

What is hashed must be what is delivered. So hashing begins when nobody can write any more: the kernel grants
a read lease only on a file that no process has open, or mapped, for writing. Then the worker goes on judging
while we hash; where there are no leases, we hash when it has ended.
"""

import contextlib
import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from extractor_sandbox import launcher
from extractor_sandbox.digest import digest
from extractor_sandbox.extent import PIECE

_LOOK_AGAIN_SECONDS = 0.01


class Delivery:
    """A file beside its destination."""

    def __init__(self, writer: int, path: Path) -> None:
        self.writer = writer
        """For the worker; we close our own copy when it has its."""
        self.reader = os.open(path, os.O_RDONLY)
        self._path = path
        self._digest: str | None = None

    def hand_over(self) -> None:
        """Leave writing to the worker, which has been started."""
        os.close(self.writer)
        self.writer = -1

    def fill(self, copy: Path, wanted: str) -> bool:
        """Write it ourselves, as a copy that is kept; tell whether it has the digest that it should have.

        If not it is empty, as before.
        """
        with (
            contextlib.suppress(OSError),
            copy.open("rb") as kept,
            open(self.writer, "wb", closefd=False) as file,
        ):
            shutil.copyfileobj(kept, file, PIECE)
            file.flush()
            if digest(self.reader) == wanted:
                self._digest = wanted
                return True
        os.ftruncate(self.writer, 0)
        os.lseek(self.writer, 0, os.SEEK_SET)
        return False

    def hash_early(self, question: launcher.Question) -> None:
        """Hash the file as soon as it is final, or leave that for later when the worker ends first."""
        while not question.is_over_within(_LOOK_AGAIN_SECONDS):
            if _is_final(self.reader):
                with contextlib.suppress(TimeoutError):  # The question's answer says so.
                    self._digest = digest(self.reader, question.deadline)
                return

    def deliver(self, into: Path) -> str:
        """Move it to its destination, and give its digest."""
        found = self._digest or digest(self.reader)
        os.replace(self._path, into)
        return found


@contextlib.contextmanager
def reserve(into: Path) -> Iterator[Delivery]:
    """Open a file beside ``into``; if it is not delivered, nothing is left of it. Raises OSError."""
    into.unlink(missing_ok=True)
    writer, name = tempfile.mkstemp(dir=into.parent, prefix=f".{into.name}.")
    delivery = Delivery(writer, Path(name))
    try:
        yield delivery
    finally:
        os.close(delivery.reader)
        if delivery.writer >= 0:
            os.close(delivery.writer)
        Path(name).unlink(missing_ok=True)


def _is_final(descriptor: int) -> bool:
    """Tell whether no process can write to a file any more."""
    if sys.platform != "linux":
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        # The question was all; a lease that is kept would be broken with a signal.
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError:
        return False
    return True
