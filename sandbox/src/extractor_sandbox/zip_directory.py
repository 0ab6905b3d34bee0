"""The directory of a zip: where it is, and what it says of each member."""

import struct
from dataclasses import dataclass

from extractor_sandbox import limits
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import Refused

_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4sxB3H4x3L4H2x2L")
_VERSION = 45
"""What Zip64 needs; stored and deflated members need 20 at most."""
_DIRECTORY_BYTES = 4 * limits.MIB
_PART = "the archive is one part of several"


@dataclass(frozen=True)
class End:
    """The end record: where the directory is."""

    position: int
    entries: int
    size: int
    offset: int
    comment: bytes


@dataclass(frozen=True)
class Entry:
    """A member as the directory describes it."""

    system: int
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    raw_name: bytes
    extra: bytes
    attributes: int
    offset: int

    @property
    def name(self) -> str:
        """The name for messages; the reader makes the one that counts."""
        return self.raw_name.decode("utf-8", "replace")


def find_end(archive: Extent) -> End:
    """Find the one end record: a signature whose comment ends where the file does."""
    tail_start = max(0, archive.size - _END.size - 0xFFFF)
    tail = archive.at(tail_start, archive.size - tail_start)
    found = []
    position = tail.find(b"PK\x05\x06")
    while 0 <= position <= len(tail) - _END.size:
        _, disk, first_disk, here, entries, size, offset, comment = _END.unpack_from(tail, position)
        if position + _END.size + comment == len(tail):
            if disk or first_disk or here != entries:
                raise Refused("Z01", _PART)
            found.append(End(tail_start + position, entries, size, offset, tail[position + _END.size :]))
        position = tail.find(b"PK\x05\x06", position + 1)
    if len(found) != 1:
        what = "has no end: it is cut off, or something follows it" if not found else "ends in two ways"
        raise Refused("Z01", f"the zip {what}")
    return found[0]


def read_entries(archive: Extent, end: End, most: int) -> list[Entry]:
    """Read the directory, which has to hold as many entries as it says and nothing else."""
    if end.entries > most or end.size > _DIRECTORY_BYTES:
        raise Refused("Z11", f"the archive has {end.entries} entries; the limit is {most}")
    if end.offset + end.size > end.position:
        raise Refused("Z01", "the directory lies outside of the archive")
    directory = archive.at(end.offset, end.size)
    entries = []
    position = 0
    for _ in range(end.entries):
        header = directory[position : position + _CENTRAL.size]
        if len(header) < _CENTRAL.size:
            raise Refused("Z01", "the directory is shorter than its number of entries")
        signature, system, version, *fields, name, extra, comment, disk, attributes, offset = _CENTRAL.unpack(
            header
        )
        flags, method, crc, packed, size = fields
        name_start = position + _CENTRAL.size
        extra_start = name_start + name
        position = extra_start + extra + comment
        if signature != b"PK\x01\x02" or position > len(directory):
            raise Refused("Z01", "the directory is damaged")
        if disk:
            raise Refused("Z01", _PART)
        raw_name = directory[name_start:extra_start]
        check_version(version, raw_name)
        raw_extra = directory[extra_start : extra_start + extra]
        entries.append(
            Entry(system, flags, method, crc, packed, size, raw_name, raw_extra, attributes, offset)
        )
    if position != len(directory):
        raise Refused("Z01", "the directory holds more than its entries")
    return entries


def check_version(version: int, raw_name: bytes) -> None:
    """Refuse a member that asks for a reader of the future: some readers would skip it, and some read it."""
    if version > _VERSION:
        what = f"the member needs a reader of version {version}; plain ones need {_VERSION} at most"
        raise Refused("Z04", what, raw_name.decode("utf-8", "replace"))
