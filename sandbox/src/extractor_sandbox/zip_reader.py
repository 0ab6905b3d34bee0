"""A strict zip reader: one archive from first byte to last, which no other reader can see differently.

The directory at the end and the header in front of each member are two descriptions of one thing; readers
differ in which they believe. So both are read, and have to agree.
"""

import stat
import struct
from collections.abc import Iterator
from functools import partial

from isal import isal_zlib

from extractor_sandbox import limits, zip64
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import Refused
from extractor_sandbox.inflate import RAW, inflate
from extractor_sandbox.member import Member, check_ratio
from extractor_sandbox.zip_directory import End, Entry, check_version, find_end, read_entries

MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")

_LOCAL = struct.Struct("<4s3H4x3L2H")
_DESCRIPTOR = struct.Struct("<3L")
_EXTRA = struct.Struct("<HH")

_COMMENT_BYTES = 1_024
_STORED, _DEFLATED = 0, 8
_HAS_DESCRIPTOR, _UTF8 = 1 << 3, 1 << 11
_FLAGS = 1 << 1 | 1 << 2 | _HAS_DESCRIPTOR | _UTF8
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
_UNIX = (3, 19)
_NOTHING = (b"", b"\3\0")
"""What may follow a directory's name: Java deflates no bytes into two."""


def read(archive: Extent, *, nested: bool = False) -> list[Member]:
    """List the members. Raises Refused if the file is not exactly one plain zip.

    A zip within the archive may also be what torch and numpy write: stored members with data descriptors, and
    Zip64 records and fields that repeat what is said elsewhere.
    """
    end = find_end(archive)
    _check_end(archive, end, nested)
    most = limits.NESTED_ENTRIES if nested else limits.ENTRIES
    entries = sorted(read_entries(archive, end, most), key=lambda entry: entry.offset)
    first, *stops = [*(entry.offset for entry in entries), end.offset]
    if first != 0:
        raise Refused("Z01", "bytes come before the first member")
    if entries and entries[-1].offset >= end.offset:
        raise Refused("Z02", "the directory points behind the members", entries[-1].name)
    return [_read_member(archive, entry, stop, nested) for entry, stop in zip(entries, stops, strict=True)]


def _check_end(archive: Extent, end: End, nested: bool) -> None:
    if len(end.comment) > _COMMENT_BYTES or b"PK" in end.comment:
        raise Refused("Z01", f"the comment is longer than {_COMMENT_BYTES} bytes or holds the bytes PK")
    start = end.position
    if zip64.is_used(archive, end):
        if not nested:
            raise Refused("Z06", "the archive has Zip64 records")
        start = zip64.find_start(archive, end)
    if end.offset + end.size != start:
        raise Refused("Z01", "the directory does not lie directly before the end record")


def _read_member(archive: Extent, entry: Entry, stop: int, nested: bool) -> Member:
    """Hold a directory entry against its local header and the space up to the next one."""
    name = entry.name
    if entry.flags & ~_FLAGS:
        what = "is encrypted" if entry.flags & 1 else f"has flags {entry.flags:#06x}"
        raise Refused("Z05", f"the member {what}; only plain members are read", name)
    _check_method(entry)
    has_descriptor = bool(entry.flags & _HAS_DESCRIPTOR)
    if has_descriptor and entry.method != _DEFLATED and not nested:
        raise Refused("Z05", "a stored member has a data descriptor: its end cannot be told", name)
    path = _decode(entry)
    data = _find_data(archive, entry, stop)
    _check_local(archive, entry, data.start - archive.start, nested)
    data_end = data.start - archive.start + data.size
    trailer = archive.at(data_end, stop - data_end) if has_descriptor and stop - data_end in (12, 16) else b""
    if data_end + len(trailer) != stop:
        raise Refused("Z02", "members overlap, or bytes lie between them", name)
    if has_descriptor:
        described = trailer[4:] if trailer.startswith(b"PK\x07\x08") and len(trailer) == 16 else trailer
        if described != _DESCRIPTOR.pack(entry.crc, entry.packed, entry.size):
            raise Refused("Z05", "the data descriptor differs from the directory", name)
    is_directory = path.endswith("/")
    if is_directory and (entry.size or entry.crc or data.at(0, 3) not in _NOTHING):
        raise Refused("Z02", "a directory has data", name)
    if entry.method == _STORED and entry.size != entry.packed:
        raise Refused("Z02", "a stored member has two different sizes", name)
    check_ratio(name, entry.size, entry.packed)
    mode = entry.attributes >> 16 if entry.system in _UNIX else None
    if nested and (is_directory or stat.S_IFMT(mode or 0) not in (0, stat.S_IFREG) or (mode or 0) & 0o7000):
        raise Refused("Z07", "a member of an archive within is no regular file", name)
    return Member(
        path=path.removesuffix("/"),
        is_directory=is_directory,
        size=entry.size,
        mode=mode,
        pieces=partial(_unpacked, data, entry),
    )


def _check_method(entry: Entry) -> None:
    if entry.method not in (_STORED, _DEFLATED):
        what = f"compression method {entry.method}; only stored (0) and deflate (8) are read"
        raise Refused("Z04", what, entry.name)


def _find_data(archive: Extent, entry: Entry, stop: int) -> Extent:
    """Find a member's data behind its local header, before ``stop``."""
    header = archive.at(entry.offset, _LOCAL.size) if entry.offset + _LOCAL.size <= stop else b""
    if not header.startswith(b"PK\x03\x04"):
        raise Refused("Z02", "the directory points to something that is no member", entry.name)
    start = entry.offset + _LOCAL.size + sum(_LOCAL.unpack(header)[-2:])
    if start + entry.packed > stop:
        raise Refused("Z02", "members overlap", entry.name)
    return archive.part(start, entry.packed)


def _check_local(archive: Extent, entry: Entry, data_start: int, nested: bool) -> None:
    """Hold the local header against the directory."""
    header = archive.at(entry.offset, data_start - entry.offset)
    _, version, flags, method, crc, packed, size, name_length, _ = _LOCAL.unpack_from(header)
    rest = header[_LOCAL.size :]
    if rest[:name_length] != entry.raw_name:
        raise Refused("Z02", "the directory and the member give different names", entry.name)
    check_version(version, entry.raw_name)
    if (flags, method) != (entry.flags, entry.method):
        raise Refused("Z02", "the directory and the member give different flags or methods", entry.name)
    _check_extra(entry, entry.extra, nested)
    if _check_extra(entry, rest[name_length:], nested) and packed == size == zip64.ELSEWHERE:
        packed, size = entry.packed, entry.size
    known = zip((crc, packed, size), (entry.crc, entry.packed, entry.size), strict=True)
    if any(mine != theirs and (mine or not flags & _HAS_DESCRIPTOR) for mine, theirs in known):
        raise Refused("Z02", "the directory and the member give different sizes or checksums", entry.name)


def _check_extra(entry: Entry, extra: bytes, nested: bool) -> bool:
    """Check the extra fields; say whether one of them gives the sizes, the right ones, in 64 bits."""
    position = 0
    has_sizes = False
    while position < len(extra):
        if position + _EXTRA.size > len(extra):
            raise Refused("Z02", "the extra fields are damaged", entry.name)
        kind, size = _EXTRA.unpack_from(extra, position)
        position += _EXTRA.size + size
        if position > len(extra):
            raise Refused("Z02", "the extra fields are damaged", entry.name)
        field = extra[position - size : position]
        if kind == _ZIP64:
            if not nested:
                raise Refused("Z06", "the member has a Zip64 field", entry.name)
            if has_sizes or field != zip64.pack_sizes(entry):
                raise Refused("Z02", "the member's Zip64 field gives other sizes", entry.name)
            has_sizes = True
        if kind == _UNICODE_PATH and field[5:] != entry.raw_name:
            raise Refused("Z09", "the member has a second name", entry.name)
    return has_sizes


def _decode(entry: Entry) -> str:
    try:
        return entry.raw_name.decode("utf-8" if entry.flags & _UTF8 else "ascii")
    except UnicodeDecodeError as err:
        raise Refused("Z09", "the name is not UTF-8, or not marked as such", entry.name) from err


def _unpacked(data: Extent, entry: Entry) -> Iterator[bytes]:
    """Read a member's content; refuse it where size or checksum are not as declared."""
    size = crc = 0
    for piece in inflate(data, RAW, entry.name) if entry.method == _DEFLATED else data.pieces():
        size += len(piece)
        if size > entry.size:
            break
        crc = isal_zlib.crc32(piece, crc)
        yield piece
    if (size, crc) != (entry.size, entry.crc):
        raise Refused("Z08", f"the content is not the {entry.size} bytes that are declared", entry.name)
