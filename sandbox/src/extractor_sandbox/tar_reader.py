"""A strict reader of tar.gz: one gzip member; ustar, or PAX where it only says path, size or times.

Gzip cannot be read by position, so file data is inflated into a scratch file on the way; headers are judged
before the data behind them is.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from extractor_sandbox import limits, names
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import Refused
from extractor_sandbox.inflate import GZIP, inflate
from extractor_sandbox.member import Member, check_ratio

MAGIC = b"\x1f\x8b"

_BLOCK = 512
_RECORD = 20 * _BLOCK
_PAX_BYTES = 64 << 10
_OCTAL = re.compile(rb" *([0-7]+)[ \0]+")
_DECIMAL = re.compile(rb"[0-9]{1,12}")
_PAX_RECORD = re.compile(rb"([1-9][0-9]{0,5}) ([^=\n]+)=")
# Python's own shutil.make_archive writes an mtime for every file; times are dropped when the tree is packed
# again.
_PAX_KEYS = {b"path", b"size", b"mtime", b"atime", b"ctime"}
_TYPES = {b"0": 0o100000, b"5": 0o040000}
_GLOBAL = b"g"
_PACK = (
    "Give `extractor` the folder itself, or pack it by its name: `tar --format=ustar -czf NAME.tar.gz NAME`."
)
_GIT = "Give `extractor` the folder itself, or pack `HEAD^{tree}`: `git archive HEAD` writes such an entry."
_NUMBERS = tuple(
    slice(start, stop)
    for start, stop in ((100, 108), (108, 116), (116, 124), (124, 136), (136, 148), (329, 337), (337, 345))
)
"""Mode, owners, size, time and devices."""
_FLAGS_AT, _UNKNOWN_FLAGS = 3, 0xE0


def read(archive: Extent, scratch: BinaryIO) -> list[Member]:
    """List the members, with their data in ``scratch``. Raises Refused if it is not one plain tar.gz."""
    if any(flags & _UNKNOWN_FLAGS for flags in archive.at(_FLAGS_AT, 1)):
        raise Refused("Z01", "the gzip has flags that no reader knows")
    stream = _Inflated(archive)
    members: list[Member] = []
    unpacked = 0
    extended: dict[bytes, bytes] = {}
    while any(header := stream.take(_BLOCK)):
        kind = _check_header(header)
        if kind == b"x" and not extended:
            extended = _read_extended(stream, _number(header[124:136]))
            continue
        member_type = _TYPES.get(kind)
        path = _path(header, extended)
        if kind == b"5":
            path = path.removesuffix("/")
        if member_type is None:
            what = f"the entry has type {ascii(kind)[1:]}: only files and directories are read"
            raise Refused("Z07", what, path, _GIT if kind == _GLOBAL else None)
        size = int(extended.get(b"size") or _number(header[124:136]))
        unpacked += size
        _check_entry(path, size, kind == b"5", archive)
        if unpacked > limits.UNPACKED_BYTES or len(members) >= limits.ENTRIES:
            raise Refused("Z11", f"more than {limits.UNPACKED_BYTES} bytes or {limits.ENTRIES} entries", path)
        content = _store(stream, size, scratch)
        mode = member_type | _number(header[100:108])
        members.append(Member(path, kind == b"5", size, mode, content.pieces))
        extended = {}
    if extended:
        raise Refused("Z02", "the last extended header belongs to no entry")
    _check_rest(stream)
    scratch.flush()
    return members


class _Inflated:
    """The tar inside of the gzip, taken a few bytes at a time."""

    def __init__(self, archive: Extent) -> None:
        self._pieces = inflate(archive, GZIP)
        self._buffer = b""
        self._position = 0
        self.taken = 0

    def take(self, size: int) -> bytes:
        """Read exactly ``size`` bytes."""
        return b"".join(self.stream(size))

    def stream(self, size: int) -> Iterator[bytes]:
        """Read exactly ``size`` bytes in pieces."""
        while size:
            part = self.some(size)
            if not part:
                raise Refused("Z01", "the tar ends in the middle")
            size -= len(part)
            yield part

    def some(self, size: int) -> bytes:
        """Read up to ``size`` bytes; none at the end."""
        if self._position == len(self._buffer):
            self._buffer, self._position = next(self._pieces, b""), 0
        part = self._buffer[self._position : self._position + size]
        self._position += len(part)
        self.taken += len(part)
        return part


def _check_header(header: bytes) -> bytes:
    """Hold a header against its checksum and format; give the entry's type.

    Most numbers decide nothing here, but some readers stop at one that is none.
    """
    if header[257:265] != b"ustar\x0000":
        raise Refused("Z02", "the tar is not in ustar or PAX format", advice=_PACK)
    if _number(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * ord(" "):
        raise Refused("Z02", "the checksum of a header is wrong")
    for field in _NUMBERS:
        if any(header[field]):
            _number(header[field])
    return header[156:157]


def _number(field: bytes) -> int:
    match = _OCTAL.fullmatch(field)
    if match is None:
        raise Refused("Z02", "a number in a header is not octal")
    return int(match[1], 8)


def _path(header: bytes, extended: dict[bytes, bytes]) -> str:
    name, prefix = (_text(field) for field in (header[:100], header[345:500]))
    raw = extended.get(b"path") or (prefix + b"/" + name if prefix else name)
    if _text(header[157:257]):
        raise Refused("Z07", "the entry is a link", raw.decode("utf-8", "replace"))
    try:
        return raw.decode()
    except UnicodeDecodeError as err:
        raise Refused("Z09", "the name is not UTF-8", raw.decode("utf-8", "replace")) from err


def _text(field: bytes) -> bytes:
    text, _, rest = field.partition(b"\0")
    if any(rest):
        raise Refused("Z02", "a header hides bytes behind a name")
    return text


def _read_extended(stream: _Inflated, size: int) -> dict[bytes, bytes]:
    """Read a PAX header: records of ``length key=value``, each key once."""
    if size > _PAX_BYTES:
        raise Refused("Z02", f"an extended header is longer than {_PAX_BYTES} bytes")
    raw = stream.take(size)
    _skip_padding(stream, size)
    values: dict[bytes, bytes] = {}
    position = 0
    while position < size:
        record = _PAX_RECORD.match(raw, position)
        stop = position + int(record[1]) if record else 0
        if record is None or stop <= record.end() or raw[stop - 1 : stop] != b"\n":
            raise Refused("Z02", "an extended header is damaged")
        key, value = record[2], raw[record.end() : stop - 1]
        if key not in _PAX_KEYS or key in values or not value:
            what = f"sets {ascii(key)[1:]}; only path, size and times are read, each once"
            raise Refused("Z02", f"an extended header {what}")
        values[key] = value
        position = stop
    if not values or not _DECIMAL.fullmatch(values.get(b"size", b"0")) or b"\0" in values.get(b"path", b""):
        raise Refused("Z02", "an extended header is damaged")
    return values


def _check_entry(path: str, size: int, is_directory: bool, archive: Extent) -> None:
    """Refuse what needs not be inflated to be refused."""
    if path == "." or path.startswith("./"):
        raise Refused("Z09", "names start with `./`", advice=_PACK)
    fault = names.find_fault(path)
    if fault:
        raise Refused("Z09", fault, path)
    if is_directory and size:
        raise Refused("Z02", "a directory has data", path)
    check_ratio(path, size, archive.size)


def _store(stream: _Inflated, size: int, scratch: BinaryIO) -> Extent:
    start = scratch.tell()
    for piece in stream.stream(size):
        scratch.write(piece)
    _skip_padding(stream, size)
    return Extent(scratch.fileno(), start, size)


def _skip_padding(stream: _Inflated, size: int) -> None:
    if any(stream.take(-size % _BLOCK)):
        raise Refused("Z02", "bytes lie between the entries")


def _check_rest(stream: _Inflated) -> None:
    """Hold the end: two blocks of zeros, then at most zeros up to a full record."""
    if any(stream.take(_BLOCK)):
        raise Refused("Z01", "the tar does not end with two blocks of zeros")
    record_end = -(-stream.taken // _RECORD) * _RECORD
    while rest := stream.some(_RECORD):
        if any(rest) or stream.taken > record_end:
            raise Refused("Z01", "something follows the end of the tar")
