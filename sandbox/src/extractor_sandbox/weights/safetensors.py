"""Judge a safetensors file by its header, as the library does; the numbers are not read.

The library takes the whole file as one ``bytes`` and copies every tensor out of it, or imports numpy to open
it by its name. A test holds this reader against it.
"""

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

from extractor_sandbox import limits
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import shown
from extractor_sandbox.weights.unfit import Unfit

_PREFIX_BYTES = 8
_HEADER_BYTES = 16 * limits.MIB
_NAMES_BY_BITS = {
    4: ("F4",),
    6: ("F6_E2M3", "F6_E3M2"),
    8: ("BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"),
    16: ("I16", "U16", "F16", "BF16"),
    32: ("I32", "U32", "F32"),
    64: ("I64", "U64", "F64", "C64"),
}
_BITS = {name: bits for bits, names in _NAMES_BY_BITS.items() for name in names}
_METADATA = "__metadata__"


def check(content: Extent) -> None:
    """Raise Unfit unless the header describes every byte behind it, each once."""
    length = int.from_bytes(content.at(0, _PREFIX_BYTES), "little")
    start = _PREFIX_BYTES + length
    if start > content.size or length > _HEADER_BYTES:
        raise Unfit(f"the header has {length} bytes: more than the file, or than {_HEADER_BYTES}")
    header = _parse(content.at(_PREFIX_BYTES, length))
    _check_metadata(header.pop(_METADATA, None))
    position = 0
    for begin, end in sorted(_measure(header)):
        if begin != position:
            raise Unfit(f"tensors overlap, or leave a gap, at byte {min(begin, position)}")
        position = end
    if start + position != content.size:
        raise Unfit(f"the header describes {position} bytes, and {content.size - start} follow it")


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        header = json.loads(raw.decode(), object_pairs_hook=_make_object, parse_constant=_refuse)
    except (ValueError, RecursionError) as err:
        raise Unfit("the header is no JSON, or says something twice") from err
    # The library's JSON starts with the object itself.
    if not isinstance(header, dict) or not raw.startswith(b"{"):
        raise Unfit("the header is no JSON object")
    return header


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is there twice")
    "".join(made).encode()  # Half of a surrogate pair is no text: a UnicodeError is a ValueError.
    return made


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _check_metadata(metadata: Any) -> None:
    is_text = isinstance(metadata, dict) and all(isinstance(each, str) for each in metadata.values())
    if metadata is not None and not is_text:
        raise Unfit("the header's metadata is not text by names")


def _measure(header: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """Give where each tensor lies. Raises Unfit if its shape takes another number of bytes."""
    for name, tensor in header.items():
        match tensor:
            case {"dtype": str(kind), "shape": list(shape), "data_offsets": [begin, end], **rest} if not rest:
                numbers = (*shape, begin, end)
            case _:
                raise Unfit(f"the header does not describe the tensor {shown(name)}")
        if kind not in _BITS or any(type(each) is not int or not 0 <= each < 1 << 48 for each in numbers):
            raise Unfit(f"the header gives {shown(name)} a type or numbers that no tensor has")
        if math.prod(shape) * _BITS[kind] != (end - begin) * 8:
            raise Unfit(f"the bytes of the tensor {shown(name)} are not as many as its shape says")
        yield begin, end
