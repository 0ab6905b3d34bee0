"""Files that hold many records: how each is cut into records, and where the first broken one is.

A reader is a generator over a binary stream. It holds one record (JSON lines, CSV) or one small batch
(Parquet) at a time; only a JSON array is read whole, which is why it may not be large.
"""

import codecs
import csv
import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, BinaryIO, NamedTuple, cast

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from extractor_runtime.sources import utf8
from extractor_runtime.sources.errors import SourceError
from extractor_runtime.sources.listing import File

MAX_LINE = 64 * 1024 * 1024

_PARQUET_ROWS = 1024
_KINDS = {list: "a list", str: "a string", int: "a number", float: "a number", bool: "true or false"}
_BROKEN = (EOFError, zlib.error, pa.ArrowException, OSError)


class Place(NamedTuple):
    """Where a record is, as in ``topics.jsonl line 312``."""

    name: str
    unit: str
    number: int

    def __str__(self) -> str:
        return f"{self.name} {self.unit} {self.number}"


class Record(NamedTuple):
    """One record of a file."""

    place: Place
    digest: str
    """Differs when the record does."""
    values: dict[str, Any]


def is_records(name: str) -> bool:
    """Tell whether a file of that name holds records."""
    return _reader(name) is not None


def read(file: File) -> Iterator[Record]:
    """Read the records of a file; raise SourceError at the first broken one."""
    reader = _reader(file.name)
    assert reader is not None, file.name
    place = None
    try:
        with file.open() as stream:
            for record in reader(_decompressed(stream, file.name), file.name):
                place = record.place
                yield record
    except _BROKEN as err:
        last = f"after {place.unit} {place.number}" if place else "from its beginning"
        raise SourceError(f"{file.name} cannot be read {last}: {err}") from err


def _is_compressed(name: str) -> bool:
    return name.lower().endswith(".gz")


def _decompressed(stream: BinaryIO, name: str) -> BinaryIO:
    return cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if _is_compressed(name) else stream


def _reader(name: str) -> Callable[[BinaryIO, str], Iterator[Record]] | None:
    stem = name.lower().removesuffix(".gz")
    extension = stem[stem.rfind(".") :]
    # Parquet is compressed inside, and cannot be read as a stream.
    return None if extension == ".parquet" and _is_compressed(name) else _READERS.get(extension)


def _json_lines(stream: BinaryIO, name: str) -> Iterator[Record]:
    for number, line in _lines(stream, name):
        text = line.strip()
        if not text:
            continue
        place = Place(name, "line", number)
        try:
            values = orjson.loads(text)
        except orjson.JSONDecodeError as err:
            utf8.decode(text, name, number)
            raise SourceError(f"{place}: not valid JSON ({err.msg}, column {err.colno})") from None
        yield Record(place, hashlib.sha256(text).hexdigest(), _checked(values, place))


def _json_array(stream: BinaryIO, name: str) -> Iterator[Record]:
    content = stream.read(MAX_LINE + 1)
    if len(content) > MAX_LINE:
        raise SourceError(f"{name} is larger than {MAX_LINE:,} bytes: write it as JSON lines (.jsonl)")
    try:
        loaded = orjson.loads(content.removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError as err:
        utf8.decode(content, name)
        place = Place(name, "line", err.lineno)
        raise SourceError(f"{place}: not valid JSON ({err.msg}, column {err.colno})") from None
    for number, values in enumerate(loaded if isinstance(loaded, list) else [loaded], 1):
        place = Place(name, "item", number)
        yield Record(place, _digest(values, place), _checked(values, place))


def _separated(stream: BinaryIO, name: str, *, delimiter: str) -> Iterator[Record]:
    # Python's limit is for the whole process, and 128 KiB: a long article is longer.
    csv.field_size_limit(MAX_LINE)
    lines = (utf8.decode(line, name, number) for number, line in _lines(stream, name))
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    place = Place(name, "line", 1)
    try:
        for values in rows:
            if header is None:
                header = _checked_header(values, place)
            elif len(values) == len(header):
                record = dict(zip(header, values, strict=True))
                yield Record(place, _digest(record, place), record)
            elif values:
                raise SourceError(f"{place}: {len(values)} values for {len(header)} columns")
            # A record may span lines: the next one begins after the last line that was read.
            place = Place(name, "line", rows.line_num + 1)
    except csv.Error as err:
        raise SourceError(f"{place}: not valid CSV ({err})") from None


def _parquet(stream: BinaryIO, name: str) -> Iterator[Record]:
    number = 0
    for batch in pq.ParquetFile(stream).iter_batches(batch_size=_PARQUET_ROWS):
        try:
            rows = batch.to_pylist()
        except UnicodeDecodeError as err:
            raise SourceError(f"{name} after row {number}: not valid UTF-8 ({err.reason})") from None
        for values in rows:
            number += 1
            place = Place(name, "row", number)
            yield Record(place, _digest(values, place), values)


_READERS: dict[str, Callable[[BinaryIO, str], Iterator[Record]]] = {
    ".csv": partial(_separated, delimiter=","),
    ".json": _json_array,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
    ".tsv": partial(_separated, delimiter="\t"),
}


def to_json(value: object, place: Place) -> bytes:
    """Write a value of a record as JSON; raise SourceError for bytes, which no object may carry inline."""
    try:
        return orjson.dumps(value, default=_plain)
    except TypeError as err:
        raise SourceError(f"{place}: {err}; leave that field out, or give a URL instead") from None


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        raise TypeError
    return str(value)


def _lines(stream: BinaryIO, name: str) -> Iterator[tuple[int, bytes]]:
    number = 1
    line = stream.readline(MAX_LINE + 1).removeprefix(codecs.BOM_UTF8)
    while line:
        if len(line) > MAX_LINE:
            raise SourceError(f"{name} line {number}: longer than {MAX_LINE:,} bytes")
        yield number, line
        number += 1
        line = stream.readline(MAX_LINE + 1)


def _checked(values: object, place: Place) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise SourceError(f"{place}: not an object but {_KINDS.get(type(values), 'null')}")
    return values


def _checked_header(names: list[str], place: Place) -> list[str]:
    for index, column in enumerate(names):
        if not column:
            raise SourceError(f"{place}: column {index + 1} has no name")
        if column in names[:index]:
            raise SourceError(f"{place}: two columns are called {column!r}")
    return names


def _digest(values: object, place: Place) -> str:
    return hashlib.sha256(to_json(values, place)).hexdigest()
