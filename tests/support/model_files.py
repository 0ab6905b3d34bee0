"""Model files built byte by byte, as torch, numpy, safetensors, onnx and llama.cpp write them."""

import json
import struct
import zlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from support.archives import Entry, make_zip

STATE_DICT = (
    b"\x80\2ccollections\nOrderedDict\n)R(X\1\0\0\0wctorch._utils\n_rebuild_tensor_v2\n"
    b"((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\x000X\3\0\0\0cpuK\4tQ"
    b"K\0K\2K\2\x86K\2K\1\x86\x89ccollections\nOrderedDict\n)RtRX\1\0\0\0nK\1u."
)
"""The pickle of ``{"w": a tensor of 2 by 2, "n": 1}``."""


def call(module: str, name: str, argument: str = "true") -> bytes:
    """Build a pickle that would call something when it is loaded."""
    return f"c{module}\n{name}\n(S'{argument}'\ntR.".encode()


def torch_zip(
    pickled: bytes = STATE_DICT,
    *,
    root: str = "archive",
    more: Mapping[str, bytes] = MappingProxyType({}),
    record: bytes | None = None,
) -> bytes:
    """Build a checkpoint as torch.save lays it out; ``record`` replaces the Zip64 record."""
    members = {
        "data.pkl": pickled,
        ".format_version": b"1",
        ".storage_alignment": b"64",
        "byteorder": b"little",
        "data/0": struct.pack("<4f", 1, 2, 3, 4),
        "version": b"3\n",
        ".data/serialization_id": b"0" * 40,
        **more,
    }
    entries, position = [], 0
    for name, data in members.items():
        start = 30 + len(f"{root}/{name}") + 4
        padding = -(position + start) % 64
        position += start + padding + len(data) + 16
        entries.append(_torch_member(f"{root}/{name}", data, padding))
    zipped = make_zip(entries)
    size, offset = struct.unpack("<12x2L2x", zipped[-22:])
    if record is None:
        record = struct.pack(
            "<4sQ2H2L4Q", b"PK\6\6", 44, 798, 45, 0, 0, len(entries), len(entries), size, offset
        )
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, offset + size, 1)
    return zipped[:-22] + record + locator + zipped[-22:]


def _torch_member(name: str, data: bytes, padding: int) -> Entry:
    descriptor = b"PK\7\x08" + struct.pack("<3L", zlib.crc32(data), len(data), len(data))
    extra = b"FB" + struct.pack("<H", padding) + b"Z" * padding
    return Entry(name, data, flags=0x800, mode=0, system=0, descriptor=descriptor, local={"extra": extra})


def npy(
    data: bytes = bytes(16), kind: object = "<f4", shape: tuple[int, ...] = (4,), version: int = 1
) -> bytes:
    """Build an array's file."""
    return npy_of(f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape!r}, }}", data, version)


def npy_of(header: str, data: bytes = b"", version: int = 1) -> bytes:
    """Build an array's file around a header."""
    raw = header.encode() + b"\n"
    return (
        b"\x93NUMPY"
        + bytes([version, 0])
        + len(raw).to_bytes(2 if version == 1 else 4, "little")
        + raw
        + data
    )


def npz(arrays: Mapping[str, bytes]) -> bytes:
    """Build an archive of arrays as numpy.savez does: with Zip64 fields in front of the members only."""
    return make_zip(
        Entry(name, data, local={"packed": 0xFFFFFFFF, "size": 0xFFFFFFFF, "extra": sizes_field(len(data))})
        for name, data in arrays.items()
    )


def sizes_field(size: int) -> bytes:
    """Build a Zip64 field."""
    return struct.pack("<2H2Q", 1, 16, size, size)


def safetensors(tensors: object, data: bytes = b"") -> bytes:
    """Build a file of tensors around a header."""
    return safetensors_of(json.dumps(tensors).encode(), data)


def safetensors_of(header: bytes, data: bytes = b"") -> bytes:
    """Build a file of tensors around a header's bytes."""
    return struct.pack("<Q", len(header)) + header + data


def tensor(kind: str, shape: list[int], begin: int, end: int) -> dict[str, object]:
    """Describe a tensor in such a header."""
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}


def field(number: int, value: int | bytes) -> bytes:
    """Build a protobuf field."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def onnx(graph: bytes = b"", *, more: bytes = b"") -> bytes:
    """Build a model around a graph."""
    return field(1, 8) + field(2, b"test") + field(8, field(1, b"") + field(2, 17)) + field(7, graph) + more


def external(location: str | bytes) -> bytes:
    """Build a tensor whose numbers lie in another file."""
    raw = location.encode() if isinstance(location, str) else location
    entries = (
        field(13, field(1, key) + field(2, each)) for key, each in ((b"location", raw), (b"offset", b"0"))
    )
    return field(1, 4) + field(2, 1) + field(8, b"w") + b"".join(entries) + field(14, 1)


def gguf(
    fields: Iterable[bytes] = (), tensors: Iterable[bytes] = (), data: bytes = b"", *, version: int = 3
) -> bytes:
    """Build a model of llama.cpp's format."""
    fields, tensors = list(fields), list(tensors)
    header = struct.pack("<4sL2Q", b"GGUF", version, len(tensors), len(fields)) + b"".join(
        (*fields, *tensors)
    )
    return header + (bytes(-len(header) % 32) + data if tensors else b"")


def gguf_field(key: str, kind: int, value: bytes) -> bytes:
    """Build a field of its header."""
    return gguf_text(key) + struct.pack("<L", kind) + value


def gguf_text(text: str | bytes) -> bytes:
    """Build a string of its header."""
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw


def gguf_template(template: str, key: str = "tokenizer.chat_template") -> bytes:
    """Build a header with a chat template."""
    return gguf([gguf_field(key, 8, gguf_text(template))])


def gguf_tensor(name: str, dimensions: tuple[int, ...], offset: int) -> bytes:
    """Build a tensor's place."""
    numbers = struct.pack(f"<L{len(dimensions)}QLQ", len(dimensions), *dimensions, 0, offset)
    return gguf_text(name) + numbers


def _varint(number: int) -> bytes:
    raw = bytearray()
    while number > 0x7F:
        raw.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(raw) + bytes([number])


SMALL = {
    "pt": torch_zip(),
    "bin": b"\x80\2}.",
    "ckpt": torch_zip(root="last"),
    "safetensors": safetensors({"w": tensor("F32", [2], 0, 8)}, bytes(8)),
    "npy": npy(),
    "npz": npz({"a.npy": npy()}),
    "onnx": onnx(),
    "gguf": gguf([gguf_field("general.alignment", 4, struct.pack("<L", 32))]),
}
"""A file that is accepted, by its extension."""
