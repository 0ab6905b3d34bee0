"""Read a binary file from its start to its end, a little at a time, and never past it."""

import struct

from extractor_sandbox.extent import Extent
from extractor_sandbox.weights.unfit import Unfit

_WINDOW = 64 << 10
_U32, _U64 = struct.Struct("<L"), struct.Struct("<Q")


class Cursor:
    """A position in a file; what is skipped is not read."""

    def __init__(self, content: Extent) -> None:
        self.size = content.size
        self.position = 0
        self._content = content
        self._window = b""
        self._window_start = 0

    def take(self, size: int) -> bytes:
        """Read the next bytes. Raises Unfit if the file ends before."""
        start = self.position
        self.skip(size)
        offset = start - self._window_start
        if offset < 0 or offset + size > len(self._window):
            if size > _WINDOW:
                return self._content.at(start, size)
            self._window, self._window_start = self._content.at(start, _WINDOW), start
            offset = 0
        return self._window[offset : offset + size]

    def skip(self, size: int) -> None:
        """Go on. Raises Unfit if the file ends before."""
        if size > self.size - self.position:
            raise Unfit(f"the file ends within {size} bytes at {self.position}: it is cut off, or damaged")
        self.position += size

    def u32(self) -> int:
        """Read a number of four bytes."""
        number: int = _U32.unpack(self.take(4))[0]
        return number

    def u64(self) -> int:
        """Read a number of eight bytes."""
        number: int = _U64.unpack(self.take(8))[0]
        return number

    def varint(self) -> int:
        """Read a number as protobuf writes it, seven bits a byte."""
        number = 0
        for shift in range(0, 70, 7):
            byte = self.take(1)[0]
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
        raise Unfit(f"the number at {self.position} is too long")
