"""The one way that a tree is written as an archive, so that equal trees have equal digests on every machine.

A zip with stored members only: compression differs between versions of zlib, and weights hardly compress.
"""

import struct
from collections.abc import Iterable
from typing import BinaryIO

from isal import isal_zlib

from extractor_sandbox.extent import Extent

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_VERSION = 20
_UNIX = 3 << 8
_UTF8 = 1 << 11
_TIME, _DATE = 0, 1 << 5 | 1
"""1980-01-01 00:00, the first moment that a zip knows."""
_MODE = 0o100644 << 16


class Writer:
    """Writes files in the order of their paths, and the directory when it is closed."""

    def __init__(self, file: BinaryIO, reader: int | None = None) -> None:
        self._file = file
        self._reader = file.fileno() if reader is None else reader
        self._directory: list[bytes] = []
        self._last = ""

    def add(self, path: str, pieces: Iterable[bytes]) -> Extent:
        """Write one file, and say where its content lies."""
        if path <= self._last:
            raise ValueError(f"{path!r} does not come after {self._last!r}")
        self._last = path
        name = path.encode()
        flags = 0 if path.isascii() else _UTF8
        header = self._file.tell()
        start = header + _LOCAL.size + len(name)
        self._file.seek(start)
        size = crc = 0
        for piece in pieces:
            size += self._file.write(piece)
            crc = isal_zlib.crc32(piece, crc)
        known = (_VERSION, flags, 0, _TIME, _DATE, crc, size, size, len(name), 0)
        self._file.seek(header)
        self._file.write(_LOCAL.pack(b"PK\3\4", *known) + name)
        self._file.seek(start + size)
        entry = _CENTRAL.pack(b"PK\1\2", _UNIX | _VERSION, *known, 0, 0, 0, _MODE, header)
        self._directory.append(entry + name)
        return Extent(self._reader, start, size)

    def close(self) -> None:
        """Write the directory; what `add` said can be read from here on."""
        directory = b"".join(self._directory)
        count = len(self._directory)
        self._file.write(
            directory + _END.pack(b"PK\5\6", 0, 0, count, count, len(directory), self._file.tell(), 0)
        )
        self._file.flush()
