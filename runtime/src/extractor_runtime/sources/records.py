"""Records as objects: which field is the data, which the id, and what is left.

The data field is the first that ``mappings`` names and the first record of a file has, else one of the usual
names, else one that the extractor asks for, else the only text there is; a later record without it is an
error, never a guess. An object without an id is called after its content, so that a record added above it
changes nothing.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from extractor_runtime.sources import formats, media
from extractor_runtime.sources.errors import SourceError
from extractor_runtime.sources.formats import Place, Record
from extractor_runtime.sources.listing import File
from extractor_runtime.sources.tables import Row

ID_FIELDS = ("object_id", "_id", "id")
DATA_FIELDS = ("data", "text", "content", "body", "url")

_ID_DIGITS = 32

Aliased = dict[str, str | None]
"""Values by the input names that the manifest maps."""


class RecordReader:
    """Reads the records of one source; remembers ids, since no two objects may share one."""

    def __init__(self, mappings: Mapping[str, str], names: Sequence[str] = ()) -> None:
        self._mappings = mappings
        self._usual = (*DATA_FIELDS, *(name for name in names if name not in ID_FIELDS))
        self._places: dict[str, Place] = {}
        self._occurrences: Counter[str] = Counter()

    def read(self, file: File) -> Iterator[tuple[Row, Aliased]]:
        """Make an object of each record of a file."""
        folder = os.path.dirname(file.address)
        candidates: Sequence[str] = ()
        for record in formats.read(file):
            candidates = candidates or _data_fields(record, self._mappings, self._usual)
            yield self._object(record, candidates, folder)

    def _object(self, record: Record, candidates: Sequence[str], folder: str) -> tuple[Row, Aliased]:
        values, place = record.values, record.place
        field = _first_given(candidates, values)
        if field is None:
            raise SourceError(f"{place}: no field {' or '.join(candidates)} (it has {_names(values)})")
        id_field = _first_given(ID_FIELDS, values)
        claimed = self._claim(values[id_field], id_field, place) if id_field else None
        rest = {name: value for name, value in values.items() if name != field and name != id_field}
        data = _text(values[field], place)
        row = Row(
            object_id=claimed or self._name(record),
            blob_property=field,
            blob_type="text",
            mime_type=media.PLAIN_TEXT,
            size_bytes=0,
            data=data,
            content_hash=record.digest,
            fields=formats.to_json(rest, place) if rest else None,
        )
        mime = _referenced_type(data, folder) if data else None
        if mime is not None:
            row = _binary(row, mime, folder)
        aliased = {
            alias: row.data if name == field else resolve(_text(values[name], place), folder)
            for alias, name in self._mappings.items()
            if name in values
        }
        return row, aliased

    def _name(self, record: Record) -> str:
        occurrence = self._occurrences[record.digest]
        self._occurrences[record.digest] += 1
        name = record.digest[:_ID_DIGITS]
        return f"{name}-{occurrence}" if occurrence else name

    def _claim(self, value: object, field: str, place: Place) -> str | None:
        if value is None or value == "":
            return None
        if isinstance(value, dict) and isinstance(value.get("$oid"), str):
            value = value["$oid"]  # How MongoDB exports its ids.
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise SourceError(f"{place}: {field} is neither text nor a whole number")
        object_id = str(value)
        first = self._places.setdefault(object_id, place)
        if first is not place:
            raise SourceError(f"{place}: {field} {object_id!r} is taken by {first}; ids must differ")
        return object_id


def resolve(value: str | None, folder: str) -> str | None:
    """Complete a relative path to a binary by the folder of the file that names it."""
    if value is None or media.is_url(value) or _referenced_type(value, folder) is None:
        return value
    if media.is_url(folder):
        return folder + "/" + value
    return os.path.normpath(os.path.join(folder, value))


def _referenced_type(value: str, folder: str) -> str | None:
    """Tell the media type of what a value refers to; a path with spaces is one if the file is there."""
    mime = media.referenced_type(value, spaced=True)
    if mime is None or media.referenced_type(value) or os.path.isfile(os.path.join(folder, value)):
        return mime
    return None


def _data_fields(record: Record, mappings: Mapping[str, str], usual: Sequence[str]) -> Sequence[str]:
    """Name the fields that the data of a file is in, by its first record."""
    values = record.values
    if any(name in values for name in mappings.values()):
        return tuple(dict.fromkeys(mappings.values()))
    found = [name for name in usual if name in values] or [name for name in values if name.endswith("_url")]
    texts = found or [
        name for name, value in values.items() if isinstance(value, str) and name not in ID_FIELDS
    ]
    if not found and len(texts) != 1:
        raise SourceError(
            f"{record.place}: no field says what the data is (it has {_names(values)}); "
            "name one in the manifest's input_mappings, as in {'text': 'title'}"
        )
    return texts[:1]


def _first_given(names: Sequence[str], values: Mapping[str, Any]) -> str | None:
    """Find the first name that has a value, or else one that is there without."""
    for name in names:
        if values.get(name) not in (None, ""):
            return name
    return next((name for name in names if name in values), None)


def _text(value: object, place: Place) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return formats.to_json(value, place).decode()


def _binary(row: Row, mime: str, folder: str) -> Row:
    address = resolve(row.data, folder)
    assert address is not None
    size, stamp = 0, ""
    if not media.is_url(address) and os.path.isfile(address):
        status = os.stat(address)
        # The record stays the same when the file that it names changes.
        size, stamp = status.st_size, f"-{status.st_mtime_ns}"
    return row._replace(
        blob_type=media.blob_type(mime),
        mime_type=mime,
        size_bytes=size,
        data=address,
        content_hash=row.content_hash + stamp,
    )


def _names(values: Mapping[str, Any]) -> str:
    return ", ".join(values) or "no fields"
