"""Archives built byte by byte, in which everything can be wrong."""

import contextlib
import gzip
import struct
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import BinaryIO, cast

from extractor_sandbox.extent import Extent
from extractor_sandbox.judge import Case, Outcome, judge

MANIFEST = """\
feature_extractor_name = "text_embed"
version = "1.0.0"
description = "Hash text embedding"
dependencies = []
features = [{"feature_type": "embedding", "feature_name": "text_embed_v1_embedding",
             "embedding_dim": 128, "distance_metric": "cosine"}]
output_schema = {"text_embed_v1_embedding": {"type": "array", "items": {"type": "number"}}}
input_mappings = {"text": "text"}
compute_profile = {"resource_type": "cpu"}
"""
PIPELINE = "def build_steps(extractor_request, **kwargs):\n    return {'steps': []}\n"
FILES: Mapping[str, bytes] = {"manifest.py": MANIFEST.encode(), "pipeline.py": PIPELINE.encode()}


def extractor(files: Mapping[str, str | bytes] = MappingProxyType({})) -> bytes:
    """Build a valid extractor with more, or other, files."""
    return make_zip(make_files(files))


def make_files(files: Mapping[str, str | bytes]) -> dict[str, bytes]:
    """Give a valid extractor's files with more, or other, ones."""
    return {
        **FILES,
        **{path: each.encode() if isinstance(each, str) else each for path, each in files.items()},
    }


@dataclass(frozen=True)
class Entry:
    """A zip member; what is left out is as it should be."""

    name: str | bytes
    data: bytes = b""
    method: int = 0
    flags: int = 0
    mode: int = 0o100644
    system: int = 3
    descriptor: bytes | None = None
    raw: bytes | None = None
    crc: int | None = None
    size: int | None = None
    extra: bytes = b""
    local: dict[str, object] = field(default_factory=dict)
    """Fields in which the member's own header differs."""


def make_zip(
    entries: Mapping[str, bytes] | Iterable[Entry],
    *,
    comment: bytes = b"",
    between: bytes = b"",
    count: int | None = None,
) -> bytes:
    """Build a zip of stored files, or of entries that may lie."""
    if isinstance(entries, Mapping):
        entries = [Entry(name, data) for name, data in sorted(entries.items())]
    body, directory = bytearray(), []
    for entry in entries:
        directory.append(_directory_entry(entry, len(body)))
        body += _member(entry)
    number = len(directory) if count is None else count
    start, size = len(body) + len(between), sum(map(len, directory))
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, number, number, size, start, len(comment))
    return bytes(body) + between + b"".join(directory) + end + comment


def deflate(data: bytes) -> bytes:
    """Compress as a zip does."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return engine.compress(data) + engine.flush()


def make_tar(files: Mapping[str, bytes], *, end: bytes = b"\0" * 1024) -> bytes:
    """Build a tar.gz of plain ustar files."""
    return gzip.compress(b"".join(tar_entry(name, data) for name, data in files.items()) + end, mtime=0)


def tar_entry(
    name: str,
    data: bytes = b"",
    *,
    kind: bytes = b"0",
    mode: bytes = b"0000644\0",
    magic: bytes = b"ustar\x0000",
    link: bytes = b"",
    size: bytes | None = None,
    checksum: bytes | None = None,
    padding: bytes = b"\0",
) -> bytes:
    """Build one header and its data."""
    header = bytearray(512)
    header[:100] = name.encode().ljust(100, b"\0")
    header[100:108] = mode
    header[108:124] = b"0000000\0" * 2
    header[124:136] = size if size is not None else b"%011o\0" % len(data)
    header[136:148] = b"00000000000\0"
    header[148:157] = b" " * 8 + kind
    header[157:257] = link.ljust(100, b"\0")
    header[257:265] = magic
    header[148:156] = checksum or b"%06o\0 " % sum(header)
    return bytes(header) + data + padding * (-len(data) % 512)


def pax_header(**records: str) -> bytes:
    """Build an extended header."""
    data = b""
    for key, value in records.items():
        line = f" {key}={value}\n".encode()
        length = next(n for n in range(len(line), len(line) + 6) if n == len(line) + len(str(n)))
        data += str(length).encode() + line
    return tar_entry("PaxHeader", data, kind=b"x")


def judge_bytes(archive: bytes, allowed_dependencies: Iterable[str] = ()) -> Outcome:
    """Judge an archive in this process."""
    outcome, _ = judge_and_keep(archive, allowed_dependencies)
    return outcome


def judge_and_keep(archive: bytes, allowed_dependencies: Iterable[str] = ()) -> tuple[Outcome, bytes]:
    """Judge an archive in this process, and give what it wrote, too."""
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
        source, canonical, scratch = (cast(BinaryIO, file) for file in files)
        source.write(archive)
        source.flush()
        extent = Extent(source.fileno(), 0, len(archive))
        outcome = judge(Case(extent, canonical, scratch, frozenset(allowed_dependencies), lambda path: None))
        canonical.seek(0)
        return outcome, canonical.read()


def rejections(outcome: Outcome) -> set[str]:
    """Name the rules that reject."""
    return {finding.rule for finding in outcome.findings if finding.rejects}


def warnings(outcome: Outcome) -> set[str]:
    """Name the rules that warn."""
    return {finding.rule for finding in outcome.findings if not finding.rejects}


def _fields(entry: Entry) -> dict[str, object]:
    raw = entry.raw if entry.raw is not None else deflate(entry.data) if entry.method == 8 else entry.data
    name = entry.name.encode() if isinstance(entry.name, str) else entry.name
    flags = entry.flags | (0x800 if isinstance(entry.name, str) and not entry.name.isascii() else 0)
    return {
        "raw": raw,
        "name": name,
        "flags": flags | (8 if entry.descriptor is not None else 0),
        "method": entry.method,
        "crc": zlib.crc32(entry.data) if entry.crc is None else entry.crc,
        "packed": len(raw),
        "size": len(entry.data) if entry.size is None else entry.size,
        "extra": entry.extra,
    }


def _member(entry: Entry) -> bytes:
    fields = _fields(entry)
    described = {"crc": 0, "packed": 0, "size": 0} if entry.descriptor is not None else {}
    local = {**fields, **described, **entry.local}
    name, extra = local["name"], local["extra"]
    assert isinstance(name, bytes) and isinstance(extra, bytes) and isinstance(fields["raw"], bytes)
    numbers = (local["crc"], local["packed"], local["size"], len(name), len(extra))
    header = struct.pack("<4s5H3L2H", b"PK\3\4", 20, local["flags"], local["method"], 0, 33, *numbers)
    return header + name + extra + fields["raw"] + (entry.descriptor or b"")


def _directory_entry(entry: Entry, offset: int) -> bytes:
    fields = _fields(entry)
    name = fields["name"]
    assert isinstance(name, bytes)
    version = entry.system << 8 | 20
    numbers = (fields["crc"], fields["packed"], fields["size"], len(name), len(entry.extra), 0, 0, 0)
    start = struct.pack("<4s6H", b"PK\1\2", version, 20, fields["flags"], fields["method"], 0, 33)
    return start + struct.pack("<3L5H2L", *numbers, entry.mode << 16, offset) + name + entry.extra


def descriptor(data: bytes, *, signature: bool = True) -> bytes:
    """Build the descriptor that follows deflated data."""
    numbers = struct.pack("<3L", zlib.crc32(data), len(deflate(data)), len(data))
    return (b"PK\7\x08" if signature else b"") + numbers
