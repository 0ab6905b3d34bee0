"""Zip64: what torch and numpy write into every zip, although none of theirs is large enough to need it.

Within an archive it is read, if it says nothing new.
"""

import struct

from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import Refused
from extractor_sandbox.zip_directory import End, Entry

ELSEWHERE = 0xFFFFFFFF
"""Stands in a header for a size that its Zip64 field gives."""

_RECORD = struct.Struct("<4sQ4x2L4Q")
_LOCATOR = struct.Struct("<4sLQL")


def is_used(archive: Extent, end: End) -> bool:
    """Tell whether a Zip64 record lies before the end record, or should."""
    locator = archive.at(max(0, end.position - _LOCATOR.size), 4)
    return locator == b"PK\x06\x07" or end.offset == ELSEWHERE


def find_start(archive: Extent, end: End) -> int:
    """Say where the Zip64 record starts. Raises Refused if it says anything else than the end record."""
    start = end.position - _LOCATOR.size - _RECORD.size
    if start >= 0:
        record = _RECORD.unpack(archive.at(start, _RECORD.size))
        locator = _LOCATOR.unpack(archive.at(start + _RECORD.size, _LOCATOR.size))
        length = _RECORD.size - 12
        wanted = (b"PK\x06\x06", length, 0, 0, end.entries, end.entries, end.size, end.offset)
        if record == wanted and locator == (b"PK\x06\x07", 0, start, 1):
            return start
    raise Refused("Z01", "the Zip64 record differs from the end record")


def pack_sizes(entry: Entry) -> bytes:
    """Give the Zip64 field that repeats a member's sizes."""
    return struct.pack("<2Q", entry.size, entry.packed)
