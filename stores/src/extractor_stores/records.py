"""Completion records and pointers, read and written: all that a reader trusts.

A run becomes visible when its record replaces the one before, in one rename.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import pydantic

from extractor_apis import naming
from extractor_apis.meta import Struct
from extractor_apis.results import CompletionRecord, Pointer
from extractor_stores import files
from extractor_stores.errors import StoreError
from extractor_stores.layout import Layout

_Model = TypeVar("_Model", bound=Struct)


def source_revision(current: Mapping[str, str]) -> str:
    """Hash the objects of a source with their revisions, in whatever order they come."""
    return naming.stable_hash(json.dumps(sorted(current.items())))


def read_record(layout: Layout, collection: str, extractor: str, version: str) -> CompletionRecord | None:
    """Read the completion record of one table; None if nothing is published."""
    return _read(CompletionRecord, layout.record(collection, extractor, version))


def read_records(layout: Layout) -> Iterator[CompletionRecord]:
    """Read every completion record, sorted by collection, extractor and version."""
    for path in sorted(layout.records.glob("*/*/*.json")):
        record = None if path.name == "pointer.json" else _read(CompletionRecord, path)
        if record is not None:
            yield record


def read_pointer(layout: Layout, collection: str, extractor: str) -> str | None:
    """Read which version answers; None if none was ever published."""
    pointer = _read(Pointer, layout.pointer(collection, extractor))
    return pointer.version if pointer else None


def write_record(layout: Layout, record: CompletionRecord) -> None:
    """Publish a record in place of the one before."""
    path = layout.record(record.collection, record.extractor, record.version)
    files.write(path, record.model_dump_json(indent=1).encode())


def write_pointer(layout: Layout, collection: str, extractor: str, version: str) -> None:
    """Let a version answer; writes nothing if it does."""
    if read_pointer(layout, collection, extractor) != version:
        pointer = Pointer(version=version)
        files.write(layout.pointer(collection, extractor), pointer.model_dump_json().encode())


def _read(model: type[_Model], path: Path) -> _Model | None:
    content = files.read(path)
    if content is None:
        return None
    try:
        return model.model_validate_json(content)
    except pydantic.ValidationError as err:
        raise StoreError(f"{path} is damaged: restore it from a copy of the store") from err
