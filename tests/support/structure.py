"""Archives whose headers lie, one field at a time or two of them alike."""

import random
import struct
from collections.abc import Iterator

from support.archives import make_tar

_LOCAL = (b"PK\3\4", (4, 2, 6, 2, 8, 2, 10, 2, 12, 2, 14, 4, 18, 4, 22, 4, 26, 2, 28, 2), 30)
_CENTRAL = (
    b"PK\1\2",
    (
        *(
            4,
            1,
            5,
            1,
            6,
            2,
            8,
            2,
            10,
            2,
            12,
            2,
            14,
            2,
            16,
            4,
            20,
            4,
            24,
            4,
            28,
            2,
            30,
            2,
            32,
            2,
            34,
            2,
            36,
            2,
        ),
        38,
        4,
        42,
        4,
    ),
    46,
)
_END = (b"PK\5\6", (4, 2, 6, 2, 8, 2, 10, 2, 12, 4, 16, 4, 20, 2), 22)
_DESCRIPTOR = (b"PK\7\x08", (4, 4, 8, 4, 12, 4), 16)
_NAMES = (
    *("/absolute_no.txt", "../notes__up.txt", "assets//note.txt", "./notes_here.txt", "assets/./not.txt"),
    *("assets\\notes.txt", "C:notes_here.txt", "assets/note\0.txt", "assets/note\n.txt", "assets/notes.tx "),
    *("manifest.py/a.md", "assets/notes.tx/", "assets/.otes.txt", "assets/notes.exe"),
)
"""As long as ``assets/notes.txt``, which they stand for."""
_TAR_FIELDS = {
    **{
        "name": (0, 100),
        "mode": (100, 8),
        "uid": (108, 8),
        "size": (124, 12),
        "mtime": (136, 12),
        "kind": (156, 1),
    },
    **{
        "link": (157, 100),
        "magic": (257, 8),
        "user": (265, 32),
        "major": (329, 8),
        "prefix": (345, 155),
        "rest": (500, 12),
    },
}
_TAR_VALUES = (
    *(
        b"",
        b"0",
        b"1",
        b"2",
        b"5",
        b"7",
        b"L",
        b"x",
        b"g",
        b"S",
        b"\x80\0\0\0\0\0\0\0\0\0\0\1",
        b"00000000005\0",
        b"7777\0",
    ),
    *(
        b"0004755\0",
        b" 12 ",
        b"-1\0",
        b"9\0",
        b"ustar  \0",
        b"ustar\000",
        b"../up.txt",
        b"/abs.txt",
        b"x.txt/",
        b"a\0b",
    ),
)


def lying_zips(archive: bytes) -> Iterator[bytes]:
    """Give the archive with every field of every record changed to every odd value."""
    for place, size in _fields(archive):
        number = int.from_bytes(archive[place : place + size], "little")
        for lie in sorted(_odd_values(number, size) - {number}):
            yield _with(archive, place, lie.to_bytes(size, "little"))


def twice_lying_zips(archive: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Give the archive with two fields changed, often to the same value, as who knows the format would."""
    chance, fields = random.Random(seed), list(_fields(archive))
    for _ in range(count):
        (one, size), (other, other_size) = chance.sample(fields, 2)
        lie = chance.choice(sorted(_odd_values(int.from_bytes(archive[one : one + size], "little"), size)))
        changed = _with(archive, one, lie.to_bytes(size, "little"))
        yield _with(changed, other, (lie % (1 << 8 * other_size)).to_bytes(other_size, "little"))


def renamed_zips(archive: bytes) -> Iterator[bytes]:
    """Give the archive with ``assets/notes.txt`` called otherwise, in one of its headers or in both."""
    places = list(_find(archive, b"assets/notes.txt"))
    for name in _NAMES:
        for chosen in (places[:1], places[1:], places):
            changed = archive
            for place in chosen:
                changed = _with(changed, place, name.encode())
            yield changed


def joined_zips(one: bytes, other: bytes) -> Iterator[bytes]:
    """Give two archives as one file, in the ways in which files are hidden."""
    end = one[-22:]
    yield one + other
    yield other + one
    yield b"#!/bin/sh\n" + one
    yield one + b"\0"
    yield one[:-2] + struct.pack("<H", len(other)) + other
    yield one[:-22] + other + end
    yield one[:-22] + end + end
    yield one + end


def lying_tars(tar: bytes) -> Iterator[bytes]:
    """Give a tar.gz with every field of every header changed, under a checksum that is right."""
    for header in range(0, len(tar) - 1024, 512):
        if tar[header + 257 : header + 262] == b"ustar":
            for start, size in _TAR_FIELDS.values():
                for lie in _TAR_VALUES:
                    yield make_tar(
                        {}, end=_sealed(_with(tar, header + start, lie[:size].ljust(size, b"\0")), header)
                    )


def _fields(archive: bytes) -> Iterator[tuple[int, int]]:
    """Give place and size of every field of every record, and of the extra fields behind them."""
    for magic, layout, size in (_LOCAL, _CENTRAL, _END, _DESCRIPTOR):
        for record in _find(archive, magic):
            if record + size <= len(archive):
                yield record, 4
                yield from (
                    (record + at, length) for at, length in zip(layout[::2], layout[1::2], strict=True)
                )


def _find(archive: bytes, what: bytes) -> Iterator[int]:
    place = archive.find(what)
    while place >= 0:
        yield place
        place = archive.find(what, place + 1)


def _odd_values(number: int, size: int) -> set[int]:
    most = (1 << 8 * size) - 1
    near = {number - 1, number + 1, number * 2, number ^ 8, number ^ 1, number ^ 0x800, number ^ 0x4000}
    return {each & most for each in (*near, 0, 1, 8, 22, most, most - 1, most >> 1)}


def _with(data: bytes, place: int, new: bytes) -> bytes:
    return data[:place] + new + data[place + len(new) :]


def _sealed(tar: bytes, header: int) -> bytes:
    blank = _with(tar, header + 148, b" " * 8)
    return _with(tar, header + 148, b"%06o\0 " % sum(blank[header : header + 512]))
