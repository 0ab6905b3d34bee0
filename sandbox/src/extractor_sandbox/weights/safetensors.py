"""Judge a safetensors file by its header, which the library validates; the numbers are not read.

The library takes a whole file as one ``bytes`` and copies every tensor out of it, and imports numpy to open
one by its name. Given the header alone it validates that, and then misses the numbers: all that is left to
compare is how many bytes the header describes, and how many there are.
"""

import json
from typing import Any

import safetensors

from extractor_sandbox import limits
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import shown
from extractor_sandbox.weights.unfit import Unfit

_PREFIX_BYTES = 8
_HEADER_BYTES = 16 * limits.MIB
_METADATA = "__metadata__"
_NUMBERS_MISSING = "file not fully covered"
"""The library's words, on which a test holds it: with others, no file would be accepted."""


def check(content: Extent) -> None:
    """Raise Unfit unless the header describes every byte behind it, each once."""
    length = int.from_bytes(content.at(0, _PREFIX_BYTES), "little")
    start = _PREFIX_BYTES + length
    if start > content.size or length > _HEADER_BYTES:
        raise Unfit(f"the header has {length} bytes: more than the file, or than {_HEADER_BYTES}")
    head = content.at(0, start)
    try:
        safetensors.deserialize(head)  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as err:
        if _NUMBERS_MISSING not in str(err):
            said = str(err).removeprefix("Error while deserializing: ")
            raise Unfit(f"the library refuses the header: {shown(said)}") from err
    described = _find_end(head[_PREFIX_BYTES:])
    if start + described != content.size:
        raise Unfit(f"the header describes {described} bytes, and {content.size - start} follow it")


def _find_end(header: bytes) -> int:
    """Say where the last tensor of a header ends that the library found valid."""
    try:
        tensors = json.loads(header, object_pairs_hook=_make_object)
        ends = [tensor["data_offsets"][1] for name, tensor in tensors.items() if name != _METADATA]
    except (ValueError, TypeError) as err:
        # The library takes lists for objects, and the last of two tensors with one name; others need not.
        raise Unfit("the header says something twice, or describes a tensor by a list") from err
    return max(ends, default=0)


def _make_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is there twice")
    return made
