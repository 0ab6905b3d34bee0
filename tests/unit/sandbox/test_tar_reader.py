"""The tar.gz reader takes ustar and plain PAX, and nothing else."""

import gzip
import shutil
import tarfile
from pathlib import Path

import pytest

from support.archives import FILES, judge_bytes, make_files, make_tar, pax_header, rejections, tar_entry

BODY = b"".join(tar_entry(name, data) for name, data in FILES.items())
END = bytes(1024)


def with_flags(flags: int, fields: bytes) -> bytes:
    """Give the plain archive another gzip header."""
    plain = packed()
    return plain[:3] + bytes([flags]) + plain[4:10] + fields + plain[10:]


def with_field(at: int, value: bytes) -> bytes:
    """Build an entry with another number in its header, and the right checksum."""
    header = bytearray(tar_entry("a.txt"))
    header[at : at + 8] = value.ljust(8, b"\0")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def packed(*entries: bytes, end: bytes = END) -> bytes:
    return gzip.compress(BODY + b"".join(entries) + end, mtime=0)


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(packed(), id="ustar files"),
        pytest.param(packed(end=bytes(10240 - len(BODY))), id="zeros up to a full record"),
        pytest.param(packed(tar_entry("notes/", kind=b"5", mode=b"0000755\0")), id="a directory"),
        pytest.param(with_flags(8, b"notes.tar\0"), id="a gzip that names its file"),
        pytest.param(with_flags(16, b"made by hand\0"), id="a gzip with a comment"),
        pytest.param(packed(pax_header(path="größe.txt"), tar_entry("x", b"hello")), id="a PAX path"),
        pytest.param(
            packed(pax_header(size="5", mtime="1.5"), tar_entry("a.txt", b"hello")), id="a PAX size and time"
        ),
    ],
)
def test_plain_archives_are_read(archive: bytes) -> None:
    assert judge_bytes(archive).findings == []


@pytest.mark.parametrize(
    ("archive", "want_rule"),
    [
        pytest.param(packed() + b"x", "Z08", id="bytes behind the gzip"),
        pytest.param(packed() + packed(), "Z08", id="two gzip members"),
        pytest.param(packed()[:-4], "Z08", id="a cut gzip"),
        pytest.param(packed()[:-8] + bytes(8), "Z08", id="a wrong gzip checksum"),
        pytest.param(with_flags(32, b""), "Z01", id="a gzip flag that no reader knows"),
        pytest.param(packed(end=b""), "Z01", id="no end"),
        pytest.param(packed(end=bytes(512)), "Z01", id="half an end"),
        pytest.param(packed(end=bytes(512) + tar_entry("a.txt")), "Z01", id="one block of zeros"),
        pytest.param(packed(end=END + tar_entry("a.txt")), "Z01", id="an entry behind the end"),
        pytest.param(packed(end=bytes(10752)), "Z01", id="zeros beyond the record"),
        pytest.param(packed(tar_entry("a.txt", magic=b"ustar  \0")), "Z02", id="the GNU format"),
        pytest.param(packed(tar_entry("a.txt", magic=bytes(8))), "Z02", id="the V7 format"),
        pytest.param(packed(tar_entry("a.txt", checksum=b"000001\0 ")), "Z02", id="a wrong checksum"),
        pytest.param(
            packed(tar_entry("a.txt", size=b"\x80" + bytes(10) + b"\1")), "Z02", id="a binary number"
        ),
        *(
            pytest.param(packed(with_field(at, b"9")), "Z02", id=f"no number at {at}")
            for at in (100, 108, 116, 136, 329, 337)
        ),
        pytest.param(packed(tar_entry("a.txt", b"x", padding=b"y")), "Z02", id="bytes in the padding"),
        pytest.param(packed(tar_entry("a.txt\0hidden")), "Z02", id="bytes behind a name"),
        pytest.param(packed(tar_entry("a/", b"data", kind=b"5")), "Z02", id="a directory with data"),
        pytest.param(packed(pax_header(linkpath="x"), tar_entry("a.txt")), "Z02", id="another PAX key"),
        pytest.param(packed(pax_header(path="x")), "Z02", id="a PAX header of nothing"),
        pytest.param(packed(pax_header(path=""), tar_entry("a.txt")), "Z02", id="a PAX path of nothing"),
        pytest.param(packed(pax_header(), tar_entry("a.txt")), "Z02", id="a PAX header without records"),
        pytest.param(
            packed(pax_header(size="0"), tar_entry("a.txt", size=b"x".ljust(12, b"\0"))),
            "Z02",
            id="a PAX size for one that is no number",
        ),
        pytest.param(
            packed(tar_entry("P", b"99 path=x\n", kind=b"x"), tar_entry("a")),
            "Z02",
            id="a damaged PAX record",
        ),
        pytest.param(
            packed(pax_header(size="x"), tar_entry("a.txt")), "Z02", id="a PAX size that is no number"
        ),
        pytest.param(packed(tar_entry("a.txt", kind=b"2", link=b"/etc/passwd")), "Z07", id="a symbolic link"),
        pytest.param(packed(tar_entry("a.txt", kind=b"1", link=b"manifest.py")), "Z07", id="a hard link"),
        pytest.param(packed(tar_entry("a.txt", link=b"manifest.py")), "Z07", id="a file with a target"),
        pytest.param(packed(tar_entry("a.txt", kind=b"3")), "Z07", id="a device"),
        pytest.param(packed(tar_entry("a.txt", kind=b"g")), "Z07", id="a global PAX header"),
        pytest.param(packed(tar_entry("a.txt", kind=b"\0")), "Z07", id="an old file type"),
        pytest.param(packed(tar_entry("a.txt", mode=b"0004755\0")), "Z07", id="setuid"),
        pytest.param(packed(tar_entry("../a.txt")), "Z09", id="a climbing path"),
        pytest.param(packed(tar_entry("./a.txt")), "Z09", id="a path from the folder itself"),
        pytest.param(packed(tar_entry("a.txt/", b"x")), "Z09", id="a file that is named like a folder"),
        pytest.param(
            packed(pax_header(path="/etc/passwd"), tar_entry("a.txt")), "Z09", id="an absolute PAX path"
        ),
        pytest.param(packed(tar_entry("manifest.py")), "Z03", id="the same path twice"),
        pytest.param(
            packed(tar_entry("a.txt"), tar_entry("a.txt/b.txt")), "Z10", id="a file that is a folder"
        ),
        pytest.param(
            packed(tar_entry("a.csv", size=b"%011o\0" % (600 << 20))), "Z11", id="600 MiB that are not there"
        ),
        pytest.param(packed(tar_entry("a.csv", bytes(11 << 20))), "Z11", id="11 MiB of zeros"),
    ],
)
def test_other_archives_are_refused(archive: bytes, want_rule: str) -> None:
    assert rejections(judge_bytes(archive)) == {want_rule}


def test_what_shutil_writes_is_read(tmp_path: Path) -> None:
    for name, data in make_files({"processors/core.py": "x = 1\n"}).items():
        path = tmp_path / "text_embed" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    archive = shutil.make_archive(str(tmp_path / "packed"), "gztar", tmp_path, "text_embed")

    outcome = judge_bytes(Path(archive).read_bytes())
    assert (outcome.findings, outcome.top_folder, outcome.files) == ([], "text_embed", 3)


def test_long_names_are_read_from_ustar_and_pax(tmp_path: Path) -> None:
    name = f"{'folder/' * 14}{'n' * 60}.txt"
    for form in (tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT):
        with tarfile.open(tmp_path / "long.tar.gz", "w:gz", format=form) as archive:
            for path in [*FILES, name]:
                archive.addfile(tarfile.TarInfo(path), None)

        outcome = judge_bytes((tmp_path / "long.tar.gz").read_bytes())

        assert outcome.files == 3
        assert not rejections(outcome) & {"Z01", "Z02", "Z09"}


@pytest.mark.parametrize(
    ("archive", "want"),
    [
        pytest.param(packed(tar_entry("./", kind=b"5")), "pack it by its name", id="tar of ."),
        pytest.param(packed(tar_entry("x", kind=b"g")), "pack `HEAD^{tree}`", id="git archive"),
        pytest.param(packed(tar_entry("a", magic=b"ustar  \0")), "--format=ustar", id="GNU tar"),
    ],
)
def test_what_tools_write_by_default_is_refused_with_the_way_out(archive: bytes, want: str) -> None:
    (finding,) = judge_bytes(archive).findings

    assert want in (finding.problem.advice or "")


def test_zip_and_tar_of_the_same_files_are_judged_alike() -> None:
    files = make_files({"processors/core.py": "import subprocess\n", "run.sh": "true\n"})

    assert rejections(judge_bytes(make_tar(files))) == {"C04", "F01"}
