"""A range of an open file, read by position.

Readers of one descriptor never disturb each other, and nothing is opened by name: the worker could do its
work without a file system.
"""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass

PIECE = 1 << 20


@dataclass(frozen=True)
class Extent:
    """Bytes ``start`` to ``start + size`` of a descriptor."""

    fd: int
    start: int
    size: int

    def at(self, offset: int, size: int) -> bytes:
        """Read ``size`` bytes at ``offset``, fewer at the end of the range."""
        size = min(size, self.size - offset)
        data = os.pread(self.fd, size, self.start + offset) if size > 0 else b""
        if len(data) < size:
            raise OSError(errno.EIO, "the file became shorter while it was read")
        return data

    def part(self, offset: int, size: int) -> "Extent":
        """Narrow to a range inside of this one."""
        if not 0 <= offset <= offset + size <= self.size:
            raise ValueError(f"bytes {offset} to {offset + size} are not inside of {self.size}")
        return Extent(self.fd, self.start + offset, size)

    def pieces(self, size: int = PIECE) -> Iterator[bytes]:
        """Read from the start to the end, ``size`` bytes at a time."""
        for offset in range(0, self.size, size):
            yield self.at(offset, size)

    def content(self) -> bytes:
        """Read all of it; for callers that looked at the size."""
        return self.at(0, self.size)
