"""Judge numpy's files: a header that says what the numbers are, and exactly these numbers.

An array of objects is a pickle. What the header may say is therefore a list of plain types, and nothing of it
is handed to numpy, which reads types out of strings.
"""

import ast
import math
import re
from collections.abc import Iterator
from typing import Any

from extractor_sandbox import limits, zip_reader
from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import shown
from extractor_sandbox.member import Member
from extractor_sandbox.weights.unfit import Unfit

_PREFIX_BYTES = {1: 2, 2: 4, 3: 4}
"""How long the header's length is, by the format's version."""
_ENCODINGS = {1: "latin-1", 2: "latin-1", 3: "utf-8"}
_HEADER_BYTES = 10_000
"""What numpy reads at most."""
_HEAD_BYTES = 12 + _HEADER_BYTES
# Possessive: a byte that does not fit must not send it back over every way to split the digits.
_TOKENS = re.compile(r"(?:'[^'\\\n]*'|\"[^\"\\\n]*\"|[0-9]++|True|False|[{}()\[\],:]|[ \n]++)*+")
_STRINGS = re.compile(r"'[^']*'|\"[^\"]*\"")
_DEPTH = 16
_TYPE = re.compile(r"[<>|=]?([biufcSUVmM])([0-9]{1,9})(?:\[[0-9]{0,6}[A-Za-z]{1,2}\])?")
_WIDE = "U"
"""The kind whose size counts characters of four bytes."""
_LEAVING = re.compile(r"^/|(?:^|/)\.\.(?:/|$)|\\")
_NUMBERS_ONLY = "Save an array of numbers or text: numpy.save(path, array.astype(numpy.float32))."


def check(content: Extent) -> None:
    """Raise Unfit unless a .npy file holds an array of plain values."""
    _check_array(content.at(0, _HEAD_BYTES), content.size)


def check_zip(content: Extent) -> None:
    """Raise Unfit or Refused unless a .npz file holds such arrays only."""
    seen = set()
    for member in zip_reader.read(content, nested=True):
        name = shown(member.path)
        is_array = member.path.endswith(".npy") and not member.is_directory
        if not is_array or member.path in seen or _LEAVING.search(member.path):
            raise Unfit(f"the archive holds {name}: only arrays, each with a name of its own, are accepted")
        seen.add(member.path)
        try:
            _check_array(_read_head(member), member.size)
        except Unfit as unfit:
            raise Unfit(f"{name}: {unfit}", unfit.advice) from unfit


def _read_head(member: Member) -> bytes:
    """Read a member to its end, so that its checksum is compared; give its start."""
    head = b""
    for piece in member.pieces():
        if len(head) < _HEAD_BYTES:
            head += piece[:_HEAD_BYTES]
    return head


def _check_array(head: bytes, size: int) -> None:
    prefix = _PREFIX_BYTES.get(head[6]) if head.startswith(b"\x93NUMPY") and head[7:8] == b"\0" else None
    if prefix is None:
        raise Unfit("the file is no array in numpy's format 1.0, 2.0 or 3.0")
    start = 8 + prefix + int.from_bytes(head[8 : 8 + prefix], "little")
    if start > min(size, 8 + prefix + _HEADER_BYTES):
        raise Unfit("the array's header is cut off, or too long")
    header = _read_header(head[8 + prefix : start], _ENCODINGS[head[6]])
    match header:
        case {"descr": kind, "fortran_order": bool(), "shape": tuple(shape), **rest} if not rest:
            numbers = math.prod(_sizes(shape)) * _measure(kind)
        case _:
            raise Unfit("the array's header is not what numpy writes")
    if start + numbers != size:
        raise Unfit(f"the array's header tells of {numbers} bytes, and {size - start} follow it")


def _read_header(raw: bytes, encoding: str) -> object:
    """Read the header's literal, which is looked over before Python's parser gets it."""
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as err:
        raise Unfit("the array's header is no text") from err
    if not _TOKENS.fullmatch(text) or _nest(text) > _DEPTH:
        raise Unfit("the array's header is not what numpy writes")
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, TypeError, SyntaxError) as err:
        raise Unfit("the array's header is not what numpy writes") from err


def _nest(text: str) -> int:
    depth = deepest = 0
    for char in _STRINGS.sub("", text):
        depth += (char in "{([") - (char in "})]")
        deepest = max(deepest, depth)
    return deepest


def _measure(kind: Any) -> int:
    """Say how many bytes a value of a type has. Raises Unfit if the type is not on the list."""
    match kind:
        case str():
            found = _TYPE.fullmatch(kind)
            if found:
                return int(found[2]) * (4 if found[1] == _WIDE else 1)
            raise Unfit(f"the values are of the type {shown(kind)}, not numbers or text", _NUMBERS_ONLY)
        case list():
            return sum(map(_measure_field, kind))
    raise Unfit("the array's header is not what numpy writes")


def _measure_field(field: Any) -> int:
    match field:
        case (str() | (str(), str()), kind):
            return _measure(kind)
        case (str() | (str(), str()), kind, tuple(shape)):
            return _measure(kind) * math.prod(_sizes(shape))
    raise Unfit("the array's header is not what numpy writes")


def _sizes(shape: tuple[Any, ...]) -> Iterator[int]:
    for size in shape:
        if type(size) is not int or size > limits.UNPACKED_BYTES:
            raise Unfit("the array's header gives a shape that no array has")
        yield size
