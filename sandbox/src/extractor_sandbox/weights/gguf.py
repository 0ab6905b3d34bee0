"""Judge a GGUF file by its header: its fields, where its tensors lie, and the templates that would be run.

A chat template is a Jinja program, which a library or the author's code renders.
"""

import math
import re

from extractor_sandbox.extent import Extent
from extractor_sandbox.finding import shown
from extractor_sandbox.weights.cursor import Cursor
from extractor_sandbox.weights.unfit import Unfit

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_FIELDS, _TENSORS, _STRINGS = 10_000, 100_000, 4_000_000
_NAME_BYTES, _TEMPLATE_BYTES = 65_535, 1 << 20
_DIMENSIONS = 8
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""How many bytes a value has, by the number of its type."""
_UINT32, _STRING, _ARRAY = 4, 8, 9
_ALIGNMENT, _TEMPLATE = "general.alignment", "chat_template"
_DEFAULT_ALIGNMENT = 32
# "important" is a word that prompts need.
_SUSPICIOUS = re.compile(r"__|\bimport(?!an)|\|\s*attr\b|[\"']attr[\"']|\\N\{")
_ESCAPE = re.compile(r"\\(?:x|u00|U000000)([0-7][0-9a-fA-F])|\\([01]?[0-7]{1,2})")
"""How a string may spell an ASCII character."""
_CONVERT = "Convert the model again with llama.cpp's convert_hf_to_gguf.py, or keep it as safetensors."
_PLAIN = "Write the template with plain names, conditions and loops, or leave it out."


def check(content: Extent) -> None:
    """Raise Unfit unless the header can be read to its end and its templates only format text."""
    _Header(Cursor(content)).check()


class _Header:
    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._alignment = _DEFAULT_ALIGNMENT
        self._strings_left = _STRINGS

    def check(self) -> None:
        """Read the header from its start to where the numbers begin."""
        if self._cursor.take(4) != _MAGIC or self._cursor.u32() not in _VERSIONS:
            raise Unfit("the file is no GGUF of version 2 or 3, little-endian", _CONVERT)
        tensors, fields = self._cursor.u64(), self._cursor.u64()
        if tensors > _TENSORS or fields > _FIELDS:
            raise Unfit(f"the header tells of {tensors} tensors and {fields} fields: too many", _CONVERT)
        keys = [self._read_field() for _ in range(fields)]
        if len(set(keys)) != len(keys):
            raise Unfit("the header has a field twice", _CONVERT)
        offsets = [self._read_tensor() for _ in range(tensors)]
        start = math.ceil(self._cursor.position / self._alignment) * self._alignment
        if offsets and start + max(offsets) > self._cursor.size:
            raise Unfit("a tensor lies behind the end of the file", _CONVERT)

    def _read_field(self) -> str:
        key = self._read_text(_NAME_BYTES)
        kind = self._cursor.u32()
        if kind == _ARRAY:
            kind, count = self._cursor.u32(), self._cursor.u64()
            if kind in _SIZES:
                self._cursor.skip(count * _SIZES[kind])
                return key
        else:
            count = 1
        if kind == _STRING:
            self._read_strings(key, count)
        elif kind == _UINT32 and key == _ALIGNMENT:
            self._alignment = self._cursor.u32()
            if self._alignment.bit_count() != 1:
                raise Unfit(f"tensors are aligned to {self._alignment} bytes, no power of two", _CONVERT)
        elif kind in _SIZES:
            self._cursor.skip(_SIZES[kind])
        else:
            raise Unfit(f"the field {shown(key)} has the type {kind}, which is not known", _CONVERT)
        return key

    def _read_strings(self, key: str, count: int) -> None:
        self._strings_left -= count
        if self._strings_left < 0:
            raise Unfit(f"the header has more than {_STRINGS} strings", _CONVERT)
        for _ in range(count):
            if _TEMPLATE in key:
                _check_template(key, self._read_text(_TEMPLATE_BYTES))
            else:
                self._cursor.skip(self._cursor.u64())

    def _read_tensor(self) -> int:
        """Read where a tensor lies behind the header."""
        name = self._read_text(_NAME_BYTES)
        dimensions = self._cursor.u32()
        if dimensions > _DIMENSIONS:
            raise Unfit(f"the tensor {shown(name)} has {dimensions} dimensions", _CONVERT)
        self._cursor.skip(dimensions * 8 + 4)
        return self._cursor.u64()

    def _read_text(self, most: int) -> str:
        size = self._cursor.u64()
        if size > most:
            raise Unfit(f"a name or template has {size} bytes; the limit is {most}", _CONVERT)
        try:
            return self._cursor.take(size).decode()
        except UnicodeDecodeError as err:
            raise Unfit("a name or template is no text", _CONVERT) from err


def _check_template(key: str, template: str) -> None:
    """Look at a template as it is written, and as Jinja reads the escapes of its strings."""
    found = _SUSPICIOUS.search(template) or _SUSPICIOUS.search(_unescape(template))
    if found:
        raise Unfit(f"the template {shown(key)} holds {shown(found[0])}", _PLAIN)


def _unescape(template: str) -> str:
    return _ESCAPE.sub(lambda escape: chr(int(escape[1] or escape[2], 16 if escape[1] else 8)), template)
