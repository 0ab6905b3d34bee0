"""The zip reader takes what is plainly one archive, and refuses what some reader sees differently."""

import io
import struct
import tempfile
import zipfile

import pytest

from extractor_sandbox import archive, limits
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import Refused
from support.archives import Entry, deflate, descriptor, judge_bytes, make_files, make_zip, rejections
from support.model_files import npy

FILES = [Entry(name, data) for name, data in make_files({}).items()]
NOTES = b"some notes\n" * 100
UNICODE_PATH = struct.pack("<HHBL", 0x7075, 14, 1, 0)
BOMB = deflate(bytes(11 << 20))


def with_entry(*entries: Entry) -> bytes:
    return make_zip([*FILES, *entries])


def streamed(**changes: object) -> Entry:
    fields = {"method": 8, "descriptor": descriptor(NOTES), **changes}
    return Entry("notes.txt", NOTES, **fields)  # type: ignore[arg-type]


def on_another_disk() -> bytes:
    data = bytearray(make_zip(FILES))
    data[data.rindex(b"PK\1\2") + 34] = 1
    return bytes(data)


def of_version(signature: bytes, at: int) -> bytes:
    data = bytearray(make_zip(FILES))
    data[data.rindex(signature) + at] = 46
    return bytes(data)


def pointing_behind() -> bytes:
    data = bytearray(make_zip(FILES))
    offset = data.rindex(b"PK\1\2") + 42
    data[offset : offset + 4] = struct.pack("<L", len(data))
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(with_entry(), id="stored files"),
        pytest.param(with_entry(Entry("notes.txt", NOTES, method=8)), id="a deflated file"),
        pytest.param(with_entry(streamed()), id="a descriptor with signature"),
        pytest.param(
            with_entry(streamed(descriptor=descriptor(NOTES, signature=False))), id="a descriptor without"
        ),
        pytest.param(with_entry(Entry("notes/", mode=0o040755)), id="a directory"),
        pytest.param(with_entry(Entry("notes.txt", method=8)), id="an empty deflated file"),
        pytest.param(
            with_entry(Entry("notes/", method=8, mode=0o040755, descriptor=descriptor(b""))),
            id="a directory as Java streams it",
        ),
        pytest.param(with_entry(Entry("notes.txt", NOTES, mode=0o100755)), id="execute bits"),
        pytest.param(
            with_entry(Entry("notes.txt", NOTES, mode=0o120777, system=0)), id="a mode that is none on DOS"
        ),
        pytest.param(with_entry(Entry("größe.txt", NOTES)), id="a name in UTF-8"),
        pytest.param(
            with_entry(Entry("notes.txt", NOTES, extra=UNICODE_PATH + b"notes.txt")),
            id="a second name that is the same",
        ),
        pytest.param(
            with_entry(Entry("n.txt", NOTES, extra=b"UT\1\0x", local={"extra": b""})), id="times in one place"
        ),
        pytest.param(make_zip(FILES, comment=b"made by hand"), id="a comment"),
        pytest.param(
            with_entry(Entry("weights/last.npz", make_zip({"a.npy": npy()}))), id="an archive as last member"
        ),
    ],
)
def test_plain_archives_are_read(data: bytes) -> None:
    assert judge_bytes(data).findings == []


@pytest.mark.parametrize(
    ("data", "want_rule"),
    [
        pytest.param(b"", "Z01", id="nothing"),
        pytest.param(b"#!/bin/sh\n", "Z01", id="another file"),
        pytest.param(b"x" + with_entry(), "Z01", id="bytes before"),
        pytest.param(with_entry() + b"x", "Z01", id="bytes behind"),
        pytest.param(with_entry() + with_entry(), "Z01", id="two archives"),
        pytest.param(with_entry()[:-30], "Z01", id="a cut"),
        pytest.param(make_zip(FILES, comment=b"x" * 1025), "Z01", id="a long comment"),
        pytest.param(make_zip(FILES, comment=b"PK"), "Z01", id="a comment with the bytes PK"),
        pytest.param(make_zip(FILES, comment=make_zip([])), "Z01", id="two ends"),
        pytest.param(on_another_disk(), "Z01", id="a member on another disk"),
        pytest.param(make_zip(FILES, count=1), "Z01", id="more entries than said"),
        pytest.param(make_zip(FILES, count=3), "Z01", id="fewer entries than said"),
        pytest.param(make_zip(FILES, between=b"x"), "Z02", id="a gap before the directory"),
        pytest.param(pointing_behind(), "Z02", id="a member behind the directory"),
        pytest.param(with_entry(Entry("a.txt", b"x", local={"name": b"b.txt"})), "Z02", id="another name"),
        pytest.param(with_entry(Entry("a.txt", b"x", local={"size": 2})), "Z02", id="another size"),
        pytest.param(with_entry(Entry("a.txt", b"x", local={"crc": 2})), "Z02", id="another checksum"),
        pytest.param(with_entry(Entry("a.txt", b"x", local={"flags": 2})), "Z02", id="other flags"),
        pytest.param(with_entry(Entry("a.txt", b"x", local={"method": 8})), "Z02", id="another method"),
        pytest.param(
            with_entry(streamed(local={"size": 5})), "Z02", id="a streamed member with another size"
        ),
        pytest.param(with_entry(Entry("a.txt", b"x", extra=b"UT\5\0x")), "Z02", id="a cut extra field"),
        pytest.param(with_entry(Entry("a.txt", b"x", extra=b"UT")), "Z02", id="a cut extra header"),
        pytest.param(with_entry(Entry("a/", b"data", mode=0o040755)), "Z02", id="a directory with data"),
        pytest.param(
            with_entry(Entry("a/", method=8, raw=b"\0\0\0\xff\xff\3\0", mode=0o040755)),
            "Z02",
            id="a directory with bytes that inflate to nothing",
        ),
        pytest.param(with_entry(Entry("a/", crc=1, mode=0o040755)), "Z02", id="a directory with a checksum"),
        pytest.param(with_entry(Entry("a.txt", b"abc", size=2)), "Z02", id="a stored member with two sizes"),
        pytest.param(with_entry(Entry("a.txt", NOTES, method=12)), "Z04", id="bzip2"),
        pytest.param(of_version(b"PK\1\2", 6), "Z04", id="a version of the future in the directory"),
        pytest.param(of_version(b"PK\3\4", 4), "Z04", id="a version of the future in a member"),
        pytest.param(with_entry(Entry("a.txt", NOTES, flags=1)), "Z05", id="encryption"),
        pytest.param(with_entry(Entry("a.txt", NOTES, flags=1 << 5)), "Z05", id="patched data"),
        pytest.param(with_entry(streamed(method=0)), "Z05", id="a descriptor behind stored data"),
        pytest.param(
            with_entry(streamed(descriptor=descriptor(b"other"))), "Z05", id="a descriptor that differs"
        ),
        pytest.param(with_entry(streamed(descriptor=b"")), "Z05", id="a descriptor that is missing"),
        pytest.param(
            with_entry(Entry("a.txt", b"x", extra=struct.pack("<HHQ", 1, 8, 1))), "Z06", id="a Zip64 field"
        ),
        pytest.param(
            make_zip(FILES, between=b"")[:-22] + b"PK\6\7" + bytes(16) + make_zip(FILES)[-22:],
            "Z06",
            id="Zip64",
        ),
        pytest.param(with_entry(Entry("a.txt", NOTES, crc=1)), "Z08", id="a wrong checksum"),
        pytest.param(with_entry(Entry("a.txt", NOTES, method=8, size=64)), "Z08", id="more than declared"),
        pytest.param(with_entry(Entry("a.txt", NOTES, method=8, size=4096)), "Z08", id="less than declared"),
        pytest.param(with_entry(Entry("a.txt", NOTES, method=8, raw=b"\xff" * 20)), "Z08", id="no deflate"),
        pytest.param(
            with_entry(Entry("a.txt", NOTES, method=8, raw=deflate(NOTES)[:-2])), "Z08", id="a cut stream"
        ),
        pytest.param(
            with_entry(Entry("a.txt", NOTES, method=8, raw=deflate(NOTES) + b"x")), "Z08", id="a long stream"
        ),
        pytest.param(with_entry(Entry("größe.txt".encode("latin-1"), NOTES)), "Z09", id="Latin-1"),
        pytest.param(with_entry(Entry("größe.txt".encode(), NOTES)), "Z09", id="UTF-8 without saying so"),
        pytest.param(
            with_entry(Entry("a.txt", b"x", extra=UNICODE_PATH + b"other.txt")), "Z09", id="a second name"
        ),
        pytest.param(
            with_entry(Entry("a.csv", bytes(11 << 20), method=8, raw=BOMB)), "Z11", id="a ratio above 100"
        ),
        pytest.param(make_zip(FILES, count=2001), "Z11", id="2,001 entries"),
    ],
)
def test_other_archives_are_refused(data: bytes, want_rule: str) -> None:
    assert rejections(judge_bytes(data)) == {want_rule}


def test_a_member_inside_another_is_refused() -> None:
    inner = make_zip([Entry("b.txt", b"y")])
    outer = with_entry(Entry("a.bin", inner[: inner.index(b"PK\1\2")]), Entry("b.txt", b"y"))
    first, second = outer.index(b"PK\3\4" + inner[4:20]), outer.rindex(b"PK\3\4")
    at = outer.rindex(struct.pack("<L", second) + b"b.txt")
    pointed_inside = outer[:at] + struct.pack("<L", first) + outer[at + 4 :]

    assert rejections(judge_bytes(pointed_inside)) == {"Z02"}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
def test_what_python_writes_is_read(method: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as written:
        for name, data in make_files({"größe/notes.txt": NOTES}).items():
            written.writestr(name, data)

    assert judge_bytes(buffer.getvalue()).findings == []


def test_what_is_streamed_by_python_is_read_when_it_is_deflated() -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as written:
        for name, data in make_files({}).items():
            written.writestr(name, data)

    assert judge_bytes(pipe.data).findings == []


def test_an_archive_over_the_limit_is_refused_unread() -> None:
    with tempfile.TemporaryFile() as file, pytest.raises(Refused, match="the limit is") as refused:
        archive.read(Extent(file.fileno(), 0, limits.ARCHIVE_BYTES + 1), file)

    assert refused.value.finding.rule == "Z11"
