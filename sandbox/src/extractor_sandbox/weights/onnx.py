"""Judge an ONNX model by walking its protobuf: what it reads from other files lies beside it.

Only what can hold a reference to a file is walked into; the rest is stepped over, so that the numbers of a
model are not read.
"""

import re

from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import shown
from extractor_sandbox.weights.cursor import Cursor
from extractor_sandbox.weights.unfit import Unfit

_DEPTH = 64
_FIELDS = 2_000_000
_ENTRY_BYTES = 4_096
_VARINT, _LENGTH = 0, 2
_FIXED = {1: 8, 5: 4}
_KEY, _VALUE = 1, 2
_PLAIN = re.compile(r"[^\\:\0-\x1f\x7f\ufffd]+")
_INLINE = "Save the model in one file: onnx.save_model(model, path, save_as_external_data=False)."

# Fields of onnx.proto3 that hold messages which can lead to a tensor.
_MESSAGES = {
    "Model": {7: "Graph", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Function": {7: "Node", 11: "Attribute"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "SparseTensor", 23: "SparseTensor"},
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
    "Tensor": {13: "ExternalData"},
    "ExternalData": {},
}
_IR_VERSION, _GRAPH = 1, 7


def check(content: Extent) -> None:
    """Raise Unfit unless the file is a model whose external data lies beside it."""
    found = _Walk(content).read("Model", content.size, 0)
    if not {_IR_VERSION, _GRAPH} <= found:
        raise Unfit("the file is no ONNX model: it has no version, or no graph")


class _Walk:
    def __init__(self, content: Extent) -> None:
        self._cursor = Cursor(content)
        self._left = _FIELDS

    def read(self, message: str, end: int, depth: int) -> set[int]:
        """Read one message up to ``end``; say which fields it has."""
        if depth > _DEPTH:
            raise Unfit(f"graphs lie more than {_DEPTH} messages deep in one another")
        if message == "ExternalData":
            self._read_external(end)
            return set()
        cursor, inner = self._cursor, _MESSAGES[message]
        found = set()
        while cursor.position < end:
            number, kind = self._read_tag()
            found.add(number)
            if kind == _LENGTH:
                stop = self._read_length(end)
                if number in inner:
                    self.read(inner[number], stop, depth + 1)
                else:
                    cursor.skip(stop - cursor.position)
            elif number in inner:
                raise Unfit(f"the model is damaged: field {number} of a {message} is no message")
            else:
                self._skip(kind)
        if cursor.position != end:
            raise Unfit(f"the model is damaged: a {message} does not end where it should")
        return found

    def _read_external(self, end: int) -> None:
        """Read one pair of a tensor's external data; later values of a field replace earlier ones."""
        pair = {_KEY: b"", _VALUE: b""}
        while self._cursor.position < end:
            number, kind = self._read_tag()
            if kind != _LENGTH or number not in pair:
                raise Unfit("a tensor's external data is not described by names and values")
            size = self._read_length(end) - self._cursor.position
            if size > _ENTRY_BYTES:
                raise Unfit("the description of a tensor's external data is too long")
            pair[number] = self._cursor.take(size)
        if pair[_KEY] == b"location":
            _check_location(pair[_VALUE])

    def _read_tag(self) -> tuple[int, int]:
        self._left -= 1
        if self._left < 0:
            raise Unfit(f"the model has more than {_FIELDS} fields")
        tag = self._cursor.varint()
        if not 8 <= tag < 1 << 32:
            raise Unfit(f"the model is damaged at byte {self._cursor.position}")
        return tag >> 3, tag & 7

    def _read_length(self, end: int) -> int:
        """Read how long a field is; say where it stops."""
        stop = self._cursor.varint() + self._cursor.position
        if stop > end:
            raise Unfit(f"the model is damaged: the field at byte {self._cursor.position} is too long")
        return stop

    def _skip(self, kind: int) -> None:
        if kind == _VARINT:
            self._cursor.varint()
        elif kind in _FIXED:
            self._cursor.skip(_FIXED[kind])
        else:
            raise Unfit(f"the model is damaged at byte {self._cursor.position}: no such type of field")


def _check_location(raw: bytes) -> None:
    location = raw.decode("utf-8", "replace")
    segments = location.split("/")
    if not _PLAIN.fullmatch(location) or not segments[0] or ".." in segments:
        message = f"a tensor lies in {shown(location)!r}, which is not a relative path below the model"
        raise Unfit(message, _INLINE)
